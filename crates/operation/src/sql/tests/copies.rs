//! What COPY says of its rows.

use expect_test::{Expect, expect};

use super::USUAL;
use crate::sql::{Copied, analyze};

#[track_caller]
fn check(texts: &[&str], expected: Expect) {
    let mut all = String::new();
    for text in texts {
        all.push_str(text);
        all.push_str("\n  ");
        for statement in analyze(text, USUAL).statements {
            let Some(copy) = statement.copy else {
                all.push_str(
                    statement
                        .operation
                        .facts
                        .unreadable
                        .as_deref()
                        .unwrap_or("-"),
                );
                continue;
            };
            let rows = match &copy.rows {
                Copied::Query { from, to } => format!("`{}`", text.get(*from..*to).unwrap()),
                Copied::Table {
                    schema,
                    name,
                    columns,
                } => format!("{schema:?} {name} {columns:?}"),
            };
            let way = if copy.out { "out" } else { "in" };
            let layout = match &copy.layout {
                None => "uncertain".to_owned(),
                Some(l) => {
                    let marks =
                        [l.delimiter, l.quote, l.escape].map(|b| b.escape_ascii().to_string());
                    let header = if l.header { " header" } else { "" };
                    let encoding = l.encoding.as_deref().unwrap_or("");
                    format!(
                        "{:?} {} null={:?}{header} {encoding}",
                        l.format,
                        marks.join(" "),
                        l.null
                    )
                }
            };
            all.push_str(&format!("{way} {rows} {layout}; "));
        }
        all = all.trim_end().to_owned();
        all.push('\n');
    }
    expected.assert_eq(&all);
}

#[test]
fn knows_what_is_copied() {
    check(
        &[
            "COPY t TO STDOUT",
            "copy s.t (a, \"B\") from stdin;",
            "COPY BINARY db.s.t TO STDIN",
            "COPY (SELECT ')' /* ( */ FROM t -- x\n) TO STDOUT; COPY ( (select 1) ) to stdout",
            "COPY (DELETE FROM t RETURNING *) TO STDOUT",
            "COPY t TO '/tmp/x'",
            "COPY t TO PROGRAM 'stdout'",
        ],
        expect![[r#"
            COPY t TO STDOUT
              out None t [] Text \t \" \" null="\\N" ;
            copy s.t (a, "B") from stdin;
              in Some("s") t ["a", "B"] Text \t \" \" null="\\N" ;
            COPY BINARY db.s.t TO STDIN
              out Some("s") t [] Binary \t \" \" null="\\N" ;
            COPY (SELECT ')' /* ( */ FROM t -- x
            ) TO STDOUT; COPY ( (select 1) ) to stdout
              out `SELECT ')' /* ( */ FROM t -- x
            ` Text \t \" \" null="\\N" ; out `(select 1) ` Text \t \" \" null="\\N" ;
            COPY (DELETE FROM t RETURNING *) TO STDOUT
              out `DELETE FROM t RETURNING *` Text \t \" \" null="\\N" ;
            COPY t TO '/tmp/x'
              -
            COPY t TO PROGRAM 'stdout'
              -
        "#]],
    );
}

#[test]
fn knows_how_rows_are_written() {
    check(
        &[
            "COPY t TO STDOUT (FORMAT csv, HEADER)",
            "COPY t TO STDOUT WITH (format 'csv', header TRUE, delimiter ';', quote '''', escape E'\\\\')",
            "COPY t TO STDOUT (HEADER off, NULL '', FORCE_QUOTE *, FORCE_QUOTE (a, b))",
            "COPY t TO STDOUT CSV HEADER QUOTE AS '|' FORCE QUOTE a, b NULL AS 'x'",
            "COPY t USING DELIMITERS '|' WITH NULL AS 'nil'",
            "COPY t TO STDOUT USING DELIMITERS '|' WITH NULL AS 'nil'",
            "COPY t TO STDOUT (FORMAT binary, ENCODING 'latin1')",
            "COPY t TO STDOUT (DELIMITER 'ab')",
            "COPY t TO STDOUT (DELIMITER U&'\\0061')",
            "COPY t TO STDOUT (HEADER match)",
            "COPY t TO STDOUT (HEADER -1)",
            "COPY t TO STDOUT (HEADER 1)",
            "COPY t TO STDOUT (HEADER 10)",
            "COPY t TO STDOUT (FORMAT json)",
            "COPY t TO STDOUT (\"FORMAT\" csv)",
            "COPY t TO STDOUT (WHATEVER 1)",
            "COPY t TO STDOUT (NULL E'\\n')",
            "COPY t TO STDOUT CSV HEADER 3",
            "COPY t FROM STDIN (FORMAT csv) WHERE a > 1",
        ],
        expect![[r#"
            COPY t TO STDOUT (FORMAT csv, HEADER)
              out None t [] Csv , \" \" null="" header ;
            COPY t TO STDOUT WITH (format 'csv', header TRUE, delimiter ';', quote '''', escape E'\\')
              out None t [] Csv ; \' \\ null="" header ;
            COPY t TO STDOUT (HEADER off, NULL '', FORCE_QUOTE *, FORCE_QUOTE (a, b))
              out None t [] Text \t \" \" null="" ;
            COPY t TO STDOUT CSV HEADER QUOTE AS '|' FORCE QUOTE a, b NULL AS 'x'
              out None t [] Csv , | | null="x" header ;
            COPY t USING DELIMITERS '|' WITH NULL AS 'nil'
              not understood as PostgreSQL
            COPY t TO STDOUT USING DELIMITERS '|' WITH NULL AS 'nil'
              out None t [] Text | \" \" null="nil" ;
            COPY t TO STDOUT (FORMAT binary, ENCODING 'latin1')
              out None t [] Binary \t \" \" null="\\N" latin1;
            COPY t TO STDOUT (DELIMITER 'ab')
              out None t [] uncertain;
            COPY t TO STDOUT (DELIMITER U&'\0061')
              out None t [] uncertain;
            COPY t TO STDOUT (HEADER match)
              out None t [] uncertain;
            COPY t TO STDOUT (HEADER -1)
              out None t [] uncertain;
            COPY t TO STDOUT (HEADER 1)
              out None t [] Text \t \" \" null="\\N" header ;
            COPY t TO STDOUT (HEADER 10)
              out None t [] uncertain;
            COPY t TO STDOUT (FORMAT json)
              out None t [] uncertain;
            COPY t TO STDOUT ("FORMAT" csv)
              out None t [] uncertain;
            COPY t TO STDOUT (WHATEVER 1)
              out None t [] uncertain;
            COPY t TO STDOUT (NULL E'\n')
              out None t [] uncertain;
            COPY t TO STDOUT CSV HEADER 3
              not understood as PostgreSQL
            COPY t FROM STDIN (FORMAT csv) WHERE a > 1
              in None t [] Csv , \" \" null="" ;
        "#]],
    );
}
