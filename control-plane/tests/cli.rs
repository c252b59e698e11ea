//! The `ostiary` command as scripts see it: what it prints and how it exits.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use expect_test::{Expect, expect};

fn ostiary(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ostiary"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .env("TZ", "UTC");
    command
}

fn run(arguments: &[&str]) -> Output {
    ostiary(arguments).output().unwrap()
}

/// What was printed on both outputs and the exit code.
fn said(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let lines = out.lines().chain(errors.lines());
    let mut text: String = lines.map(|line| format!("{}\n", line.trim_end())).collect();
    text.push_str(&format!("exit {}\n", output.status.code().unwrap_or(-1)));
    text
}

#[track_caller]
fn check(arguments: &[&str], expected: Expect) {
    expected.assert_eq(&said(&run(arguments)));
}

/// A port nobody listens on.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn bundle(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

#[test]
fn the_help_teaches_with_examples() {
    check(
        &["--help"],
        expect![[r#"
            The doorkeeper between AI agents and production

            Agents connect to Envoy as they would to the database itself; Ostiary's filter inside it asks the
            control plane who they are, what may pass, what waits for a person and what is masked, and records
            all of it.

            Usage: ostiary [OPTIONS] <COMMAND>

            Commands:
              up           Guard the resources of a configuration file: control plane, Envoy and filter
              serve        Run the control plane alone, for an Envoy of your own
              envoy        Print the configuration for an Envoy of your own
              policy       Check, apply and fetch the policy bundle
              resources    See what is guarded
              approvals    Decide on operations that wait for people
              sessions     Find, replay, follow and end sessions
              dev          Tokens for trying Ostiary out, on this machine alone
              completions  Print a completion script for a shell
              help         Print this message or the help of the given subcommand(s)

            Options:
                  --output <OUTPUT>
                      How to print answers

                      Possible values:
                      - table: Aligned columns, local times
                      - json:  One JSON document; one object a line for streams

                      [env: OSTIARY_OUTPUT]
                      [default: table]

                  --no-color
                      Print without colours (they are also off when standard output is not a terminal)

              -h, --help
                      Print help (see a summary with '-h')

              -V, --version
                      Print version

            Examples:
              ostiary up -f ostiary.yaml           Guard the resources of a configuration file
              ostiary policy check ./policy        Find every problem in a policy bundle, offline
              ostiary policy apply ./policy        Make it the running policy
              ostiary approvals watch              See what waits for people
              ostiary approvals approve 4f2a       Let one operation pass, after reading it
              ostiary sessions replay 9c81         Play a session back

            Exit codes:
              0  done
              1  the answer is no, or the operation failed
              2  wrong usage or invalid input
              3  the control plane cannot be reached
              4  not authenticated, or not allowed
              5  not found
              6  conflict: already decided, or changed meanwhile
            exit 0
        "#]],
    );
    check(
        &["approvals", "approve", "--help"],
        expect![[r#"
            Let one operation pass, after showing it

            Shows exactly what is approved and asks; the answer holds for that operation, and where it says
            `covers` for what that says, alone: the digest that was shown goes with it, and an approval of
            anything else is refused.

            Usage: ostiary approvals approve [OPTIONS] <ID>

            Arguments:
              <ID>
                      The id, or its beginning

            Options:
                  --comment <TEXT>
                      Said to the requester and kept in the record

                  --output <OUTPUT>
                      How to print answers

                      Possible values:
                      - table: Aligned columns, local times
                      - json:  One JSON document; one object a line for streams

                      [env: OSTIARY_OUTPUT]
                      [default: table]

                  --no-color
                      Print without colours (they are also off when standard output is not a terminal)

              -y, --yes
                      Do not ask

                  --digest <HEX>
                      Decide only if this is the digest of what waits (hex, as `show --output json` gives it)

              -h, --help
                      Print help (see a summary with '-h')

            Control plane:
                  --address <URL>
                      Address of the control plane; `https://` unless it is on this machine

                      [env: OSTIARY_ADDRESS]
                      [default: http://127.0.0.1:7700]

                  --token <JWT>
                      OIDC token; other users of this machine can see it in the list of processes

                      [env: OSTIARY_TOKEN]

                  --token-file <PATH>
                      File that holds the token, read by its owner alone [default: ~/.config/ostiary/token]

                  --ca <PATH>
                      Authorities of the control plane's certificate, PEM [default: the system's]

                      [env: OSTIARY_CA]

                  --only-this
                      Of what `covers` says, approve the one operation that is shown and nothing else

            Examples:
              ostiary approvals approve 4f2a
              ostiary approvals approve 4f2a --comment 'ticket 812' --yes
            exit 0
        "#]],
    );
}

#[test]
fn every_command_has_help_with_an_example() {
    let page = run(&["docs"]);
    let page = String::from_utf8(page.stdout).unwrap();
    let sections = page.split("\n## ").skip(1);
    for section in sections.filter(|it| !it.contains("\nCommands:\n")) {
        let name = section.lines().next().unwrap();
        let has_example = section.contains("\nExamples:\n") || name.contains("completions");
        assert!(has_example, "{name} has no example");
    }
}

/// docs/cli.md says what the help says. `UPDATE_EXPECT=1` writes it.
#[test]
fn the_page_of_the_docs_is_the_help() {
    let page = run(&["docs"]);
    let page = String::from_utf8(page.stdout).unwrap();
    expect_test::expect_file!["../../docs/cli.md"].assert_eq(&page);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    check(
        &["aprovals", "list"],
        expect![[r#"
        error: unrecognized subcommand 'aprovals'

          tip: a similar subcommand exists: 'approvals'

        Usage: ostiary [OPTIONS] <COMMAND>

        For more information, try '--help'.
        exit 2
    "#]],
    );
    check(
        &["approvals", "list", "--limit", "many"],
        expect![[r#"
        error: invalid value 'many' for '--limit <N>': invalid digit found in string

        For more information, try '--help'.
        exit 2
    "#]],
    );
    check(
        &["sessions", "replay", "9c81", "--speed", "0"],
        expect![[r#"
        error: invalid value '0' for '--speed <FACTOR>': give a number above 0

        For more information, try '--help'.
        exit 2
    "#]],
    );
    check(
        &["sessions", "replay", "9c81", "--speed", "2", "--instant"],
        expect![[r#"
        error: the argument '--speed <FACTOR>' cannot be used with '--instant'

        Usage: ostiary sessions replay --speed <FACTOR> <ID>

        For more information, try '--help'.
        exit 2
    "#]],
    );
    check(
        &["sessions", "search", "x", "--since", "yesterday"],
        expect![[r#"
        error: invalid value 'yesterday' for '--since <TIME>': give a time such as 2026-05-04T13:00:00Z, or an age such as 2h

        For more information, try '--help'.
        exit 2
    "#]],
    );
}

#[test]
fn an_unreachable_control_plane_is_exit_code_3_and_says_where_it_is_not() {
    let address = format!("http://127.0.0.1:{}", closed_port());
    for arguments in [
        &["resources", "list"][..],
        &["approvals", "list"],
        &["approvals", "approve", "4f2a", "--yes"],
        &["sessions", "replay", "9c81"],
        &["policy", "get"],
    ] {
        let output = ostiary(arguments)
            .env("OSTIARY_ADDRESS", &address)
            .env("OSTIARY_TOKEN", "x.y.z")
            .output()
            .unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        let place = format!("cannot reach the control plane at {address}/");
        assert!(said.contains(&place), "{said}");
        assert!(said.contains("help: start it with `ostiary up"), "{said}");
        assert!(!said.contains("x.y.z"), "{said}");
    }
}

#[test]
fn an_error_is_json_when_answers_are() {
    let output = ostiary(&["resources", "list", "--output", "json"])
        .env("OSTIARY_ADDRESS", format!("127.0.0.1:{}", closed_port()))
        .env("OSTIARY_TOKEN", "x")
        .output()
        .unwrap();
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "unreachable");
    assert!(output.stdout.is_empty());
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_token_is_needed_and_kept_to_oneself() {
    check(
        &["approvals", "list"],
        expect![[r#"
        error: no token to present to the control plane
         help: set OSTIARY_TOKEN, pass --token-file, or write one to `/nonexistent/.config/ostiary/token`
        exit 4
    "#]],
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "secret.token.value\n").unwrap();
    let readable = |mode| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let address = format!("http://127.0.0.1:{}", closed_port());
        let path = file.to_str().unwrap();
        run(&[
            "approvals",
            "list",
            "--token-file",
            path,
            "--address",
            &address,
        ])
    };
    let refused = readable(0o644);
    assert_eq!(refused.status.code(), Some(2));
    let text = said(&refused);
    assert!(text.contains("can be read by others"), "{text}");
    assert!(text.contains("chmod 600"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(readable(0o600).status.code(), Some(3));

    let elsewhere = ostiary(&["approvals", "list", "--address", "http://192.0.2.1:7700"])
        .env("OSTIARY_TOKEN", "x")
        .output()
        .unwrap();
    expect![[r#"
        error: a token is not sent in plaintext to another machine: `http://192.0.2.1:7700`
         help: use https://
        exit 2
    "#]]
    .assert_eq(&said(&elsewhere));
}

#[test]
fn a_bundle_with_problems_is_refused_whole_with_every_place() {
    let dir = bundle(&[
        ("a.cedar", "permit(principal, action, resource;\n"),
        ("labels.yaml", "labels: {pii: {strategy: redacted}}\n"),
    ]);
    let output = run(&["policy", "check", dir.path().to_str().unwrap()]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for file in ["a.cedar:1: ", "labels.yaml:1: "] {
        let place = format!("{}/{file}", dir.path().display());
        assert!(text.contains(&place), "{text}");
    }
    assert!(text.contains("refused: "), "{text}");

    let output = run(&[
        "policy",
        "check",
        "--output",
        "json",
        dir.path().to_str().unwrap(),
    ]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        answer["problems"].as_array().unwrap().len() >= 2,
        "{answer}"
    );
}

#[test]
fn a_good_bundle_is_ok_and_has_a_hash() {
    let dir = bundle(&[(
        "all.cedar",
        "@id(\"all\")\npermit(principal, action, resource);\n",
    )]);
    let output = run(&["policy", "check", dir.path().to_str().unwrap()]);
    let text = said(&output);
    assert!(text.starts_with("ok: 1 file, hash "), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_directory_without_a_bundle_is_invalid_input() {
    check(
        &["policy", "check", "/nonexistent/policy"],
        expect![[r#"
        error: cannot read `/nonexistent/policy`: No such file or directory (os error 2)
        exit 2
    "#]],
    );
}

#[test]
fn a_configuration_with_problems_lists_all_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ostiary.yaml");
    fs::write(
        &file,
        "stat_dir: x\nresources:\n  - name: shop\n    kind: postgre\n",
    )
    .unwrap();
    for command in ["up", "serve"] {
        let output = run(&[command, "-f", file.to_str().unwrap()]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        for line in ["ostiary.yaml:1: ", "ostiary.yaml:4: "] {
            assert!(text.contains(line), "{text}");
        }
    }
    check(
        &["serve", "-f", "/nonexistent/ostiary.yaml"],
        expect![[r#"
        error: /nonexistent/ostiary.yaml has 1 problem
            /nonexistent/ostiary.yaml: cannot be read: No such file or directory (os error 2)
        exit 2
    "#]],
    );
}

#[test]
fn the_configuration_of_the_docs_is_a_good_one() {
    let page = include_str!("../../docs/operating.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ostiary.yaml");
    fs::write(&file, text).unwrap();
    let config = ostiary_control_plane::config::Config::load(&file).unwrap();
    assert_eq!(config.resources.len(), 2);
}

/// A configuration in front of a server that need not be there.
fn configuration(dir: &Path, listen: u16, envoy: &str) -> PathBuf {
    let file = dir.join("ostiary.yaml");
    let text = format!(
        "state_dir: ./state\ncontrol_plane: {{listen: \"127.0.0.1:0\"}}\n\
         identity: {{issuers: [{{issuer: \"http://127.0.0.1:1\", audience: ostiary}}]}}\n\
         envoy: {{admin: \"127.0.0.1:0\", binary: {envoy}, filter: filter.wasm}}\n\
         resources:\n  - {{name: shop, kind: postgres, listen: \"127.0.0.1:{listen}\", \
         address: \"127.0.0.1:1\", role: shop_app}}\n"
    );
    fs::write(&file, text).unwrap();
    fs::write(dir.join("filter.wasm"), "").unwrap();
    file
}

#[test]
fn up_says_what_is_missing_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let file = configuration(dir.path(), 0, "./no-envoy");
    let output = run(&["up", "-f", file.to_str().unwrap()]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("`envoy.binary` names `"), "{text}");
    assert!(text.contains("no-envoy`, which is no file"), "{text}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let file = configuration(dir.path(), port, "/bin/true");
    let output = run(&["up", "-f", file.to_str().unwrap()]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let message = format!("resource `shop` cannot listen on 127.0.0.1:{port}: ");
    assert!(text.contains(&message), "{text}");
}

/// Whether a process is there and runs.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && !state.starts_with('Z')
}

#[test]
fn envoy_ends_with_the_process_that_started_it() {
    let script = "\"$0\" envoy exec --parent $$ -- sleep 600 & echo $!; exec sleep 600";
    let mut parent = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_ostiary")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = String::new();
    BufReader::new(parent.stdout.take().unwrap())
        .read_line(&mut child)
        .unwrap();
    let child = child.trim();
    let name = || fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
    wait_for(|| name() == "sleep\n");
    // As if `ostiary up` were killed with no time to tidy up.
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_for(|| !is_alive(child));

    // The parent was gone before the kernel was asked.
    let output = run(&["envoy", "exec", "--parent", "1", "--", "sleep", "600"]);
    let text = said(&output);
    assert!(
        text.contains("the process that started Envoy has ended"),
        "{text}"
    );
}

#[track_caller]
fn wait_for(condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < end, "waited in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_development_token_needs_an_issuer_that_has_run() {
    check(
        &["dev", "token", "--sub", "x", "--state", "/nonexistent/dev"],
        expect![[r#"
            error: no development issuer has its key in `/nonexistent/dev`
             help: start one with `ostiary dev issuer` or `ostiary up --dev`, or give its --state
            exit 2
        "#]],
    );
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let output = run(&[
            "dev",
            "issuer",
            "--listen",
            listen,
            "--state",
            "/nonexistent/dev",
        ]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("serves loopback addresses only"), "{text}");
        assert!(!Path::new("/nonexistent/dev").exists());
    }
}

#[test]
fn there_are_completions_for_shells() {
    for (shell, mark) in [
        ("bash", "complete -F _ostiary"),
        ("zsh", "#compdef ostiary"),
        ("fish", "complete -c ostiary"),
    ] {
        let output = run(&["completions", shell]);
        let script = String::from_utf8_lossy(&output.stdout);
        assert!(script.contains(mark), "{shell}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = ostiary(&["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{}", said(&output));
}
