//! Requests that two readers could take for two things. None reaches the API as what it was not judged
//! to be.

use ostiary_tests::Result;

use super::crm::with_crm;

/// Each is sent on a connection of its own; `AUTH` is the agent's header. None may bring `marker` to the
/// API in a line or body.
const REFUSED: [(&str, &str); 33] = [
    (
        "CL.TE",
        "POST /users/7/notes HTTP/1.1\nHost: x\nAUTH\nContent-Length: 40\nTransfer-Encoding: chunked\n\n0\n\nDELETE /marker HTTP/1.1\nHost: x\n\n",
    ),
    (
        "TE.CL",
        "POST /users/7/notes HTTP/1.1\nHost: x\nAUTH\nTransfer-Encoding: chunked\nContent-Length: 3\n\n8\nmarker..\n0\n\n",
    ),
    (
        "two lengths",
        "POST /users/7/notes HTTP/1.1\nHost: x\nAUTH\nContent-Length: 1\nContent-Length: 6\n\nmarker",
    ),
    (
        "a length with a sign",
        "POST /users/7/notes HTTP/1.1\nHost: x\nAUTH\nContent-Length: +6\n\nmarker",
    ),
    (
        "an odd transfer encoding",
        "POST /users/7/notes HTTP/1.1\nHost: x\nAUTH\nTransfer-Encoding: xchunked\n\n6\nmarker\n0\n\n",
    ),
    (
        "two transfer encodings",
        "POST /users/7/notes HTTP/1.1\nHost: x\nAUTH\nTransfer-Encoding: chunked\nTransfer-Encoding: identity\n\n6\nmarker\n0\n\n",
    ),
    (
        "a broken chunk",
        "POST /users/7/notes HTTP/1.1\nHost: x\nAUTH\nTransfer-Encoding: chunked\n\n0x6\nmarker\n0\n\n",
    ),
    (
        "HTTP/1.0 with chunks",
        "POST /users/7/notes HTTP/1.0\nHost: x\nAUTH\nTransfer-Encoding: chunked\n\n6\nmarker\n0\n\n",
    ),
    (
        "trailers",
        "POST /users/7/notes HTTP/1.1\nHost: x\nAUTH\nTransfer-Encoding: chunked\nTrailer: x-a\n\n6\nmarker\n0\nx-a: 1\n\n",
    ),
    (
        "a space before a colon",
        "GET /marker HTTP/1.1\nHost: x\nAUTH\nX-A : 1\n\n",
    ),
    ("no host", "GET /marker HTTP/1.1\nAUTH\n\n"),
    (
        "two hosts",
        "GET /marker HTTP/1.1\nHost: x\nHost: y\nAUTH\n\n",
    ),
    (
        "an override header",
        "POST /users/7/notes?marker HTTP/1.1\nHost: x\nAUTH\nX-HTTP-Method-Override: DELETE\nContent-Length: 0\n\n",
    ),
    (
        "another override header",
        "GET /users/7?marker HTTP/1.1\nHost: x\nAUTH\nX-Original-URL: /refunds\n\n",
    ),
    (
        "an underscore",
        "GET /users/7?marker HTTP/1.1\nHost: x\nAUTH\nX_Original_URL: /refunds\n\n",
    ),
    (
        "an override parameter",
        "POST /users/7/notes?_method=DELETE&marker HTTP/1.1\nHost: x\nAUTH\nContent-Length: 0\n\n",
    ),
    (
        "an escaped slash",
        "GET /users%2f7?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "a backslash",
        "DELETE /users\\7?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "an escaped percent",
        "GET /users/%252e%252e/refunds?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "an escaped NUL",
        "GET /users/7%00?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "a matrix parameter",
        "GET /users;x=1/7?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "an escaped letter",
        "DELETE /%75sers/7?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "other letters",
        "DELETE /Users/7?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "a last slash",
        "DELETE /users/7/?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "dots",
        "DELETE /refunds/../users/7?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "escaped dots",
        "DELETE /refunds/%2e%2e/users/7?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "two slashes",
        "DELETE //users/7?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "an absolute target",
        "DELETE http://x/users/7?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
    (
        "CONNECT",
        "CONNECT marker:443 HTTP/1.1\nHost: marker:443\nAUTH\n\n",
    ),
    ("TRACE", "TRACE /marker HTTP/1.1\nHost: x\nAUTH\n\n"),
    (
        "an upgrade",
        "GET /users/7?marker HTTP/1.1\nHost: x\nAUTH\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\n\n",
    ),
    (
        "h2c",
        "DELETE /users/7?marker HTTP/1.1\nHost: x\nAUTH\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n\n",
    ),
    (
        "a denied method in other letters",
        "delete /users/7?marker HTTP/1.1\nHost: x\nAUTH\n\n",
    ),
];

#[test]
fn a_request_that_can_be_read_in_two_ways_reaches_nobody() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("smuggler")?;
        for (name, request) in REFUSED {
            // Whatever the answer, the connection must not stay open for a rest of bytes.
            let request =
                request.replacen("AUTH", "Authorization: Bearer TOKEN\nConnection: close", 1);
            let answer = agent.send(&request.replace('\n', "\r\n"))?;
            let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
            assert!(
                answer.is_empty() || status.starts_with('4') || status == "501",
                "{name}: {answer}"
            );
            assert_eq!(
                crm.api.seen("marker").len(),
                0,
                "{name}: {:?}",
                crm.api.seen("marker")
            );
        }
        Ok(())
    })
}

/// Bodies of a note, with their content types; all are refused, and the reason told.
const BODIES: [(&str, &str, u16); 12] = [
    (
        "application/json",
        "{\"text\":\"forged\",\"text\":\"b\"}",
        400,
    ),
    (
        "application/json",
        "{\"text\":\"forged\",\"Text\":\"b\"}",
        400,
    ),
    ("application/json", "{\"text\":\"forged\"}{}", 400),
    ("application/json", "{\"text\":\"forged\",}", 400),
    ("application/json", "{\"text\":\"forged\\ud800\"}", 400),
    ("application/json", "{\"text\":\"forged\\u0000\"}", 400),
    ("application/json", "{\"text\":NaN,\"a\":\"forged\"}", 400),
    ("application/json", "/* forged */ {}", 400),
    ("application/json", "text=forged", 400),
    (
        "application/x-www-form-urlencoded",
        "{\"text\":\"forged\"}",
        400,
    ),
    (
        "application/json; charset=utf-16",
        "{\"text\":\"forged\"}",
        403,
    ),
    ("text/plain", "forged", 403),
];

#[test]
fn bodies_that_are_not_what_they_claim_are_refused() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("liar")?;
        for (content_type, body, status) in BODIES {
            for version in ["--http1.1", "--http2-prior-knowledge"] {
                let content_type = format!("Content-Type: {content_type}");
                let answer = agent.curl(
                    "/users/7/notes",
                    &[version, "-H", &content_type, "--data-binary", body],
                )?;
                assert_eq!(answer.status, status, "{body}: {answer:?}");
                assert_eq!(
                    answer.header("content-type"),
                    Some("application/problem+json")
                );
            }
        }
        let deep = format!("{}\"forged\"{}", "[".repeat(200), "]".repeat(200));
        let long = format!("{{\"text\":\"forged{}\"}}", "x".repeat(1 << 20));
        let folder = ostiary_tests::process::Folder::new("bodies")?;
        // curl 7.88 does not show an answer that comes before the body was sent over HTTP/2.
        let versions = [
            &["--http1.1", "--http2-prior-knowledge"][..],
            &["--http1.1"],
        ];
        for ((body, status), versions) in [(deep, 400), (long, 413)].into_iter().zip(versions) {
            let file = folder.path().join("body");
            std::fs::write(&file, body)?;
            let data = format!("@{}", file.display());
            for version in versions {
                let json = [
                    version,
                    "-H",
                    "Content-Type: application/json",
                    "-H",
                    "Expect:",
                    "--data-binary",
                    &data,
                ];
                let answer = agent.curl("/users/7/notes", &json)?;
                assert_eq!(answer.status, status, "{answer:?}");
            }
        }
        let encoded = [
            "-H",
            "Content-Type: application/json",
            "-H",
            "Content-Encoding: gzip",
            "-d",
            "forged",
        ];
        assert_eq!(agent.curl("/users/7/notes", &encoded)?.status, 403);
        assert_eq!(crm.api.seen("forged").len(), 0);
        std::fs::remove_dir_all(folder.path())?;
        Ok(())
    })
}

#[test]
fn honest_oddities_pass_as_what_they_are() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("honest")?;
        let json = ["-H", "Content-Type: application/json"];
        // A client that waits for 100 Continue, chunks, a body that comes in pieces, a dot in a name.
        let expect = [
            &json[..],
            &[
                "-H",
                "Expect: 100-continue",
                "-d",
                "{\"text\":\"continued\"}",
            ],
        ]
        .concat();
        assert_eq!(agent.curl("/users/7/notes", &expect)?.status, 201);
        let chunked = [
            &json[..],
            &[
                "--http1.1",
                "-H",
                "Transfer-Encoding: chunked",
                "-d",
                "{\"text\":\"chunks\"}",
            ],
        ]
        .concat();
        assert_eq!(agent.curl("/users/7/notes", &chunked)?.status, 201);
        assert_eq!(crm.api.seen("\"chunks\"").len(), 1);
        // Envoy unfolds a folded header: it is one line to the target.
        let folded = "GET /folded HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\
                      X-A: 1\r\n Content-Length: 5\r\n\r\n";
        assert!(agent.send(folded)?.starts_with("HTTP/1.1 200 "));
        let seen = crm.api.seen("/folded");
        assert_eq!(
            seen[0].header("x-a"),
            Some("1 Content-Length: 5"),
            "{seen:?}"
        );
        for path in ["/files/a.b", "/search?q=a%20b&q=%26", "/%C3%A4", "/x/"] {
            assert_eq!(agent.curl(path, &[])?.status, 200, "{path}");
        }
        Ok(())
    })
}
