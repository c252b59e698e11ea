//! HTTP requests to operations.
//!
//! In: a request's head and its whole body, and the routes an operator named. Out: an [`Operation`],
//! or a [`Refused`] for a request that two readers could take for two things: one canonical form
//! decides, and what has none is refused whatever policy says. Deliberately absent: connections,
//! framing (Envoy's) and the headers' way upstream (the session's).

pub(crate) mod body;
mod graphql;
pub(crate) mod headers;
mod path;
mod query;
mod routes;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use body::{Content, is_grpc};
pub use headers::{Fate, fate};
pub use path::Path;
pub use query::Parameters;
pub use routes::{Found, InvalidTemplate, Route, Routes};

use body::{Fields, push_name};
use graphql::Asked;

use crate::{Access, Facts, Object, Operation, Verb};

/// A request that is answered without being judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// The status it is answered with.
    pub status: u16,
    /// Why, for the client and the record. Holds no value of the request.
    pub reason: String,
}

impl Refused {
    /// 400: it can be read in more than one way, or in none.
    pub fn bad(reason: impl Into<String>) -> Self {
        Self {
            status: 400,
            reason: reason.into(),
        }
    }
}

/// The head of a request, in its one canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What is done.
    pub verb: Verb,
    /// To which path.
    pub path: Path,
    /// With which query.
    pub query: Parameters,
    /// What its body is said to be.
    pub content: Content,
    /// The path and query as they came, which is how they go on.
    pub target: String,
}

/// What policy may ask about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestFacts {
    /// The decoded path.
    pub path: String,
    /// `operationId` of the OpenAPI document, where it has one; of GraphQL, the operation's name, which
    /// the client chooses.
    pub operation: Option<String>,
    /// Path parameters by their names in the route's template.
    pub parameters: BTreeMap<String, String>,
    /// Every value of every key of the query.
    pub query: BTreeMap<String, BTreeSet<String>>,
    /// Every value of every field of a body that can be read, and of GraphQL every argument of a root
    /// field: `refund(amount)`.
    pub body: BTreeMap<String, BTreeSet<String>>,
    /// Of fields that are numbers, the one farthest from zero, as a whole number.
    pub numbers: BTreeMap<String, i64>,
    /// The media type, lower case, without parameters; empty if there is none.
    pub content_type: String,
    /// Whether a body came.
    pub has_body: bool,
    /// What aliases of a GraphQL document stand for.
    pub aliases: BTreeMap<String, BTreeSet<String>>,
}

impl Head {
    /// Reads a head. Names of `headers` are lower case and without pseudo-headers.
    pub fn read(method: &str, target: &str, headers: &[(String, String)]) -> Result<Self, Refused> {
        let mut verb = Verb::of_method(method).ok_or_else(|| Refused {
            status: 501,
            reason: "the gateway does not know this method".to_owned(),
        })?;
        headers::check(headers)?;
        if headers::wants_websocket(method, headers)? {
            verb = Verb::HttpUpgrade;
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, query),
            None => (target, ""),
        };
        let query = Parameters::parse(query, "query")?;
        if query.has("_method") {
            return Err(Refused::bad("`_method` would override the method"));
        }
        Ok(Self {
            verb,
            path: Path::parse(path)?,
            query,
            content: Content::of(headers)?,
            target: target.to_owned(),
        })
    }

    /// What the request does.
    pub fn operation(&self, body: &[u8], routes: &Routes) -> Result<Operation, Refused> {
        let mut facts = RequestFacts {
            path: self.path.text().to_owned(),
            query: self.query.all().clone(),
            content_type: self.content.media_type().to_owned(),
            has_body: !body.is_empty(),
            ..RequestFacts::default()
        };
        let mut graphql = None;
        let mut verb = self.verb;
        let object = match routes.find(&self.path) {
            Found::Route(route, parameters) => {
                facts.parameters = parameters;
                facts.operation = route.operation(self.verb).map(str::to_owned);
                let template = route.template().to_owned();
                let is_read = route.is_graphql() && self.verb != Verb::HttpUpgrade;
                graphql = is_read.then(|| template.clone());
                Object::Route { template }
            }
            Found::Method(service, name) if self.verb == Verb::HttpPost => {
                verb = Verb::GrpcCall;
                Object::Method { service, name }
            }
            Found::Method(..) => return Err(Refused::bad("a gRPC method is called by POST")),
            Found::Otherwise(other) => {
                return Err(Refused::bad(format!(
                    "the path is `{other}` in other letters or with another last slash"
                )));
            }
            Found::Nothing => Object::Api,
        };
        let mut unreadable = self.content.read(body, &mut facts)?;
        let mut accesses = BTreeSet::from([Access { verb, object }]);
        if let (Some(template), None) = (graphql, &unreadable) {
            match graphql::read(self, &template, body, &mut facts)? {
                Asked::Nothing => {}
                Asked::Accesses(fields) => {
                    verb = fields.iter().map(|it| it.verb).max().unwrap_or(verb);
                    accesses = fields;
                }
                Asked::Unreadable(why) => unreadable = Some(why),
            }
        }
        Ok(Operation {
            verb,
            accesses,
            facts: Facts {
                has_where: true,
                unreadable,
                request: Some(Box::new(facts)),
                ..Facts::default()
            },
        })
    }
}
