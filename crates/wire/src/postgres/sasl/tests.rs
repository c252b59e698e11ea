use super::{InitialResponse, exercise};
use crate::Malformed;
use crate::postgres::frontend::encode;

#[test]
fn reads_what_is_written() {
    type Data = Option<&'static [u8]>;
    let cases: [(&str, Data, &[u8]); 3] = [
        (
            "SCRAM-SHA-256",
            Some(b"n,,"),
            b"SCRAM-SHA-256\0\0\0\0\x03n,,",
        ),
        ("X", Some(b""), b"X\0\0\0\0\0"),
        ("X", None, b"X\0\xff\xff\xff\xff"),
    ];
    for (mechanism, data, body) in cases {
        let mut out = Vec::new();
        encode::sasl_initial_response(&mut out, mechanism, data).unwrap();
        assert_eq!(&out[5..], body);
        let response = InitialResponse { mechanism, data };
        assert_eq!(InitialResponse::parse(body), Ok(response));
        for cut in 0..body.len() {
            assert!(InitialResponse::parse(&body[..cut]).is_err());
            assert_eq!(exercise(&body[..cut]), Ok(()));
        }
        assert_eq!(exercise(body), Ok(()));
    }
}

#[test]
fn a_sasl_response_is_its_data() {
    let mut out = Vec::new();
    encode::sasl_response(&mut out, b"c=biws,r=x\0").unwrap();
    assert_eq!(out, b"p\0\0\0\x0fc=biws,r=x\0");
}

#[test]
fn refuses_malformed_responses() {
    let cases: [(&[u8], Malformed); 3] = [
        (
            b"X\0\xff\xff\xff\xfe",
            Malformed::Length {
                field: "SASLInitialResponse.data",
                length: -2,
            },
        ),
        (
            b"X\0\0\0\0\x01ab",
            Malformed::Trailing {
                message: "SASLInitialResponse",
                extra: 1,
            },
        ),
        (
            b"\xff\0\0\0\0\0",
            Malformed::Utf8 {
                field: "SASLInitialResponse.mechanism",
            },
        ),
    ];
    for (body, malformed) in cases {
        assert_eq!(InitialResponse::parse(body), Err(malformed));
    }
}
