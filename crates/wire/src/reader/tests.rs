use super::Reader;
use crate::Malformed;

#[test]
fn reads_numbers_in_order() {
    let mut reader = Reader::new(&[1, 0, 2, 0xff, 0xfe, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(reader.u8("a"), Ok(1));
    assert_eq!(reader.u16("a"), Ok(2));
    assert_eq!(reader.i16("a"), Ok(-2));
    assert_eq!(reader.u32("a"), Ok(3));
    assert_eq!(reader.i32("a"), Ok(-1));
    assert_eq!(reader.finish("m"), Ok(()));
}

#[test]
fn a_failed_read_takes_nothing() {
    let mut reader = Reader::new(&[1, 2]);
    let truncated = Malformed::Truncated { field: "a" };
    assert_eq!(reader.u32("a"), Err(truncated));
    assert_eq!(reader.take(3, "a"), Err(truncated));
    assert_eq!(reader.take(usize::MAX, "a"), Err(truncated));
    let unterminated = Malformed::UnterminatedString { field: "a" };
    assert_eq!(reader.string("a"), Err(unterminated));
    assert_eq!(reader.u16("a"), Ok(0x0102));
}

#[test]
fn a_value_is_null_by_minus_one_alone() {
    type Value = Result<Option<&'static [u8]>, Malformed>;
    let cases: [(&[u8], Value); 7] = [
        (&[0, 0, 0, 0], Ok(Some(b""))),
        (&[0, 0, 0, 1, 7], Ok(Some(&[7]))),
        (&[0xff, 0xff, 0xff, 0xff], Ok(None)),
        (
            &[0xff, 0xff, 0xff, 0xfe],
            Err(Malformed::Length {
                field: "a",
                length: -2,
            }),
        ),
        (
            &[0x80, 0, 0, 0],
            Err(Malformed::Length {
                field: "a",
                length: i64::from(i32::MIN),
            }),
        ),
        (
            &[0x7f, 0xff, 0xff, 0xff],
            Err(Malformed::Truncated { field: "a" }),
        ),
        (&[0, 0, 0], Err(Malformed::Truncated { field: "a" })),
    ];
    for (bytes, value) in cases {
        assert_eq!(Reader::new(bytes).value("a"), value, "{bytes:?}");
    }
}

#[test]
fn a_count_is_refused_before_anything_is_reserved_for_it() {
    let truncated = Malformed::Truncated { field: "a" };
    let mut reader = Reader::new(&[0xff, 0xff, 0, 0, 0, 0]);
    assert_eq!(reader.count(4, "a"), Err(truncated));
    let mut reader = Reader::new(&[0xff, 0xff]);
    assert_eq!(reader.count(usize::MAX, "a"), Err(truncated));
    let mut reader = Reader::new(&[0, 1, 0, 0, 0, 0]);
    assert_eq!(reader.count(4, "a"), Ok(1));
}

#[test]
fn what_is_left_over_is_counted() {
    let trailing = Malformed::Trailing {
        message: "m",
        extra: 2,
    };
    assert_eq!(Reader::new(&[1, 2]).finish("m"), Err(trailing));
    assert_eq!(
        Reader::new(&[0xff, 0]).utf8("a"),
        Err(Malformed::Utf8 { field: "a" })
    );
}
