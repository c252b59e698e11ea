//! Paths to fields of JSON, as labels name them: `$.user.email`, `$.items[*].card`, `$..ssn`.

use std::{fmt, str::FromStr};

/// Longest path, in steps.
const MAX_STEPS: usize = 32;

/// A path from the top of a document to fields in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    text: String,
    steps: Vec<Step>,
}

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    /// `.name`: a member of an object, whatever the case of its letters.
    Member(String),
    /// `.*`: every member.
    Members,
    /// `[*]`: every item of an array.
    Items,
    /// `..name`: a member at any depth.
    Deep(String),
}

/// Text that is no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPath;

impl fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write it like $.user.email, $.items[*].card, $.\"odd name\" or $..ssn")
    }
}

impl std::error::Error for InvalidPath {}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for FieldPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        let mut rest = text.strip_prefix('$').ok_or(InvalidPath)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("[*]") {
                steps.push(Step::Items);
                rest = after;
            } else if let Some(after) = rest.strip_prefix(".*") {
                steps.push(Step::Members);
                rest = after;
            } else if let Some(after) = rest.strip_prefix("..") {
                let (name, after) = name(after)?;
                steps.push(Step::Deep(name));
                rest = after;
            } else if let Some(after) = rest.strip_prefix('.') {
                let (name, after) = name(after)?;
                steps.push(Step::Member(name));
                rest = after;
            } else {
                return Err(InvalidPath);
            }
        }
        if steps.is_empty() || steps.len() > MAX_STEPS {
            return Err(InvalidPath);
        }
        Ok(Self {
            text: text.to_owned(),
            steps,
        })
    }
}

/// A name at the start of `text`, plain or in double quotes, and what follows it.
fn name(text: &str) -> Result<(String, &str), InvalidPath> {
    if let Some(rest) = text.strip_prefix('"') {
        let mut name = String::new();
        let mut chars = rest.char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => return Ok((name, rest.get(at.saturating_add(1)..).unwrap_or_default())),
                '\\' => name.push(chars.next().ok_or(InvalidPath)?.1),
                other => name.push(other),
            }
        }
        return Err(InvalidPath);
    }
    let ends = |c: char| matches!(c, '.' | '[' | ']' | '"' | '*' | '$' | '\\') || c.is_whitespace();
    let end = text.find(ends).unwrap_or(text.len());
    match text.split_at_checked(end) {
        Some((name, rest)) if !name.is_empty() => Ok((name.to_owned(), rest)),
        _ => Err(InvalidPath),
    }
}

/// From a value to one inside it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edge<'a> {
    /// With its name.
    Member(&'a [u8]),
    Item,
}

/// How far each path has come at one value: the number of the path and of its next step.
pub(crate) type Reached = Vec<(usize, usize)>;

/// Where every path starts.
pub(crate) fn start(paths: usize) -> Reached {
    (0..paths).map(|path| (path, 0)).collect()
}

/// Writes to `next` how far the paths are behind `edge`.
pub(crate) fn follow<'p>(
    reached: &Reached,
    edge: Edge<'_>,
    path: impl Fn(usize) -> Option<&'p FieldPath>,
    next: &mut Reached,
) {
    next.clear();
    let mut add = |state: (usize, usize)| {
        if !next.contains(&state) {
            next.push(state);
        }
    };
    for &(number, at) in reached {
        let step = path(number).and_then(|path| path.steps.get(at));
        let after = (number, at.saturating_add(1));
        match (step, edge) {
            (Some(Step::Member(name)), Edge::Member(member))
                if name.as_bytes().eq_ignore_ascii_case(member) =>
            {
                add(after);
            }
            (Some(Step::Members), Edge::Member(_)) | (Some(Step::Items), Edge::Item) => add(after),
            (Some(Step::Deep(name)), Edge::Member(member)) => {
                add((number, at));
                if name.as_bytes().eq_ignore_ascii_case(member) {
                    add(after);
                }
            }
            (Some(Step::Deep(_)), Edge::Item) => add((number, at)),
            _ => {}
        }
    }
}

impl FieldPath {
    /// The names of members on the way.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Member(name) | Step::Deep(name) => Some(name.as_str()),
            Step::Members | Step::Items => None,
        })
    }

    /// The same path in each item of an array at the top: answers to a batch.
    pub fn in_each_item(&self) -> Self {
        self.below(&Self {
            text: "$[*]".to_owned(),
            steps: vec![Step::Items],
        })
    }

    /// The same path in a document that has this one at `place`, such as `$.items[*]`.
    pub fn below(&self, place: &Self) -> Self {
        let inside = self.text.strip_prefix('$').unwrap_or_default();
        Self {
            text: format!("{}{inside}", place.text),
            steps: place.steps.iter().chain(&self.steps).cloned().collect(),
        }
    }

    /// Whether a path that has come so far is at its end.
    pub(crate) fn ends_at(&self, step: usize) -> bool {
        step == self.steps.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_put_below_another() {
        let path = FieldPath::from_str("$.data.*").unwrap();
        let below = path.below(&FieldPath::from_str("$.items[*]").unwrap());
        assert_eq!(below, FieldPath::from_str("$.items[*].data.*").unwrap());
    }

    #[test]
    fn reads_paths_and_refuses_what_is_none() {
        for text in [
            "$.a",
            "$.a.b",
            "$[*].a",
            "$.a[*][*].b",
            "$..a",
            "$.a..b.c",
            "$.*",
            "$.\"a.b\".c",
            "$.\"a\\\"b\"",
            "$.straße",
        ] {
            assert_eq!(FieldPath::from_str(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "$",
            "a",
            ".a",
            "$a",
            "$.",
            "$..",
            "$.a.",
            "$[0].a",
            "$.a[",
            "$.a b",
            "$.\"a",
            "$.a[?(@.b)]",
            "$...a",
        ] {
            assert_eq!(FieldPath::from_str(text), Err(InvalidPath), "{text}");
        }
    }
}
