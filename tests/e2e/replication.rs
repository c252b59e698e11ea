//! Replication with PostgreSQL's own clients.

use std::{path::Path, process::Command, sync::LazyLock};

use ostiary_tests::{
    Context as _, Result, anyhow,
    clients::Agent,
    postgres::{Postgres, Settings},
    process::{Folder, Ran, Signal, Started, kill, run},
    shared::{self, Spares},
    stack::{Policy, Stack, Target},
    tools,
    wait::{self, SOON},
    wire::{self, Message, Raw},
};

use crate::{explain, of_kind, on_spare};

const PERMIT: &str = r#"
@id("replicates")
permit (principal in Group::"replicas", action == Action::"sql:replicate", resource in Resource::"shop");
"#;

/// A server that streams and decodes, for these tests alone.
static SERVER: LazyLock<Result<Postgres, String>> = LazyLock::new(|| {
    let settings = Settings {
        conf: vec!["wal_level = logical".to_owned()],
        ..Settings::default()
    };
    let started = Postgres::start(&settings).and_then(|server| {
        let mut admin = server.admin("postgres")?;
        admin.batch_execute("ALTER ROLE shop_scram REPLICATION")?;
        Ok(server)
    });
    started.map_err(|it| format!("{it:#}"))
});

/// Replication for `replicas`, and nothing is labelled.
fn bare() -> Policy {
    [("access.cedar", PERMIT), ("labels.yaml", "labels: {}")]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into()
}

/// The same where a column is labelled.
fn labelled() -> Policy {
    let mut policy = bare();
    policy.insert(
        "labels.yaml".to_owned(),
        "labels:\n  pii.email: {strategy: redact}\n\
         columns:\n  - {column: public.users.email, label: pii.email}\n"
            .to_owned(),
    );
    policy
}

/// One gateway for what leaves its policy alone.
static STACK: LazyLock<Result<Stack, String>> = LazyLock::new(|| {
    let started = server().and_then(|server| start(server, &bare()));
    started.map_err(|it| format!("{it:#}"))
});

fn server() -> Result<&'static Postgres> {
    SERVER.as_ref().map_err(|text| anyhow!("{text}"))
}

fn start(server: &Postgres, policy: &Policy) -> Result<Stack> {
    Stack::start(shared::issuer()?, &[Target::shop(server.port())], policy)
}

fn with_bare(body: impl FnOnce(&'static Stack, &'static Postgres) -> Result<()>) -> Result<()> {
    let stack = STACK.as_ref().map_err(|text| anyhow!("{text}"))?;
    explain(stack, || body(stack, server()?))
}

/// Gateways in front of that server that no test holds.
static SPARE: Spares<Stack> = Spares::new();

fn with_server(
    policy: &Policy,
    body: impl FnOnce(&Stack, &'static Postgres) -> Result<()>,
) -> Result<()> {
    let server = server()?;
    let start = || start(server, policy);
    on_spare(&SPARE, policy, start, |stack: &Stack| body(stack, server))
}

fn replica(stack: &Stack, name: &str) -> Result<Agent> {
    stack.agent_in(name, &["replicas"])
}

fn receivewal(agent: &Agent, into: &Path) -> Result<Command> {
    let mut command = agent.command("pg_receivewal")?;
    command.args(["--no-loop", "--no-sync", "--verbose", "-D"]);
    command.arg(into);
    Ok(command)
}

fn recvlogical(agent: &Agent, arguments: &[&str]) -> Result<Ran> {
    let mut command = agent.command("pg_recvlogical")?;
    command.args(["--no-loop", "-S", "changes", "-d"]);
    command.arg(&agent.database).args(arguments);
    run(command, "", SOON)
}

/// Every event of a subject once all its sessions are closed.
fn recorded(stack: &Stack, subject: &str) -> Result<Vec<serde_json::Value>> {
    let auditor = stack.auditor()?;
    wait::until_true("the sessions to be closed", SOON, || {
        let sessions = auditor.sessions(subject)?;
        Ok(sessions.iter().all(|session| !session["closed"].is_null()))
    })?;
    auditor.events_of(subject)
}

fn statements(events: &[serde_json::Value]) -> Vec<String> {
    of_kind(events, "operated")
        .iter()
        .map(|event| event["statement"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn pg_receivewal_streams_the_wal() -> Result<()> {
    with_bare(|stack, server| {
        let database = server.database()?;
        let folder = Folder::new("wal")?;
        let agent = replica(stack, "receiver")?;
        let receive = |arguments: &[&str]| -> Result<Command> {
            let mut command = receivewal(&agent, folder.path())?;
            command.args(["-S", "sink"]).args(arguments);
            Ok(command)
        };
        run(receive(&["--create-slot"])?, "", SOON)?.ok()?;
        let mut started = Started::new(receive(&[])?, "")?;
        wait::until_true("the first segment", SOON, || {
            assert!(!started.has_ended()?, "it ended");
            Ok(std::fs::read_dir(folder.path())?.next().is_some())
        })?;
        // One of them might be in two pages, with a header in between.
        server.admin(&database)?.batch_execute(
            "INSERT INTO orders SELECT 900 + n, 1, 1, 'new', 'a marker in the wal'
             FROM generate_series(1, 3) n",
        )?;
        wait::until_true("the marker", SOON, || {
            assert!(!started.has_ended()?, "it ended");
            let mut found = false;
            for file in std::fs::read_dir(folder.path())? {
                // A segment gets its last name when it is whole.
                let bytes = std::fs::read(file?.path()).unwrap_or_default();
                found |= bytes.windows(19).any(|part| part == b"a marker in the wal");
            }
            Ok(found)
        })?;
        // Stopped by hand it says goodbye, with both ends of the stream.
        kill(started.pid(), Signal::INT)?;
        started.finish(SOON)?.ok()?;
        run(receive(&["--drop-slot"])?, "", SOON)?.ok()?;

        let events = recorded(stack, "receiver")?;
        let said = statements(&events);
        for text in [
            "replication=true",
            "IDENTIFY_SYSTEM",
            "SHOW wal_segment_size",
        ] {
            assert!(said.iter().any(|it| it == text), "{said:?}");
        }
        // Some minor releases of the client quote the name, others do not.
        let reads = [
            "READ_REPLICATION_SLOT \"sink\"",
            "READ_REPLICATION_SLOT sink",
        ];
        let read = said.iter().any(|it| reads.contains(&it.as_str()));
        assert!(read, "{said:?}");
        let streams = said.iter().filter(|it| it.starts_with("START_REPLICATION"));
        assert_eq!(streams.count(), 1, "{said:?}");
        let replied = of_kind(&events, "replied");
        let counted = replied.iter().filter(|event| {
            event["command_tag"] == "START_REPLICATION" && event["bytes"].as_u64() > Some(0)
        });
        assert_eq!(counted.count(), 1, "{replied:#?}");
        Ok(())
    })
}

#[test]
fn pg_basebackup_copies_the_server() -> Result<()> {
    with_bare(|stack, _| {
        let folder = Folder::new("backup")?;
        let into = folder.path().join("data");
        let agent = replica(stack, "backup")?;
        let mut command = agent.command("pg_basebackup")?;
        command.args(["--checkpoint=fast", "--no-sync", "-X", "stream", "-P", "-l"]);
        command.args(["a label; of one's own", "-D"]).arg(&into);
        let ran = run(command, "", wait::START)?.ok()?;
        let version = std::fs::read_to_string(into.join("PG_VERSION"))?;
        assert!(!version.is_empty(), "{}", ran.all());
        let mut verify = Command::new(tools::postgres("pg_verifybackup")?);
        verify.arg(&into);
        run(verify, "", wait::START)?.ok()?;
        let said = statements(&recorded(stack, "backup")?);
        assert!(
            said.iter().any(|it| it.starts_with("BASE_BACKUP")),
            "{said:?}"
        );
        assert!(
            said.iter().any(|it| it.starts_with("START_REPLICATION")),
            "{said:?}"
        );
        Ok(())
    })
}

#[test]
fn pg_recvlogical_decodes_changes() -> Result<()> {
    with_bare(|stack, server| {
        let database = server.database()?;
        let agent = replica(stack, "decoder")?.on(&database);
        recvlogical(&agent, &["--create-slot", "-P", "test_decoding"])?.ok()?;
        server
            .admin(&database)?
            .batch_execute("INSERT INTO orders VALUES (901, 1, 1, 'new', 'it''s decoded')")?;
        let end = server.value("postgres", "SELECT pg_current_wal_flush_lsn()")?;
        let arguments = [
            "--start",
            "-f",
            "-",
            "--endpos",
            &end,
            "-o",
            "include-xids=0",
        ];
        let ran = recvlogical(&agent, &arguments)?.ok()?;
        assert!(
            ran.out.contains("table public.orders: INSERT:"),
            "{}",
            ran.all()
        );
        assert!(ran.out.contains("it''s decoded"), "{}", ran.all());
        recvlogical(&agent, &["--drop-slot"])?.ok()?;
        let slots = server.value(
            "postgres",
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'changes'",
        )?;
        assert_eq!(slots, "0");
        let said = statements(&recorded(stack, "decoder")?);
        let start = "START_REPLICATION SLOT \"changes\" LOGICAL";
        assert!(said.iter().any(|it| it.starts_with(start)), "{said:?}");
        Ok(())
    })
}

#[test]
fn replication_is_denied_unless_a_permit_names_it() -> Result<()> {
    let mut policy = bare();
    policy.insert(
        "all.cedar".to_owned(),
        "@id(\"all\") permit (principal in Group::\"analysts\", action, resource);".to_owned(),
    );
    with_server(&policy, |stack, server| {
        let folder = Folder::new("wal")?;
        let agent = stack.agent("nobody")?;
        let why = "denied by rule `default-deny`";
        let ran = run(receivewal(&agent, folder.path())?, "", SOON)?;
        assert!(ran.code != 0 && ran.err.contains(why), "{}", ran.all());
        let ran = recvlogical(&agent, &["--create-slot", "-P", "test_decoding"])?;
        assert!(ran.code != 0 && ran.err.contains(why), "{}", ran.all());
        let mut backup = agent.command("pg_basebackup")?;
        backup.arg("-D").arg(folder.path().join("data"));
        let ran = run(backup, "", SOON)?;
        assert!(ran.code != 0 && ran.err.contains(why), "{}", ran.all());
        let mut session = agent.connect()?;
        let read = "SELECT * FROM pg_logical_slot_peek_changes('s', NULL, NULL)";
        assert!(crate::refusal(session.simple_query(read))?.1.contains(why));
        assert!(!server.was_sent("pg_logical_slot_peek_changes"));
        drop(session);
        let events = recorded(stack, "nobody")?;
        let denied = of_kind(&events, "operated")
            .iter()
            .any(|event| event["verb"] == "sql:replicate" && event["verdict"] == "deny");
        assert!(denied, "{events:#?}");
        let folder = std::fs::read_dir(folder.path())?.count();
        assert_eq!(folder, 0);
        Ok(())
    })
}

#[test]
fn replication_is_refused_where_anything_is_masked() -> Result<()> {
    with_server(&labelled(), |stack, _| {
        let folder = Folder::new("wal")?;
        let agent = replica(stack, "masked")?;
        let why = "denied by rule `labelled-replication`";
        let ran = run(receivewal(&agent, folder.path())?, "", SOON)?;
        assert!(ran.code != 0 && ran.err.contains(why), "{}", ran.all());
        let ran = recvlogical(&agent, &["--create-slot", "-P", "test_decoding"])?;
        assert!(ran.code != 0 && ran.err.contains(why), "{}", ran.all());
        Ok(())
    })?;
    // Who may see every label may.
    let mut policy = labelled();
    policy.insert(
        "reveal.cedar".to_owned(),
        "@id(\"sees\") permit (principal in Group::\"replicas\", action == Action::\"reveal\", resource);"
            .to_owned(),
    );
    with_server(&policy, |stack, _| {
        let mut raw = begin(&replica(stack, "seeing")?, "true")?;
        let answer = raw.query("IDENTIFY_SYSTEM")?;
        assert!(answer.iter().any(|it| it.tag == 'D'), "{answer:?}");
        Ok(())
    })?;
    // An observing resource records what would have been.
    let mut policy = labelled();
    policy.insert(
        "resources.yaml".to_owned(),
        "resources: {shop: {mode: observe}}".to_owned(),
    );
    with_server(&policy, |stack, _| {
        let mut raw = begin(&stack.agent("observed")?, "true")?;
        let answer = raw.query("IDENTIFY_SYSTEM")?;
        assert!(answer.iter().any(|it| it.tag == 'D'), "{answer:?}");
        drop(raw);
        let events = recorded(stack, "observed")?;
        let operated = of_kind(&events, "operated");
        assert_eq!(operated.len(), 2, "{operated:#?}");
        for event in operated {
            assert_eq!(event["verdict"], "deny", "{event:#}");
            assert_eq!(event["observed"], true, "{event:#}");
        }
        Ok(())
    })
}

/// A replication connection, byte by byte.
fn begin(agent: &Agent, mode: &str) -> Result<Raw> {
    Ok(with_key(agent, mode)?.0)
}

/// A session, and what a cancel request for it holds.
fn with_key(agent: &Agent, mode: &str) -> Result<(Raw, Vec<u8>)> {
    let mut raw = Raw::connect(agent.port)?;
    raw.send(&wire::startup_with(&[
        ("user", "agent"),
        ("database", &agent.database),
        ("replication", mode),
    ]))?;
    raw.until('R')?;
    raw.send(&wire::message('p', &wire::text(&agent.token)))?;
    let answers = raw.until('Z')?;
    let key = answers.iter().find(|it| it.tag == 'K').context("no key")?;
    let cancel = [&80_877_102_i32.to_be_bytes()[..], &key.body].concat();
    Ok((raw, wire::untagged(&cancel)))
}

fn sqlstate(answer: &[Message]) -> Option<String> {
    let error = answer.iter().find(|message| message.tag == 'E')?;
    error.field('C')
}

#[test]
fn sql_does_not_run_in_a_replication_session() -> Result<()> {
    with_bare(|stack, server| {
        let database = server.database()?;
        let agent = replica(stack, "smuggler")?.on(&database);
        for mode in ["true", "database"] {
            let mut raw = begin(&agent, mode)?;
            for text in [
                "DELETE FROM orders /* smuggled */",
                "IDENTIFY_SYSTEM; DELETE FROM orders /* smuggled */",
                "identify_system; DELETE FROM orders /* smuggled */",
                "/* IDENTIFY_SYSTEM */ DELETE FROM orders /* smuggled */",
                "SHOW a; DELETE FROM orders /* smuggled */",
                "SHOW \"a\"\"; DELETE FROM orders /* smuggled */ --\"",
                "SELECT pg_catalog.set_config('search_path', '', false); SELECT 'smuggled'",
            ] {
                let answer = raw.query(text)?;
                assert_eq!(
                    sqlstate(&answer).as_deref(),
                    Some("0A000"),
                    "{text}: {answer:?}"
                );
                let parse = [wire::text(""), wire::text(text), vec![0, 0]].concat();
                raw.send(&[wire::message('P', &parse), wire::message('S', b"")].concat())?;
                let answer = raw.until('Z')?;
                assert_eq!(
                    sqlstate(&answer).as_deref(),
                    Some("0A000"),
                    "{text}: {answer:?}"
                );
            }
            // pg_backend_pid() by its number.
            let call = [2026_u32.to_be_bytes().to_vec(), vec![0; 6]].concat();
            raw.send(&wire::message('F', &call))?;
            let answer = raw.until('Z')?;
            assert_eq!(sqlstate(&answer).as_deref(), Some("0A000"), "{answer:?}");
            let answer = raw.query("IDENTIFY_SYSTEM")?;
            assert!(answer.iter().any(|it| it.tag == 'D'), "{answer:?}");
            // Within a stream nothing but data goes on.
            let at = server.value("postgres", "SELECT pg_current_wal_flush_lsn()")?;
            raw.send(&wire::message(
                'Q',
                &wire::text(&format!("START_REPLICATION {at}")),
            ))?;
            raw.until('W')?;
            raw.send(&wire::message(
                'Q',
                &wire::text("DELETE FROM orders /* smuggled */"),
            ))?;
            let said = raw.until_closed_or_reset()?;
            assert_eq!(sqlstate(&said).as_deref(), Some("08P01"), "{said:?}");
        }
        assert!(!server.was_sent("smuggled"));
        assert_eq!(server.value(&database, "SELECT count(*) FROM orders")?, "4");
        Ok(())
    })
}

#[test]
fn a_stream_ends_with_its_permit_and_with_its_session() -> Result<()> {
    with_server(&bare(), |stack, _| {
        let stream = |name: &str| -> Result<(Folder, Started)> {
            let folder = Folder::new("wal")?;
            let mut started = Started::new(receivewal(&replica(stack, name)?, folder.path())?, "")?;
            wait::until_true("the first segment", SOON, || {
                assert!(!started.has_ended()?, "it ended");
                Ok(std::fs::read_dir(folder.path())?.next().is_some())
            })?;
            Ok((folder, started))
        };
        let (_folder, started) = stream("killed-stream")?;
        let auditor = stack.auditor()?;
        let session = &auditor.sessions("killed-stream")?[0];
        let id = session["id"].as_str().unwrap_or_default().to_owned();
        let administrator = stack.administrator()?;
        administrator.run(&["sessions", "kill", &id])?.ok()?;
        let ran = started.finish(SOON)?;
        assert!(ran.err.contains("ended by an operator"), "{}", ran.all());

        let (_folder, started) = stream("revoked-stream")?;
        let mut none = bare();
        let deny = PERMIT.replace("permit (", "forbid (");
        none.insert("access.cedar".to_owned(), deny);
        stack.apply(&none)?;
        let ran = started.finish(SOON)?;
        assert!(ran.err.contains("not permitted any more"), "{}", ran.all());
        let events = recorded(stack, "revoked-stream")?;
        let refused = of_kind(&events, "refused");
        assert_eq!(refused[0]["stage"], "policy", "{events:#?}");
        Ok(())
    })
}

#[test]
fn a_cancel_request_reaches_only_the_stream_it_has_the_key_of() -> Result<()> {
    with_bare(|stack, server| {
        let at = server.value("postgres", "SELECT pg_current_wal_flush_lsn()")?;
        let stream = |name: &str| -> Result<(Raw, Vec<u8>)> {
            let (mut raw, cancel) = with_key(&replica(stack, name)?, "true")?;
            let start = format!("START_REPLICATION {at}");
            raw.send(&wire::message('Q', &wire::text(&start)))?;
            raw.until('W')?;
            Ok((raw, cancel))
        };
        let (mut one, key) = stream("streamer")?;
        let (mut other, others_key) = stream("bystander")?;
        let cancel = |request: &[u8]| -> Result<()> {
            let mut raw = Raw::connect(stack.port("shop")?)?;
            raw.send(request)?;
            // Many clients do, before they know what comes of it.
            raw.half_close()?;
            let said = raw.until_closed_or_reset()?;
            assert!(
                said.iter().all(|it| it.tag == 'E'),
                "it is answered: {said:?}"
            );
            Ok(())
        };
        // The process of one with the secret of the other: nobody's key.
        let mixed = [&key[..12], &others_key[12..]].concat();
        cancel(&mixed).context("a mixed key")?;
        let end = |raw: &mut Raw| -> Result<Vec<Message>> {
            raw.send(&wire::message('c', b""))?;
            raw.until('Z')
        };
        cancel(&key).context("the key")?;
        let said = one.until('Z').context("the end of the stream")?;
        assert_eq!(sqlstate(&said).as_deref(), Some("57014"), "{said:?}");
        let said = one.query("IDENTIFY_SYSTEM")?;
        assert!(said.iter().any(|it| it.tag == 'D'), "{said:?}");
        let said = end(&mut other).context("the other stream")?;
        assert_eq!(sqlstate(&said), None, "{said:?}");
        assert!(said.iter().any(|it| it.tag == 'C'), "{said:?}");
        Ok(())
    })
}
