//! What one HTTP request and its answer cost a session: reading, judging, masking and recording.
//!
//! Natively: `cargo bench -p ostiary-session --bench request`.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark measures time and ends where something is wrong; the engine does neither"
)]

use std::{collections::BTreeSet, hint::black_box, rc::Rc, time::Instant};

use ostiary_operation::Principal;
use ostiary_policy::{Bundle, Files};
use ostiary_session::{
    Config, Limits, Now, State,
    http::{Agent, Body, Effect, Exchange, Login, Opened, Request},
};

const ROUNDS: usize = 7;
const REQUESTS: usize = 2000;
const NOW: Now = Now(1_700_000_000_000_000);

macro_rules! example {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../../docs/examples/policy/", $name)),
        )
    };
}

const POLICY: [(&str, &str); 5] = [
    example!("access.cedar"),
    example!("guards.cedar"),
    example!("http.cedar"),
    example!("approvals.yaml"),
    example!("resources.yaml"),
];
const LABELS: &str = example!("labels.yaml").1;
/// What the rules name, and nothing is.
const NO_LABELS: &str = "labels:\n  pii.email: {strategy: {partial: {keep: 4}}}\n";

/// The target of the n-th request.
type Target = fn(usize) -> String;

fn main() {
    println!("request                                    ns (best of {ROUNDS})");
    for labels in [false, true] {
        let masks = if labels { "masks" } else { "no masks" };
        let targets: [(&str, Target); 2] = [
            ("the same each time", |_| "/users/17".to_owned()),
            ("another user each time", |n| format!("/users/{n}")),
        ];
        for (name, target) in targets {
            let best = (0..ROUNDS).map(|_| round(labels, target)).min().unwrap();
            println!("{:<42} {best}", format!("{name}, {masks}"));
        }
    }
}

/// Nanoseconds of each request.
fn round(labels: bool, target: Target) -> u128 {
    let mut agent = agent(labels);
    let started = Instant::now();
    for number in 0..REQUESTS {
        request(&mut agent, target(number));
    }
    started.elapsed().as_nanos() / REQUESTS as u128
}

fn agent(labels: bool) -> Agent {
    let labels = if labels { LABELS } else { NO_LABELS };
    let files = POLICY.into_iter().chain([("labels.yaml", labels)]);
    let files: Files = files
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let state = State {
        bundle: Rc::new(Bundle::parse(&files).unwrap()),
        hash_key: Rc::new(vec![7; 32]),
    };
    let config = Config {
        resource: "crm".to_owned(),
        role: String::new(),
        session_id: "9c".repeat(16),
        peer: "127.0.0.1:50000".to_owned(),
        limits: Limits::default(),
    };
    let mut agent = Agent::new(config, "curl".to_owned(), state);
    let opened = Opened {
        principal: Principal {
            issuer: "https://id.example".to_owned(),
            subject: "agent-7".to_owned(),
            groups: BTreeSet::from(["analysts".to_owned()]),
            on_behalf_of: None,
        },
        expires_us: u64::MAX,
        headers: Vec::new(),
    };
    agent.on_login(Login::Opened(opened), NOW);
    agent
}

fn request(agent: &mut Agent, target: String) {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let request = Request {
        method: "GET".to_owned(),
        target,
        headers: vec![
            header("user-agent", "curl/8.5"),
            header("accept", "*/*"),
            header("authorization", "Bearer a.b.c"),
            header("x-request-id", "4a6f2a6c-0b0e-4c65-8a3c-5d6a1f3f6f2b"),
        ],
    };
    let mut exchange = Exchange::new(agent, request, NOW);
    exchange.on_body(agent, Vec::new(), NOW);
    let mut passed = false;
    while let Some(effect) = exchange.next_effect() {
        passed |= matches!(effect, Effect::Forward(_));
        black_box(effect);
    }
    assert!(passed);
    let headers = [
        header("content-type", "application/json"),
        header("content-length", "44"),
    ];
    black_box(exchange.on_response(agent, 200, &headers, false, NOW));
    let body = br#"{"id":17,"name":"Ada","email":"ada@exa.org"}"#;
    let body = exchange.on_response_body(agent, body, true, NOW);
    assert!(matches!(body, Body::Send(_)));
    while let Some(event) = agent.next_event() {
        black_box(event);
    }
}
