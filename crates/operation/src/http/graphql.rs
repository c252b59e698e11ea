//! GraphQL over HTTP: which operation a request runs, and the root fields it touches.
//!
//! A request that could run anything but what its text shows (a document the server keeps, one
//! operation of several, a query in the URL and in the body) is unreadable.

mod arguments;
mod document;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Content, Fields, Head, Refused, RequestFacts};
use crate::{Access, Object, Verb};
use arguments::Arguments;
use document::Document;

/// Operations of one batch.
const MAX_BATCH: usize = 50;

/// Keys of a request, in a body or a query.
const KEYS: [&str; 4] = ["query", "operationName", "variables", "extensions"];
/// Keys by which servers find documents that they keep, folded.
const KEPT: [&str; 9] = [
    "id",
    "doc_id",
    "docid",
    "documentid",
    "queryid",
    "hash",
    "sha256hash",
    "persistedquery",
    "operationid",
];

/// What a request to a GraphQL route is.
pub(super) enum Asked {
    /// A request without GraphQL in it, like that for a page to explore the API with.
    Nothing,
    /// These accesses, at least one.
    Accesses(BTreeSet<Access>),
    /// What it runs is not certain, for this reason.
    Unreadable(String),
}

/// One operation, as its request gives it.
#[derive(Default)]
struct Wanted<'r> {
    query: Option<&'r str>,
    name: Option<&'r str>,
    variables: Option<&'r Map<String, Value>>,
}

/// Reads a request to the route `template`, and puts what it asks for among the facts.
pub(super) fn read(
    head: &Head,
    template: &str,
    body: &[u8],
    facts: &mut RequestFacts,
) -> Result<Asked, Refused> {
    let in_url = |keys: &[&str]| {
        let mut given = head.query.all().keys();
        given.any(|key| keys.iter().any(|it| it.eq_ignore_ascii_case(key)))
    };
    let unsure = |why: &str| Ok(Asked::Unreadable(why.to_owned()));
    match head.verb {
        Verb::HttpPost if in_url(&KEYS) || in_url(&KEPT) => {
            unsure("GraphQL in the URL of a POST: servers differ in which they run")
        }
        Verb::HttpPost => {
            let Content::Json(_) = &head.content else {
                return unsure("a GraphQL request is JSON");
            };
            let Ok(body) = serde_json::from_slice::<Value>(body) else {
                return unsure("a GraphQL request has a body");
            };
            match several(&body) {
                Ok(wanted) => Ok(run(template, &wanted, facts, false)?),
                Err(why) => Ok(Asked::Unreadable(why)),
            }
        }
        Verb::HttpGet | Verb::HttpHead if !body.is_empty() => {
            unsure("a GraphQL request by GET has no body")
        }
        Verb::HttpGet | Verb::HttpHead if head.query.all().is_empty() => Ok(Asked::Nothing),
        Verb::HttpGet | Verb::HttpHead => {
            let variables = single(head, "variables").and_then(|it| it.map(object).transpose());
            let wanted = variables
                .as_ref()
                .map_err(String::clone)
                .and_then(|variables| by_url(head, variables.as_ref()));
            match wanted {
                Ok(wanted) => Ok(run(template, &[wanted], facts, true)?),
                Err(why) => Ok(Asked::Unreadable(why)),
            }
        }
        Verb::HttpOptions if body.is_empty() => Ok(Asked::Nothing),
        _ => unsure("GraphQL comes by GET or POST"),
    }
}

/// A JSON object whose keys are all different, on every level.
fn object(text: &str) -> Result<Map<String, Value>, String> {
    let no_object = || "the variables of the URL are no JSON object".to_owned();
    Fields::default()
        .read_json(text.as_bytes())
        .map_err(|_| no_object())?;
    serde_json::from_str(text).map_err(|_| no_object())
}

/// The only value of a key of the URL.
fn single<'h>(head: &'h Head, key: &str) -> Result<Option<&'h str>, String> {
    let values = head.query.all().get(key).into_iter().flatten();
    let mut values = values.map(String::as_str);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(format!("`{key}` comes with several values")),
    }
}

fn by_url<'h>(
    head: &'h Head,
    variables: Option<&'h Map<String, Value>>,
) -> Result<Wanted<'h>, String> {
    for key in head.query.all().keys() {
        if !["query", "operationName", "variables"].contains(&key.as_str()) {
            return Err("the URL holds more than a query, its name and variables".to_owned());
        }
    }
    Ok(Wanted {
        query: single(head, "query")?,
        name: single(head, "operationName")?,
        variables,
    })
}

fn several(body: &Value) -> Result<Vec<Wanted<'_>>, String> {
    match body {
        Value::Array(batch) if batch.len() > MAX_BATCH => {
            Err(format!("a batch has at most {MAX_BATCH} operations"))
        }
        Value::Array(batch) => batch.iter().map(one).collect(),
        one_of_all => Ok(vec![one(one_of_all)?]),
    }
}

fn one(body: &Value) -> Result<Wanted<'_>, String> {
    let Value::Object(fields) = body else {
        return Err("a GraphQL request is an object, or an array of them".to_owned());
    };
    let mut wanted = Wanted::default();
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("query", Value::String(text)) => wanted.query = Some(text),
            ("operationName", Value::String(name)) => wanted.name = Some(name),
            ("variables", Value::Object(variables)) => wanted.variables = Some(variables),
            ("extensions", Value::Object(it)) if !it.keys().any(|key| is_kept(key)) => {}
            ("query" | "operationName" | "variables" | "extensions", Value::Null) => {}
            ("extensions", Value::Object(_)) => {
                return Err("it names a document that the server keeps".to_owned());
            }
            _ => return Err("it holds more than a query, its name and variables".to_owned()),
        }
    }
    Ok(wanted)
}

fn is_kept(key: &str) -> bool {
    KEPT.iter().any(|it| it.eq_ignore_ascii_case(key))
}

/// What these operations do together.
fn run(
    template: &str,
    all: &[Wanted<'_>],
    facts: &mut RequestFacts,
    by_get: bool,
) -> Result<Asked, Refused> {
    let mut accesses = BTreeSet::new();
    let mut arguments = Arguments::new(facts);
    let none = Map::new();
    for wanted in all {
        let Some(query) = wanted.query else {
            return Ok(Asked::Unreadable(
                "it has no query: the server would have to know it".to_owned(),
            ));
        };
        let variables = wanted.variables.unwrap_or(&none);
        let read = Document::parse(query).and_then(|document| {
            let operation = document.choose(wanted.name)?;
            let fields = document.roots(&operation)?;
            arguments.add(&operation, &fields, variables)?;
            Ok((document, operation, fields))
        });
        let (document, operation, fields) = match read {
            Ok(read) => read,
            Err(why) => return Ok(Asked::Unreadable(why)),
        };
        let verb = operation.verb();
        if by_get && verb != Verb::GraphqlQuery {
            let reason = "GraphQL by GET can only query";
            return Err(Refused::bad(reason));
        }
        for field in &fields {
            accesses.insert(Access {
                verb,
                object: Object::Field {
                    route: template.to_owned(),
                    name: field.name().to_owned(),
                },
            });
        }
        arguments.note(
            &document,
            (all.len() == 1).then(|| operation.name()).flatten(),
        );
    }
    match accesses.is_empty() {
        true => Ok(Asked::Unreadable("a batch of no operations".to_owned())),
        false => Ok(Asked::Accesses(accesses)),
    }
}
