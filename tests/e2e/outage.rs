//! Parts that are killed while something waits: nothing runs, nobody is let in, and what was on record
//! stays there.

use std::{process::Command, thread};

use ostiary_tests::{
    Result, ensure, ports,
    process::{Folder, Running, Signal, is_alive, kill},
    shared,
    stack::{Target, example_policy, write_configuration},
    tools,
    wait::{self, SOON},
    wire,
};

use crate::{refusal, with_own};

#[test]
fn the_control_plane_killed_while_a_statement_waits_denies_it() -> Result<()> {
    let (postgres, issuer) = (shared::postgres()?, shared::issuer()?);
    let database = postgres.database()?;
    // The two halves apart, as in a mesh: `ostiary serve`, and an Envoy of one's own.
    let folder = Folder::new("halves")?;
    let targets = [Target::shop(postgres.port())];
    let parts = write_configuration(folder.path(), issuer, &targets, &example_policy()?)?;
    let file = folder.path().join("ostiary.yaml");
    let serve = || -> Result<Running> {
        let mut command = Command::new(tools::ostiary()?);
        command.arg("serve").arg("-f").arg(&file);
        let mut serve = Running::start(
            "ostiary serve",
            command,
            &folder.path().join("serve.log"),
            Signal::INT,
        )?;
        serve.until("the control plane to listen", || {
            Ok(std::net::TcpStream::connect(("127.0.0.1", parts.control_plane)).is_ok())
        })?;
        Ok(serve)
    };
    let mut control_plane = serve()?;
    let rendered = folder.path().join("envoy.json");
    let mut render = Command::new(tools::ostiary()?);
    render
        .args(["envoy", "render", "-f"])
        .arg(&file)
        .arg("-o")
        .arg(&rendered);
    ostiary_tests::process::must(render)?;
    let mut envoy = Command::new(tools::envoy()?);
    envoy
        .args([
            "--concurrency",
            "1",
            "-l",
            "warning",
            "--disable-hot-restart",
            "-c",
        ])
        .arg(&rendered);
    let mut envoy = Running::start(
        "Envoy",
        envoy,
        &folder.path().join("envoy.log"),
        Signal::TERM,
    )?;
    let agent = ostiary_tests::clients::Agent {
        port: parts.listeners["shop"],
        user: "agent".into(),
        database: database.clone(),
        token: issuer.token("outage", &["analysts"])?,
    };
    // Logins need no policy, statements do.
    envoy.until("the gateway to let an agent read", || {
        let read = agent
            .connect()
            .and_then(|mut session| Ok(session.simple_query("SELECT 1")?));
        Ok(read.is_ok())
    })?;

    let config = agent.config();
    let waiting = thread::spawn(move || -> Result<(String, String)> {
        let mut session = config.connect(postgres::NoTls)?;
        let (code, message) = refusal(session.execute("DELETE FROM orders WHERE id = 1", &[]))?;
        // Neither does anything else that would have to be on record first: it waits for its record and
        // then the session ends, before or after the client has read why.
        let later = session.execute("UPDATE orders SET status = 'x' WHERE id = 1", &[]);
        ensure!(later.is_err(), "an UPDATE ran without a record");
        Ok((code, message))
    });
    let rita = ostiary_tests::stack::Operator {
        address: format!("http://127.0.0.1:{}", parts.control_plane),
        token: issuer.token("rita", &["dba"])?,
    };
    rita.pending("DELETE FROM orders WHERE id = 1")?;
    control_plane.kill()?;
    let (code, message) = waiting.join().unwrap()?;
    assert_eq!(code, "42501");
    assert!(message.contains("control plane"), "{message}");
    assert_eq!(
        postgres.value(&database, "SELECT count(*) FROM orders")?,
        "4"
    );
    assert_eq!(
        postgres.value(&database, "SELECT count(*) FROM orders WHERE status = 'x'")?,
        "0"
    );

    // Nobody gets in without it.
    let mut raw = wire::Raw::connect(agent.port)?;
    raw.send(&wire::startup("agent", "shop"))?;
    if raw.maybe()?.is_some_and(|asked| asked.tag == 'R') {
        raw.send(&wire::message('p', &wire::text(&agent.token)))?;
    }
    let said = raw.until_closed_or_reset()?;
    assert!(said.iter().all(|it| it.tag != 'Z'), "{said:?}");

    // Back again, it lets people in, and the record of before is there.
    control_plane = serve()?;
    wait::until_true("the gateway to let an agent in again", wait::START, || {
        Ok(agent.connect().is_ok())
    })?;
    let auditor = ostiary_tests::stack::Operator {
        token: issuer.token("sam", &["security"])?,
        ..rita
    };
    let hits = auditor.json_lines(&["sessions", "search", "delete from orders where id = 1"])?;
    assert!(!hits.is_empty());
    control_plane.stop()?;
    Ok(())
}

#[test]
fn envoy_killed_while_a_statement_waits_runs_nothing_and_comes_back() -> Result<()> {
    with_own(&example_policy()?, |stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("envoy-killed")?.on(&database);
        let psql = agent.psql_started(&["DELETE FROM orders WHERE id = 1"])?;
        let rita = stack.reviewer("rita")?;
        let approval = rita.pending("DELETE FROM orders WHERE id = 1")?;
        let envoy = stack.envoy()?;
        kill(envoy, Signal::KILL)?;
        let ran = psql.finish(SOON)?;
        assert_ne!(ran.code, 0, "{}", ran.all());
        rita.settled(approval["id"].as_str().unwrap(), "cancelled")?;
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "4"
        );
        wait::until_true("Envoy to be started again", wait::START, || {
            Ok(agent.connect().is_ok())
        })?;
        assert_ne!(stack.envoy()?, envoy);
        Ok(())
    })
}

#[test]
fn ostiary_up_killed_takes_its_envoy_along_and_keeps_the_record() -> Result<()> {
    with_own(&example_policy()?, |stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("up-killed")?.on(&database);
        agent.psql(&["SELECT 'before the crash'"])?.ok()?;
        stack.auditor()?.recorded("up-killed")?;
        let psql = agent.psql_started(&["DELETE FROM orders WHERE id = 1"])?;
        stack
            .reviewer("rita")?
            .pending("DELETE FROM orders WHERE id = 1")?;
        let envoy = stack.envoy()?;
        stack.process().kill()?;
        assert_ne!(psql.finish(SOON)?.code, 0);
        wait::until_true("Envoy to end with it", SOON, || Ok(!is_alive(envoy)))?;
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "4"
        );

        stack.restart()?;
        let hits = stack
            .auditor()?
            .json_lines(&["sessions", "search", "before the crash"])?;
        assert_eq!(hits.len(), 1, "{hits:?}");
        let waiting = stack.reviewer("rita")?.json(&["approvals", "list"])?;
        assert_eq!(
            waiting["approvals"].as_array().map(Vec::len),
            Some(0),
            "{waiting}"
        );
        agent.psql(&["SELECT 1"])?.ok()?;
        Ok(())
    })
}

#[test]
fn a_server_that_dies_or_is_not_there_is_told_as_the_client_knows_it() -> Result<()> {
    let mut postgres = ostiary_tests::postgres::Postgres::start(&Default::default())?;
    let targets = [
        Target::shop(postgres.port()),
        Target::named("gone", "shop_scram", ports::free()),
    ];
    let stack =
        ostiary_tests::stack::Stack::start(shared::issuer()?, &targets, &example_policy()?)?;
    crate::explain(&stack, || {
        let absent = stack.agent_on("gone", "no-server", &["analysts"])?;
        let ran = absent.psql(&["SELECT 1"])?;
        assert_eq!(ran.code, 2, "{}", ran.all());

        let mut session = stack.agent("server-dies")?.connect()?;
        session.simple_query("SELECT 1")?;
        postgres.kill()?;
        assert!(session.simple_query("SELECT 2").is_err());
        let events = stack.auditor()?.recorded("server-dies")?;
        assert_eq!(
            events.last().map(|it| it["kind"].clone()),
            Some("closed".into()),
            "{events:?}"
        );
        Ok(())
    })
}
