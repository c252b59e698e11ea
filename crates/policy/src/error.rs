//! What is wrong with a bundle.

use crate::names::shown;

/// Problems listed before the rest is left out: each costs a search for its line.
const MAX_PROBLEMS: usize = 200;

/// One problem in a bundle, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct InvalidPolicy {
    /// The file, as named in [`Files`](crate::Files); empty when the problem is the bundle.
    pub file: String,
    /// 1-based line; 0 when the problem is the file as a whole.
    pub line: usize,
    /// What is wrong and what was probably meant.
    pub message: String,
}

/// Problems found so far, in any order.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: Vec<InvalidPolicy>,
    left_out: usize,
}

impl Problems {
    /// Adds a problem. `line` is asked only if the problem is going to be listed.
    pub(crate) fn push(
        &mut self,
        file: &str,
        line: impl FnOnce() -> usize,
        message: impl AsRef<str>,
    ) {
        if self.list.len() >= MAX_PROBLEMS {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.list.push(InvalidPolicy {
            file: file.to_owned(),
            line: line(),
            message: shown(message.as_ref()),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Every problem once, by file and line.
    pub(crate) fn into_list(mut self) -> Vec<InvalidPolicy> {
        self.list.sort();
        self.list.dedup();
        if self.left_out > 0 {
            self.list.push(InvalidPolicy {
                file: String::new(),
                line: 0,
                message: format!("{} more problems are not listed", self.left_out),
            });
        }
        self.list
    }
}

/// The 1-based line of a byte offset.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        .saturating_add(1)
}
