//! Whatever the text, reading it ends, takes little stack and does not panic.

use proptest::prelude::*;

use super::{Reading, USUAL, analyze, render};

/// Found by fuzzing: a rule that took nothing and was tried again for ever.
#[test]
fn reading_always_goes_on_or_ends() {
    for text in [
        "select '', $$$$order",
        "select 1 order",
        "values (1) order order",
        "with a as (table b order) table c",
    ] {
        assert!(
            render(&analyze(text, USUAL)).contains("unreadable"),
            "{text}"
        );
    }
}

/// Each of these once took time by the square of its length.
#[test]
fn many_names_take_time_by_their_number() {
    let many = |text: &str, by: &str| vec![text; 10_000].join(by);
    let texts = [
        format!(
            "select {} from t order by {}",
            many("a a", ","),
            many("a", ",")
        ),
        format!(
            "select * from {} where {}",
            many("f(a)", ","),
            many("a = 1", " and ")
        ),
        format!(
            "select 1 from {} where {}",
            many("t x", ","),
            many("x.a = $1", " and ")
        ),
        format!(
            "insert into c select {} from {}",
            many("x.a", ","),
            many("t x", ",")
        ),
        format!(
            "select {} from {}",
            many("upper(x.a)", ","),
            many("(select a from t) x", ",")
        ),
        format!(
            "select *, {} from t order by {}",
            many("a", ","),
            many("1", ",")
        ),
        many("select a a", " union "),
        format!("select * from {}", many("t", " natural join ")),
    ];
    for text in texts {
        let statement = &analyze(&text, USUAL).statements[0];
        assert_eq!(statement.operation.facts.unreadable, None);
    }
}

#[test]
fn deep_nesting_needs_little_stack() {
    let depth = 2000;
    let texts = [
        format!("select {}1{}", "(".repeat(depth), ")".repeat(depth)),
        format!("select {}1{}", "f(".repeat(depth), ")".repeat(depth)),
        format!(
            "{}select 1{}",
            "select * from (".repeat(depth),
            ") x".repeat(depth)
        ),
        format!("select * from {}a{}", "(".repeat(depth), ")".repeat(depth)),
        format!(
            "select {}1{}",
            "case when ".repeat(depth),
            " then 1 end".repeat(depth)
        ),
        format!("select {}1{}", "array[".repeat(depth), "]".repeat(depth)),
        format!("{}select 1{}", "(".repeat(depth), ")".repeat(depth)),
        format!(
            "{}select 1{}",
            "with x as (".repeat(depth),
            ") select 1".repeat(depth)
        ),
        format!("select 1{}", " + 1".repeat(100_000)),
        format!("select {}1", "- ".repeat(100_000)),
        format!("select {}true", "not ".repeat(100_000)),
        format!("select 1{}", " union select 1".repeat(100_000)),
        format!("select * from a{}", " join a".repeat(100_000)),
        format!("select * from a{}", " cross join a".repeat(100_000)),
        format!("select a{}", "[1]".repeat(100_000)),
        format!("select a{}", "::int[]".repeat(100_000)),
        format!("select a{}", ".b".repeat(100_000)),
        format!("{}select 1", "explain ".repeat(100_000)),
        format!("select {}1{}", "(select ".repeat(depth), ")".repeat(depth)),
        format!(
            "select xmlelement({}1{}",
            "xmlattributes(".repeat(depth),
            ")".repeat(depth)
        ),
        format!("select 1::{}x{}", "a(1::".repeat(depth), ")".repeat(depth)),
        format!("create schema s {}", "create schema s ".repeat(depth)),
        format!(
            "create rule r as on select to t do {}select 1",
            "(".repeat(depth)
        ),
        format!(
            "create table t (a int default {}1{})",
            "f(".repeat(depth),
            ")".repeat(depth)
        ),
        format!(
            "select grouping sets {}1{}",
            "(".repeat(depth),
            ")".repeat(depth)
        ),
        format!(
            "select 1 group by {}1{}",
            "grouping sets (".repeat(depth),
            ")".repeat(depth)
        ),
        format!(
            "select * from json_table(a, 'b' {}",
            "columns (nested 'x' ".repeat(depth)
        ),
        format!("select f({}", "over (order by f() ".repeat(depth)),
        format!("select {}1{}", "int(".repeat(depth), ")".repeat(depth)),
        format!(
            "/*{}{}*/ select 1",
            "/*".repeat(100_000),
            "*/".repeat(100_000)
        ),
    ];
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    let read = move || {
        for text in texts {
            analyze(&text, USUAL);
        }
    };
    thread.spawn(read).unwrap().join().unwrap();
}

#[test]
fn text_made_to_take_long_is_not_read() {
    let texts = [
        format!(
            "with {}b as (select 1) select 1",
            "a as (select 1), ".repeat(20_000)
        ),
        format!(
            "with recursive {}b as (select 1) select 1",
            "a as (select 1), ".repeat(20_000)
        ),
        format!(
            "select * from {}a {}",
            "a, ".repeat(20_000),
            "for update ".repeat(20_000)
        ),
    ];
    for text in texts {
        let read = render(&analyze(&text, USUAL));
        assert!(read.starts_with("unreadable: too many"), "{read}");
    }
}

#[test]
fn long_everyday_statements_are_read() {
    let texts = [
        format!(
            "insert into t values {}(1, 'x')",
            "(1, 'x'), ".repeat(20_000)
        ),
        format!("select * from t where {}a = 1", "a = 1 or ".repeat(20_000)),
        format!("select * from t where a in ({}1)", "1, ".repeat(20_000)),
        format!("select {}1{}", "coalesce(a, ".repeat(50), ")".repeat(50)),
        format!(
            "select * from {}t{}",
            "(select * from ".repeat(50),
            ") x".repeat(50)
        ),
    ];
    for text in texts {
        super::readable(&text);
    }
}

/// Pieces that texts made to confuse are built of.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "select",
            "from",
            "where",
            "with",
            "as",
            "(",
            ")",
            "[",
            "]",
            ",",
            ";",
            ".",
            "::",
            "'",
            "\"",
            "$$",
            "$a$",
            "--",
            "\n",
            "/*",
            "*/",
            "E'",
            "U&'",
            "U&\"",
            "\\",
            "t",
            "f(",
            "1",
            "1e",
            "$1",
            "*",
            "+",
            "insert into",
            "values",
            "update",
            "set",
            "delete",
            "merge",
            "using",
            "when",
            "create",
            "table",
            "function",
            "begin atomic",
            "end",
            "case",
            "copy",
            "explain",
            "analyze",
            "grant",
            "on",
            "to",
            "execute",
            "declare",
            "union",
            "for",
            "of",
            "alter",
            "drop",
            "rule",
            "do",
            "index",
            "references",
            "default",
            "over",
            "ä",
            "\u{a0}",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,6}",
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_to_something(text in any::<String>(), standard: bool, utf8: bool, server_utf8: bool) {
        let reading = Reading { standard_conforming_strings: standard, utf8, server_utf8 };
        for statement in analyze(&text, reading).statements {
            prop_assert!(!statement.operation.accesses.is_empty());
        }
    }

    #[test]
    fn any_mixture_is_read_to_something(pieces in prop::collection::vec(piece(), 0..30)) {
        for statement in analyze(&pieces.join(" "), USUAL).statements {
            prop_assert!(!statement.operation.accesses.is_empty());
        }
        analyze(&pieces.concat(), USUAL);
    }

    #[test]
    fn joined_texts_give_the_statements_of_both(
        first in prop::collection::vec(whole(), 0..6),
        second in prop::collection::vec(whole(), 0..6),
    ) {
        let (first, second) = (first.concat(), second.concat());
        let apart = render(&analyze(&first, USUAL)) + &render(&analyze(&second, USUAL));
        let both = render(&analyze(&(first + &second), USUAL));
        prop_assert_eq!(both, apart);
    }
}

/// Texts that are whole by themselves, whatever stands next to them.
fn whole() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "select 1;",
        "selekt 1;",
        ";",
        " ",
        "-- ; ' $$ /*\n",
        "/* ; ' /* */ \" */",
        "select ';', E'\\';', $$;$$, $a$;$$;$a$ from \";\";",
        "delete from t where a = ';';",
        "create function f() returns int begin atomic select case when a then 1 end; end;",
        "create rule r as on insert to t do (select 1; delete from u);",
        "select 'a'\n';';",
        "select a$b$ from t;",
    ])
}
