//! The first bytes of a connection.

use expect_test::expect;

use super::client::{hello, password, startup};
use super::policy::Rules;
use super::rig::{Rig, TOKEN, check};
use super::server::Auth;

const SSL: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];
const GSS: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 48];
const CANCEL: &[u8] = &[
    0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 42, b'k', b'e', b'y', b'!',
];

#[test]
fn answers_an_encryption_request_once() {
    for request in [SSL, GSS] {
        let mut rig = Rig::new(Rules::Plain, Auth::Trust);
        rig.send(request);
        assert_eq!(rig.take(), "-> SSLRequest\n<- N\n");
        let rig = rig.logged_in();
        assert!(!rig.closed);
    }
    let mut rig = Rig::new(Rules::Plain, Auth::Trust);
    rig.send(SSL);
    rig.take();
    rig.send(GSS);
    check(
        &mut rig,
        &expect![[r#"
        == 1 Refused protocol: only one encryption request is answered on this listener; use `gssencmode=disable`
        == 2 Closed protocol 0
        -> SSLRequest
        <- Error FATAL 0A000: only one encryption request is answered on this listener; use `gssencmode=disable`
        -> (broken) X\x00\x00\x00\x04
    "#]],
    );
    rig.ended();
}

#[test]
fn refuses_bytes_that_break_the_startup() {
    let huge = [&[0x7f, 0xff, 0xff, 0xff][..], &[0; 8]].concat();
    let mut bad_utf8 = hello();
    bad_utf8[13] = 0xff;
    let stuffed = [SSL, b"Q"].concat();
    let ahead = [&hello()[..], &password(TOKEN)].concat();
    let version_2 = [0, 0, 0, 8, 0, 2, 0, 0];
    let cases: &[(&str, &[u8], &str)] = &[
        ("length 0", &[0; 8], "08P01"),
        ("length 3", &[0, 0, 0, 3, 0, 3, 0, 0], "08P01"),
        ("length 2^31-1", &huge, "08P01"),
        ("length 2^32-1", &[0xff; 8], "08P01"),
        ("bad UTF-8", &bad_utf8, "08P01"),
        ("bytes behind an SSLRequest", &stuffed, "08P01"),
        ("a password ahead", &ahead, "08P01"),
        ("protocol 2", &version_2, "08P01"),
        ("an HTTP request", b"GET / HTTP/1.1\r\n\r\n", "08P01"),
        (
            "replication of no kind",
            &startup(&[("user", "a"), ("replication", "Database")]),
            "22023",
        ),
        (
            "replication in other letters",
            &startup(&[("user", "a"), ("Replication", "true")]),
            "28000",
        ),
        (
            "code",
            &startup(&[("user", "a"), ("options", "-c session_preload_libraries=x")]),
            "0A000",
        ),
        (
            "a flag",
            &startup(&[("user", "a"), ("options", "-d 5")]),
            "0A000",
        ),
        (
            "replication in options",
            &startup(&[("user", "a"), ("options", "-c replication=database")]),
            "28000",
        ),
        (
            "options in options",
            &startup(&[("user", "a"), ("options", r"-c options=-c\ role=postgres")]),
            "28000",
        ),
        (
            "a protocol option in options",
            &startup(&[("user", "a"), ("options", "--_pq_.x=1")]),
            "28000",
        ),
    ];
    for (what, bytes, sqlstate) in cases {
        let mut rig = Rig::new(Rules::Plain, Auth::Trust);
        rig.send(bytes);
        // The server has not been spoken to, or it answers to what makes it speak.
        rig.server_says(b"N");
        let seen = rig.take();
        assert!(
            seen.contains(&format!("FATAL {sqlstate}")),
            "{what}: {seen}"
        );
        assert!(seen.contains("Refused"), "{what}: {seen}");
        assert!(!seen.contains("-> Startup"), "{what}: {seen}");
        rig.ended();
    }
}

#[test]
fn sends_a_cancel_request_on_only_if_it_is_known_and_nothing_waits() {
    for forward in [false, true] {
        let mut rig = Rig::new(Rules::Plain, Auth::Trust);
        rig.send(&[CANCEL, b"more"].concat());
        assert_eq!(rig.take(), "!! CancelWait\n");
        assert!(rig.session.cancels());
        rig.session.on_cancel(forward, rig.now);
        assert!(!rig.session.cancels());
        rig.settle();
        assert_eq!(rig.server.cancelled, forward);
        assert_eq!(rig.closed, !forward);
        assert!(rig.events.is_empty());
    }
}

#[test]
fn judges_settings_of_the_startup() {
    let cases = [
        (Rules::Plain, ("search_path", "public"), true),
        (Rules::Plain, ("application_name", "psql"), true),
        (Rules::Plain, ("options", "-c role=admin"), false),
        (Rules::Plain, ("session_authorization", "admin"), false),
        (Rules::Observe, ("role", "admin"), true),
        (Rules::None, ("search_path", "public"), false),
        (Rules::None, ("DateStyle", "ISO"), true),
    ];
    for auth in [Auth::Trust, Auth::Scram] {
        for (rules, setting, passes) in cases {
            let mut rig = Rig::new(rules, auth);
            rig.send(&startup(&[("user", "alice"), ("database", "app"), setting]));
            rig.send(&password(TOKEN));
            let seen = rig.take();
            assert_eq!(
                seen.contains("LoggedIn"),
                passes,
                "{rules:?} {setting:?} {seen}"
            );
            if !passes {
                assert!(seen.contains("FATAL 42501"), "{seen}");
                rig.ended();
            }
        }
    }
}

#[test]
fn says_which_protocol_version_and_options_it_speaks() {
    let mut rig = Rig::new(Rules::Plain, Auth::Trust);
    let mut hello = startup(&[("user", "alice"), ("database", "app"), ("_pq_.x", "1")]);
    hello[7] = 9;
    rig.send(&hello);
    check(
        &mut rig,
        &expect![[r#"
        == 1 ConnectionOpened app as alice []
        -> Startup 3.2 user=shop_app database=app
        <- NegotiateProtocolVersion { minor: 2, options: [[95, 112, 113, 95, 46, 120]] }
        <- Authentication CleartextPassword
    "#]],
    );
}

#[test]
fn sends_the_last_of_two_values_and_judges_both() {
    let mut rig = Rig::new(Rules::Plain, Auth::Trust);
    rig.send(&startup(&[
        ("user", "alice"),
        ("database", "app"),
        ("options", "-c search_path=a -c search_path=b -c work_mem=1"),
        ("search_path", "c"),
    ]));
    assert!(rig.take().contains("database=app search_path=c work_mem=1"));
}
