use super::Malformed;

#[test]
fn says_what_is_wrong_and_where() {
    let cases = [
        (
            Malformed::Truncated {
                field: "Bind.portal",
            },
            "message ends inside `Bind.portal`",
        ),
        (
            Malformed::Trailing {
                message: "Query",
                extra: 3,
            },
            "3 extra bytes after `Query`",
        ),
        (
            Malformed::FrameLength {
                tag: b'Q',
                length: 3,
            },
            "message `Q` has impossible length 3",
        ),
        (
            Malformed::TooLong {
                tag: b'Q',
                length: 20,
                limit: 10,
            },
            "message `Q` of 20 bytes is over the limit of 10",
        ),
        (
            Malformed::Length {
                field: "DataRow.value",
                length: -2,
            },
            "`DataRow.value` has impossible length -2",
        ),
        (
            Malformed::TooMany {
                field: "AuthenticationSASL.mechanisms",
                count: 17,
                limit: 16,
            },
            "`AuthenticationSASL.mechanisms` has 17 entries, over the limit of 16",
        ),
        (
            Malformed::Count {
                field: "Bind.parameter_formats",
                count: 2,
                expected: 3,
            },
            "`Bind.parameter_formats` has 2 entries where 3 are needed",
        ),
        (Malformed::Utf8 { field: "a" }, "`a` is not UTF-8"),
        (
            Malformed::UnterminatedString { field: "a" },
            "`a` has no final NUL",
        ),
        (Malformed::InteriorNul { field: "a" }, "`a` contains a NUL"),
        // A tag is the peer's byte: control characters must not reach a terminal.
        (
            Malformed::UnknownTag { tag: 0x1b },
            "unknown message tag `\\x1b`",
        ),
        (
            Malformed::UnknownValue {
                field: "ReadyForQuery.status",
                value: 90,
            },
            "`ReadyForQuery.status` has unknown value 90",
        ),
        (Malformed::Duplicate { field: "a" }, "`a` is given twice"),
        (Malformed::Missing { field: "a" }, "`a` is missing"),
        (
            Malformed::Protocol { major: 2, minor: 0 },
            "unsupported frontend protocol 2.0: only 3.x is supported",
        ),
        (
            Malformed::TooLarge { message: "DataRow" },
            "`DataRow` is too large for the protocol",
        ),
    ];
    for (malformed, text) in cases {
        assert_eq!(malformed.to_string(), text);
    }
}
