//! Requests that wait for people, or come again later.

use std::thread;

use ostiary_tests::{
    Result,
    http::{Agent, Response},
    stack::Operator,
};

use super::crm::{with_crm, with_policy};
use crate::example_with;

fn refund(agent: &Agent, body: &str, more: &[&str]) -> Result<Response> {
    let json = ["-H", "Content-Type: application/json", "-d", body];
    agent.curl("/refunds", &[&json[..], more].concat())
}

fn decide(who: &Operator, verb: &str, id: &str) -> Result<()> {
    who.run(&[
        "approvals",
        verb,
        id,
        "--yes",
        "--comment",
        "decided in a test",
    ])?
    .ok()?;
    Ok(())
}

fn id(approval: &serde_json::Value) -> &str {
    approval["id"].as_str().unwrap_or_default()
}

const LATER: [&str; 2] = ["-H", "Prefer: respond-async"];

#[test]
fn a_request_waits_and_goes_on_when_a_reviewer_agrees() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("waits")?;
        let rita = crm.stack.reviewer("rita")?;
        for (number, version) in ["--http1.1", "--http2-prior-knowledge"]
            .into_iter()
            .enumerate()
        {
            let body = format!("{{\"amount\": 51, \"waits\": {number}}}");
            let waiting = {
                let (agent, body) = (agent.clone(), body.clone());
                thread::spawn(move || refund(&agent, &body, &[version]))
            };
            let approval = rita.pending(&body)?;
            let statement = approval["statement"].as_str().unwrap_or_default();
            assert!(statement.starts_with("POST /refunds\n"), "{statement}");
            assert!(!statement.contains(&agent.token), "{statement}");
            assert_eq!(crm.api.seen(&body).len(), 0);
            decide(&rita, "approve", id(&approval))?;
            let answer = waiting.join().unwrap()?;
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (200, "{\"refunded\": true}"),
                "{answer:?}"
            );
            assert_eq!(crm.api.seen(&body).len(), 1);
        }
        Ok(())
    })
}

#[test]
fn a_refused_request_says_by_whom() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("refused")?;
        let rita = crm.stack.reviewer("rita")?;
        let body = "{\"amount\": 52, \"refused\": 1}";
        let waiting = thread::spawn(move || refund(&agent, body, &[]));
        decide(&rita, "deny", id(&rita.pending(body)?))?;
        let answer = waiting.join().unwrap()?;
        let problem = answer.json()?;
        assert_eq!(answer.status, 403);
        assert_eq!(problem["type"], "urn:ostiary:problem:rejected");
        assert_eq!(problem["rule"], "refunds-need-approval");
        assert_eq!(problem["detail"], "denied by rita: decided in a test");
        assert_eq!(crm.api.seen(body).len(), 0);
        Ok(())
    })
}

#[test]
fn small_amounts_need_nobody_and_odd_ones_do() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("amounts")?;
        assert_eq!(refund(&agent, "{\"amount\": 50}", &[])?.status, 200);
        for body in [
            "{\"amount\": 50.001}",
            "{\"amount\": -1}",
            "{\"amount\": \"1e3\"}",
            "{}",
            "{\"amount\": [1, 99]}",
        ] {
            let answer = refund(&agent, body, &LATER)?;
            assert_eq!(answer.status, 403, "{body}: {answer:?}");
        }
        let answer = refund(&agent, "{\"Amount\": 1}", &LATER)?;
        assert_eq!(answer.json()?["rule"], "ambiguous-request");
        Ok(())
    })
}

#[test]
fn a_request_that_does_not_wait_is_repeated_and_runs_once() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("later")?;
        let rita = crm.stack.reviewer("rita")?;
        let body = "{\"amount\": 53, \"later\": 1}";
        let first = refund(&agent, body, &LATER)?;
        assert_eq!(first.status, 403, "{first:?}");
        assert!(first.header("retry-after").is_some(), "{first:?}");
        let problem = first.json()?;
        assert_eq!(problem["type"], "urn:ostiary:problem:approval-pending");
        // Asking again asks nobody a second time.
        let again = refund(&agent, body, &LATER)?.json()?;
        assert_eq!(again["approval"], problem["approval"], "{again}");
        decide(
            &rita,
            "approve",
            problem["approval"].as_str().unwrap_or_default(),
        )?;
        // Another body, another agent: not what was approved.
        let other = refund(&agent, "{\"amount\": 54, \"later\": 1}", &LATER)?;
        assert_eq!(other.status, 403, "{other:?}");
        let stranger = refund(&crm.agent("stranger")?, body, &LATER)?;
        assert_eq!(stranger.status, 403, "{stranger:?}");
        assert_eq!(crm.api.seen(body).len(), 0);
        let granted = refund(&agent, body, &LATER)?;
        assert_eq!(granted.status, 200, "{granted:?}");
        let once = refund(&agent, body, &LATER)?;
        assert_eq!(once.status, 403, "{once:?}");
        assert_ne!(once.json()?["approval"], problem["approval"]);
        assert_eq!(crm.api.seen(body).len(), 1);
        Ok(())
    })
}

#[test]
fn of_equal_requests_that_race_one_takes_the_approval() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("racers")?;
        let rita = crm.stack.reviewer("rita")?;
        let body = "{\"amount\": 55, \"racers\": 1}";
        let problem = refund(&agent, body, &LATER)?.json()?;
        decide(
            &rita,
            "approve",
            problem["approval"].as_str().unwrap_or_default(),
        )?;
        let racers: Vec<_> = (0..6)
            .map(|_| {
                let agent = agent.clone();
                thread::spawn(move || refund(&agent, body, &LATER))
            })
            .collect();
        let mut statuses = Vec::new();
        for racer in racers {
            statuses.push(racer.join().unwrap()?.status);
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403, 403, 403, 403, 403]);
        assert_eq!(crm.api.seen(body).len(), 1);
        Ok(())
    })
}

#[test]
fn without_a_grant_the_request_waits_whatever_it_prefers() -> Result<()> {
    let policy = example_with("approvals.yaml", "hold: 15m, grant: 15m", "hold: 1s")?;
    with_policy(&policy, |crm| {
        let answer = refund(&crm.agent("impatient")?, "{\"amount\": 56}", &LATER)?;
        assert_eq!(answer.status, 403);
        assert_eq!(
            answer.json()?["type"],
            "urn:ostiary:problem:expired",
            "{answer:?}"
        );
        Ok(())
    })
}

#[test]
fn a_client_that_goes_away_withdraws_its_question() -> Result<()> {
    with_crm(|crm| {
        let agent = crm.agent("leaves")?;
        let rita = crm.stack.reviewer("rita")?;
        let body = "{\"amount\": 57, \"leaves\": 1}";
        let json = ["-H", "Content-Type: application/json", "-d", body];
        let curl = agent.curl_started("/refunds", &json)?;
        let approval = rita.pending(body)?;
        drop(curl);
        rita.settled(id(&approval), "cancelled")?;
        assert_eq!(crm.api.seen(body).len(), 0);
        Ok(())
    })
}
