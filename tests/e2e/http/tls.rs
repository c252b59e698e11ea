//! TLS towards the target, and a client certificate: Envoy's own, as the configuration says.

use std::process::Command;

use ostiary_tests::{
    Result, ports, postgres,
    process::{Folder, Running, Signal},
    shared,
    stack::{Stack, Target, example_policy},
};
use serde_json::json;

use crate::explain;

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
                      {\"email\": \"ada.brook@example.com\"}";

#[test]
fn the_target_is_verified_and_given_a_certificate() -> Result<()> {
    let folder = Folder::new("https")?;
    postgres::certificate(folder.path())?;
    std::fs::write(folder.path().join("users"), ANSWER)?;
    let port = ports::free();
    let mut openssl = Command::new("openssl");
    openssl
        .args([
            "s_server",
            "-quiet",
            "-HTTP",
            "-cert",
            "server.crt",
            "-key",
            "server.key",
        ])
        .args([
            "-CAfile",
            "ca.crt",
            "-Verify",
            "1",
            "-verify_return_error",
            "-accept",
        ])
        .arg(format!("127.0.0.1:{port}"))
        .current_dir(folder.path());
    let log = folder.path().join("log");
    let _server = Running::start("openssl s_server", openssl, &log, Signal::KILL)?;
    let file = |name: &str| folder.path().join(name).display().to_string();
    let target = |name: &str, tls: &str| Target {
        name: name.to_owned(),
        ..Target::crm(port).with("tls", tls)
    };
    let with_certificate = |target: Target| {
        target
            .with("client_cert", file("server.crt"))
            .with("client_key", file("server.key"))
    };
    let targets = [
        with_certificate(target("verified", "verify-full").with("ca", file("ca.crt"))),
        with_certificate(target("required", "require")),
        with_certificate(target("unverifiable", "verify-full")),
        target("without", "verify-full").with("ca", file("ca.crt")),
    ];
    let mut policy = example_policy()?;
    let access = policy.get_mut("http.cedar").unwrap();
    *access = access.replace("resource in Api::\"crm\"", "resource");
    let stack = Stack::start(shared::issuer()?, &targets, &policy)?;
    explain(&stack, || {
        let token = stack.issuer().token("https", &["analysts"])?;
        for (name, status) in [
            ("verified", 200),
            ("required", 200),
            ("unverifiable", 503),
            ("without", 503),
        ] {
            let agent = ostiary_tests::http::Agent {
                port: stack.port(name)?,
                token: token.clone(),
            };
            let answer = agent.curl("/users", &[])?;
            assert_eq!(answer.status, status, "{name}: {answer:?}");
            if status == 200 {
                assert_eq!(answer.json()?, json!({"email": "****.com"}));
            }
        }
        Ok(())
    })
}
