use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{DataRow, RowWriter, exercise};
use crate::Malformed;
use crate::postgres::frame;

const BODY: &[u8] = b"\0\x03\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\0";
const FRAME: &[u8] = b"D\0\0\0\x14\0\x03\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\0";

#[test]
fn reads_values_nulls_and_empty_values() {
    let row = DataRow::parse(BODY).unwrap();
    assert_eq!(row.column_count(), 3);
    assert_eq!(row.values().len(), 3);
    let values: Vec<_> = row.into_iter().collect();
    assert_eq!(values, [Some(&b"ab"[..]), None, Some(&b""[..])]);
    let none = DataRow::parse(b"\0\0").unwrap();
    assert_eq!(none.into_iter().next(), None);
}

#[test]
fn refuses_malformed_rows() {
    let field = "DataRow.value";
    let cases: [(&[u8], Malformed); 8] = [
        (
            b"\0",
            Malformed::Truncated {
                field: "DataRow.columns",
            },
        ),
        // Shorter and longer than it says.
        (b"\xff\xff\0\0\0\0", Malformed::Truncated { field }),
        (
            b"\0\x01\0\0\0\x01ab",
            Malformed::Trailing {
                message: "DataRow",
                extra: 1,
            },
        ),
        (
            b"\0\0\0",
            Malformed::Trailing {
                message: "DataRow",
                extra: 1,
            },
        ),
        (b"\0\x01\0\0\0\x02a", Malformed::Truncated { field }),
        (b"\0\x01\x7f\xff\xff\xff", Malformed::Truncated { field }),
        (
            b"\0\x01\xff\xff\xff\xfe",
            Malformed::Length { field, length: -2 },
        ),
        (
            b"\0\x01\x80\0\0\0",
            Malformed::Length {
                field,
                length: i64::from(i32::MIN),
            },
        ),
    ];
    for (body, malformed) in cases {
        assert_eq!(DataRow::parse(body), Err(malformed), "{body:?}");
    }
}

#[test]
fn no_prefix_of_a_row_is_one() {
    for cut in 0..BODY.len() {
        assert!(DataRow::parse(&BODY[..cut]).is_err(), "{cut}");
        assert_eq!(exercise(&BODY[..cut]), Ok(()));
    }
    assert_eq!(exercise(BODY), Ok(()));
}

#[test]
fn writes_behind_what_is_there() {
    let mut out = b"before".to_vec();
    let mut row = RowWriter::start(&mut out);
    let length = row.value_with(|out| {
        out.extend(b"ab");
        2
    });
    row.value(None);
    row.value(Some(b""));
    assert_eq!(row.finish(), Ok(()));
    assert_eq!(length, 2);
    assert_eq!(&out[..6], b"before");
    assert_eq!(&out[6..], FRAME);
}

#[test]
fn a_row_without_columns_is_a_row() {
    let mut out = Vec::new();
    assert_eq!(RowWriter::start(&mut out).finish(), Ok(()));
    assert_eq!(out, b"D\0\0\0\x06\0\0");
}

#[test]
fn an_abandoned_row_leaves_nothing() {
    let mut out = b"before".to_vec();
    let mut row = RowWriter::start(&mut out);
    row.value(Some(b"secret"));
    drop(row);
    assert_eq!(out, b"before");
}

#[test]
fn refuses_more_columns_than_the_count_holds() {
    let mut out = b"before".to_vec();
    let mut row = RowWriter::start(&mut out);
    for _ in 0..65_536 {
        row.value(None);
    }
    let wrong = Malformed::TooLarge { message: "DataRow" };
    assert_eq!(row.finish(), Err(wrong));
    assert_eq!(out, b"before");

    let mut row = RowWriter::start(&mut out);
    for _ in 0..65_535 {
        row.value(None);
    }
    assert_eq!(row.finish(), Ok(()));
    let frame = frame::take(&out[6..], usize::MAX).unwrap().unwrap();
    assert_eq!(DataRow::parse(frame.body).unwrap().column_count(), 65_535);
}

#[test]
fn refuses_a_filler_that_takes_away() {
    let mut out = b"before".to_vec();
    let mut row = RowWriter::start(&mut out);
    row.value_with(Vec::clear);
    let wrong = Malformed::TooLarge { message: "DataRow" };
    assert_eq!(row.finish(), Err(wrong));
}

proptest! {
    #[test]
    fn a_row_reads_back(values in vec(option::of(vec(any::<u8>(), 0..40)), 0..20)) {
        let mut out = Vec::new();
        let mut row = RowWriter::start(&mut out);
        for value in &values {
            row.value(value.as_deref());
        }
        prop_assert_eq!(row.finish(), Ok(()));
        let frame = frame::take(&out, out.len()).unwrap().unwrap();
        let row = DataRow::parse(frame.body).unwrap();
        let read: Vec<_> = row.values().map(|value| value.map(<[u8]>::to_vec)).collect();
        prop_assert_eq!(read, values);
        prop_assert_eq!(exercise(frame.body), Ok(()));
        for cut in 0..frame.body.len() {
            prop_assert!(DataRow::parse(&frame.body[..cut]).is_err());
        }
    }
}
