//! Requests of nobody: kept, and bounded.

use expect_test::expect;

use super::rig::{POLICIES, Rig, kept, state};
use crate::{
    Now,
    http::{Door, Request, Stranger, bearer},
};

fn stranger(target: &str) -> Stranger {
    let request = Request {
        method: "GET".to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
    };
    let reply = bearer(&request.headers).unwrap_err();
    Stranger::new(&request, "10.0.0.9:5", "curl/8\n", &reply).unwrap()
}

fn shown(door: &mut Door) -> Vec<String> {
    std::iter::from_fn(|| door.next_event())
        .map(|event| format!("{} {}", event.seq, kept(&event)))
        .collect()
}

#[test]
fn the_first_of_a_minute_are_kept_and_the_rest_are_counted() {
    let mut door = Door::new("9c".repeat(16), "crm".to_owned(), Now(5));
    for _ in 0..100 {
        door.turn_away(&stranger("/users?access_token=x"), Now(6));
    }
    let first = shown(&mut door);
    assert_eq!(first.len(), 61);
    expect![[r#"
        1 opened by requests without a valid token
        2 refused login: GET /users from 10.0.0.9:5 by curl/8\n: send the token in one header `Authorization: Bearer …`"#]]
    .assert_eq(&first[..2].join("\n"));
    assert!(!door.is_due(Now(60_000_004)));
    assert!(door.is_due(Now(60_000_005)));
    door.close(Now(60_000_005));
    expect![[r#"
        62 refused login: 40 more requests were refused so
        63 closed: the minute is over"#]]
    .assert_eq(&shown(&mut door).join("\n"));
}

#[test]
fn what_strangers_say_is_cut() {
    let long = stranger(&format!("/{}", "\u{1b}".repeat(9000)));
    assert!(long.to_string().len() < 400, "{long}");
}

#[test]
fn a_request_that_goes_before_its_token_is_verified_is_kept() {
    let mut rig = Rig::pending(state(POLICIES, &[]));
    let mut gone = rig.request("GET /users/7?token=x");
    gone.on_closed(&mut rig.agent, rig.now);
    rig.look(&mut gone);
    assert_eq!(
        rig.take().trim(),
        "turned away: GET /users/7 from 127.0.0.1:50000 by curl: it went before its token was verified"
    );
}
