//! Principal x verb x object -> decision, under the bundle of `docs/examples/policy`.

use std::fmt::Write as _;

use ostiary_operation::{Protocol, Verb};

use super::{docs::example, notation, shop, who};
use crate::Verdict;

const PRINCIPALS: [&str; 3] = ["analysts", "support", "analysts support"];
const OBJECTS: [&str; 10] = [
    "public.users",
    "users",
    "pg_catalog.pg_class",
    "pg_authid",
    "schema public",
    "pg_catalog.now()",
    "setting search_path",
    "role shop_app",
    "extension dblink",
    "database",
];

fn sql() -> impl Iterator<Item = Verb> {
    let all = Verb::ALL.into_iter();
    all.filter(|verb| verb.protocol() == Protocol::Sql)
}

#[test]
fn the_matrix_is_as_recorded() {
    let bundle = example();
    let mut matrix = String::new();
    for groups in PRINCIPALS {
        let _ = write!(matrix, "{:<17}", groups.replace(' ', "+"));
        for object in OBJECTS {
            let _ = write!(matrix, " | {object:<24}");
        }
        let end = matrix.trim_end().len();
        matrix.truncate(end);
        matrix.push('\n');
        for verb in sql() {
            let _ = write!(matrix, "{:<17}", verb.as_str());
            for object in OBJECTS {
                let operation = notation::operation(&format!("{verb} {object}"));
                let decision = bundle.decide(&who(groups), &shop(), &operation);
                let shown = match decision.verdict {
                    Verdict::Allow => "allow".to_owned(),
                    Verdict::Approve(demand) => format!("approve {}", demand.approvals.join("+")),
                    Verdict::Deny(denial) => format!("deny {}", denial.rule),
                };
                let _ = write!(matrix, " | {shown:<24}");
            }
            let end = matrix.trim_end().len();
            matrix.truncate(end);
            matrix.push('\n');
        }
        matrix.push('\n');
    }
    for verb in sql() {
        let row = format!("\n{:<17} |", verb.as_str());
        assert_eq!(matrix.matches(&row).count(), PRINCIPALS.len(), "{verb}");
    }
    expect_test::expect_file!["../../testdata/matrix.out"].assert_eq(&matrix);
}
