//! Logging in, on both sides.

use expect_test::expect;
use ostiary_wire::postgres::{Authentication, Backend, TransactionStatus};

use super::client::{hello, password, query};
use super::policy::Rules;
use super::rig::{Rig, TOKEN, check, principal};
use super::server::Auth;
use crate::{Login, Opened};

const ALL: [Auth; 4] = [Auth::Trust, Auth::Cleartext, Auth::Md5, Auth::Scram];

#[test]
fn logs_in_whatever_the_server_asks_for() {
    for auth in ALL {
        for rules in [Rules::Plain, Rules::Labels, Rules::Detectors] {
            let mut rig = Rig::new(rules, auth).logged_in();
            assert_eq!(rig.logins[0].token, TOKEN);
            assert_eq!(
                rig.server.catalogue_reads,
                u64::from(rules == Rules::Labels)
            );
            rig.works();
        }
    }
}

#[test]
fn takes_over_a_login_with_scram() {
    let mut rig = Rig::new(Rules::Plain, Auth::Scram);
    rig.send(&hello());
    check(
        &mut rig,
        &expect![[r#"
        == 1 ConnectionOpened app as alice []
        -> Startup 3.0 user=shop_app database=app
        <- Authentication CleartextPassword
    "#]],
    );
    rig.send(&password(TOKEN));
    check(
        &mut rig,
        &expect![[r#"
        !! OpenSession app alice
        -> Password (SCRAM first)
        -> Password (SCRAM last)
        == 2 LoggedIn agent-7 as shop_app on 16.1
        <- Authentication Ok
        <- ParameterStatus server_version=16.1
        <- ParameterStatus client_encoding=UTF8
        <- ParameterStatus standard_conforming_strings=on
        <- BackendKeyData 42
        <- ReadyForQuery I
    "#]],
    );
}

#[test]
fn takes_over_a_login_with_trust_and_reads_the_catalogue_first() {
    let mut rig = Rig::new(Rules::Labels, Auth::Trust);
    rig.send(&hello());
    check(
        &mut rig,
        &expect![[r#"
        == 1 ConnectionOpened app as alice []
        -> Startup 3.0 user=shop_app database=app
        <- Authentication CleartextPassword
    "#]],
    );
    rig.send(&password(TOKEN));
    check(
        &mut rig,
        &expect![[r#"
        !! OpenSession app alice
        -> Sync
        == 2 LoggedIn agent-7 as shop_app on 16.1
        -> Query (catalogue)
        <- Authentication Ok
        <- ParameterStatus server_version=16.1
        <- ParameterStatus client_encoding=UTF8
        <- ParameterStatus standard_conforming_strings=on
        <- BackendKeyData 42
        <- ReadyForQuery I
    "#]],
    );
}

#[test]
fn tells_why_a_login_fails() {
    for auth in ALL {
        let expired = Opened {
            principal: principal(&["analysts"]),
            expires_us: 1,
            password: "x".to_owned(),
        };
        let wrong = Opened {
            expires_us: 0,
            ..expired.clone()
        };
        for (answer, expected) in [
            (
                Login::Rejected("the token has expired".to_owned()),
                "FATAL 28000: the token has expired",
            ),
            (
                Login::Lost,
                "FATAL 57P03: the control plane does not answer",
            ),
            (
                Login::Opened(wrong),
                "FATAL 57P03: resource `shop`: the server refused the connection (SQLSTATE 28P01)",
            ),
        ] {
            let mut rig = Rig::new(Rules::Plain, auth);
            rig.opens = false;
            rig.send(&hello());
            rig.send(&[&password(TOKEN)[..], &query("SELECT 1")].concat());
            rig.session.on_login(answer.clone(), rig.now);
            rig.settle();
            let seen = rig.take();
            if auth == Auth::Trust && matches!(answer, Login::Opened(_)) {
                assert!(seen.contains("ReadyForQuery"), "{seen}");
                continue;
            }
            assert!(seen.contains(expected), "{auth:?} {seen}");
            assert!(!seen.contains("Query SELECT 1"), "{seen}");
            assert!(rig.server.ran.is_empty());
            rig.ended();
            // Nothing that comes later changes anything.
            rig.session.on_login(Login::Opened(rig.login()), rig.now);
            rig.send(&query("SELECT 1"));
            assert!(rig.server.ran.is_empty());
        }
    }
}

#[test]
fn a_token_is_wanted() {
    for bytes in [
        password(""),
        query("SELECT 1"),
        vec![b'p', 0, 0, 0, 6, 0xff, 0],
        vec![b'p', 0, 0, 0x7f, 0xff, 0],
    ] {
        for auth in ALL {
            let mut rig = Rig::new(Rules::Plain, auth);
            rig.send(&hello());
            rig.send(&bytes);
            let seen = rig.take();
            assert!(seen.contains("FATAL"), "{seen}");
            assert!(rig.logins.is_empty());
            rig.ended();
        }
    }
}

#[test]
fn a_login_ends_in_time() {
    for stage in 0..4 {
        let mut rig = Rig::new(Rules::Plain, Auth::Scram);
        rig.opens = false;
        if stage > 0 {
            rig.send(&hello());
        }
        if stage > 1 {
            rig.send(&password(TOKEN));
        }
        if stage > 2 {
            rig.server.silent = true;
            rig.session.on_login(Login::Opened(rig.login()), rig.now);
            rig.settle();
        }
        rig.wait(60_000_000);
        rig.ended();
        rig.wait(5_000_000);
        let seen = rig.take();
        assert!(seen.contains("the login took too long"), "{stage} {seen}");
        assert!(rig.closed || seen.contains("FATAL 28000"), "{stage} {seen}");
    }
}

#[test]
fn a_token_that_has_expired_lets_nothing_through() {
    let mut rig = Rig::new(Rules::Plain, Auth::Trust);
    rig.opens = false;
    rig.send(&hello());
    rig.send(&password(TOKEN));
    let expires_us = rig.now.0 + 1_000_000;
    rig.session.on_login(
        Login::Opened(Opened {
            expires_us,
            ..rig.login()
        }),
        rig.now,
    );
    rig.settle();
    rig.works();
    // The timer is late.
    rig.now = rig.now.after(2_000_000);
    rig.send(&query("SELECT 1"));
    assert_eq!(rig.server.ran.len(), 1);
    assert!(rig.take().contains("FATAL 28000: the token has expired"));
    rig.ended();
}

#[test]
fn a_token_that_expires_ends_an_idle_session() {
    let mut rig = Rig::new(Rules::Plain, Auth::Trust);
    rig.opens = false;
    rig.send(&hello());
    rig.send(&password(TOKEN));
    let expires_us = rig.now.0 + 1_000_000;
    rig.session.on_login(
        Login::Opened(Opened {
            expires_us,
            ..rig.login()
        }),
        rig.now,
    );
    rig.settle();
    rig.wait(1_000_000);
    assert!(rig.take().contains("FATAL 28000: the token has expired"));
}

#[test]
fn what_is_sent_with_the_password_runs_after_the_login() {
    for auth in ALL {
        let mut rig = Rig::new(Rules::Labels, auth);
        rig.send(&hello());
        rig.send(
            &[
                &password(TOKEN)[..],
                &query("SELECT 1"),
                &query("TRUNCATE users"),
            ]
            .concat(),
        );
        assert_eq!(rig.ran(), ["SELECT 1"]);
        assert!(rig.take().contains("no-truncate"));
    }
}

#[test]
fn bytes_behind_the_login_are_read() {
    let mut notice = Vec::new();
    ostiary_wire::postgres::backend::encode::notice(
        &mut notice,
        "NOTICE",
        "00000",
        "hello",
        None,
        None,
    )
    .unwrap();
    for cut in [0, 1, 5, 9] {
        let mut rig = Rig::new(Rules::Plain, Auth::Cleartext);
        rig.opens = false;
        rig.send(&hello());
        rig.send(&password(TOKEN));
        rig.session.on_login(Login::Opened(rig.login()), rig.now);
        while rig.session.next_effect().is_some() {}
        let mut greeting = Vec::new();
        Backend::Authentication(Authentication::Ok)
            .encode(&mut greeting)
            .unwrap();
        Backend::ReadyForQuery {
            status: TransactionStatus::Idle,
        }
        .encode(&mut greeting)
        .unwrap();
        greeting.extend_from_slice(&notice[..cut]);
        rig.events.clear();
        rig.session.from_server(&greeting, rig.now);
        while rig.session.next_effect().is_some() {}
        rig.session.from_server(&notice[cut..], rig.now);
        let mut told = false;
        while let Some(effect) = rig.session.next_effect() {
            told |= matches!(
                effect,
                crate::Effect::PassToClient | crate::Effect::ToClient(_)
            );
        }
        assert!(told, "cut at {cut}");
    }
}

#[test]
fn a_catalogue_that_cannot_be_read_ends_the_login() {
    let mut rig = Rig::new(Rules::Labels, Auth::Trust);
    rig.server.catalogue_fails = true;
    rig.send(&hello());
    rig.send(&password(TOKEN));
    let seen = rig.take();
    assert!(
        seen.contains("FATAL 57P03: the origin of labelled columns"),
        "{seen}"
    );
    assert!(!seen.contains("Authentication Ok"));
    rig.ended();
}

fn message(message: &Backend<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out).unwrap();
    out
}

#[test]
fn a_server_that_misbehaves_in_the_login_is_left() {
    let auth = |step: Authentication<'_>| message(&Backend::Authentication(step));
    let row = message(&Backend::DataRow(&[0, 0]));
    let ready = message(&Backend::ReadyForQuery {
        status: TransactionStatus::Idle,
    });
    let first: Vec<Vec<u8>> = vec![
        row.clone(),
        ready.clone(),
        auth(Authentication::Gss),
        auth(Authentication::Sasl {
            mechanisms: vec!["SCRAM-SHA-1"],
        }),
        auth(Authentication::SaslContinue(b"r=x")),
        auth(Authentication::SaslFinal(b"v=")),
        [auth(Authentication::Ok), auth(Authentication::Ok)].concat(),
        vec![b'E', 0x7f, 0xff, 0xff, 0xff],
        vec![b'E', 0, 0, 0, 0],
        vec![b'!', 0, 0, 0, 4],
    ];
    for bytes in &first {
        let mut rig = Rig::new(Rules::Plain, Auth::Trust);
        rig.server.silent = true;
        rig.send(&hello());
        rig.server_says(bytes);
        let seen = rig.take();
        assert!(seen.contains("FATAL"), "{bytes:?} {seen}");
        assert!(seen.contains("Refused server"), "{bytes:?} {seen}");
        rig.ended();
    }
    let challenge = |text: &str| auth(Authentication::SaslContinue(text.as_bytes()));
    let second: Vec<Vec<u8>> = vec![
        challenge(""),
        challenge("r=x,s=AAAA,i=4096"),
        challenge("r=NONCE+,s=AAAA,i=2147483647"),
        challenge("r=NONCE+,s=AAAA,i=65537"),
        auth(Authentication::Ok),
        auth(Authentication::SaslFinal(b"v=AAAA")),
        auth(Authentication::CleartextPassword),
        [
            challenge("r=NONCE+,s=AAAA,i=1"),
            auth(Authentication::SaslFinal(b"v=AAAA")),
        ]
        .concat(),
        [challenge("r=NONCE+,s=AAAA,i=1"), auth(Authentication::Ok)].concat(),
    ];
    for bytes in &second {
        let mut rig = Rig::new(Rules::Plain, Auth::Scram);
        rig.send(&hello());
        rig.opens = false;
        rig.send(&password(TOKEN));
        rig.server.silent = true;
        rig.session.on_login(Login::Opened(rig.login()), rig.now);
        rig.settle();
        let said = String::from_utf8_lossy(&rig.upstream).into_owned();
        let nonce = said.rsplit("r=").next().unwrap().to_owned();
        let text = String::from_utf8_lossy(bytes).into_owned();
        let bytes = if text.contains("NONCE") {
            let mut out = Vec::new();
            let mut rest: &[u8] = bytes;
            while let Ok(Some(frame)) = ostiary_wire::postgres::frame::take(rest, usize::MAX) {
                let body = String::from_utf8(frame.body[4..].to_vec())
                    .unwrap()
                    .replace("NONCE", &nonce);
                match frame.body[3] {
                    11 => out.extend(challenge(&body)),
                    _ => out.extend_from_slice(frame.bytes),
                }
                rest = &rest[frame.bytes.len()..];
            }
            out
        } else {
            bytes.clone()
        };
        rig.server_says(&bytes);
        let seen = rig.take();
        assert!(seen.contains("FATAL"), "{text} {seen}");
        assert!(seen.contains("Refused server"), "{text} {seen}");
        assert!(!rig.client_saw("upstream secret"));
        rig.ended();
    }
    // A server that never stops greeting.
    let mut rig = Rig::new(Rules::Plain, Auth::Trust);
    rig.server.silent = true;
    rig.send(&hello());
    rig.server_says(&auth(Authentication::Ok));
    let status = message(&Backend::ParameterStatus {
        name: b"x",
        value: &[b'y'; 1000],
    });
    for _ in 0..100 {
        if !rig
            .events
            .iter()
            .any(|e| matches!(e.kind, Some(ostiary_record::event::Kind::Closed(_))))
        {
            rig.server_says(&status);
        }
    }
    rig.ended();
}

/// PostgreSQL does not answer a Terminate in place of a StartupMessage either; drivers that are closed early send one.
#[test]
fn hangs_up_on_a_client_that_takes_leave_first() {
    for cut in 0..5 {
        let mut rig = Rig::new(Rules::Plain, Auth::Trust);
        let (first, rest) = b"X\0\0\0\x04".split_at(cut);
        rig.send(first);
        rig.send(rest);
        check(
            &mut rig,
            &expect![[r#"
                !! Close
            "#]],
        );
    }
    let mut rig = Rig::new(Rules::Plain, Auth::Trust);
    rig.send(b"X\0\0\0\x05");
    assert!(rig.take().contains("impossible length"));
}
