//! A short run of the fuzz targets of `just fuzz`, on bytes that look like what they read. It finds what is
//! near, and keeps the targets from falling behind.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target ends where it finds something"
)]
#![allow(unused_attributes, reason = "`no_main` is for libFuzzer")]

extern crate self as libfuzzer_sys;

use proptest::{
    collection::vec,
    prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest},
    sample::select,
};

#[path = "../../../tests/fuzz/fuzz_targets/body.rs"]
mod body;
#[path = "../../../tests/fuzz/fuzz_targets/bundle.rs"]
mod bundle;
#[path = "../../../tests/fuzz/fuzz_targets/mask.rs"]
mod mask;
#[path = "../../../tests/fuzz/fuzz_targets/request.rs"]
mod request;
#[path = "../../../tests/fuzz/fuzz_targets/session.rs"]
mod session;
#[path = "../../../tests/fuzz/fuzz_targets/sql.rs"]
mod sql;
#[path = "../../../tests/fuzz/fuzz_targets/streams.rs"]
mod streams;
#[path = "../../../tests/fuzz/fuzz_targets/wire.rs"]
mod wire;

/// What libFuzzer's macro makes a program of, as a function.
#[macro_export]
macro_rules! fuzz_target {
    (|$bytes:ident: &[u8]| $body:block) => {
        pub(crate) fn run($bytes: &[u8]) {
            $body
        }
    };
}

/// Pieces that one of the parsers knows.
const PIECES: &[&[u8]] = &[
    // JSON, events, text.
    b"{\"email\":",
    b"\"ada@example.com\"",
    b"[1,",
    b"null",
    b"\"\\u00e9\\ud83d\"",
    b"}",
    b"]",
    b",",
    b"data: ",
    b"\n\n",
    b"4111 1111 1111 1111",
    b"::1",
    // Policy.
    b"=== access.cedar\n",
    b"=== labels.yaml\n",
    b"permit(principal, action, resource);",
    b"labels:\n",
    // SQL.
    b"SELECT ",
    b"FROM users ",
    b"'",
    b"$$",
    b"--",
    b"/*",
    b"E'\\",
    b"(",
    b")",
    b";",
    b"WITH a AS (",
    // Requests.
    b"/users/",
    b"%2f",
    b"..",
    b"?a=1&",
    b"/graphql\n",
    b"query { users { email } }",
    // Frames.
    b"\x81\x85abcd",
    b"\x80\x03\x00\x01",
    b"\x00\x00\x00\x08",
    b"Q\x00\x00\x00\x0dSELECT 1\x00",
    b"P\x00\x00\x00\x10\x00SELECT 1\x00\x00\x00",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => select(PIECES).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..4),
    ];
    let pieces = vec(piece, 0..24).prop_map(|pieces| pieces.concat());
    (vec(any::<u8>(), 0..3), pieces).prop_map(|(head, pieces)| [head, pieces].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_target_finds_anything_near(bytes in bytes()) {
        body::run(&bytes);
        bundle::run(&bytes);
        mask::run(&bytes);
        request::run(&bytes);
        session::run(&bytes);
        sql::run(&bytes);
        streams::run(&bytes);
        wire::run(&bytes);
    }
}
