//! However the bytes are cut, the effects are the same: every single cut of both directions, and many
//! random ones.

use std::collections::BTreeSet;
use std::rc::Rc;

use ostiary_record::Event;
use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

use super::answer::{Answer, CONTACTS, USERS, computed, from, said};
use super::client::{
    bind, copy_data, copy_done, extended, hello, parse, password, query, startup, terminate,
};
use super::policy::Rules;
use super::replication::{STREAM, teach};
use super::rig::{TOKEN, approved, config, pending, principal};
use super::server::{Auth, PASSWORD, Server};
use crate::postgres::Session;
use crate::{Effect, Login, Now, Opened, State};

const NOW: Now = Now(1_700_000_000_000_000);

/// What a client says, step by step; the server answers after each.
struct Conversation {
    name: &'static str,
    rules: Rules,
    auth: Auth,
    steps: Vec<Vec<u8>>,
}

#[derive(Debug, Default, PartialEq)]
struct Seen {
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    events: Vec<Event>,
    closed: bool,
    client_bytes: usize,
    server_bytes: usize,
}

fn conversations() -> Vec<Conversation> {
    let conversation = |name, rules, auth, steps: Vec<Vec<u8>>| Conversation {
        name,
        rules,
        auth,
        steps: [vec![hello(), password(TOKEN)], steps].concat(),
    };
    vec![
        conversation(
            "login by scram",
            Rules::Labels,
            Auth::Scram,
            vec![query("SELECT 1")],
        ),
        conversation(
            "simple, denied and failing",
            Rules::Labels,
            Auth::Trust,
            vec![
                [
                    query("SELECT email, id FROM users"),
                    query("TRUNCATE users"),
                    query("SELECT 1/0; SELECT 2"),
                ]
                .concat(),
                query("SELECT app_function()"),
                [query("SELECT upper(mail) FROM contacts"), terminate()].concat(),
            ],
        ),
        conversation(
            "extended, in a pipeline",
            Rules::Labels,
            Auth::Trust,
            vec![
                parse("s", "SELECT email, id FROM users")
                    .describe_statement("s")
                    .sync(),
                [
                    bind("", "s").execute("").sync(),
                    extended("TRUNCATE users"),
                    parse("", "SELECT 1/0")
                        .bind("", "")
                        .execute("")
                        .close_statement("s")
                        .sync(),
                    bind("p", "s")
                        .describe_portal("p")
                        .execute_some("p", 1)
                        .sync(),
                ]
                .concat(),
            ],
        ),
        conversation(
            "detectors",
            Rules::Detectors,
            Auth::Trust,
            vec![
                [
                    query("SELECT email, id FROM users"),
                    extended("SELECT email, id FROM users"),
                ]
                .concat(),
            ],
        ),
        conversation(
            "nothing masked",
            Rules::Plain,
            Auth::Trust,
            vec![
                [
                    query("SELECT email, id FROM users"),
                    extended("SELECT email, id FROM users"),
                ]
                .concat(),
            ],
        ),
        conversation(
            "waiting",
            Rules::Plain,
            Auth::Trust,
            vec![
                [query("DELETE FROM users"), query("SELECT 1")].concat(),
                [
                    extended("DELETE FROM users"),
                    query("INSERT INTO t VALUES (1)"),
                ]
                .concat(),
            ],
        ),
        Conversation {
            name: "replication",
            rules: Rules::Replicates,
            auth: Auth::Scram,
            steps: vec![
                startup(&[
                    ("user", "alice"),
                    ("database", "app"),
                    ("replication", "database"),
                ]),
                password(TOKEN),
                [query("IDENTIFY_SYSTEM"), query("SELECT 1")].concat(),
                [extended("SELECT 1"), query(STREAM)].concat(),
                [
                    copy_data(b"r1"),
                    copy_data(b""),
                    copy_done(),
                    query("SHOW x"),
                ]
                .concat(),
                query("BASE_BACKUP"),
                query(STREAM),
                query(STREAM),
            ],
        },
        conversation(
            "a broken client",
            Rules::Plain,
            Auth::Trust,
            vec![[query("SELECT 1"), vec![b'?', 0, 0, 0, 9, 1, 2, 3, 4, 5]].concat()],
        ),
        conversation(
            "a password too much",
            Rules::Plain,
            Auth::Trust,
            vec![[query("SELECT 1"), password("x"), query("SELECT 2")].concat()],
        ),
    ]
}

fn answers(server: &mut Server) {
    teach(server);
    let rows: [&[&str]; 3] = [&["alice@example.com", "1"], &["NULL", "2"], &["b", "NULL"]];
    let columns = [from("email", USERS, 3), from("id", USERS, 1)];
    let mut users =
        Answer::rows(&columns, &rows).noticing(said("00000", "it is alice@example.com"));
    users.reports = Some(("application_name", "x"));
    server.on("SELECT email, id FROM users", users);
    server.on("SELECT 1/0", Answer::error("22012", "division by zero"));
    server.on(
        "SELECT app_function()",
        Answer::rows(&[computed("x")], &[&["y"]]),
    );
    server.on(
        "SELECT upper(mail) FROM contacts",
        Answer::rows(
            &[computed("upper"), from("mail", CONTACTS, 1)],
            &[&["A", "a@b.org"]],
        ),
    );
}

/// The pieces of `bytes`, which begin at `start` in their stream.
fn pieces<'a>(bytes: &'a [u8], start: usize, cuts: &BTreeSet<usize>) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for cut in cuts.range(start + 1..start + bytes.len()) {
        pieces.push(&bytes[from..cut - start]);
        from = cut - start;
    }
    pieces.push(&bytes[from..]);
    pieces
}

fn play(
    conversation: &Conversation,
    state: &State,
    client_cuts: &BTreeSet<usize>,
    server_cuts: &BTreeSet<usize>,
) -> Seen {
    let mut session = Session::new(config(), state.clone(), Rc::default(), NOW);
    let mut server = Server::new(conversation.auth);
    answers(&mut server);
    let mut seen = Seen::default();
    let mut upstream = Vec::new();
    let mut logins = 0;
    let mut asked = 0;
    let mut effects =
        |session: &mut Session, seen: &mut Seen, upstream: &mut Vec<u8>, input: &[u8]| {
            let (mut login, mut ask) = (false, false);
            while let Some(effect) = session.next_effect() {
                match effect {
                    Effect::ToServer(bytes) => upstream.extend(bytes),
                    Effect::ToClient(bytes) => seen.to_client.extend(bytes),
                    Effect::PassToClient => seen.to_client.extend_from_slice(input),
                    Effect::Record(event) => seen.events.push(event),
                    Effect::OpenSession(_) => login = true,
                    Effect::AskApproval(_) => ask = true,
                    Effect::Close => seen.closed = true,
                    Effect::CancelApproval | Effect::CancelWait { .. } => {}
                }
            }
            logins += usize::from(login);
            asked += usize::from(ask);
            (login, ask)
        };
    for step in &conversation.steps {
        let (mut login, mut ask) = (false, false);
        for piece in pieces(step, seen.client_bytes, client_cuts) {
            session.from_client(piece, NOW);
            let (l, a) = effects(&mut session, &mut seen, &mut upstream, &[]);
            login |= l;
            ask |= a;
        }
        seen.client_bytes += step.len();
        loop {
            if let Some(event) = seen.events.last() {
                session.on_recorded(event.seq, NOW);
            }
            let (l, a) = effects(&mut session, &mut seen, &mut upstream, &[]);
            login |= l;
            ask |= a;
            if std::mem::take(&mut login) {
                let opened = Opened {
                    principal: principal(&["analysts"]),
                    expires_us: 0,
                    password: PASSWORD.to_owned(),
                };
                session.on_login(Login::Opened(opened), NOW);
                continue;
            }
            if upstream.is_empty() && std::mem::take(&mut ask) {
                session.on_approval(pending(), NOW);
                session.on_approval(approved(), NOW);
                continue;
            }
            if upstream.is_empty() {
                break;
            }
            seen.to_server.extend_from_slice(&upstream);
            server.feed(&std::mem::take(&mut upstream));
            let out = std::mem::take(&mut server.out);
            if out.is_empty() {
                continue;
            }
            for piece in pieces(&out, seen.server_bytes, server_cuts) {
                session.from_server(piece, NOW);
                let (l, a) = effects(&mut session, &mut seen, &mut upstream, piece);
                login |= l;
                ask |= a;
            }
            seen.server_bytes += out.len();
        }
    }
    seen
}

#[track_caller]
fn same(conversation: &Conversation, whole: &Seen, other: &Seen, how: &str) {
    // What makes a difference legible takes longer than the play itself.
    if other == whole {
        return;
    }
    let name = conversation.name;
    let show = |bytes: &[u8]| super::transcript::to_client(bytes).join("\n");
    assert_eq!(
        show(&other.to_client),
        show(&whole.to_client),
        "{name} {how}"
    );
    assert_eq!(other.to_client, whole.to_client, "{name} {how}");
    assert_eq!(other.events, whole.events, "{name} {how}");
    assert_eq!(
        other.to_server.escape_ascii().to_string(),
        whole.to_server.escape_ascii().to_string(),
        "{name} {how}"
    );
    panic!("{name} {how}: {other:?} is not {whole:?}");
}

#[test]
fn one_cut_anywhere_in_what_the_client_sends_changes_nothing() {
    one_cut_anywhere(
        "client",
        |whole| whole.client_bytes,
        |cut| (cut, Cuts::new()),
    );
}

#[test]
fn one_cut_anywhere_in_what_the_server_sends_changes_nothing() {
    one_cut_anywhere(
        "server",
        |whole| whole.server_bytes,
        |cut| (Cuts::new(), cut),
    );
}

/// Where the bytes of one side are cut.
type Cuts = BTreeSet<usize>;

/// Plays every conversation once for each byte of one side, cut there.
fn one_cut_anywhere(side: &str, bytes: fn(&Seen) -> usize, cuts: fn(Cuts) -> (Cuts, Cuts)) {
    for conversation in conversations() {
        let state = conversation.rules.state();
        let none = BTreeSet::new();
        let whole = play(&conversation, &state, &none, &none);
        assert!(whole.events.len() > 2, "{}", conversation.name);
        for cut in 1..bytes(&whole) {
            let (client, server) = cuts([cut].into());
            let other = play(&conversation, &state, &client, &server);
            let how = format!("{side} cut at {cut}");
            same(&conversation, &whole, &other, &how);
        }
    }
}

#[test]
fn single_bytes_change_nothing() {
    for conversation in conversations() {
        let state = conversation.rules.state();
        let none = BTreeSet::new();
        let whole = play(&conversation, &state, &none, &none);
        let all: BTreeSet<usize> = (0..100_000).collect();
        for (client, server) in [(&all, &none), (&none, &all), (&all, &all)] {
            same(
                &conversation,
                &whole,
                &play(&conversation, &state, client, server),
                "byte by byte",
            );
        }
    }
}

thread_local! {
    static KNOWN: Vec<(Conversation, State, Seen)> = conversations()
        .into_iter()
        .map(|conversation| {
            let state = conversation.rules.state();
            let none = BTreeSet::new();
            let whole = play(&conversation, &state, &none, &none);
            (conversation, state, whole)
        })
        .collect();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_cuts_change_nothing(
        which in any::<prop::sample::Index>(),
        client in prop::collection::btree_set(1_usize..1000, 0..40),
        server in prop::collection::btree_set(1_usize..2500, 0..60),
    ) {
        KNOWN.with(|known| {
            let (conversation, state, whole) = &known[which.index(known.len())];
            let other = play(conversation, state, &client, &server);
            prop_assert_eq!(&other, whole);
            Ok(())
        })?;
    }
}
