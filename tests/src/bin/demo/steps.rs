//! The steps with PostgreSQL, each told and checked.

use ostiary_tests::{
    Context as _, Result, bail,
    narrate::Narrator,
    postgres::PASSWORD,
    process::{Ran, tail},
    stack,
};

use crate::scene::{SOON, Scene};

const READ: &str = "SELECT name, email, ssn, card, city FROM users ORDER BY id";
const DELETE: &str = "DELETE FROM orders WHERE status = 'cancelled'";

pub(crate) fn reads(scene: &Scene, tell: &mut Narrator) -> Result<()> {
    tell.step("The agent reads a table; what is labelled arrives masked.");
    tell.say("Its password is a token of its own. The first row, as the server holds it:");
    tell.said(&scene.postgres.value(
        "shop",
        "SELECT concat_ws(' | ', name, email, ssn, card, city) FROM users WHERE id = 1",
    )?);
    let ran = scene.psql(&[READ])?.finish(SOON)?;
    tell.ran(
        "agent",
        &format!("psql -p {} -c \"{READ}\"", scene.agent.port),
        &said_by(&ran),
    );
    tell.check(
        "the names and cities are there",
        ran.out.contains("Ada Brook") && ran.out.contains("Lisbon"),
    );
    let secret = ["ada.brook@", "078-05-1120", "4111111111111111"];
    tell.check(
        "no e-mail address, SSN or card number is",
        secret.iter().all(|it| !ran.all().contains(it)),
    );
    tell.check("psql ended well", ran.code == 0);
    Ok(())
}

pub(crate) fn drops(scene: &Scene, tell: &mut Narrator) -> Result<()> {
    tell.step("It sends DROP TABLE: refused, by a rule it is told, and its session goes on.");
    let statements = ["DROP TABLE users", "SELECT count(*) FROM users"];
    let ran = scene.psql(&statements)?.finish(SOON)?;
    tell.ran(
        "agent",
        "psql -c \"DROP TABLE users\" -c \"SELECT count(*) FROM users\"",
        &said_by(&ran),
    );
    tell.check(
        "the error names the rule",
        ran.err.contains("denied by rule `no-ddl`"),
    );
    tell.check(
        "the next statement of the same session ran",
        ran.out.contains('3'),
    );
    tell.check(
        "the server never saw the DROP",
        !scene.postgres.was_sent("DROP TABLE users"),
    );
    Ok(())
}

pub(crate) fn deletes(scene: &Scene, tell: &mut Narrator) -> Result<()> {
    tell.step("It sends a DELETE: that waits, on the live connection, for a person.");
    let before = scene.orders()?;

    let mut psql = scene.psql(&[DELETE])?;
    tell.typed("agent", &format!("psql -c \"{DELETE}\""));
    let approval = scene.reviewer.pending(DELETE)?;
    let id = id(&approval)?;
    tell.ran(
        "reviewer",
        "ostiary approvals list",
        &scene.reviewer.run(&["approvals", "list"])?.all(),
    );
    tell.check(
        "nothing has run yet",
        !psql.has_ended()? && scene.orders()? == before,
    );
    let said = scene.reviewer.run(&[
        "approvals",
        "approve",
        &id,
        "--comment",
        "ticket 812",
        "--yes",
    ])?;
    tell.ran(
        "reviewer",
        &format!("ostiary approvals approve {id} --comment 'ticket 812' --yes"),
        &said.all(),
    );
    let ran = psql.finish(SOON)?;
    tell.ran("agent", "# psql prints", &said_by(&ran));
    tell.check(
        "approved, it ran",
        ran.out.contains("DELETE 2") && scene.orders()? == "2",
    );

    let statement = "DELETE FROM orders";
    let psql = scene.psql(&[statement])?;
    tell.typed("agent", &format!("psql -c \"{statement}\""));
    let id = self::id(&scene.reviewer.pending(statement)?)?;
    let said = scene.reviewer.run(&[
        "approvals",
        "deny",
        &id,
        "--comment",
        "not all of them",
        "--yes",
    ])?;
    tell.ran(
        "reviewer",
        &format!("ostiary approvals deny {id} --comment 'not all of them' --yes"),
        &said.all(),
    );
    let ran = psql.finish(SOON)?;
    tell.ran("agent", "# psql prints", &said_by(&ran));
    tell.check(
        "denied, it did not run",
        ran.code != 0 && scene.orders()? == "2",
    );

    tell.ran(
        "operator",
        "ostiary policy apply ./policy   # now with `hold: 2s`",
        &scene.hold("2s")?,
    );
    let ran = scene.psql(&[statement])?.finish(SOON)?;
    tell.ran("agent", &format!("psql -c \"{statement}\""), &said_by(&ran));
    tell.check(
        "unanswered, it expired and did not run",
        ran.code != 0 && scene.orders()? == "2",
    );
    scene.hold("5m")?;

    let psql = scene.psql(&[statement])?;
    tell.typed(
        "agent",
        &format!("psql -c \"{statement}\"   # and goes away"),
    );
    let id = self::id(&scene.reviewer.pending(statement)?)?;
    drop(psql);
    let settled = scene.reviewer.settled(&id, "cancelled");
    tell.ran(
        "reviewer",
        &format!("ostiary approvals show {id}"),
        &scene.reviewer.run(&["approvals", "show", &id])?.all(),
    );
    tell.check(
        "its client gone, the question is withdrawn",
        settled.is_ok() && scene.orders()? == "2",
    );
    Ok(())
}

pub(crate) fn looks_back(scene: &Scene, tell: &mut Narrator) -> Result<()> {
    tell.step("All of it is in the archive.");
    let auditor = &scene.auditor;
    let list = auditor.run(&["sessions", "list", "--subject", "claude-17"])?;
    tell.ran(
        "auditor",
        "ostiary sessions list --subject claude-17",
        &list.all(),
    );
    let sessions = auditor.sessions("claude-17")?;
    tell.check("every session is listed", sessions.len() >= 6);

    let search = auditor.run(&["sessions", "search", "drop table"])?;
    tell.ran(
        "auditor",
        "ostiary sessions search 'drop table'",
        &search.all(),
    );
    let hits = auditor.json_lines(&["sessions", "search", "drop table"])?;
    let denied = hits.iter().find(|it| it["event"]["verdict"] == "deny");
    tell.check("the DROP is found, with its verdict", denied.is_some());
    let hits = auditor.json_lines(&["sessions", "search", "from orders where"])?;
    let Some(session) = hits.first().and_then(|it| it["session"]["id"].as_str()) else {
        bail!("the approved DELETE is not in the archive");
    };
    let short = session.get(..8).unwrap_or(session);
    for id in [
        denied
            .and_then(|it| it["session"]["id"].as_str())
            .unwrap_or(session),
        session,
    ] {
        let short = id.get(..8).unwrap_or(id);
        let replay = auditor.run(&["sessions", "replay", "--instant", short])?;
        tell.ran(
            "auditor",
            &format!("ostiary sessions replay --instant {short}"),
            &replay.all(),
        );
    }
    let replay = auditor
        .run(&["sessions", "replay", "--instant", short])?
        .all();
    tell.check(
        "the replay tells who approved",
        replay.contains("rita") && replay.contains("ticket 812"),
    );
    let mut all = String::new();
    for session in &sessions {
        let id = session["id"].as_str().unwrap_or_default();
        all.push_str(
            &auditor
                .run(&["--output", "json", "sessions", "replay", id])?
                .all(),
        );
    }
    let secret = [
        "ada.brook@",
        "078-05-1120",
        "4111111111111111",
        PASSWORD,
        stack::CREDENTIAL,
        scene.agent.token.as_str(),
    ];
    tell.check(
        "no masked value, password or token is in any record",
        !all.is_empty() && secret.iter().all(|it| !all.contains(it)),
    );
    if !tell.failed().is_empty() {
        scene.folder.keep();
        tell.heading(&format!(
            "The last of ostiary up's log, kept in {}:",
            scene.folder.path().display()
        ));
        tell.said(&tail(&scene.up.log(), 30));
    }
    Ok(())
}

/// Both outputs of psql as a terminal shows them: what comes first is said on standard error.
fn said_by(ran: &Ran) -> String {
    format!("{}{}", ran.err, ran.out)
}

fn id(approval: &serde_json::Value) -> Result<String> {
    Ok(approval["id"]
        .as_str()
        .context("an approval id")?
        .to_owned())
}
