//! An internal HTTP API behind the same gateway: read masked, refused, held and approved.

use ostiary_tests::{
    Context as _, Result,
    api::{Answer, Seen},
    http::Response,
    narrate::Narrator,
    stack::CREDENTIAL,
};

use crate::scene::{SOON, Scene};

const REFUND: &str = r#"{"order": 41, "amount": 900}"#;

/// What the API answers.
pub(crate) fn answer(seen: &Seen) -> Answer {
    match seen.line.split(' ').nth(1).unwrap_or_default() {
        "/users" => Answer::json(
            r#"{"users": [{"name": "Ada Brook", "email": "ada.brook@example.com", "card": "4111111111111111"}]}"#,
        ),
        "/refunds" => Answer::json(r#"{"refunded": true}"#),
        _ => Answer::json("{}"),
    }
}

pub(crate) fn calls(scene: &Scene, tell: &mut Narrator) -> Result<()> {
    tell.step("An internal API stands behind the same gateway: the same promises, with curl.");
    let (api, agent) = (&scene.api, &scene.caller);
    let curl = |what: &str| {
        format!(
            "curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:{}{what}",
            agent.port
        )
    };

    let users = agent.curl("/users", &[])?;
    tell.ran("agent", &curl("/users"), &said_by(&users));
    let secret = ["ada.brook@", "4111111111111111"];
    tell.check(
        "the name is there, the e-mail address and the card number are not",
        users.status == 200
            && users.body.contains("Ada Brook")
            && secret.iter().all(|it| !users.body.contains(it)),
    );
    let credential = format!("Bearer {CREDENTIAL}");
    tell.check(
        "the API saw the gateway's credential, and nothing of the agent's token",
        api.seen("GET /users ").iter().any(|it| {
            it.header("authorization") == Some(credential.as_str())
                && !format!("{it:?}").contains(&agent.token)
        }),
    );

    let denied = agent.curl("/users/7", &["-X", "DELETE"])?;
    tell.ran("agent", &curl("/users/7 -X DELETE"), &said_by(&denied));
    tell.check(
        "refused, by a rule it is told, and the API never saw it",
        denied.status == 403
            && denied.json()?["rule"] == "no-user-deletes"
            && api.seen("DELETE").is_empty(),
    );

    let json = ["-H", "Content-Type: application/json", "-d", REFUND];
    let mut waiting = agent.curl_started("/refunds", &json)?;
    tell.typed("agent", &curl(&format!("/refunds --json '{REFUND}'")));
    let approval = scene.reviewer.pending("POST /refunds")?;
    let id = approval["id"].as_str().context("an approval id")?;
    tell.ran(
        "reviewer",
        "ostiary approvals list",
        &scene.reviewer.run(&["approvals", "list"])?.all(),
    );
    tell.check(
        "the request waits, and nothing was paid",
        !waiting.has_ended()? && api.seen("/refunds").is_empty(),
    );
    let comment = ["--comment", "ticket 813", "--yes"];
    let said = scene
        .reviewer
        .run(&[&["approvals", "approve", id][..], &comment].concat())?;
    tell.ran(
        "reviewer",
        &format!("ostiary approvals approve {id} --comment 'ticket 813' --yes"),
        &said.all(),
    );
    let paid = Response::parse(&waiting.finish(SOON)?.ok()?.out)?;
    tell.ran("agent", "# curl prints", &said_by(&paid));
    tell.check(
        "approved, it was paid once",
        paid.status == 200 && api.seen("/refunds").len() == 1,
    );
    Ok(())
}

/// The status and the body.
fn said_by(response: &Response) -> String {
    format!("HTTP {}\n{}", response.status, response.body)
}
