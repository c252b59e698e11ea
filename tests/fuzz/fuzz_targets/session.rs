//! Whole PostgreSQL sessions: however both peers and the control plane interleave, no panic, and no
//! operation reaches the server without a verdict that lets it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(ostiary_session::postgres::exercise(bytes), Ok(()));
});
