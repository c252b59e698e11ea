//! Replacing what detectors find inside a text.
//!
//! In: one whole value. Out: the value with each finding masked by its detector's strategy. A value
//! is rewritten on its own: what is spread over two values is not put together.

use crate::detect::{Detector, Finding, Scanner};
use crate::{HashKey, Masked, Strategy};

/// Detectors with their strategies, and the buffer they need; one serves any number of values.
#[derive(Clone, Debug)]
pub struct Rewriter {
    scanner: Scanner,
    strategies: [Option<Strategy>; Detector::ALL.len()],
    key: HashKey,
    findings: Vec<Finding>,
}

/// What became of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewritten {
    /// Nothing was found, and nothing appended: the value stands as it came.
    Unchanged,
    /// The rewritten value was appended.
    Changed {
        /// How many findings were replaced.
        count: usize,
    },
    /// A finding's strategy is [`Strategy::Null`], so the whole value is NULL; nothing was appended.
    Null {
        /// How many findings there were.
        count: usize,
    },
}

impl Rewriter {
    /// A rewriter for `strategies`; of two for the same detector the later holds.
    pub fn new(strategies: impl IntoIterator<Item = (Detector, Strategy)>, key: HashKey) -> Self {
        let mut by_detector = [const { None }; Detector::ALL.len()];
        for (detector, strategy) in strategies {
            if let Some(slot) = by_detector.get_mut(detector.index()) {
                *slot = Some(strategy);
            }
        }
        let wanted = Detector::ALL.into_iter().zip(&by_detector);
        let scanner = Scanner::new(wanted.filter_map(|(d, s)| s.is_some().then_some(d)));
        Self {
            scanner,
            strategies: by_detector,
            key,
            findings: Vec::new(),
        }
    }

    /// The key of [`Strategy::Hash`].
    pub fn key(&self) -> &HashKey {
        &self.key
    }

    /// Whether there is nothing to look for, so that every value is [`Rewritten::Unchanged`].
    pub fn is_empty(&self) -> bool {
        self.scanner.is_empty()
    }

    /// Masks what is found in `value` and appends the result to `out`; nothing is appended unless
    /// the answer is [`Rewritten::Changed`].
    #[inline]
    pub fn rewrite(&mut self, value: &[u8], out: &mut Vec<u8>) -> Rewritten {
        self.scanner.scan(value, &mut self.findings);
        if self.findings.is_empty() {
            return Rewritten::Unchanged;
        }
        self.replace(value, out)
    }

    /// What the last call of [`Rewriter::rewrite`] found, in the value as it came.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    #[cold]
    fn replace(&self, value: &[u8], out: &mut Vec<u8>) -> Rewritten {
        let count = self.findings.len();
        let began = out.len();
        let mut copied = 0;
        for Finding { detector, range } in &self.findings {
            let between = value.get(copied..range.start).unwrap_or_default();
            let found = value.get(range.clone()).unwrap_or_default();
            let strategy = self
                .strategies
                .get(detector.index())
                .and_then(Option::as_ref);
            out.extend_from_slice(between);
            let masked = strategy
                .unwrap_or(&Strategy::Redact)
                .apply(found, &self.key, out);
            if masked == Masked::Null {
                out.truncate(began);
                return Rewritten::Null { count };
            }
            copied = range.end;
        }
        out.extend_from_slice(value.get(copied..).unwrap_or_default());
        Rewritten::Changed { count }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn rewriter(strategies: &[(Detector, Strategy)]) -> Rewriter {
        Rewriter::new(strategies.iter().cloned(), HashKey::new(vec![1; 32]))
    }

    #[track_caller]
    fn check(strategies: &[(Detector, Strategy)], value: &str, expected: (Rewritten, &str)) {
        let mut out = b"before|".to_vec();
        let rewritten = rewriter(strategies).rewrite(value.as_bytes(), &mut out);
        let appended = std::str::from_utf8(&out[7..]).unwrap();
        assert_eq!((rewritten, appended), expected, "{value}");
    }

    #[test]
    fn replaces_each_finding_by_its_strategy() {
        let strategies = [
            (Detector::Email, Strategy::Redact),
            (Detector::PaymentCard, Strategy::Partial { keep: 4 }),
        ];
        let changed = |count, text| (Rewritten::Changed { count }, text);
        check(&strategies, "bob@example.com", changed(1, "[redacted]"));
        check(
            &strategies,
            "bob@example.com paid with 4111 1111 1111 1111, not 10.0.0.1",
            changed(2, "[redacted] paid with ****1111, not 10.0.0.1"),
        );
        check(&strategies, "bob paid 41.11", (Rewritten::Unchanged, ""));
        check(&strategies, "", (Rewritten::Unchanged, ""));
        check(&[], "bob@example.com", (Rewritten::Unchanged, ""));
    }

    #[test]
    fn null_inside_a_text_makes_the_whole_value_null() {
        let strategies = [
            (Detector::Email, Strategy::Redact),
            (Detector::UsSsn, Strategy::Null),
        ];
        let text = "bob@example.com has 123-45-6789";
        check(&strategies, text, (Rewritten::Null { count: 2 }, ""));
    }

    #[test]
    fn serves_many_values_with_one_buffer() {
        let mut rewriter = rewriter(&[(Detector::Email, Strategy::Hash)]);
        assert!(!rewriter.is_empty());
        let mut out = Vec::new();
        for _ in 0..3 {
            let changed = rewriter.rewrite(b"a@b.org, c@d.org", &mut out);
            assert_eq!(changed, Rewritten::Changed { count: 2 });
            assert_eq!(rewriter.findings().len(), 2);
            assert_eq!(rewriter.rewrite(b"plain", &mut out), Rewritten::Unchanged);
        }
        assert_eq!(out.len(), 3 * (34 + 2 + 34));
    }

    #[test]
    fn keeps_bytes_that_are_not_utf8() {
        let mut out = Vec::new();
        rewriter(&[(Detector::Email, Strategy::Redact)])
            .rewrite(b"\xff\xfe bob@example.com \x80", &mut out);
        assert_eq!(out, b"\xff\xfe [redacted] \x80");
    }

    proptest! {
        #[test]
        fn leaves_the_bytes_around_findings_as_they_are(
            parts in prop::collection::vec((any::<Vec<u8>>(), 0..5_usize), 0..6)
        ) {
            let values = ["", " bob@example.com ", " 4111111111111111 ", " ::1 ", " 10.0.0.1 "];
            let text: Vec<u8> = parts
                .into_iter()
                .flat_map(|(noise, n)| [noise, values[n].as_bytes().to_vec()].concat())
                .collect();
            let all = Detector::ALL.map(|detector| (detector, Strategy::Redact));
            let mut rewriter = rewriter(&all);
            let mut out = Vec::new();
            let rewritten = rewriter.rewrite(&text, &mut out);
            let mut expected = Vec::new();
            let mut copied = 0;
            for Finding { range, .. } in rewriter.findings() {
                expected.extend_from_slice(&text[copied..range.start]);
                expected.extend_from_slice(b"[redacted]");
                copied = range.end;
            }
            if copied == 0 {
                prop_assert_eq!(rewritten, Rewritten::Unchanged);
                prop_assert!(out.is_empty());
            } else {
                expected.extend_from_slice(&text[copied..]);
                prop_assert_eq!(out, expected);
            }
        }
    }
}
