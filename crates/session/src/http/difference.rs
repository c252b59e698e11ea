//! What a change would make of an object, field by field, as people may see it.
//!
//! Which fields differ is read from the objects as they are; every value that is shown comes from their
//! masked form, in which whatever the agent may not see is masked.

use std::collections::BTreeSet;

use serde_json::Value;

/// Fields that are shown; the rest is counted.
const MAX_CHANGES: usize = 100;
/// Characters of a value, and of a path, that are shown.
const MAX_SHOWN: usize = 200;
/// JSON nests no deeper where it was read.
const MAX_DEPTH: usize = 64;
/// What the server keeps for itself in each object, and what each write changes.
const OF_SERVER: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
];

/// What reviewers are shown beside a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Fields that would change.
    pub changes: Vec<Change>,
    /// Those beyond what is shown.
    pub more: u64,
    /// Why it is not known; empty if it is.
    pub missing: String,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where: `.spec.replicas`.
    pub path: String,
    /// What it is; `None` if it is not there.
    pub before: Option<String>,
    /// What it would be.
    pub after: Option<String>,
}

/// An object, as it is and masked.
#[derive(Clone, Copy)]
pub(super) struct Shown<'v> {
    pub(super) whole: &'v Value,
    pub(super) masked: &'v Value,
}

impl Difference {
    /// It cannot be had.
    pub(super) fn missing(why: impl Into<String>) -> Self {
        Self {
            missing: why.into(),
            ..Self::default()
        }
    }

    /// Between two objects; one that is not there is `None`.
    pub(super) fn between(before: Option<Shown<'_>>, after: Option<Shown<'_>>) -> Self {
        let mut difference = Self::default();
        difference.compare("", before, after, 0);
        difference
    }

    fn compare(
        &mut self,
        path: &str,
        before: Option<Shown<'_>>,
        after: Option<Shown<'_>>,
        depth: usize,
    ) {
        if before.map(|it| it.whole) == after.map(|it| it.whole) {
            return;
        }
        let both: Vec<Shown<'_>> = before.into_iter().chain(after).collect();
        let goes_on = depth < MAX_DEPTH && both.iter().all(Shown::is_open);
        let steps = match goes_on {
            true => steps(&both),
            false => None,
        };
        let Some(steps) = steps.filter(|steps| !steps.is_empty()) else {
            return self.push(path, before, after);
        };
        for step in steps {
            if path == ".metadata"
                && matches!(&step, Step::Key(key) if OF_SERVER.contains(&key.as_str()))
            {
                continue;
            }
            let path = format!("{path}{}", step.name());
            // Deeper than anyone reads, and each is as long as it is deep.
            if path.len() > 4 * MAX_SHOWN {
                self.push(&path, before, after);
                continue;
            }
            let (from, to) = (
                before.and_then(|it| it.at(&step)),
                after.and_then(|it| it.at(&step)),
            );
            self.compare(&path, from, to, depth.saturating_add(1));
        }
    }

    fn push(&mut self, path: &str, before: Option<Shown<'_>>, after: Option<Shown<'_>>) {
        if self.changes.len() >= MAX_CHANGES {
            self.more = self.more.saturating_add(1);
            return;
        }
        let text = |it: Option<Shown<'_>>| it.map(|it| clip(&it.masked.to_string()));
        self.changes.push(Change {
            path: clip(path),
            before: text(before),
            after: text(after),
        });
    }
}

/// One step into a value.
enum Step {
    Key(String),
    Index(usize),
}

impl Step {
    fn name(&self) -> String {
        match self {
            Self::Key(key) => {
                let is_plain = !key.is_empty()
                    && key
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                match is_plain {
                    true => format!(".{key}"),
                    false => format!(".{}", Value::String(key.clone())),
                }
            }
            Self::Index(index) => format!("[{index}]"),
        }
    }
}

impl<'v> Shown<'v> {
    /// Whether its parts may be looked at one by one: the mask has left its shape as it is, names too.
    fn is_open(&self) -> bool {
        match (self.whole, self.masked) {
            (Value::Object(whole), Value::Object(masked)) => whole.keys().eq(masked.keys()),
            (Value::Array(whole), Value::Array(masked)) => whole.len() == masked.len(),
            _ => false,
        }
    }

    fn at(self, step: &Step) -> Option<Shown<'v>> {
        let of = |value: &'v Value| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        };
        Some(Shown {
            whole: of(self.whole)?,
            masked: of(self.masked)?,
        })
    }
}

/// The parts of values of one shape; `None` if they are of two.
fn steps(all: &[Shown<'_>]) -> Option<Vec<Step>> {
    let mut keys = BTreeSet::new();
    let mut items = 0_usize;
    let (mut objects, mut arrays) = (false, false);
    for it in all {
        match it.whole {
            Value::Object(object) => {
                objects = true;
                keys.extend(object.keys().cloned());
            }
            Value::Array(array) => {
                arrays = true;
                items = items.max(array.len());
            }
            _ => return None,
        }
    }
    match (objects, arrays) {
        (true, false) => Some(keys.into_iter().map(Step::Key).collect()),
        (false, true) => Some((0..items).map(Step::Index).collect()),
        _ => None,
    }
}

fn clip(text: &str) -> String {
    let mut characters = text.chars();
    let mut clipped: String = characters.by_ref().take(MAX_SHOWN).collect();
    if characters.next().is_some() {
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn between(before: &[Value], after: &[Value]) -> Vec<String> {
        fn shown(all: &[Value]) -> Option<Shown<'_>> {
            match all {
                [whole, masked] => Some(Shown { whole, masked }),
                _ => None,
            }
        }
        let difference = Difference::between(shown(before), shown(after));
        let text = |it: Option<String>| it.unwrap_or_else(|| "-".to_owned());
        let lines = difference.changes.into_iter();
        let mut lines: Vec<String> = lines
            .map(|it| format!("{}: {} > {}", it.path, text(it.before), text(it.after)))
            .collect();
        if difference.more > 0 {
            lines.push(format!("{} more", difference.more));
        }
        lines
    }

    #[test]
    fn names_what_differs_and_nothing_of_the_servers_own() {
        let before = json!({"metadata": {"name": "api", "generation": 1, "a/b": "x"}, "spec": {"replicas": 1, "old": [1, 2]}});
        let after = json!({"metadata": {"name": "api", "generation": 2, "a/b": "y"}, "spec": {"replicas": 5, "old": [1], "new": {"z": null}}});
        let lines = between(&[before.clone(), before], &[after.clone(), after.clone()]);
        assert_eq!(
            lines,
            [
                ".metadata.\"a/b\": \"x\" > \"y\"",
                ".spec.new.z: - > null",
                ".spec.old[1]: 2 > -",
                ".spec.replicas: 1 > 5"
            ]
        );
        assert!(between(&[after.clone(), after.clone()], &[after.clone(), after]).is_empty());
    }

    #[test]
    fn a_masked_value_is_shown_masked_whatever_the_mask_made_of_its_shape() {
        let secret = |value: &str| json!({"data": {"p": value, "q": "same"}});
        let hidden = json!({"data": {"p": "[redacted]", "q": "same"}});
        assert_eq!(
            between(
                &[secret("one"), hidden.clone()],
                &[secret("two"), hidden.clone()]
            ),
            [".data.p: \"[redacted]\" > \"[redacted]\""]
        );
        // The whole, or a name in it, is masked.
        for masked in [
            json!({"data": "[redacted]"}),
            json!({"data": {"[redacted]": "one", "q": "same"}}),
        ] {
            let lines = between(&[secret("one"), masked.clone()], &[secret("two"), masked]);
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].starts_with(".data: "), "{lines:?}");
        }
        assert_eq!(
            between(&[], &[secret("one"), hidden]),
            [".data.p: - > \"[redacted]\"", ".data.q: - > \"same\""]
        );
    }

    #[test]
    fn it_is_bounded() {
        let many: Value = (0..500)
            .map(|n| (format!("k{n}"), json!(n)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let lines = between(&[], &[many.clone(), many]);
        assert_eq!((lines.len(), lines[100].as_str()), (101, "400 more"));
        let long = json!({"k": "x".repeat(10_000)});
        let lines = between(&[], &[long.clone(), long]);
        assert!(lines[0].chars().count() < 220, "{lines:?}");
        let deep = (0..200).fold(json!(1), |inner, _| json!({ "a": inner }));
        let lines = between(&[], &[deep.clone(), deep]);
        assert_eq!(lines.len(), 1);
    }
}
