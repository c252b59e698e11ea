//! `ostiary up` itself: what it refuses, how it stops, how it reaches a server that speaks TLS.

use std::{process::Command, time::Duration};

use ostiary_tests::{
    Result,
    postgres::{Postgres, Settings},
    process::{Folder, Signal, is_alive, run},
    shared,
    stack::{Stack, Target, example_policy, write_configuration},
    stats, tools, wait,
};

use crate::{explain, with_own, with_policy, with_shared};

#[test]
fn a_bad_configuration_is_refused_with_every_problem_and_its_line() -> Result<()> {
    let folder = Folder::new("bad-config")?;
    let file = folder.path().join("ostiary.yaml");
    std::fs::write(
        &file,
        "control_plane: {listen: 0.0.0.0:7700}\nidentity:\n  issuers:\n    - {issuer: http://example.com, audience: x}\n\
         resorces: []\nresources:\n  - {name: Shop!, kind: oracle, listen: nowhere, address: x, role: r}\n",
    )?;
    let mut command = Command::new(tools::ostiary()?);
    command.args(["up", "-f"]).arg(&file);
    let ran = run(command, "", Duration::from_secs(20))?.exits(2)?;
    for part in [
        "ostiary.yaml:1",
        "ostiary.yaml:4",
        "resorces",
        "Shop!",
        "oracle",
        "nowhere",
    ] {
        assert!(ran.err.contains(part), "`{part}` is missing:\n{}", ran.err);
    }
    Ok(())
}

#[test]
fn a_bad_policy_stops_the_start_with_every_problem() -> Result<()> {
    let (postgres, issuer) = (shared::postgres()?, shared::issuer()?);
    let folder = Folder::new("bad-policy")?;
    let mut policy = example_policy()?;
    policy.insert(
        "broken.cedar".into(),
        "permit (principal, action == Action::\"sql:selct\", resource);".into(),
    );
    write_configuration(
        folder.path(),
        issuer,
        &[Target::shop(postgres.port())],
        &policy,
    )?;
    let mut command = Command::new(tools::ostiary()?);
    command
        .args(["up", "-f"])
        .arg(folder.path().join("ostiary.yaml"));
    let ran = run(command, "", Duration::from_secs(30))?;
    assert_ne!(ran.code, 0);
    assert!(
        ran.err.contains("broken.cedar:1") && ran.err.contains("sql:selct"),
        "{}",
        ran.err
    );
    Ok(())
}

#[test]
fn a_port_that_is_taken_is_named() -> Result<()> {
    with_shared(|stack, postgres| {
        let folder = Folder::new("taken")?;
        let parts = write_configuration(
            folder.path(),
            stack.issuer(),
            &[Target::shop(postgres.port())],
            &example_policy()?,
        )?;
        let file = folder.path().join("ostiary.yaml");
        let taken = format!("127.0.0.1:{}", stack.port("shop")?);
        let text = std::fs::read_to_string(&file)?
            .replace(&format!("127.0.0.1:{}", parts.listeners["shop"]), &taken);
        std::fs::write(&file, text)?;
        let mut command = Command::new(tools::ostiary()?);
        command.args(["up", "-f"]).arg(&file);
        let ran = run(command, "", Duration::from_secs(30))?.exits(1)?;
        assert!(
            ran.err.contains("shop") && ran.err.contains(&taken),
            "{}",
            ran.err
        );
        Ok(())
    })
}

#[test]
fn interrupting_stops_all_of_it() -> Result<()> {
    for signal in [Signal::INT, Signal::TERM] {
        with_own(&example_policy()?, |stack, _| {
            let mut session = stack.agent("interrupted")?.connect()?;
            let envoy = stack.envoy()?;
            let (port, address) = (stack.port("shop")?, stack.address().replace("http://", ""));
            stack.process().signal(signal)?;
            let status = stack.process().wait(wait::SOON)?;
            assert!(status.success(), "{status}:\n{}", stack.log());
            assert!(!is_alive(envoy));
            assert!(session.simple_query("SELECT 1").is_err());
            assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
            assert!(std::net::TcpStream::connect(address).is_err());
            assert!(!stack.folder().join("ready").exists());
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn envoy_counts_sessions_and_memory_of_the_filter() -> Result<()> {
    with_policy(&example_policy()?, |stack, _| {
        let admin = stack.admin_port();
        let before = stats::of_resource(admin, "shop")?["sessions"];
        let reaches = |name: &str, least: u64, most: u64| {
            wait::until_true(name, wait::SOON, || {
                let stats = stats::of_resource(admin, "shop")?;
                Ok(stats
                    .get(name)
                    .is_some_and(|value| (least..=most).contains(value)))
            })
        };
        // A module of a megabyte or more, in each of two workers and the main thread at most.
        reaches("memory_bytes", 1 << 20, 1 << 30)?;
        reaches("sessions_active", 0, 0)?;
        let mut session = stack.agent("counted")?.connect()?;
        session.simple_query("SELECT 1")?;
        reaches("sessions", before + 1, before + 1)?;
        reaches("sessions_active", 1, 1)?;
        drop(session);
        reaches("sessions_active", 0, 0)?;
        reaches("record_backlog", 0, 0)
    })
}

#[test]
fn reaches_a_server_that_speaks_tls() -> Result<()> {
    let postgres = Postgres::start(&Settings {
        tls: true,
        ..Settings::default()
    })?;
    let ca = postgres.authority().display().to_string();
    let targets = [
        Target::named("prefer", "shop_scram", postgres.port()),
        Target::named("require", "shop_scram", postgres.port()).with("tls", "require"),
        Target::named("verified", "shop_scram", postgres.port())
            .with("tls", "verify-full")
            .with("ca", ca.as_str()),
        Target::named("unverifiable", "shop_scram", postgres.port()).with("tls", "verify-full"),
    ];
    let mut policy = example_policy()?;
    let access = policy.get_mut("access.cedar").unwrap();
    *access = access.replace("resource in Resource::\"shop\"", "resource");
    let stack = Stack::start(shared::issuer()?, &targets, &policy)?;
    explain(&stack, || {
        for name in ["prefer", "require", "verified"] {
            let agent = stack.agent_on(name, "tls", &["analysts"])?;
            // psql asks for TLS first and must not be led to think it has it.
            agent.psql(&["SELECT name FROM users WHERE id = 1"])?.ok()?;
            let mut session = agent.connect()?;
            session.simple_query("SELECT 1")?;
            let encrypted = postgres.value(
                "shop",
                "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = 'shop_scram'",
            )?;
            assert_eq!(encrypted, "t", "{name}");
        }
        let refused = stack
            .agent_on("unverifiable", "tls", &["analysts"])?
            .psql(&["SELECT 1"])?;
        assert_eq!(refused.code, 2, "{}", refused.all());
        Ok(())
    })
}

#[test]
fn the_development_issuer_refuses_anything_but_loopback() -> Result<()> {
    let folder = Folder::new("public-issuer")?;
    let mut command = Command::new(tools::ostiary()?);
    command
        .args(["dev", "issuer", "--listen", "0.0.0.0:0", "--state"])
        .arg(folder.path());
    let ran = run(command, "", Duration::from_secs(20))?;
    assert_ne!(ran.code, 0, "{}", ran.all());
    assert!(ran.err.contains("loopback"), "{}", ran.err);
    Ok(())
}
