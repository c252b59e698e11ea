//! A replication command, read as strictly as the walsender reads it.
//!
//! In: the text of a Query. Out: what the command will do to the connection, if the text is exactly one command of
//! the walsender's grammar (`repl_gram.y`, PostgreSQL 10 to 18). A text it takes for no command is SQL
//! to it, so nothing may pass here that it would not take for one: each begins with a keyword in capitals, and in
//! SQL no statement does, but SHOW, which it has known for as long as it has known SQL.

use super::scan::{Token, scan};

/// Bytes of a command: all of it is on record.
const MAX_COMMAND: usize = 16 << 10;

/// What PostgreSQL's own clients send before anything else in a logical session. It changes nothing that
/// a replication command reads.
const SECURE_SEARCH_PATH: &str = "SELECT pg_catalog.set_config('search_path', '', false);";

/// Words that decide how the rest is read: no names, unless in double quotes.
const KEYWORDS: [&str; 20] = [
    "BASE_BACKUP",
    "IDENTIFY_SYSTEM",
    "READ_REPLICATION_SLOT",
    "SHOW",
    "TIMELINE",
    "START_REPLICATION",
    "CREATE_REPLICATION_SLOT",
    "DROP_REPLICATION_SLOT",
    "ALTER_REPLICATION_SLOT",
    "TIMELINE_HISTORY",
    "PHYSICAL",
    "RESERVE_WAL",
    "LOGICAL",
    "SLOT",
    "TEMPORARY",
    "TWO_PHASE",
    "EXPORT_SNAPSHOT",
    "NOEXPORT_SNAPSHOT",
    "USE_SNAPSHOT",
    "WAIT",
];

/// What data a command makes go over the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// Rows at most.
    Rows,
    /// The server copies out: BASE_BACKUP.
    Out,
    /// The client copies in: UPLOAD_MANIFEST.
    In,
    /// Both at once: START_REPLICATION.
    Both,
}

/// A command that may be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) struct Command {
    pub(super) data: Data,
    /// It shows, holds or gives up what is of every database of the server, not of the session's alone.
    pub(super) whole: bool,
    /// It makes the server write files, or run a program.
    pub(super) on_server: bool,
}

const ROWS: Command = Command {
    data: Data::Rows,
    whole: false,
    on_server: false,
};

const WHOLE: Command = Command {
    whole: true,
    ..ROWS
};

/// Reads the text of a Query; `logical` says of which kind the session is.
pub(super) fn read(text: &str, logical: bool) -> Option<Command> {
    if text.len() > MAX_COMMAND {
        return None;
    }
    if logical && text == SECURE_SEARCH_PATH {
        return Some(ROWS);
    }
    let tokens = scan(text)?;
    let tokens = match tokens.as_slice() {
        [command @ .., Token::Mark(b';')] => command,
        command => command,
    };
    let [Token::Word(first), rest @ ..] = tokens else {
        return None;
    };
    match (*first, rest) {
        ("IDENTIFY_SYSTEM", []) => Some(ROWS),
        ("SHOW", name) => is_setting(name).then_some(ROWS),
        ("TIMELINE_HISTORY", [Token::Number]) => Some(WHOLE),
        ("READ_REPLICATION_SLOT", [slot]) if is_name(slot) => Some(ROWS),
        // The slot may be that of another database, or of a standby: the server does not ask whose it is.
        ("DROP_REPLICATION_SLOT", [slot] | [slot, Token::Word("WAIT")]) if is_name(slot) => {
            Some(WHOLE)
        }
        ("ALTER_REPLICATION_SLOT", [slot, options @ ..]) if is_name(slot) => {
            bracketed(options).map(|_| WHOLE)
        }
        ("CREATE_REPLICATION_SLOT", [slot, rest @ ..]) if is_name(slot) => create(rest),
        ("START_REPLICATION", rest) => start(rest),
        ("BASE_BACKUP", rest) => backup(rest),
        ("UPLOAD_MANIFEST", []) => Some(Command {
            data: Data::In,
            ..WHOLE
        }),
        _ => None,
    }
}

fn create(rest: &[Token<'_>]) -> Option<Command> {
    let rest = match rest {
        [Token::Word("TEMPORARY"), rest @ ..] => rest,
        rest => rest,
    };
    let (command, options) = match rest {
        [Token::Word("PHYSICAL"), options @ ..] => (WHOLE, options),
        [Token::Word("LOGICAL"), plugin, options @ ..] if is_name(plugin) => (ROWS, options),
        _ => return None,
    };
    let old = [
        "EXPORT_SNAPSHOT",
        "NOEXPORT_SNAPSHOT",
        "USE_SNAPSHOT",
        "RESERVE_WAL",
        "TWO_PHASE",
    ];
    let is_old = |token: &Token<'_>| matches!(token, Token::Word(word) if old.contains(word));
    (options.iter().all(is_old) || bracketed(options).is_some()).then_some(command)
}

fn start(rest: &[Token<'_>]) -> Option<Command> {
    let streams = |whole| Command {
        data: Data::Both,
        whole,
        on_server: false,
    };
    let rest = match rest {
        [Token::Word("SLOT"), slot, rest @ ..] if is_name(slot) => match rest {
            [Token::Word("LOGICAL"), Token::Position] => return Some(streams(false)),
            [Token::Word("LOGICAL"), Token::Position, options @ ..] => {
                return bracketed(options).map(|_| streams(false));
            }
            rest => rest,
        },
        rest => rest,
    };
    let rest = match rest {
        [Token::Word("PHYSICAL"), rest @ ..] => rest,
        rest => rest,
    };
    match rest {
        [Token::Position] | [Token::Position, Token::Word("TIMELINE"), Token::Number] => {
            Some(streams(true))
        }
        _ => None,
    }
}

fn backup(rest: &[Token<'_>]) -> Option<Command> {
    let command = Command {
        data: Data::Out,
        ..WHOLE
    };
    if let [Token::Mark(b'('), ..] = rest {
        let on_server = bracketed(rest)?.iter().any(|(name, value)| {
            name.is("target") && !value.is_some_and(|value| value.is("client"))
        });
        return Some(Command {
            on_server,
            ..command
        });
    }
    // As up to PostgreSQL 14.
    let mut rest = rest;
    loop {
        rest = match rest {
            [] => return Some(command),
            [
                Token::Word(
                    "PROGRESS" | "FAST" | "WAL" | "NOWAIT" | "TABLESPACE_MAP"
                    | "NOVERIFY_CHECKSUMS",
                ),
                rest @ ..,
            ]
            | [
                Token::Word("LABEL" | "MANIFEST" | "MANIFEST_CHECKSUMS"),
                Token::Text(_),
                rest @ ..,
            ]
            | [Token::Word("MAX_RATE"), Token::Number, rest @ ..] => rest,
            _ => return None,
        };
    }
}

/// `(name value, …)`, where a value may be missing.
fn bracketed<'a, 't>(
    tokens: &'a [Token<'t>],
) -> Option<Vec<(&'a Token<'t>, Option<&'a Token<'t>>)>> {
    let [Token::Mark(b'('), options @ .., Token::Mark(b')')] = tokens else {
        return None;
    };
    options
        .split(|token| matches!(token, Token::Mark(b',')))
        .map(|option| match option {
            [name @ (Token::Word(_) | Token::Quoted(_))] => Some((name, None)),
            [
                name @ (Token::Word(_) | Token::Quoted(_)),
                value @ (Token::Word(_) | Token::Quoted(_) | Token::Text(_) | Token::Number),
            ] => Some((name, Some(value))),
            _ => None,
        })
        .collect()
}

fn is_setting(tokens: &[Token<'_>]) -> bool {
    match tokens {
        [name] => is_name(name),
        [name, Token::Mark(b'.'), rest @ ..] => is_name(name) && is_setting(rest),
        _ => false,
    }
}

fn is_name(token: &Token<'_>) -> bool {
    match token {
        Token::Word(word) => !KEYWORDS.contains(word),
        Token::Quoted(_) => true,
        Token::Text(_) | Token::Number | Token::Position | Token::Mark(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(text: &str) -> String {
        match read(text, true) {
            None => "no command".to_owned(),
            Some(command) => {
                let whole = if command.whole { " whole" } else { "" };
                let on_server = if command.on_server {
                    " on the server"
                } else {
                    ""
                };
                format!("{:?}{whole}{on_server}", command.data)
            }
        }
    }

    #[test]
    fn reads_what_clients_send() {
        for (text, expected) in [
            // pg_receivewal, pg_basebackup and pg_recvlogical, of several versions.
            ("IDENTIFY_SYSTEM", "Rows"),
            ("IDENTIFY_SYSTEM;", "Rows"),
            (" \n\tIDENTIFY_SYSTEM ; \n", "Rows"),
            ("SHOW wal_segment_size", "Rows"),
            ("SHOW data_directory_mode", "Rows"),
            ("SHOW a.b.\"c\"", "Rows"),
            ("READ_REPLICATION_SLOT sink", "Rows"),
            ("TIMELINE_HISTORY 2", "Rows whole"),
            (
                "CREATE_REPLICATION_SLOT \"pg_basebackup_12\" TEMPORARY PHYSICAL ( RESERVE_WAL)",
                "Rows whole",
            ),
            (
                "CREATE_REPLICATION_SLOT \"s\" PHYSICAL RESERVE_WAL",
                "Rows whole",
            ),
            (
                "CREATE_REPLICATION_SLOT \"s\" LOGICAL \"test_decoding\" (SNAPSHOT 'nothing')",
                "Rows",
            ),
            (
                "CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT TWO_PHASE",
                "Rows",
            ),
            ("DROP_REPLICATION_SLOT \"s\"", "Rows whole"),
            ("DROP_REPLICATION_SLOT s WAIT", "Rows whole"),
            (
                "ALTER_REPLICATION_SLOT s (FAILOVER true, TWO_PHASE 'off')",
                "Rows whole",
            ),
            ("START_REPLICATION 0/3000000 TIMELINE 1", "Both whole"),
            (
                "START_REPLICATION SLOT \"s\" 0/3000000 TIMELINE 1",
                "Both whole",
            ),
            (
                "START_REPLICATION SLOT s PHYSICAL AB/CDEF0123",
                "Both whole",
            ),
            ("START_REPLICATION SLOT \"s\" LOGICAL 0/0", "Both"),
            (
                "START_REPLICATION SLOT \"s\" LOGICAL 0/0 (\"include-xids\" '0', \"skip-empty-xacts\")",
                "Both",
            ),
            (
                "START_REPLICATION SLOT \"s\" LOGICAL 0/0 (proto_version '1', publication_names '\"it''s; é\"')",
                "Both",
            ),
            ("BASE_BACKUP", "Out whole"),
            (
                "BASE_BACKUP ( LABEL 'pg_basebackup base backup',  PROGRESS,  CHECKPOINT 'fast',  WAIT 0,  \
                 MANIFEST 'yes',  TARGET 'client')",
                "Out whole",
            ),
            (
                "BASE_BACKUP LABEL 'x' PROGRESS FAST NOWAIT MAX_RATE 100 TABLESPACE_MAP MANIFEST 'yes'",
                "Out whole",
            ),
            (
                "BASE_BACKUP (TARGET 'server', TARGET_DETAIL '/tmp/x')",
                "Out whole on the server",
            ),
            ("BASE_BACKUP (target shell)", "Out whole on the server"),
            ("BASE_BACKUP (TARGET CLIENT)", "Out whole"),
            ("BASE_BACKUP (TARGET 'CLIENT')", "Out whole on the server"),
            ("UPLOAD_MANIFEST", "In whole"),
            (SECURE_SEARCH_PATH, "Rows"),
        ] {
            assert_eq!(what(text), expected, "{text}");
        }
    }

    #[test]
    fn takes_nothing_else_for_a_command() {
        let long = format!("SHOW {}", "a".repeat(MAX_COMMAND));
        for text in [
            "",
            ";",
            "IDENTIFY_SYSTEM;;",
            "IDENTIFY_SYSTEM; SELECT 1",
            "IDENTIFY_SYSTEM; IDENTIFY_SYSTEM",
            "SELECT 1; IDENTIFY_SYSTEM",
            "identify_system",
            "Identify_System",
            "\"IDENTIFY_SYSTEM\"",
            "IDENTIFY_SYSTEM x",
            "IDENTIFY_SYSTEM -- x",
            "IDENTIFY_SYSTEM /* ; */",
            "/* x */ IDENTIFY_SYSTEM",
            "-- x\nIDENTIFY_SYSTEM",
            "IDENTIFY_SYSTEM\r",
            "IDENTIFY_SYSTEM\u{b}",
            "IDENTIFY_SYSTEM\u{a0}",
            "\u{feff}IDENTIFY_SYSTEM",
            "IDENTIFY_SYSTEMé",
            "show wal_segment_size",
            "SHOW",
            "SHOW a b",
            "SHOW 'a'",
            "SHOW a; DROP TABLE t",
            "SHOW a.",
            "SHOW TIME ZONE",
            "SHOW é",
            "TIMELINE_HISTORY",
            "TIMELINE_HISTORY 1x",
            "TIMELINE_HISTORY -1",
            "TIMELINE_HISTORY 1 2",
            "DROP_REPLICATION_SLOT",
            "DROP_REPLICATION_SLOT a, b",
            "DROP_REPLICATION_SLOT \"a\"\"b\"",
            "DROP_REPLICATION_SLOT \"a",
            "DROP_REPLICATION_SLOT \"\"",
            "BASE_BACKUP (\"a\"\"b\")",
            "BASE_BACKUP (LABEL 'a\\')",
            "DROP_REPLICATION_SLOT a WAIT WAIT",
            "DROP_REPLICATION_SLOT WAIT",
            "ALTER_REPLICATION_SLOT s",
            "ALTER_REPLICATION_SLOT s ()",
            "CREATE_REPLICATION_SLOT s",
            "CREATE_REPLICATION_SLOT s PHYSICAL LOGICAL p",
            "CREATE_REPLICATION_SLOT s LOGICAL",
            "CREATE_REPLICATION_SLOT s LOGICAL (x)",
            "CREATE_REPLICATION_SLOT s PHYSICAL RESERVE_WAL (x)",
            "CREATE_REPLICATION_SLOT s PHYSICAL (SNAPSHOT 'nothing'); SELECT '(1'')",
            "START_REPLICATION",
            "START_REPLICATION SLOT s",
            "START_REPLICATION SLOT LOGICAL 0/0",
            "START_REPLICATION SLOT s LOGICAL 0/0 x",
            "START_REPLICATION SLOT s LOGICAL PHYSICAL 0/0",
            "START_REPLICATION LOGICAL 0/0",
            "START_REPLICATION SLOT s LOGICAL 0/0 (a 'b' 'c')",
            "START_REPLICATION SLOT s LOGICAL 0/0 (a 'b'",
            "START_REPLICATION SLOT s LOGICAL 0/0 (a ('b'))",
            "START_REPLICATION SLOT s LOGICAL 0/0 (a 'b\\'; DROP TABLE t; --')",
            "START_REPLICATION SLOT s LOGICAL 0/0 (a E'b')",
            "START_REPLICATION SLOT s LOGICAL 0/0 (a $$b$$)",
            "START_REPLICATION 0/1TIMELINE 1",
            "START_REPLICATION 0 / 1",
            "START_REPLICATION 0/G",
            "BASE_BACKUP LABEL x",
            "BASE_BACKUP LABEL 'x' (PROGRESS)",
            "BASE_BACKUP ()",
            "BASE_BACKUP (LABEL 'a', )",
            "BASE_BACKUP (LABEL 'a') PROGRESS",
            "BASE_BACKUP (LABEL 'a'",
            "BASE_BACKUP (LABEL 'a",
            "UPLOAD_MANIFEST 1",
            "FETCH ALL FROM c",
            "select pg_catalog.set_config('search_path', '', false);",
            "SELECT pg_catalog.set_config('search_path', '', false); SELECT 1",
            "SELECT pg_catalog.set_config('role', 'postgres', false);",
            &long,
        ] {
            assert_eq!(what(text), "no command", "{text}");
        }
        assert_eq!(read(SECURE_SEARCH_PATH, false), None);
    }
}
