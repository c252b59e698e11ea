//! The configurations of `envoy/`, run by an Envoy of one's own with `ostiary serve` beside it.
//!
//! Only what the files tell people to change is changed: ports, names, token and paths.

use std::{path::Path, process::Command};

use ostiary_tests::{
    Context as _, Result,
    clients::Agent,
    ensure, ports,
    process::{Folder, Running, Signal, tail},
    shared,
    stack::{Operator, Target, example_policy, write_configuration},
    tools, wait,
};
use serde::Deserialize as _;
use serde_json::Value;

use crate::of_kind;

const POSTGRES: &str = "envoy/postgres.yaml";
const ISTIO: &str = "envoy/istio-envoyfilter.yaml";
const ROLE: &str = "shop_scram";

#[test]
fn postgres_yaml_runs_as_it_stands() -> Result<()> {
    guards_a_server("reference", |text| text)
}

/// What Istio makes of the patches is a listener of a sidecar: their filter in front of its `tcp_proxy`,
/// and their settings merged into that.
#[test]
fn the_filter_of_istios_patches_runs_in_an_envoy() -> Result<()> {
    let patches = istio_patches()?;
    let [insert, merge] = patches.as_slice() else {
        panic!("{} patches", patches.len());
    };
    assert_eq!(insert["patch"]["operation"], "INSERT_BEFORE");
    assert_eq!(merge["patch"]["operation"], "MERGE");
    let filter = insert["patch"]["value"].clone();
    let merged = merge["patch"]["value"]["typed_config"].clone();
    guards_a_server("istio", |text| {
        let mut config: Value = serde_yaml_ng::from_str(&text).unwrap();
        let filters =
            &mut config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"];
        filters[0] = filter;
        let proxy = filters[1]["typed_config"].as_object_mut().unwrap();
        proxy.retain(|key, _| ["@type", "stat_prefix", "cluster"].contains(&key.as_str()));
        proxy.extend(merged.as_object().unwrap().clone());
        config.to_string().replace(
            "\"ostiary_control_plane\"",
            "\"outbound|7700||ostiary.ostiary.svc.cluster.local\"",
        )
    })
}

fn istio_patches() -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(tools::root().join(ISTIO))?;
    for document in serde_yaml_ng::Deserializer::from_str(&text) {
        let document = Value::deserialize(document)?;
        if document["kind"] == "EnvoyFilter" {
            let patches = document["spec"]["configPatches"].as_array().cloned();
            return patches.context("configPatches");
        }
    }
    ostiary_tests::bail!("no EnvoyFilter in {ISTIO}")
}

/// Runs the reference, as `change` makes it, and does with psql what the gateway is for.
fn guards_a_server(subject: &str, change: impl FnOnce(String) -> String) -> Result<()> {
    let (postgres, issuer) = (shared::postgres()?, shared::issuer()?);
    let folder = Folder::new(subject)?;
    let target = Target::named("shop", ROLE, postgres.port());
    let parts = write_configuration(folder.path(), issuer, &[target], &example_policy()?)?;
    let _control_plane = serve(folder.path())?;
    let token = std::fs::read_to_string(folder.path().join("state/gateway-token"))?;

    let listen = ports::free();
    let text = std::fs::read_to_string(tools::root().join(POSTGRES))?;
    let text = set(
        &change(text),
        &[
            ("9901", &parts.admin.to_string()),
            ("6432", &listen.to_string()),
            ("5432", &postgres.port().to_string()),
            ("7700", &parts.control_plane.to_string()),
            ("shop_app", ROLE),
            ("GATEWAY_TOKEN", token.trim()),
            ("/opt/ostiary/ostiary_filter.wasm", &path_of_filter()?),
            ("/var/local/ostiary/ostiary_filter.wasm", &path_of_filter()?),
        ],
    );
    let envoy = envoy(folder.path(), &text)?;

    let operator = |name, groups: &[&str]| -> Result<Operator> {
        Ok(Operator {
            address: format!("http://127.0.0.1:{}", parts.control_plane),
            token: issuer.token(name, groups)?,
        })
    };
    let administrator = operator("pat", &["platform"])?;
    let follows = || {
        let all = administrator.json(&["resources", "list"])?;
        Ok(all["resources"][0]["filters"].as_u64() >= Some(1))
    };
    wait::until_true("the filter to follow the policy", wait::START, follows)
        .with_context(|| tail(&envoy.log(), 40))?;
    let agent = Agent {
        port: listen,
        user: "agent".into(),
        database: "shop".into(),
        token: issuer.token(subject, &["analysts"])?,
    };
    let ran = agent.psql(&[
        "SELECT name, email FROM users WHERE id = 1",
        "DROP TABLE orders",
        "SELECT 'still usable'",
    ])?;
    let lines: Vec<&str> = ran.out.lines().collect();
    ensure!(
        lines.len() == 2,
        "{}\n{}",
        ran.all(),
        tail(&envoy.log(), 40)
    );
    assert!(lines[0].starts_with("Ada Brook|") && !ran.all().contains("ada.brook@"));
    assert_eq!(lines[1], "still usable");
    assert!(ran.err.contains("denied by rule `no-ddl`"), "{}", ran.err);

    let events = operator("sam", &["security"])?.recorded(subject)?;
    let verdicts: Vec<&str> = of_kind(&events, "operated")
        .iter()
        .filter_map(|it| it["verdict"].as_str())
        .collect();
    assert_eq!(verdicts, ["allow", "deny", "allow"]);
    Ok(())
}

/// Puts values in place of those the file has as examples.
fn set(text: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn path_of_filter() -> Result<String> {
    Ok(tools::filter()?.display().to_string())
}

fn serve(folder: &Path) -> Result<Running> {
    let mut command = Command::new(tools::ostiary()?);
    command
        .args(["serve", "-f"])
        .arg(folder.join("ostiary.yaml"))
        .current_dir(folder);
    let mut running = Running::start(
        "ostiary serve",
        command,
        &folder.join("serve.log"),
        Signal::INT,
    )?;
    let log = folder.join("serve.log");
    running.until("ostiary serve to be ready", || {
        Ok(std::fs::read_to_string(&log)?.contains("control plane  http"))
    })?;
    Ok(running)
}

fn envoy(folder: &Path, config: &str) -> Result<Running> {
    let file = folder.join("envoy.yaml");
    std::fs::write(&file, config)?;
    let mut command = Command::new(tools::envoy()?);
    command
        .args(["--concurrency", "1", "--disable-hot-restart"])
        .args(["-l", "warning", "-c"])
        .arg(&file);
    Running::start("Envoy", command, &folder.join("envoy.log"), Signal::TERM)
}
