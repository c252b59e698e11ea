//! Strings, comments, names and settings that change where a statement begins and ends.

use expect_test::expect;

use super::super::{Reading, USUAL, analyze, check, check_all, render};

#[test]
fn strings_hide_nothing() {
    check_all(
        &[
            r"select E'O\'x'; delete from t; --'",
            r"select 'O\'; delete from t; --'",
            "select $$a)b$$; select $t$ $$ ; $t$, 1",
            "select $a$ $b$ $a$; drop table t; -- $b$ $a$",
            "select 'a' -- x\n 'b;'; delete from t",
            "select 'a' 'b'",
            "select U&'a\\0027; drop table t' ; delete from t",
            "select x'41''; drop table t; --'",
            "select a$b$c from t; delete from d$$; select $$",
            "select e$$x$$",
        ],
        expect![[r#"
            select E'O\'x'; delete from t; --'
              select: select database | clean [true]
              delete: delete t | no where
            select 'O\'; delete from t; --'
              select: select database | clean [true]
              delete: delete t | no where
            select $$a)b$$; select $t$ $$ ; $t$, 1
              select: select database | clean [true]
              select: select database | clean [true, true]
            select $a$ $b$ $a$; drop table t; -- $b$ $a$
              select: select database | clean [true]
              drop: drop t
            select 'a' -- x\n 'b;'; delete from t
              select: select database | clean [true]
              delete: delete t | no where
            select 'a' 'b'
              unreadable: not understood as PostgreSQL
            select U&'a\0027; drop table t' ; delete from t
              select: select database | clean [true]
              delete: delete t | no where
            select x'41''; drop table t; --'
              unreadable: not understood as PostgreSQL
            select a$b$c from t; delete from d$$; select $$
              unreadable: a dollar-quoted string that does not end
            select e$$x$$
              select: select database
        "#]],
    );
}

#[test]
fn comments_hide_nothing() {
    check_all(
        &[
            "select 1 /* a /* b */ ; delete from t */",
            "select 1 /* a /* b */ */ ; delete from t",
            "select 1 -- x\rdelete from t",
            "select 1; -- x\rdelete from t",
            "select 1 -- x\u{85}; delete from t\u{2028}; delete from t",
            "select 1 /*/ ; delete from t /*/ */ */",
            "select 1 /*! ; delete from t */",
            "select 1 --/*\n; delete from t --*/",
            "select 1 +--x\n 2; delete from t",
            "select 1 */* ; */ 2",
            "select 1 @-/* ; */- 2",
        ],
        expect![[r#"
            select 1 /* a /* b */ ; delete from t */
              select: select database | clean [true]
            select 1 /* a /* b */ */ ; delete from t
              select: select database | clean [true]
              delete: delete t | no where
            select 1 -- x\rdelete from t
              select: select t | clean [true]
            select 1; -- x\rdelete from t
              select: select database | clean [true]
              delete: delete t | no where
            select 1 -- x\u{85}; delete from t\u{2028}; delete from t
              select: select database | clean [true]
            select 1 /*/ ; delete from t /*/ */ */
              select: select database | clean [true]
            select 1 /*! ; delete from t */
              select: select database | clean [true]
            select 1 --/*\n; delete from t --*/
              select: select database | clean [true]
              delete: delete t | no where
            select 1 +--x\n 2; delete from t
              select: select database | clean [true]
              delete: delete t | no where
            select 1 */* ; */ 2
              select: select database | clean [true]
            select 1 @-/* ; */- 2
              select: select database
        "#]],
    );
}

#[test]
fn names_are_those_of_the_server() {
    check_all(
        &[
            r#"select * from "Users", users, USERS, "users""#,
            r#"select * from U&"d!0061t!0061" UESCAPE '!'"#,
            r#"select * from "a.b"."c/d", "a""b""#,
            "select * from STRAßE, ＵＳＥＲＳ, TABLO_İ",
            "select * from users\u{a0}x",
            "select\u{200b} * from users",
            "\u{feff}select 1",
            "select * from abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789abcd",
            "select * from äbcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012345678äabcd",
            "select * from db.s.t",
            "select * from a.b.c.d",
        ],
        expect![[r#"
            select * from "Users", users, USERS, "users"
              select: select Users, select users
            select * from U&"d!0061t!0061" UESCAPE '!'
              unreadable: an identifier with Unicode escapes
            select * from "a.b"."c/d", "a""b"
              select: select a"b, select a.b.c/d
            select * from STRAßE, ＵＳＥＲＳ, TABLO_İ
              select: select straße, select tablo_İ, select ＵＳＥＲＳ
            select * from users\u{a0}x
              unreadable: an invisible character outside quotes
            select\u{200b} * from users
              unreadable: an invisible character outside quotes
            \u{feff}select 1
              unreadable: an invisible character outside quotes
            select * from abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789abcd
              select: select abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789a
            select * from äbcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012345678äabcd
              select: select äbcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012345678
            select * from db.s.t
              select: select s.t
            select * from a.b.c.d
              unreadable: a name of more than three parts
        "#]],
    );
}

#[test]
fn only_and_star_are_not_names() {
    check_all(
        &[
            "select * from only users",
            "select * from only (users) u, orders *",
            "update only users set a = 1",
            "delete from only (users) where true",
            "truncate only a, b *",
            "lock table only a",
            "table only users",
            "with only_x as (select 1) select * from only only_x",
        ],
        expect![[r#"
            select * from only users
              select: select users
            select * from only (users) u, orders *
              select: select orders, select users
            update only users set a = 1
              update: update users | no where
            delete from only (users) where true
              delete: delete users
            truncate only a, b *
              truncate: truncate a, truncate b
            lock table only a
              lock: lock a
            table only users
              select: select users
            with only_x as (select 1) select * from only only_x
              select: select database
        "#]],
    );
}

#[test]
fn settings_change_the_reading() {
    let escaping = Reading {
        standard_conforming_strings: false,
        ..USUAL
    };
    let other_encoding = Reading {
        utf8: false,
        ..USUAL
    };
    let latin_database = Reading {
        server_utf8: false,
        ..USUAL
    };
    let cases = [
        (r"select 'a\'; delete from t; --'", escaping),
        ("select 'a'; delete from t", escaping),
        ("select U&'a'", escaping),
        ("select 'ä'", other_encoding),
        ("select 'a'", other_encoding),
        ("select 'a\0'", USUAL),
        ("select 'ä' from t", latin_database),
        ("select 1 from Ä", latin_database),
        ("select 1 from \"Ä\"", latin_database),
    ];
    let mut all = String::new();
    for (text, reading) in cases {
        all.push_str(&render(&analyze(text, reading)));
    }
    expect![[r#"
        unreadable: a backslash in a plain string while `standard_conforming_strings` is off
        select: select database | clean [true]
        delete: delete t | no where
        unreadable: a string with Unicode escapes while `standard_conforming_strings` is off
        unreadable: text outside ASCII while the client encoding is not UTF-8
        select: select database | clean [true]
        unreadable: NUL inside the text
        select: select t | clean [true]
        unreadable: a name outside ASCII in a database that is not UTF-8
        unreadable: a name outside ASCII in a database that is not UTF-8
    "#]]
    .assert_eq(&all);
}

#[test]
fn a_setting_has_a_name_of_any_length() {
    check_all(
        &[
            "grant set on parameter a . b . c, a.b.c.d to r",
            "alter system set a . b . excluding = true",
        ],
        expect![[r#"
            grant set on parameter a . b . c, a.b.c.d to r
              grant: grant setting a.b.c, grant setting a.b.c.d, grant role r
            alter system set a . b . excluding = true
              administer: administer setting a.b.excluding
        "#]],
    );
}

#[test]
fn a_statement_after_a_thousand_semicolons_is_found() {
    let text = format!("select 1{} delete from t", ";".repeat(1000));
    check(
        &text,
        expect![[r#"
        select: select database | clean [true]
        delete: delete t | no where
    "#]],
    );
}

#[test]
fn one_bad_statement_does_not_taint_the_others() {
    check_all(
        &[
            "select 1; selekt 2; delete from t",
            ";;; select 1;;;;",
            "",
            " -- nothing\n /* here */ ; ",
            "select (1; select 2)",
            "select 1) ; (select 2",
            "select 'a; delete from t",
            "select /* a; delete from t",
            "select 1; select $a; delete from t",
            "create function f() returns int begin atomic select case when true then 1 end; end; drop table t",
        ],
        expect![[r#"
            select 1; selekt 2; delete from t
              select: select database | clean [true]
              unreadable: not understood as PostgreSQL
              delete: delete t | no where
            ;;; select 1;;;;
              select: select database | clean [true]

             -- nothing\n /* here */ ; 
            select (1; select 2)
              unreadable: not understood as PostgreSQL
            select 1) ; (select 2
              unreadable: unbalanced parentheses
            select 'a; delete from t
              unreadable: a quoted string that does not end
            select /* a; delete from t
              unreadable: a comment that does not end
            select 1; select $a; delete from t
              unreadable: a dollar sign on its own
            create function f() returns int begin atomic select case when true then 1 end; end; drop table t
              create: create f()
              drop: drop t
        "#]],
    );
}
