//! What texts and frames mean to the model's server, and what it says.

use ostiary_wire::postgres::{Backend, Column, Format, Frontend, RowWriter, backend::encode};

/// What detectors keep from the client, and what labels alone do.
pub(super) const SECRET: &[u8] = b"alice@example.com";
pub(super) const LABELLED: &[u8] = b"a labelled value";

/// What a statement needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Reads,
    Writes,
    Asks,
    Denied,
}

/// What a frame is, to whoever lets it through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    Operation,
    /// A part of what asks about a COPY.
    Question,
    Sync,
    /// Nothing that runs, or a message that is sure to fail.
    Nothing,
}

/// What a text does, for the texts of [`super::script::TEXTS`].
pub(super) enum Does<'a> {
    Run(Class),
    Fail,
    Begin,
    Commit,
    Prepare(&'a str, &'a str),
    Execute(&'a str),
    Deallocate(Option<&'a str>),
    Declare(&'a str, &'a str),
    Fetch(&'a str),
    Close(&'a str),
    Nothing,
    Refusal,
    Catalogue,
    CopyIn,
    CopyOut,
}

pub(super) fn does(text: &str) -> Does<'_> {
    let last = text.rsplit(' ').next().unwrap_or_default();
    let second = text.split(' ').nth(1).unwrap_or_default();
    let after = |mark: &str| text.split_once(mark).map_or("", |(_, rest)| rest);
    let first = text.split(' ').next().unwrap_or_default();
    match first {
        "" => Does::Nothing,
        "SELECT" if text.ends_with("1/0") => Does::Fail,
        "SELECT" => Does::Run(Class::Reads),
        "TRUNCATE" => Does::Run(Class::Denied),
        "DELETE" => Does::Run(Class::Asks),
        "INSERT" => Does::Run(Class::Writes),
        "BEGIN" => Does::Begin,
        "COMMIT" => Does::Commit,
        "PREPARE" => Does::Prepare(second, after(" AS ")),
        "EXECUTE" => Does::Execute(last),
        "DEALLOCATE" => Does::Deallocate((last != "ALL").then_some(last)),
        "DECLARE" => Does::Declare(second, after(" FOR ")),
        "FETCH" => Does::Fetch(last),
        "CLOSE" => Does::Close(last),
        "OSTIARY" => Does::Refusal,
        "WITH" => Does::Catalogue,
        "COPY" if last == "STDIN" => Does::CopyIn,
        "COPY" => Does::CopyOut,
        // Bytes of the fuzzer's own: judged by their record alone.
        _ => Does::Run(Class::Reads),
    }
}

pub(super) fn carries(message: &Frontend<'_>) -> Carries {
    match message {
        Frontend::Query { sql }
            if sql.starts_with(b"OSTIARY REFUSED") || sql.starts_with(b"WITH RECURSIVE l(") =>
        {
            Carries::Nothing
        }
        message if is_a_look(message) => Carries::Question,
        Frontend::Sync => Carries::Sync,
        Frontend::Execute { portal, .. } if is_ours(portal) => Carries::Nothing,
        Frontend::Query { .. } | Frontend::Execute { .. } | Frontend::FunctionCall(_) => {
            Carries::Operation
        }
        _ => Carries::Nothing,
    }
}

/// Whether a message asks what a COPY will send.
fn is_a_look(message: &Frontend<'_>) -> bool {
    let name = match message {
        Frontend::Parse { name, .. }
        | Frontend::Describe { name, .. }
        | Frontend::Close { name, .. } => name,
        Frontend::Bind { portal, .. } => portal,
        _ => return false,
    };
    name.starts_with(b"\x01ostiary copy")
}

/// Whether a portal is the session's own.
pub(super) fn is_ours(portal: &[u8]) -> bool {
    portal.starts_with(b"\x01ostiary")
}

pub(super) fn complete(out: &mut Vec<u8>) {
    let _ = encode::command_complete(out, b"DONE");
}

pub(super) fn describe(out: &mut Vec<u8>) {
    let column = Column {
        name: b"email",
        table: 16_400,
        attribute: 3,
        type_id: 25,
        type_size: -1,
        type_modifier: -1,
        format: Format::Text,
    };
    say(out, &Backend::RowDescription(vec![column]));
}

pub(super) fn row(out: &mut Vec<u8>, values: &[Option<&[u8]>]) {
    let mut writer = RowWriter::start(out);
    for value in values {
        writer.value(*value);
    }
    let _ = writer.finish();
}

pub(super) fn say(out: &mut Vec<u8>, message: &Backend<'_>) {
    let _ = message.encode(out);
}
