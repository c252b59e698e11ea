//! The analysis of a text: no panic, and every statement touches something.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ostiary_operation::Verb;
use ostiary_operation::sql::{Reading, analyze};

fuzz_target!(|bytes: &[u8]| {
    let [flags, text @ ..] = bytes else { return };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let reading = Reading {
        standard_conforming_strings: flags & 1 == 0,
        utf8: flags & 2 == 0,
        server_utf8: flags & 4 == 0,
    };
    for statement in analyze(text, reading).statements {
        let operation = statement.operation;
        assert!(
            !operation.accesses.is_empty(),
            "an operation touches nothing"
        );
        assert_eq!(
            operation.facts.unreadable.is_some(),
            operation
                .accesses
                .iter()
                .any(|access| access.verb == Verb::Unreadable)
                && operation.facts.unreadable.is_some(),
            "what is unreadable has that access"
        );
    }
});
