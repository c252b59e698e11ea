//! What drivers, ORMs, psql, pg_dump and BI tools send must be read.

use super::readable;

#[test]
fn statements_of_tools_are_read() {
    for text in include_str!("everyday.sql").split("\n--\n") {
        readable(text);
    }
}
