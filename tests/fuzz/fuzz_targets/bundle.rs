//! A hostile author: whatever the files, they are refused or decide, and deny what nobody permits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ostiary_operation::{Operation, Principal, Target};
use ostiary_policy::{Bundle, Files};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // "=== name" starts a file.
    let files: Files = text
        .split("=== ")
        .filter_map(|part| part.split_once('\n'))
        .map(|(name, text)| (name.trim().to_owned(), text.to_owned()))
        .collect();
    let Ok(bundle) = Bundle::parse(&files) else {
        return;
    };
    let who = Principal {
        issuer: "https://issuer".into(),
        subject: "agent".into(),
        groups: ["analysts".to_owned()].into(),
        on_behalf_of: None,
    };
    let target = Target {
        resource: "shop".into(),
        database: "shop".into(),
        role: "shop_app".into(),
    };
    let _ = bundle.decide(&who, &target, &Operation::unreadable("fuzz"));
    let _ = bundle.masks(&who, &target);
});
