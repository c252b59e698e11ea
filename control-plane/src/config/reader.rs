//! From a YAML tree to values, collecting every problem on the way.

use std::path::{Path, PathBuf};

use super::{
    Problem,
    yaml::{Node, Value},
};

/// Where problems are collected. A method that answers `None` has added one.
pub(super) struct Reader {
    file: PathBuf,
    directory: PathBuf,
    pub(super) problems: Vec<Problem>,
}

/// A mapping whose keys are all known and distinct.
pub(super) struct Fields<'a> {
    line: usize,
    what: &'a str,
    entries: Vec<(&'a str, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// The value of a key; a key without a value counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        let (_, node) = self.entries.iter().find(|(name, _)| *name == key)?;
        (!matches!(node.value, Value::Null)).then_some(*node)
    }
}

impl Reader {
    pub(super) fn new(file: &Path) -> Self {
        let directory = file.parent().unwrap_or(Path::new(""));
        Self {
            file: file.to_owned(),
            directory: directory.to_owned(),
            problems: Vec::new(),
        }
    }

    pub(super) fn problem(&mut self, line: usize, message: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.clone(),
            line,
            message: message.into(),
        });
    }

    /// Reads a mapping; every key must be one of `known`.
    pub(super) fn fields<'a>(
        &mut self,
        node: &'a Node,
        what: &'a str,
        known: &[&str],
    ) -> Option<Fields<'a>> {
        let Value::Map(map) = &node.value else {
            self.problem(node.line, format!("{what} must be a mapping"));
            return None;
        };
        let mut fields = Fields {
            line: node.line,
            what,
            entries: Vec::new(),
        };
        for (key, line, value) in map {
            if !known.contains(&key.as_str()) {
                let hint = match nearest(key, known) {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => format!("; known: {}", known.join(", ")),
                };
                self.problem(*line, format!("unknown key `{key}` in {what}{hint}"));
            } else if fields.entries.iter().any(|(name, _)| name == key) {
                self.problem(*line, format!("`{key}` comes twice in {what}"));
            } else {
                fields.entries.push((key, value));
            }
        }
        Some(fields)
    }

    /// The value of a key that must be there.
    pub(super) fn required<'a>(&mut self, fields: &Fields<'a>, key: &str) -> Option<&'a Node> {
        let node = fields.get(key);
        if node.is_none() {
            self.problem(fields.line, format!("{} needs `{key}`", fields.what));
        }
        node
    }

    /// Text, not empty.
    pub(super) fn text<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a str> {
        match &node.value {
            Value::Scalar(text) if !text.is_empty() => Some(text),
            _ => {
                self.problem(node.line, format!("`{what}` must be text"));
                None
            }
        }
    }

    /// Text that reads as a `T`; `expected` says what that is.
    pub(super) fn parsed<T>(
        &mut self,
        node: &Node,
        what: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(node, what)?;
        let value = parse(text);
        if value.is_none() {
            self.problem(
                node.line,
                format!("`{what}` must be {expected}, not `{text}`"),
            );
        }
        value
    }

    /// A path, relative to the file that names it.
    pub(super) fn path(&mut self, node: &Node, what: &str) -> Option<PathBuf> {
        let text = self.text(node, what)?;
        Some(self.directory.join(text))
    }

    /// A path that may be absent: the outer `None` means a problem was added.
    pub(super) fn optional_path(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
    ) -> Option<Option<PathBuf>> {
        fields
            .get(key)
            .map_or(Some(None), |node| self.path(node, key).map(Some))
    }

    /// The items of a list.
    pub(super) fn list<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a [Node]> {
        match &node.value {
            Value::List(items) => Some(items),
            _ => {
                self.problem(node.line, format!("`{what}` must be a list"));
                None
            }
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, node: &Node, what: &str) -> Option<Vec<String>> {
        let items = self.list(node, what)?;
        self.each(items, |r, item| r.text(item, what).map(str::to_owned))
    }

    /// Reads every item, so that every problem is found, before it answers.
    pub(super) fn each<T>(
        &mut self,
        items: &[Node],
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let values: Vec<Option<T>> = items.iter().map(|item| read(self, item)).collect();
        values.into_iter().collect()
    }
}

/// The known key that was probably meant.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let (distance, near) = known
        .iter()
        .map(|name| (distance(key, name), *name))
        .min()?;
    (distance <= 2).then_some(near)
}

/// Levenshtein distance; keys are short.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut last = i + 1;
        let mut next = vec![last];
        for (right, above) in b.chars().zip(row.iter().skip(1)) {
            let cost = diagonal + usize::from(left != right);
            diagonal = *above;
            last = cost.min(last + 1).min(*above + 1);
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
