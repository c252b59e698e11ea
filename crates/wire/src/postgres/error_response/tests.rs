use super::{Fields, exercise, field};
use crate::Malformed;

#[test]
fn any_field_may_be_missing_repeated_or_unknown() {
    type Text = Option<&'static [u8]>;
    let cases: [(&[u8], Text, Text, Text); 5] = [
        (b"\0", None, None, None),
        (
            b"SFEHLER\0VERROR\0C42P01\0Mno\0\0",
            Some(b"ERROR"),
            Some(b"42P01"),
            Some(b"no"),
        ),
        (b"SFEHLER\0\0", Some(b"FEHLER"), None, None),
        (b"M1\0M2\0\xff\0\0", None, None, Some(b"1")),
        (b"M\0C\0\0", None, Some(b""), Some(b"")),
    ];
    for (body, severity, sqlstate, message) in cases {
        let fields = Fields::parse(body).unwrap();
        assert_eq!(fields.severity(), severity, "{fields:?}");
        assert_eq!(fields.sqlstate(), sqlstate, "{fields:?}");
        assert_eq!(fields.message(), message, "{fields:?}");
        assert_eq!(fields.body(), body);
    }
}

#[test]
fn refuses_fields_that_do_not_end() {
    let field = "ErrorResponse.field";
    let trailing = Malformed::Trailing {
        message: "ErrorResponse",
        extra: 2,
    };
    let cases: [(&[u8], Malformed); 4] = [
        (b"", Malformed::Truncated { field }),
        (b"Mno", Malformed::UnterminatedString { field }),
        (b"Mno\0", Malformed::Truncated { field }),
        (b"Mno\0\0M\0", trailing),
    ];
    for (body, malformed) in cases {
        assert_eq!(Fields::parse(body), Err(malformed));
    }
}

#[test]
fn no_prefix_of_fields_is_fields() {
    let body = b"SERROR\0C42501\0Mno\0Dx\0\0";
    for cut in 0..body.len() {
        assert!(Fields::parse(&body[..cut]).is_err(), "{cut}");
        assert_eq!(exercise(&body[..cut]), Ok(()));
    }
    assert_eq!(exercise(body), Ok(()));
    let fields = Fields::parse(body).unwrap();
    assert_eq!(fields.get(field::DETAIL), Some(&b"x"[..]));
    assert_eq!(fields.iter().count(), 4);
}
