//! How fast the body of an answer in JSON is masked as it streams: a list of people, with labelled fields
//! and every detector.
//!
//! Natively: `cargo bench -p ostiary-mask --bench body`. As WebAssembly: see `scan.rs`.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark measures time and ends where something is wrong; the engine does neither"
)]

use std::{hint::black_box, time::Instant};

use ostiary_mask::{
    BodyMasker, FieldPath, HashKey, Rewriter, Strategy, body::Form, detect::Detector,
};

const ROUNDS: usize = 9;
/// Bytes of a body, and of a piece of it.
const BODY: usize = 4 << 20;
const PIECE: usize = 16 << 10;
const PERSON: &str = r#"{"id":7,"name":"Ada Brook","email":"ada.brook@example.com","city":"Lisbon","note":"lives in street 12 and likes the colour 7","orders":[{"id":41,"amount":900},{"id":42,"amount":12}]}"#;

fn main() {
    let mut body = vec!["["];
    let people = BODY / PERSON.len();
    for number in 0..people {
        body.extend([if number == 0 { "" } else { "," }, PERSON]);
    }
    body.push("]");
    let body = body.concat();
    println!("masking                MB/s (best of {ROUNDS})   masked");
    for (name, fields, detectors) in [
        ("detectors", 0, Detector::ALL.as_slice()),
        ("fields", 2, &[]),
        ("fields, detectors", 2, &Detector::ALL),
    ] {
        let (best, masked) = (0..ROUNDS)
            .map(|_| round(body.as_bytes(), fields, detectors))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap();
        let speed = body.len() as f64 / best / 1e6;
        println!("{name:<22} {speed:>18.0} {masked:>9}");
    }
}

/// Seconds for the whole body, and what was masked.
fn round(body: &[u8], fields: usize, detectors: &[Detector]) -> (f64, u64) {
    let detectors = detectors.iter().map(|it| (*it, Strategy::Redact));
    let rewriter = Rewriter::new(detectors, HashKey::new(vec![7; 32]));
    let paths = ["$..email", "$..ssn"].into_iter().take(fields);
    let fields = paths.map(|it| (it.parse::<FieldPath>().unwrap(), Strategy::Redact));
    let mut masker = BodyMasker::new(Form::Json, fields.collect(), rewriter);
    let began = Instant::now();
    for piece in body.chunks(PIECE) {
        let mut out = Vec::new();
        masker.push(piece, &mut out).unwrap();
        black_box(out);
    }
    masker.finish(&mut Vec::new()).unwrap();
    (began.elapsed().as_secs_f64(), masker.masked())
}
