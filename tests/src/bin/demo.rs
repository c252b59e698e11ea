//! `just demo`: the main job, played against a real PostgreSQL with seeded data. Exits 0 only if each
//! step did what it should. `--stay` leaves everything running, with the commands to try.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use ostiary_tests::{
    Context as _, Result, bail,
    clients::Agent,
    narrate::Narrator,
    ports,
    postgres::{PASSWORD, Postgres, Settings},
    process::{Folder, Ran, Running, Signal, Started, run, tail},
    stack::{self, Operator, Policy},
    tools,
};

/// Longest wait for a client that should answer soon.
const SOON: Duration = Duration::from_secs(30);
const READ: &str = "SELECT name, email, ssn, card, city FROM users ORDER BY id";
const DELETE: &str = "DELETE FROM orders WHERE status = 'cancelled'";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let stay = match arguments.as_slice() {
        [] => false,
        [one] if one == "--stay" => true,
        _ => {
            eprintln!("usage: ./bootstrap demo [--stay]");
            return ExitCode::from(2);
        }
    };
    match play(stay) {
        Ok(failed) if failed.is_empty() => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("\ndemo: {} of the checks did not hold:", failed.len());
            for what in failed {
                eprintln!("  {what}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("\ndemo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn play(stay: bool) -> Result<Vec<String>> {
    let mut tell = Narrator::default();
    tell.heading(
        "Ostiary: an agent, a reviewer, and a PostgreSQL neither of them has a password for",
    );
    let scene = Scene::build(&tell)?;
    reads(&scene, &mut tell)?;
    drops(&scene, &mut tell)?;
    deletes(&scene, &mut tell)?;
    looks_back(&scene, &mut tell)?;
    if tell.failed().is_empty() {
        tell.heading("Each step did what it should.");
    }
    if stay {
        scene.stay(&tell)?;
    }
    Ok(tell.failed().to_vec())
}

/// What runs during the demo.
struct Scene {
    folder: Folder,
    postgres: Postgres,
    up: Running,
    agent: Agent,
    reviewer: Operator,
    auditor: Operator,
    administrator: Operator,
    policy: Policy,
}

impl Scene {
    fn build(tell: &Narrator) -> Result<Self> {
        let folder = Folder::new("demo")?;
        let postgres = Postgres::start(&Settings::default())?;
        let version = postgres.value("shop", "SHOW server_version")?;
        let version = version.split(' ').next().unwrap_or_default().to_owned();
        tell.say(&format!(
            "PostgreSQL {version} runs on 127.0.0.1:{} with the tables users and orders.",
            postgres.port()
        ));

        let policy = stack::example_policy()?;
        let directory = folder.path().join("policy");
        std::fs::create_dir(&directory)?;
        for (name, text) in &policy {
            std::fs::write(directory.join(name), text)?;
        }
        std::fs::write(folder.path().join("password"), PASSWORD)?;
        let (listen, control, issuer, admin) =
            (ports::free(), ports::free(), ports::free(), ports::free());
        let config = CONFIG
            .replace("LISTEN", &listen.to_string())
            .replace("SERVER", &postgres.port().to_string())
            .replace("CONTROL", &control.to_string())
            .replace("ISSUER", &issuer.to_string())
            .replace("ADMIN", &admin.to_string());
        let file = folder.path().join("ostiary.yaml");
        std::fs::write(&file, config)?;
        let ready = folder.path().join("ready");
        let mut command = std::process::Command::new(tools::ostiary()?);
        command
            .args(["up", "--dev", "-f"])
            .arg(&file)
            .arg("--ready-file")
            .arg(&ready)
            .env("ENVOY_BIN", tools::envoy()?)
            .env("NO_COLOR", "1");
        let mut up = Running::start(
            "ostiary up",
            command,
            &folder.path().join("log"),
            Signal::INT,
        )?;
        up.until("ostiary up to be ready", || Ok(ready.exists()))?;
        let said = up.log();
        let addresses: Vec<&str> = said
            .lines()
            .skip_while(|line| !line.starts_with("control plane"))
            .collect();
        tell.ran(
            "operator",
            "ostiary up --dev -f ostiary.yaml",
            &addresses.join("\n"),
        );

        let state = folder.path().join("state/dev");
        let token = |name: &str, groups: &str, more: &[&str]| -> Result<String> {
            let mut command = std::process::Command::new(tools::ostiary()?);
            command
                .args([
                    "dev", "token", "--sub", name, "--groups", groups, "--ttl", "8h", "--state",
                ])
                .arg(&state)
                .args(more);
            Ok(run(command, "", SOON)?.ok()?.out.trim().to_owned())
        };
        let address = format!("http://127.0.0.1:{control}");
        let operator = |name: &str, groups: &str| -> Result<Operator> {
            Ok(Operator {
                address: address.clone(),
                token: token(name, groups, &[])?,
            })
        };
        Ok(Self {
            agent: Agent {
                port: listen,
                user: "agent".into(),
                database: "shop".into(),
                token: token("claude-17", "analysts", &["--act", "mara"])?,
            },
            reviewer: operator("rita", "dba")?,
            auditor: operator("sam", "security")?,
            administrator: operator("pat", "platform")?,
            folder,
            postgres,
            up,
            policy,
        })
    }

    /// psql as the agent runs it, with what it prints.
    fn psql(&self, statements: &[&str]) -> Result<Started> {
        let mut psql = self.agent.psql_command()?;
        for statement in statements {
            psql.args(["-c", statement]);
        }
        Started::new(psql, "")
    }

    fn orders(&self) -> Result<String> {
        self.postgres.value("shop", "SELECT count(*) FROM orders")
    }

    /// Changes how long a statement waits for people, in the running policy.
    fn hold(&self, time: &str) -> Result<String> {
        let folder = self.folder.path().join("policy");
        for (name, text) in &self.policy {
            std::fs::write(
                folder.join(name),
                text.replace("hold: 5m", &format!("hold: {time}")),
            )?;
        }
        let ran = self
            .administrator
            .run(&["policy", "apply", &folder.display().to_string()])?;
        Ok(ran.ok()?.all())
    }

    fn stay(mut self, tell: &Narrator) -> Result<()> {
        let write = |name: &str, text: &str| -> Result<PathBuf> {
            use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
            let path = self.folder.path().join(name);
            let mut file = std::fs::File::options()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&path)?;
            file.write_all(text.as_bytes())?;
            Ok(path)
        };
        let agent = write("agent.token", &self.agent.token)?;
        let reviewer = write("reviewer.token", &self.reviewer.token)?;
        let auditor = write("auditor.token", &self.auditor.token)?;
        let ostiary = tools::ostiary()?;
        let (ostiary, address) = (ostiary.display(), &self.reviewer.address);
        tell.heading("It stays up until Ctrl-C. To try, as the agent:");
        tell.said(&format!(
            "PGPASSWORD=$(cat {}) psql -h 127.0.0.1 -p {} -U agent shop",
            agent.display(),
            self.agent.port
        ));
        tell.heading("as the reviewer, in another terminal:");
        tell.said(&format!(
            "export OSTIARY_ADDRESS={address} OSTIARY_TOKEN=$(cat {})\n\
             {ostiary} approvals watch\n{ostiary} approvals approve ID",
            reviewer.display()
        ));
        tell.heading("as the auditor:");
        tell.said(&format!(
            "export OSTIARY_ADDRESS={address} OSTIARY_TOKEN=$(cat {})\n\
             {ostiary} sessions list\n{ostiary} sessions replay ID",
            auditor.display()
        ));
        tell.heading("Configuration, policy and logs:");
        tell.said(&self.folder.path().display().to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            loop {
                tokio::select! {
                    signal = tokio::signal::ctrl_c() => return signal.context("waiting for Ctrl-C"),
                    () = tokio::time::sleep(Duration::from_secs(1)) => self.up.check()?,
                }
            }
        })
    }
}

const CONFIG: &str = "\
state_dir: state
control_plane:
  listen: 127.0.0.1:CONTROL
identity:
  issuers:
    - issuer: http://127.0.0.1:ISSUER
      audience: ostiary
roles: {admin: [platform], reviewer: [dba], auditor: [security]}
policy: policy
envoy: {admin: 127.0.0.1:ADMIN}
resources:
  - name: shop
    kind: postgres
    listen: 127.0.0.1:LISTEN
    address: 127.0.0.1:SERVER
    role: shop_scram
    password: {file: password}
";

fn reads(scene: &Scene, tell: &mut Narrator) -> Result<()> {
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

fn drops(scene: &Scene, tell: &mut Narrator) -> Result<()> {
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

fn deletes(scene: &Scene, tell: &mut Narrator) -> Result<()> {
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

fn looks_back(scene: &Scene, tell: &mut Narrator) -> Result<()> {
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
