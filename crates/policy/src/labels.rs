//! `labels.yaml`: what is sensitive, where it sits, and how it leaves.

mod column;
mod field;

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr as _,
};

use ostiary_mask::{FieldPath, Strategy, detect::Detector};
use ostiary_operation::Target;

use crate::{
    Files,
    error::Problems,
    names::meant,
    yaml::{Document, Fields, Node},
};
pub use column::LabelledColumn;
use column::{ColumnRule, parse_column};
use field::FieldRule;
pub use field::LabelledField;

pub(crate) const FILE: &str = "labels.yaml";

/// The label of what Kubernetes keeps secret. It is there in every bundle, so that nobody has to think of
/// it; `labels.yaml` may give it another strategy.
pub(crate) const SECRET: &str = "kubernetes.secret";

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    pub(crate) strategies: BTreeMap<String, Strategy>,
    /// Labels whose columns may shape rows although they are masked.
    pub(crate) rows_allowed: BTreeSet<String>,
    columns: Vec<ColumnRule>,
    fields: Vec<FieldRule>,
    pub(crate) detectors: BTreeMap<Detector, String>,
}

impl Labels {
    pub(crate) fn parse(files: &Files, problems: &mut Problems) -> Self {
        let mut labels = Self::default();
        let Some(text) = files.get(FILE) else {
            return labels;
        };
        let Some(document) = Document::parse(FILE, text, problems) else {
            return labels;
        };
        let top = document
            .root()
            .fields(&["labels", "columns", "fields", "detectors"], problems);
        let defined = top.get("labels").map(|node| node.named(problems));
        for (name, node) in defined.into_iter().flatten() {
            // A label with a bad strategy is still defined: its uses are no further problems.
            let fields = node.fields(&["strategy", "rows"], problems);
            let strategy = parse_strategy(&fields, problems).unwrap_or(Strategy::Redact);
            if parse_rows(&fields, problems) {
                labels.rows_allowed.insert(name.clone());
            }
            labels.strategies.insert(name, strategy);
        }
        for node in top
            .get("columns")
            .map(|node| node.items(problems))
            .into_iter()
            .flatten()
        {
            labels.add_column(&node, problems);
        }
        for node in top
            .get("fields")
            .map(|node| node.items(problems))
            .into_iter()
            .flatten()
        {
            labels.add_field(&node, problems);
        }
        for node in top
            .get("detectors")
            .map(|node| node.items(problems))
            .into_iter()
            .flatten()
        {
            labels.add_detector(&node, problems);
        }
        labels
    }

    fn add_column(&mut self, node: &Node<'_>, problems: &mut Problems) {
        let fields = node.fields(&["column", "label", "resource", "database"], problems);
        let label = self.label(&fields, problems);
        let resource = fields.get("resource").map(|node| node.text(problems));
        let database = fields.get("database").map(|node| node.text(problems));
        let Some(column) = fields.need("column", problems) else {
            return;
        };
        let Some(written) = column.text(problems) else {
            return;
        };
        let (qualifier, [schema, table, name]) = match parse_column(written) {
            Ok(parts) => parts,
            Err(message) => return column.problem(problems, message),
        };
        if let (Some(inside), Some(Some(beside))) = (&qualifier, database)
            && inside != beside
        {
            let message = format!("`{written}` is in database `{inside}`, not `{beside}`");
            return column.problem(problems, message);
        }
        let Some(label) = label else { return };
        let rule = ColumnRule {
            resource: resource.flatten().map(str::to_owned),
            database: qualifier.or(database.flatten().map(str::to_owned)),
            column: LabelledColumn {
                schema,
                table,
                column: name,
                label,
            },
        };
        match self.columns.iter().find(|other| other.overlaps(&rule)) {
            Some(other) => {
                let message = format!("`{written}` is labelled `{}` already", other.column.label);
                column.problem(problems, message);
            }
            None => self.columns.push(rule),
        }
    }

    fn add_field(&mut self, node: &Node<'_>, problems: &mut Problems) {
        let fields = node.fields(&["field", "label", "resource", "route", "kind"], problems);
        let label = self.label(&fields, problems);
        let resource = fields.get("resource").map(|node| node.text(problems));
        let route = fields.get("route").map(|node| node.text(problems));
        let kind = fields
            .get("kind")
            .and_then(|node| parse_kind(node, problems));
        if let (Some(node), Some(_)) = (fields.get("kind"), &route) {
            node.problem(problems, "a field has a `route` or a `kind`, not both");
        }
        let Some(field) = fields.need("field", problems) else {
            return;
        };
        let Some(written) = field.text(problems) else {
            return;
        };
        let path = match FieldPath::from_str(written) {
            Ok(path) => path,
            Err(error) => {
                let message = format!("`{written}` is no path to a field: {error}");
                return field.problem(problems, message);
            }
        };
        let Some(label) = label else { return };
        self.fields.push(FieldRule {
            resource: resource.flatten().map(str::to_owned),
            field: LabelledField {
                route: route.flatten().map(str::to_owned),
                kind,
                path,
                label,
            },
        });
    }

    fn add_detector(&mut self, node: &Node<'_>, problems: &mut Problems) {
        let fields = node.fields(&["detector", "label"], problems);
        let label = self.label(&fields, problems);
        let Some(field) = fields.need("detector", problems) else {
            return;
        };
        let Some(name) = field.text(problems) else {
            return;
        };
        let detector = match Detector::from_str(name) {
            Ok(detector) => detector,
            Err(error) => return field.problem(problems, error.to_string()),
        };
        let Some(label) = label else { return };
        if let Some(other) = self.detectors.insert(detector, label) {
            field.problem(
                problems,
                format!("detector `{name}` has label `{other}` already"),
            );
        }
    }

    /// The label an entry names, if it is defined.
    fn label(&self, fields: &Fields<'_>, problems: &mut Problems) -> Option<String> {
        let field = fields.need("label", problems)?;
        let name = field.text(problems)?;
        if self.strategies.contains_key(name) {
            return Some(name.to_owned());
        }
        let meant = meant(name, self.strategies.keys().map(String::as_str));
        field.problem(
            problems,
            format!("label `{name}` is not defined under `labels`{meant}"),
        );
        None
    }

    /// Defines the labels that are there without being written.
    pub(crate) fn add_built_in(&mut self) {
        let secret = self.strategies.entry(SECRET.to_owned());
        secret.or_insert(Strategy::Redact);
    }

    /// The labelled fields of a target.
    pub(crate) fn fields(&self, target: &Target) -> impl Iterator<Item = &LabelledField> {
        self.fields
            .iter()
            .filter(|rule| rule.is_in(target))
            .map(|rule| &rule.field)
    }

    /// Routes that labels name, each with its resource if it says which.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.fields.iter().filter_map(|rule| {
            let route = rule.field.route.as_deref()?;
            Some((rule.resource.as_deref(), route))
        })
    }

    /// The labelled columns of a resource, whatever the database.
    pub(crate) fn columns_of(&self, resource: &str) -> impl Iterator<Item = &LabelledColumn> {
        let here =
            move |rule: &&ColumnRule| rule.resource.as_deref().is_none_or(|at| at == resource);
        self.columns.iter().filter(here).map(|rule| &rule.column)
    }

    /// The labelled columns of a target.
    pub(crate) fn columns(&self, target: &Target) -> impl Iterator<Item = &LabelledColumn> {
        self.columns
            .iter()
            .filter(|rule| rule.is_in(target))
            .map(|rule| &rule.column)
    }
}

/// `kind: …` of a field: as the API calls it, with its group.
fn parse_kind(node: &Node<'_>, problems: &mut Problems) -> Option<String> {
    let text = node.text(problems)?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if text.is_empty() || !text.chars().all(allowed) {
        let message = format!(
            "`{text}` is no kind: write it as the API does, like secrets or deployments.apps"
        );
        node.problem(problems, message);
        return None;
    }
    Some(text.to_owned())
}

/// `rows: …` of a label: whether masked columns may shape rows. They may not unless it says so: whoever
/// chooses rows by a value can find it out by asking often enough.
fn parse_rows(fields: &Fields<'_>, problems: &mut Problems) -> bool {
    let Some(node) = fields.get("rows") else {
        return false;
    };
    match node.text(problems) {
        None | Some("refuse") => false,
        Some("allow") => true,
        Some(other) => {
            let message = format!("unknown `rows` `{other}`; known: `refuse` or `allow`");
            node.problem(problems, message);
            false
        }
    }
}

/// `strategy: …` of a label.
fn parse_strategy(fields: &Fields<'_>, problems: &mut Problems) -> Option<Strategy> {
    const KNOWN: &str = "`redact`, `partial: {keep: n}`, `hash` or `\"null\"`";
    let node = fields.need("strategy", problems)?;
    match node.as_text() {
        Some("redact") => return Some(Strategy::Redact),
        Some("hash") => return Some(Strategy::Hash),
        Some("null") => return Some(Strategy::Null),
        Some("partial") => {
            node.problem(problems, "`partial` needs a number: `partial: {keep: 4}`");
            return None;
        }
        Some(other) => {
            node.problem(
                problems,
                format!("unknown strategy `{other}`; known: {KNOWN}"),
            );
            return None;
        }
        None if node.is_nothing() => {
            node.problem(
                problems,
                "`strategy` is empty; for NULL write `\"null\"`, in quotes",
            );
            return None;
        }
        None => {}
    }
    let partial = node.fields(&["partial"], problems);
    let fields = partial
        .need("partial", problems)?
        .fields(&["keep"], problems);
    let keep = fields.need("keep", problems)?;
    let count = keep.number(problems)?;
    match usize::try_from(count) {
        Ok(count) if (1..=64).contains(&count) => Some(Strategy::Partial { keep: count }),
        _ => {
            keep.problem(problems, "`keep` must be from 1 to 64");
            None
        }
    }
}
