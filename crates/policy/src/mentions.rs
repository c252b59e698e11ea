//! Schemas a bundle speaks of.
//!
//! A statement that says `users` may mean the table of any schema in the session's `search_path`,
//! which a client can change. Such a name is judged as if it were in each schema where the bundle
//! could treat it differently; this module finds them. Of Kubernetes it finds the namespaces in the same
//! way: what is asked of all of them is judged as in each.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    Policy,
    pst::{BinaryOp, Clause, Expr, Literal, PatternElem},
};
use ostiary_operation::Target;

use crate::entities::unescape;

/// Schemas in which one name may have to be judged; each costs an evaluation of every policy.
const MAX_SCHEMAS: usize = 128;

/// Where an unqualified name may be.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    /// Schemas compared with `resource.schema`, wherever they are.
    anywhere: BTreeSet<String>,
    /// Schemas named as entities, by resource and database.
    schemas: BTreeMap<(String, String), BTreeSet<String>>,
    /// Schemas of tables and functions named as entities, by resource, database and name.
    members: BTreeMap<(String, String, String), BTreeSet<String>>,
    /// Namespaces compared with `resource.namespace`, wherever they are.
    any_namespaces: BTreeSet<String>,
    /// Namespaces named as entities, by resource.
    namespaces: BTreeMap<String, BTreeSet<String>>,
}

impl Mentions {
    /// Reads policies; fails if they name too many schemas, or Cedar cannot show a condition. Labels
    /// are not read: a decision does not depend on them.
    pub(crate) fn of<'a>(policies: impl Iterator<Item = &'a Policy>) -> Result<Self, String> {
        let mut mentions = Self::default();
        for policy in policies {
            for literal in policy.entity_literals() {
                let kind = literal.type_name().to_string();
                mentions.add_entity(&kind, literal.id().unescaped());
            }
            // Conditions only: a scope compares entities, never `resource.schema`.
            let shown = policy.to_pst().map_err(|error| error.to_string())?;
            for clause in shown.body().clauses() {
                match clause {
                    Clause::When(condition) | Clause::Unless(condition) => {
                        add_compared(condition, "schema", &mut mentions.anywhere);
                        add_compared(condition, "namespace", &mut mentions.any_namespaces);
                    }
                }
            }
        }
        let largest = |sets: &mut dyn Iterator<Item = &BTreeSet<String>>| {
            sets.map(BTreeSet::len).max().unwrap_or_default()
        };
        let most = mentions
            .anywhere
            .len()
            .saturating_add(largest(&mut mentions.schemas.values()))
            .saturating_add(largest(&mut mentions.members.values()));
        if most > MAX_SCHEMAS {
            return Err(format!(
                "the policies name {most} schemas in which one table may be, more than {MAX_SCHEMAS}; \
                 use `resource.schema like` for schemas that are alike"
            ));
        }
        let most = mentions
            .any_namespaces
            .len()
            .saturating_add(largest(&mut mentions.namespaces.values()));
        if most > MAX_SCHEMAS {
            return Err(format!(
                "the policies name {most} namespaces of one cluster, more than {MAX_SCHEMAS}; \
                 use `resource.namespace like` for namespaces that are alike"
            ));
        }
        mentions.any_namespaces.remove("");
        Ok(mentions)
    }

    /// Every namespace that the bundle could treat differently.
    pub(crate) fn namespaces(&self, target: &Target) -> BTreeSet<&str> {
        let named = self.namespaces.get(&target.resource);
        let all = [Some(&self.any_namespaces), named];
        all.into_iter()
            .flatten()
            .flatten()
            .map(String::as_str)
            .collect()
    }

    /// Every schema in which the bundle could see the name differently.
    pub(crate) fn schemas(&self, target: &Target, name: &str) -> BTreeSet<&str> {
        let place = (target.resource.clone(), target.database.clone());
        let member = (place.0.clone(), place.1.clone(), name.to_owned());
        let named = [
            Some(&self.anywhere),
            self.schemas.get(&place),
            self.members.get(&member),
        ];
        named
            .into_iter()
            .flatten()
            .flatten()
            .map(String::as_str)
            .collect()
    }

    fn add_entity(&mut self, kind: &str, id: &str) {
        if matches!(kind, "Namespace" | "Kind") {
            let mut parts = id.split('/');
            if let (Some(resource), Some(namespace)) = (parts.next(), parts.next())
                && namespace != "*"
            {
                let named = self.namespaces.entry(unescape(resource)).or_default();
                named.insert(unescape(namespace));
            }
            return;
        }
        let mut parts = id.splitn(3, '/');
        let (Some(resource), Some(database), Some(rest)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        let place = (unescape(resource), unescape(database));
        match (kind, rest.split_once('.')) {
            ("Schema", _) => {
                let schemas = self.schemas.entry(place).or_default();
                schemas.insert(unescape(rest));
            }
            ("Table" | "Function", Some((schema, name))) => {
                let member = (place.0, place.1, unescape(name));
                let schemas = self.members.entry(member).or_default();
                schemas.insert(unescape(schema));
            }
            _ => {}
        }
    }
}

/// Finds comparisons of an attribute, `resource.schema`, and keeps every text they hold.
fn add_compared(expr: &Expr, attribute: &str, texts: &mut BTreeSet<String>) {
    let joins = matches!(
        expr,
        Expr::BinaryOp {
            op: BinaryOp::And | BinaryOp::Or,
            ..
        } | Expr::UnaryOp { .. }
            | Expr::IfThenElse { .. }
    );
    if !joins && reads(expr, attribute) {
        add_texts(expr, texts);
    } else {
        for part in parts(expr) {
            add_compared(part, attribute, texts);
        }
    }
}

/// What an expression is made of.
pub(crate) fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::UnaryOp { expr, .. }
        | Expr::GetAttr { expr, .. }
        | Expr::HasAttr { expr, .. }
        | Expr::Like { expr, .. } => vec![expr],
        Expr::BinaryOp { left, right, .. } => vec![left, right],
        Expr::Is { expr, in_expr, .. } => {
            let inside = in_expr.iter().map(AsRef::as_ref);
            std::iter::once(expr.as_ref()).chain(inside).collect()
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => vec![cond, then_expr, else_expr],
        Expr::Set(items) => items.iter().map(AsRef::as_ref).collect(),
        Expr::Record(fields) => fields.values().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

fn reads(expr: &Expr, attribute: &str) -> bool {
    matches!(expr, Expr::GetAttr { attr, .. } if attr == attribute)
        || parts(expr).into_iter().any(|part| reads(part, attribute))
}

fn add_texts(expr: &Expr, texts: &mut BTreeSet<String>) {
    match expr {
        Expr::Literal(Literal::String(text)) => {
            texts.insert(text.to_string());
        }
        // Two schemas that the pattern matches: each wildcard stands for nothing, or for something.
        Expr::Like { pattern, .. } => {
            for wildcard in [None, Some('?')] {
                let text = pattern.iter().filter_map(|part| match part {
                    PatternElem::Char(char) => Some(*char),
                    PatternElem::Wildcard => wildcard,
                });
                texts.insert(text.collect());
            }
        }
        _ => {}
    }
    for part in parts(expr) {
        add_texts(part, texts);
    }
}
