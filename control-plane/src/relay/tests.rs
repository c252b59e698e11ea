//! The relay between clients and a real PostgreSQL, with TLS and without.

mod postgres;

use std::{path::Path, time::Duration};

use ostiary_control_plane::config::{HostPort, UpstreamTls};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UnixStream},
};

use super::{
    Entrance, Offer, Relay, Target, probe,
    request::{GSS_REQUEST, SSL_REQUEST},
};
use postgres::{Postgres, psql};

const PATIENCE: Duration = Duration::from_secs(5);

fn target(port: u16, tls: UpstreamTls, ca: Option<&Path>) -> Target {
    named_target("127.0.0.1", port, tls, ca)
}

fn named_target(host: &str, port: u16, tls: UpstreamTls, ca: Option<&Path>) -> Target {
    Target {
        resource: "shop".to_owned(),
        address: HostPort {
            host: host.to_owned(),
            port,
        },
        tls,
        ca: ca.map(Path::to_owned),
    }
}

/// A relay on a loopback port, which psql can use: it asks for TLS there, as agents do.
async fn on_a_port(target: Target) -> (Relay, u16) {
    let socket = format!("/tmp/{}/relay.sock", "long".repeat(40));
    let relay = Relay::start(target, Path::new(&socket)).await.unwrap();
    let Entrance::Port(address) = relay.entrance() else {
        panic!("a path of that length should not do for a socket");
    };
    let port = address.port();
    (relay, port)
}

#[tokio::test]
async fn each_mode_reaches_the_server_it_should_and_no_other() {
    let with = Postgres::start(true);
    let without = Postgres::start(false);
    let other_ca = Postgres::certificates();
    let (tls, plain) = (with.port(), without.port());
    let (ca, other) = (Some(with.ca()), Some(other_ca.path()));
    let other = other.map(|dir| dir.join("ca.crt"));
    let other = other.as_deref();
    use UpstreamTls::{Disable, Prefer, Require, VerifyFull};
    let cases = [
        ("prefer takes TLS", target(tls, Prefer, None), Some("t")),
        (
            "prefer does without",
            target(plain, Prefer, None),
            Some("f"),
        ),
        ("require takes TLS", target(tls, Require, None), Some("t")),
        (
            "require refuses plaintext",
            target(plain, Require, None),
            None,
        ),
        (
            "require with its authority",
            target(tls, Require, ca),
            Some("t"),
        ),
        (
            "require with another authority",
            target(tls, Require, other),
            None,
        ),
        ("disable never asks", target(tls, Disable, None), Some("f")),
        (
            "verify-full knows the address",
            target(tls, VerifyFull, ca),
            Some("t"),
        ),
        (
            "verify-full with another authority",
            target(tls, VerifyFull, other),
            None,
        ),
        (
            "verify-full with the system's",
            target(tls, VerifyFull, None),
            None,
        ),
        (
            "verify-full refuses plaintext",
            target(plain, VerifyFull, ca),
            None,
        ),
        (
            "verify-full refuses another name",
            named_target("127.0.0.2", tls, VerifyFull, ca),
            None,
        ),
        (
            "require looks at no name",
            named_target("127.0.0.2", tls, Require, ca),
            Some("t"),
        ),
    ];
    for (name, target, expected) in cases {
        let (_relay, port) = on_a_port(target).await;
        let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let answer = psql(port, query).await;
        match expected {
            Some(ssl) => assert_eq!(answer.as_deref(), Ok(ssl), "{name}"),
            None => {
                let error = answer.unwrap_err();
                assert!(
                    error.contains("the server behind this gateway cannot be reached"),
                    "{name}: {error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_trusted_where_it_is_named() {
    let good = Postgres::start_with_its_own_authority(2999);
    let expired = Postgres::start_with_its_own_authority(2001);
    let other = Postgres::certificates();
    let other = other.path().join("ca.crt");
    use UpstreamTls::{Require, VerifyFull};
    let named = |server: &Postgres, tls| target(server.port(), tls, Some(server.ca()));
    let cases = [
        ("verify-full", named(&good, VerifyFull), true),
        ("require", named(&good, Require), true),
        ("expired", named(&expired, VerifyFull), false),
        ("expired, without name", named(&expired, Require), false),
        (
            "another is named",
            target(good.port(), VerifyFull, Some(&other)),
            false,
        ),
        (
            "none is named",
            target(good.port(), VerifyFull, None),
            false,
        ),
        (
            "another name",
            named_target("127.0.0.2", good.port(), VerifyFull, Some(good.ca())),
            false,
        ),
    ];
    for (name, target, trusted) in cases {
        let (_relay, port) = on_a_port(target).await;
        let answer = psql(port, "SELECT 1").await;
        assert_eq!(answer.is_ok(), trusted, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn probing_tells_what_a_server_offers() {
    let with = Postgres::start(true);
    let without = Postgres::start(false);
    let offer = |port| async move {
        let address = target(port, UpstreamTls::Prefer, None).address;
        probe(&address, PATIENCE).await
    };
    assert_eq!(offer(with.port()).await.unwrap(), Offer::Tls);
    assert_eq!(offer(without.port()).await.unwrap(), Offer::Plaintext);
    // Something that is no PostgreSQL, and something that never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let http = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request").await.unwrap();
        listener
    });
    let error = offer(port).await.unwrap_err();
    assert!(
        error.to_string().contains("not a PostgreSQL server"),
        "{error}"
    );
    let _silent = http.await.unwrap();
    let address = target(port, UpstreamTls::Prefer, None).address;
    let error = probe(&address, Duration::from_millis(50))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn results_and_copies_pass_whole() {
    let server = Postgres::start(true);
    let (_relay, port) = on_a_port(target(server.port(), UpstreamTls::Require, None)).await;
    let rows = psql(
        port,
        "SELECT sum(length(repeat('x', 1000))) FROM generate_series(1, 20000)",
    );
    assert_eq!(rows.await.as_deref(), Ok("20000000"));
    let text = psql(port, "SELECT repeat('x', 3000000)").await.unwrap();
    assert_eq!(text.len(), 3_000_000);
    let copy = psql(port, "COPY (SELECT generate_series(1, 100000)) TO STDOUT").await;
    assert_eq!(copy.unwrap().lines().count(), 100_000);
}

#[tokio::test]
async fn a_cancel_request_gets_through() {
    let server = Postgres::start(true);
    let (_relay, port) = on_a_port(target(server.port(), UpstreamTls::Require, None)).await;
    // psql sends its CancelRequest when it gets SIGINT.
    let error = postgres::psql_interrupted(port, "SELECT pg_sleep(60)").await;
    assert!(
        error.contains("canceling statement due to user request"),
        "{error}"
    );
}

/// A server that takes connections and sends what it got back.
async fn echo() -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 8];
            stream.read_exact(&mut request).await.unwrap();
            assert_eq!(request, SSL_REQUEST);
            stream.write_all(b"N").await.unwrap();
            let mut got = Vec::new();
            stream.read_to_end(&mut got).await.unwrap();
            stream.write_all(b"got ").await.unwrap();
            stream.write_all(&got).await.unwrap();
        }
    });
    (port, task)
}

#[tokio::test]
async fn requests_for_encryption_are_refused_however_they_are_cut() {
    let (port, _echo) = echo().await;
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("relay.sock");
    let relay = Relay::start(target(port, UpstreamTls::Prefer, None), &socket)
        .await
        .unwrap();
    assert_eq!(relay.entrance(), &Entrance::Socket(socket.clone()));
    let startup = b"\0\0\0\x0f\0\x03\0\0user\0\0more";
    let cases: [(&str, Vec<&[u8]>, usize); 6] = [
        ("none", vec![], 0),
        ("TLS", vec![&SSL_REQUEST], 1),
        ("GSS", vec![&GSS_REQUEST], 1),
        ("GSS, then TLS", vec![&GSS_REQUEST, &SSL_REQUEST], 2),
        ("in pieces", vec![&SSL_REQUEST[..3], &SSL_REQUEST[3..]], 1),
        ("one byte at a time", SSL_REQUEST.chunks(1).collect(), 1),
    ];
    for (name, pieces, refusals) in cases {
        let mut client = UnixStream::connect(&socket).await.unwrap();
        for piece in pieces {
            client.write_all(piece).await.unwrap();
            client.flush().await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut answers = vec![0; refusals];
        client.read_exact(&mut answers).await.unwrap();
        assert_eq!(answers, vec![b'N'; refusals], "{name}");
        client.write_all(startup).await.unwrap();
        // Half a close: the server's side is still open.
        client.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, [b"got ".as_slice(), startup].concat(), "{name}");
    }
}

#[tokio::test]
async fn clients_that_leave_early_reach_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("relay.sock");
    let _relay = Relay::start(target(port, UpstreamTls::Prefer, None), &socket)
        .await
        .unwrap();
    for sent in [&b""[..], &SSL_REQUEST[..]] {
        let mut client = UnixStream::connect(&socket).await.unwrap();
        client.write_all(sent).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.len(), sent.len() / 8);
    }
    let accepted = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(accepted.is_err());
}

#[tokio::test]
async fn a_server_that_injects_bytes_before_the_handshake_gets_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 8];
        stream.read_exact(&mut request).await.unwrap();
        // As CVE-2021-23222: a message in plaintext behind the `S`.
        stream.write_all(b"SR\0\0\0\x08\0\0\0\0").await.unwrap();
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got).await;
        got
    });
    let (_relay, relayed) = on_a_port(target(port, UpstreamTls::Prefer, None)).await;
    let error = psql(relayed, "SELECT 1").await.unwrap_err();
    assert!(error.contains("cannot be reached"), "{error}");
    let got = server.await.unwrap();
    assert!(!got.windows(4).any(|bytes| bytes == b"user"));
}

#[tokio::test]
async fn an_unusable_authority_is_found_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.crt");
    std::fs::write(&empty, "nothing").unwrap();
    for (ca, expected) in [
        (empty, "holds no certificate"),
        (dir.path().join("missing.crt"), "cannot read"),
    ] {
        let target = target(5432, UpstreamTls::VerifyFull, Some(&ca));
        let error = match Relay::start(target, &dir.path().join("s")).await {
            Ok(_) => panic!("{} was taken for an authority", ca.display()),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("relay.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let relay = Relay::start(target(5432, UpstreamTls::Prefer, None), &socket)
        .await
        .unwrap();
    UnixStream::connect(&socket).await.unwrap();
    drop(relay);
    assert!(!socket.exists());
}
