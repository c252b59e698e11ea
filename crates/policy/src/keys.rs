//! What a bundle asks of a request: names, by `hasTag` and `getTag`, and facts, as `context.request.path`.
//!
//! Only that is told to Cedar: a body of ten thousand fields costs no more than what policies ask, and
//! requests that differ in nothing else are judged alike. A name that is one of them in other letters
//! is found out, since some servers take `Amount` for `amount`.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    Policy,
    pst::{BinaryOp, Clause, Expr, Literal, Var},
};
use ostiary_operation::{Facts, Operation, http::RequestFacts, kubernetes::ObjectFacts};

use crate::mentions::parts;

/// What is asked.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    named: BTreeSet<String>,
    /// `named` in lower case.
    folded: BTreeSet<String>,
    /// A policy computes a name, so that it may ask for any.
    any: bool,
    /// Attributes that are read, of whatever it is.
    attributes: BTreeSet<String>,
    /// A policy handles records as a whole, so that it may ask for any attribute.
    any_attribute: bool,
}

impl Keys {
    /// Reads policies; fails if Cedar cannot show a condition.
    pub(crate) fn of<'a>(policies: impl Iterator<Item = &'a Policy>) -> Result<Self, String> {
        let mut keys = Self::default();
        for policy in policies {
            let shown = policy.to_pst().map_err(|error| error.to_string())?;
            for clause in shown.body().clauses() {
                match clause {
                    Clause::When(condition) | Clause::Unless(condition) => {
                        keys.add(condition, false);
                    }
                }
            }
        }
        keys.folded = keys.named.iter().map(|name| name.to_lowercase()).collect();
        Ok(keys)
    }

    /// Reads an expression; `is_base` if only an attribute of it is read.
    fn add(&mut self, expr: &Expr, is_base: bool) {
        match expr {
            Expr::Literal(_) | Expr::Slot(_) => {}
            Expr::Var(var) => self.any_attribute |= matches!(var, Var::Context) && !is_base,
            Expr::GetAttr { expr, attr } => {
                // The records of the context.
                let is_record = matches!(attr.as_str(), "request" | "objects");
                self.any_attribute |= is_record && !is_base;
                self.attributes.insert(attr.to_string());
                self.add(expr, true);
            }
            Expr::HasAttr { expr, attrs } => {
                self.attributes
                    .extend(attrs.iter().map(ToString::to_string));
                self.add(expr, true);
            }
            Expr::BinaryOp {
                op: BinaryOp::GetTag | BinaryOp::HasTag,
                left,
                right,
            } => {
                match right.as_ref() {
                    Expr::Literal(Literal::String(text)) => {
                        self.named.insert(text.to_string());
                    }
                    _ => self.any = true,
                }
                self.add(left, false);
                self.add(right, false);
            }
            Expr::UnaryOp { .. }
            | Expr::BinaryOp { .. }
            | Expr::Like { .. }
            | Expr::Is { .. }
            | Expr::IfThenElse { .. }
            | Expr::Set(_)
            | Expr::Record(_) => {
                for part in parts(expr) {
                    self.add(part, false);
                }
            }
            _ => {
                self.any = true;
                self.any_attribute = true;
            }
        }
    }

    /// The operation without what no policy asks of it.
    pub(crate) fn relevant(&self, operation: &Operation) -> Operation {
        let facts = &operation.facts;
        let request = facts.request.as_deref();
        let objects = facts.objects.as_deref();
        let objects = objects.map(|objects| {
            let name = objects.name.as_ref().filter(|_| self.asks("name"));
            Box::new(ObjectFacts {
                name: name.cloned(),
                ..objects.clone()
            })
        });
        Operation {
            verb: operation.verb,
            accesses: operation.accesses.clone(),
            facts: Facts {
                has_where: facts.has_where,
                functions: facts.functions.clone(),
                dynamic: facts.dynamic,
                unreadable: facts.unreadable.clone(),
                row_limit: facts.row_limit,
                columns: facts.columns.clone(),
                request: request.map(|request| Box::new(self.of_request(request))),
                objects,
            },
        }
    }

    fn of_request(&self, request: &RequestFacts) -> RequestFacts {
        let RequestFacts {
            path,
            operation,
            parameters,
            query,
            body,
            numbers,
            content_type,
            has_body,
            // Policy is not told of them.
            aliases: _,
        } = request;
        let path = if self.asks("path") { path.as_str() } else { "" };
        let operation = operation.as_ref().filter(|_| self.asks("operation"));
        RequestFacts {
            path: path.to_owned(),
            operation: operation.cloned(),
            parameters: self.named_in(parameters),
            query: self.named_in(query),
            body: self.named_in(body),
            numbers: self.named_in(numbers),
            content_type: content_type.clone(),
            has_body: *has_body,
            aliases: BTreeMap::new(),
        }
    }

    /// What stands under a name that policies ask for, in whatever letters.
    fn named_in<V: Clone>(&self, all: &BTreeMap<String, V>) -> BTreeMap<String, V> {
        let is_named = |key: &str| self.any || self.folded.contains(&key.to_lowercase());
        let named = all.iter().filter(|(key, _)| is_named(key));
        named
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    fn asks(&self, attribute: &str) -> bool {
        self.any_attribute || self.attributes.contains(attribute)
    }

    /// A name of the request that is one a policy asks for, in other letters.
    pub(crate) fn misspelt<'r>(&self, request: &'r RequestFacts) -> Option<&'r str> {
        let mut keys = request.query.keys().chain(request.body.keys());
        keys.find(|key| !self.named.contains(*key) && self.folded.contains(&key.to_lowercase()))
            .map(String::as_str)
    }
}
