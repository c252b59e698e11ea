//! YAML read field by field, so that every problem of a file is found at once, with its line.
//!
//! The parser gives a position only to its errors. So a problem's line is found by reading the text
//! again with a visitor that fails exactly there.

mod locate;

use serde_yaml_ng::Value;

use crate::{
    error::Problems,
    names::{PLAIN, is_plain, meant},
};

/// One step from the top of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// A document that is being read.
pub(crate) struct Document<'a> {
    file: &'a str,
    text: &'a str,
    root: Value,
}

/// A value in a document, and the way to it.
#[derive(Clone)]
pub(crate) struct Node<'d> {
    document: &'d Document<'d>,
    value: &'d Value,
    path: Vec<Step>,
}

impl<'a> Document<'a> {
    /// Parses; `None` if the text is no YAML, which is then a problem.
    pub(crate) fn parse(file: &'a str, text: &'a str, problems: &mut Problems) -> Option<Self> {
        // A file of comments is an empty document, which the parser calls an error.
        if text
            .lines()
            .all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#'))
        {
            let root = Value::Null;
            return Some(Self { file, text, root });
        }
        match serde_yaml_ng::from_str(text) {
            Ok(root) => Some(Self { file, text, root }),
            Err(error) => {
                let line = error.location().map_or(0, |location| location.line());
                let message = error.to_string();
                let what = message.split(" at line ").next().unwrap_or(&message);
                problems.push(file, || line, format!("not readable as YAML: {what}"));
                None
            }
        }
    }

    pub(crate) fn root(&'a self) -> Node<'a> {
        Node {
            document: self,
            value: &self.root,
            path: Vec::new(),
        }
    }
}

impl<'d> Node<'d> {
    /// Reports a problem here.
    pub(crate) fn problem(&self, problems: &mut Problems, message: impl AsRef<str>) {
        let Document { file, text, .. } = self.document;
        problems.push(file, || locate::line(text, &self.path), message);
    }

    fn child(&self, step: Step, value: &'d Value) -> Self {
        let mut path = self.path.clone();
        path.push(step);
        Self {
            document: self.document,
            value,
            path,
        }
    }

    /// Where this is, for messages: `labels.pii.email`.
    fn name(&self) -> String {
        let steps: Vec<String> = self
            .path
            .iter()
            .map(|step| match step {
                Step::Key(key) => key.clone(),
                Step::Index(index) => index.saturating_add(1).to_string(),
            })
            .collect();
        if steps.is_empty() {
            "the file".to_owned()
        } else {
            format!("`{}`", steps.join("."))
        }
    }

    fn mismatch(&self, problems: &mut Problems, expected: &str) {
        let found = match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Tagged(_) => "a tagged value",
        };
        let message = format!("{} must be {expected}, not {found}", self.name());
        self.problem(problems, message);
    }

    /// The entries of a mapping whose keys the author chooses. Nothing counts as none.
    pub(crate) fn entries(&self, problems: &mut Problems) -> Vec<(String, Node<'d>)> {
        let Value::Mapping(mapping) = self.value else {
            if !self.value.is_null() {
                self.mismatch(problems, "a mapping");
            }
            return Vec::new();
        };
        let mut entries = Vec::with_capacity(mapping.len());
        for (key, value) in mapping {
            match key {
                Value::String(key) => {
                    entries.push((key.clone(), self.child(Step::Key(key.clone()), value)));
                }
                _ => {
                    let message = format!("{} has a key that is not text; quote it", self.name());
                    self.problem(problems, message);
                }
            }
        }
        entries
    }

    /// The entries whose keys are names authors choose and others refer to.
    pub(crate) fn named(&self, problems: &mut Problems) -> Vec<(String, Node<'d>)> {
        let mut entries = self.entries(problems);
        entries.retain(|(key, node)| {
            let plain = is_plain(key);
            if !plain {
                node.problem(problems, format!("`{key}` is no name: a name is {PLAIN}"));
            }
            plain
        });
        entries
    }

    /// The fields of a mapping whose keys are ours; any other key is a problem.
    pub(crate) fn fields(&self, known: &[&str], problems: &mut Problems) -> Fields<'d> {
        let mut entries = self.entries(problems);
        entries.retain(|(key, node)| {
            let is_known = known.contains(&key.as_str());
            if !is_known {
                let meant = meant(key, known.iter().copied());
                node.problem(problems, format!("unknown key `{key}`{meant}"));
            }
            is_known
        });
        Fields {
            of: self.clone(),
            entries,
        }
    }

    /// The items of a list. Nothing counts as none.
    pub(crate) fn items(&self, problems: &mut Problems) -> Vec<Node<'d>> {
        match self.value {
            Value::Sequence(items) => items
                .iter()
                .enumerate()
                .map(|(index, value)| self.child(Step::Index(index), value))
                .collect(),
            Value::Null => Vec::new(),
            _ => {
                self.mismatch(problems, "a list");
                Vec::new()
            }
        }
    }

    /// Text that is not empty.
    pub(crate) fn text(&self, problems: &mut Problems) -> Option<&'d str> {
        match self.value {
            Value::String(text) if !text.is_empty() => Some(text),
            Value::String(_) => {
                let message = format!("{} is empty", self.name());
                self.problem(problems, message);
                None
            }
            _ => {
                self.mismatch(problems, "text");
                None
            }
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&self, problems: &mut Problems) -> Option<u64> {
        let number = self.value.as_u64();
        if number.is_none() {
            self.mismatch(problems, "a whole number");
        }
        number
    }

    /// `true` or `false`; anything else is a problem.
    pub(crate) fn truth(&self, problems: &mut Problems) -> bool {
        let truth = self.value.as_bool();
        if truth.is_none() {
            self.mismatch(problems, "`true` or `false`");
        }
        truth.unwrap_or(false)
    }

    /// The text, if the value is text.
    pub(crate) fn as_text(&self) -> Option<&'d str> {
        self.value.as_str()
    }

    /// Whether the author wrote no value.
    pub(crate) fn is_nothing(&self) -> bool {
        self.value.is_null()
    }
}

/// The known fields of a mapping.
pub(crate) struct Fields<'d> {
    of: Node<'d>,
    entries: Vec<(String, Node<'d>)>,
}

impl<'d> Fields<'d> {
    /// The field, if it is there.
    pub(crate) fn get(&self, key: &str) -> Option<&Node<'d>> {
        self.entries
            .iter()
            .find_map(|(name, node)| (name == key).then_some(node))
    }

    /// The field; its absence is a problem.
    pub(crate) fn need(&self, key: &str, problems: &mut Problems) -> Option<&Node<'d>> {
        let node = self.get(key);
        // What is no mapping at all has been reported as that.
        if node.is_none() && matches!(self.of.value, Value::Mapping(_) | Value::Null) {
            let message = format!("{} lacks `{key}`", self.of.name());
            self.of.problem(problems, message);
        }
        node
    }
}
