//! How fast all detectors together go over ordinary rows, one call per value.
//!
//! Natively: `cargo bench -p ostiary-mask --bench scan`. As WebAssembly, with Node 20 or later:
//! `cargo build -p ostiary-mask --bench scan --target wasm32-wasip1 --profile wasm`, then
//! `node --no-warnings crates/mask/benches/wasi.mjs target/wasm32-wasip1/wasm/deps/scan-*.wasm`.
//! `OSTIARY_BENCH_MB` is how many megabytes of each corpus to go over (64 if not given),
//! `OSTIARY_BENCH_CORPUS` the name of the only corpus.
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the engine itself has no clock"
)]

use std::hint::black_box;
use std::time::Instant;

use ostiary_mask::detect::Detector;
use ostiary_mask::{HashKey, Rewriter, Strategy};

const ROUNDS: usize = 9;

fn main() {
    let megabytes: usize = std::env::var("OSTIARY_BENCH_MB")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(64);
    println!("corpus           bytes/value   findings   MB/s (best of {ROUNDS})   ns/value");
    let only = std::env::var("OSTIARY_BENCH_CORPUS").ok();
    for (name, values) in corpora() {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        measure(name, &values, megabytes << 20);
    }
}

fn measure(name: &str, values: &[String], volume: usize) {
    let all = Detector::ALL.map(|detector| (detector, Strategy::Redact));
    let mut rewriter = Rewriter::new(all, HashKey::new(vec![7; 32]));
    let mut out = Vec::new();
    let bytes: usize = values.iter().map(String::len).sum();
    let repeats = (volume / ROUNDS / bytes).max(1);
    let mut findings = 0;
    let mut rounds = [0.0; ROUNDS];
    for round in &mut rounds {
        findings = 0;
        let began = Instant::now();
        for _ in 0..repeats {
            for value in values {
                out.clear();
                black_box(rewriter.rewrite(black_box(value.as_bytes()), &mut out));
                findings += rewriter.findings().len();
            }
        }
        *round = began.elapsed().as_secs_f64();
    }
    // The rest is what the machine did beside it.
    let best = rounds.into_iter().fold(f64::INFINITY, f64::min);
    let calls = (values.len() * repeats) as f64;
    println!(
        "{name:<16} {:>11.1} {:>10} {:>22.0} {:>10.1}",
        bytes as f64 / values.len() as f64,
        findings / repeats,
        (bytes * repeats) as f64 / best / 1e6,
        best * 1e9 / calls,
    );
}

/// 4096 values each, made by rule, so that every run sees the same.
fn corpora() -> Vec<(&'static str, Vec<String>)> {
    let make = |value: fn(usize) -> String| (0..4096).map(value).collect::<Vec<_>>();
    vec![
        ("names", make(name)),
        ("cities", make(|n| pick(CITIES, n).to_owned())),
        ("sentences", make(sentence)),
        (
            "paragraphs",
            make(|n| (n..n + 8).map(sentence).collect::<Vec<_>>().join(" ")),
        ),
        ("integers", make(|n| (mix(n) % 10_000_000).to_string())),
        (
            "prices",
            make(|n| format!("{}.{:02}", mix(n) % 10_000, mix(n + 7) % 100)),
        ),
        ("timestamps", make(timestamp)),
        ("uuids", make(uuid)),
        ("json", make(json)),
        ("base64", make(base64)),
        (
            "e-mails",
            make(|n| format!("user{}@example.com", mix(n) % 100_000)),
        ),
        (
            "mixed row",
            make(|n| match n % 6 {
                0 => (mix(n) % 10_000_000).to_string(),
                1 => name(n),
                2 => timestamp(n),
                3 => uuid(n),
                4 => sentence(n),
                _ => pick(CITIES, n).to_owned(),
            }),
        ),
    ]
}

fn name(n: usize) -> String {
    format!("{} {}", pick(FIRST, n), pick(LAST, n + 3))
}

fn sentence(n: usize) -> String {
    let words: Vec<_> = (0..8 + mix(n) % 10)
        .map(|k| pick(WORDS, n * 31 + k))
        .collect();
    format!("The {}.", words.join(" "))
}

fn timestamp(n: usize) -> String {
    let r = mix(n);
    let (month, day, hour) = (r % 12 + 1, r / 12 % 28 + 1, r / 400 % 24);
    let (minute, second, micro) = (r / 9_000 % 60, r / 600_000 % 60, mix(n + 1) % 1_000_000);
    format!("2026-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micro:06}+00")
}

fn uuid(n: usize) -> String {
    let hex = format!("{:016x}{:016x}", mix(n), mix(n + 11));
    let parts: Vec<_> = [0..8, 8..12, 12..16, 16..20, 20..32]
        .into_iter()
        .filter_map(|range| hex.get(range))
        .collect();
    parts.join("-")
}

fn json(n: usize) -> String {
    format!(
        r#"{{"id": {}, "name": "{}", "city": "{}", "at": "{}", "total": {}.{:02}, "tags": ["a_{}", "b"], "ok": true}}"#,
        mix(n) % 1_000_000,
        name(n),
        pick(CITIES, n),
        timestamp(n),
        mix(n) % 500,
        mix(n) % 100,
        mix(n) % 9,
    )
}

fn base64(n: usize) -> String {
    const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let alphabet: Vec<char> = BASE64.chars().collect();
    (0..160).map(|k| pick(&alphabet, n * 160 + k)).collect()
}

fn pick<T: Copy + Default>(from: &[T], n: usize) -> T {
    from.get(mix(n) % from.len()).copied().unwrap_or_default()
}

/// SplitMix64: the same numbers everywhere, on 32 bits too.
fn mix(n: usize) -> usize {
    let mut z = (n as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((z ^ (z >> 31)) >> 33).unwrap_or(0)
}

const FIRST: &[&str] = &[
    "James",
    "Mary",
    "Robert",
    "Patricia",
    "John",
    "Jennifer",
    "Michael",
    "Linda",
    "Elizabeth",
    "Kofi",
    "Xenia",
    "Ines",
    "Gareth",
    "Søren",
    "Alejandro",
    "Fatima",
    "Wei",
    "Olga",
    "Jürgen",
    "Chidi",
];
const LAST: &[&str] = &[
    "Smith",
    "Johnson",
    "Williams",
    "Jones",
    "Garcia",
    "Kowalski",
    "Ivanov",
    "Müller",
    "Okafor",
    "Gonzalez",
    "Ito",
    "Xavier",
    "O'Brien",
    "van der Berg",
    "Lindqvist",
    "Jensen",
    "Kaya",
    "Singh",
];
const CITIES: &[&str] = &[
    "Berlin",
    "Jakarta",
    "Kyoto",
    "Istanbul",
    "Gdansk",
    "Izmir",
    "New York",
    "San Francisco",
    "Paris",
    "Sao Paulo",
    "Lagos",
    "Mexico City",
    "Xi'an",
    "Zagreb",
    "Johannesburg",
    "Amsterdam",
    "Perth",
];
const WORDS: &[&str] = &[
    "customer",
    "order",
    "was",
    "shipped",
    "to",
    "the",
    "warehouse",
    "and",
    "returned",
    "because",
    "of",
    "a",
    "damaged",
    "box",
    "(see note)",
    "I",
    "asked",
    "for",
    "refund:",
    "next",
    "day",
    "delivery",
    "in",
    "12",
    "days",
    "it's",
    "fine",
    "now",
    "they",
    "said",
    "examples",
    "size",
    "maximum",
    "John",
    "Great",
    "service",
    "overall",
    "with",
    "2",
    "items",
    "missing",
    "from",
    "invoice",
    "please",
    "check",
];
