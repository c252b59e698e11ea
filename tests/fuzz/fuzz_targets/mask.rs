//! Detectors over any bytes: findings are ordered, disjoint and in range, and nothing else changes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ostiary_mask::detect::{Detector, Scanner};
use ostiary_mask::{HashKey, Rewriter, Rewritten, Strategy};

fuzz_target!(|bytes: &[u8]| {
    let mut findings = Vec::new();
    Scanner::new(Detector::ALL).scan(bytes, &mut findings);
    let mut at = 0;
    for finding in &findings {
        assert!(finding.range.start >= at && finding.range.end > finding.range.start);
        assert!(finding.range.end <= bytes.len());
        at = finding.range.end;
    }
    let strategies = Detector::ALL.map(|detector| (detector, Strategy::Redact));
    let mut rewriter = Rewriter::new(strategies, HashKey::new(vec![7; 32]));
    let mut out = Vec::new();
    match rewriter.rewrite(bytes, &mut out) {
        Rewritten::Unchanged => assert!(findings.is_empty() && out.is_empty()),
        Rewritten::Changed { count } => assert_eq!(count, findings.len()),
        Rewritten::Null { .. } => panic!("no strategy here makes NULL"),
    }
});
