//! Names of a request that a bundle asks for by `hasTag` and `getTag`.
//!
//! Only those are told to Cedar: a body of ten thousand fields costs no more than what policies ask.
//! And a name that is one of them in other letters is found out, since some servers take `Amount`
//! for `amount`.

use std::collections::BTreeSet;

use cedar_policy::{
    Policy,
    pst::{BinaryOp, Clause, Expr, Literal},
};
use ostiary_operation::http::RequestFacts;

use crate::mentions::parts;

/// The names.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    named: BTreeSet<String>,
    /// `named` in lower case.
    folded: BTreeSet<String>,
    /// A policy computes a name, so that it may ask for any.
    any: bool,
}

impl Keys {
    /// Reads policies; fails if Cedar cannot show a condition.
    pub(crate) fn of<'a>(policies: impl Iterator<Item = &'a Policy>) -> Result<Self, String> {
        let mut keys = Self::default();
        for policy in policies {
            let shown = policy.to_pst().map_err(|error| error.to_string())?;
            for clause in shown.body().clauses() {
                match clause {
                    Clause::When(condition) | Clause::Unless(condition) => keys.add(condition),
                }
            }
        }
        keys.folded = keys.named.iter().map(|name| name.to_lowercase()).collect();
        Ok(keys)
    }

    fn add(&mut self, expr: &Expr) {
        if let Expr::BinaryOp {
            op: BinaryOp::GetTag | BinaryOp::HasTag,
            right,
            ..
        } = expr
        {
            match right.as_ref() {
                Expr::Literal(Literal::String(text)) => {
                    self.named.insert(text.to_string());
                }
                _ => self.any = true,
            }
        }
        for part in parts(expr) {
            self.add(part);
        }
    }

    /// Whether a policy may ask for this name.
    pub(crate) fn names(&self, key: &str) -> bool {
        self.any || self.named.contains(key)
    }

    /// A name of the request that is one a policy asks for, in other letters.
    pub(crate) fn misspelt<'r>(&self, request: &'r RequestFacts) -> Option<&'r str> {
        let mut keys = request.query.keys().chain(request.body.keys());
        keys.find(|key| !self.named.contains(*key) && self.folded.contains(&key.to_lowercase()))
            .map(String::as_str)
    }
}
