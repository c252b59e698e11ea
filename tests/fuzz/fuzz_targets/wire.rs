//! Both directions of the PostgreSQL codec: no panic, and what is read is written back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(ostiary_wire::postgres::exercise(bytes), Ok(()));
});
