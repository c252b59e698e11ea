//! One pass for all detectors.
//!
//! Every kind of value has a byte that it cannot do without and that is rare where it stands: its
//! trigger. [`Triggers`] finds those, eight bytes at a time; the detector then looks around.

use std::{fmt, rc::Rc};

use super::bytes::{before, byte, digits_end, ends_before};
use super::triggers::Triggers;
use super::{Detector, Finding, Look};
use super::{aws, card, email, gcp, github, ipv4, ipv6, jwt, phone, private_key, slack, ssn};

/// A set of detectors, scanned for in one pass.
#[derive(Clone)]
pub struct Scanner {
    wanted: Wanted,
    /// Shared, since there is a scanner for each body that is read.
    triggers: Rc<Triggers>,
    /// The shortest text in which anything can be found.
    shortest: usize,
}

#[derive(Clone, Copy)]
struct Wanted(u16);

impl Wanted {
    #[inline]
    fn has(self, detector: Detector) -> bool {
        self.0 & (1 << detector.index()) != 0
    }
}

impl Scanner {
    /// A scanner for `detectors`.
    pub fn new(detectors: impl IntoIterator<Item = Detector>) -> Self {
        let mut scanner = Self::default();
        let mut triggers = Triggers::default();
        for detector in detectors {
            scanner.wanted.0 |= 1 << detector.index();
            triggers.add(detector);
            scanner.shortest = scanner.shortest.min(shortest(detector));
        }
        scanner.triggers = Rc::new(triggers);
        scanner
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.wanted.0 == 0
    }

    /// Appends what is found in `text`, ordered and not overlapping, to `findings` (cleared first,
    /// so that a caller can keep one buffer). Where two findings overlap, the leftmost and then the
    /// longest has the bytes they share; the other keeps what remains, so that no byte that any
    /// detector marked is left out.
    pub fn scan(&self, text: &[u8], findings: &mut Vec<Finding>) {
        findings.clear();
        if text.len() < self.shortest {
            return;
        }
        let mut pass = Pass {
            wanted: self.wanted,
            text,
            findings,
            tangled: false,
            done: [0; Detector::ALL.len()],
        };
        self.triggers.each(text, |at| pass.look(at));
        if pass.tangled {
            untangle(pass.findings);
        }
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            wanted: Wanted(0),
            triggers: Rc::default(),
            shortest: usize::MAX,
        }
    }
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = Detector::ALL.into_iter().filter(|d| self.wanted.has(*d));
        f.debug_set().entries(wanted).finish()
    }
}

/// The length of the shortest match.
fn shortest(detector: Detector) -> usize {
    match detector {
        Detector::Email => 6,
        Detector::PaymentCard => 14,
        Detector::UsSsn => 11,
        Detector::Phone => 9,
        Detector::Ipv4 => 7,
        Detector::Ipv6 => 3,
        Detector::Jwt => 12,
        Detector::PrivateKey => 27,
        Detector::AwsKey => 20,
        Detector::GithubToken => 40,
        Detector::SlackToken => 15,
        Detector::GcpKey => 35,
    }
}

/// One scan of one text.
struct Pass<'a> {
    wanted: Wanted,
    text: &'a [u8],
    findings: &'a mut Vec<Finding>,
    /// Whether some finding starts before the end of an earlier one.
    tangled: bool,
    /// Up to where each detector is done: it passes over triggers before. Without this, text that is
    /// one prefix over and over would be read to its end from each.
    done: [usize; Detector::ALL.len()],
}

impl Pass<'_> {
    /// Looks around the trigger at `at`; returns where to go on. That is not behind what was found:
    /// another detector may find more that starts within it.
    fn look(&mut self, at: usize) -> usize {
        match byte(self.text, at) {
            b'0'..=b'9' => return self.number(at),
            b'@' => self.look_for(Detector::Email, at, email::find),
            b':' => self.look_for(Detector::Ipv6, at, ipv6::find),
            b'J' => self.look_for(Detector::Jwt, at, jwt::find),
            b'G' => self.look_for(Detector::PrivateKey, at, private_key::find),
            b'I' | b'C' => self.aws_id(at),
            b'K' => self.look_for(Detector::AwsKey, at, aws::find_camel_secret),
            b'_' => {
                self.look_for(Detector::GithubToken, at, github::find);
                self.look_for(Detector::AwsKey, at, aws::find_named_secret);
            }
            b'x' => self.look_for(Detector::SlackToken, at, slack::find),
            b'T' => self.look_for(Detector::SlackToken, at, slack::find_hook),
            b'z' => self.look_for(Detector::GcpKey, at, gcp::find_api_key),
            b'X' => self.look_for(Detector::GcpKey, at, gcp::find_client_secret),
            _ => {}
        }
        at + 1
    }

    /// A run of digits, whole: nothing that starts with a digit starts within one.
    fn number(&mut self, start: usize) -> usize {
        let end = digits_end(self.text, start);
        match before(self.text, start) {
            b'+' => self.look_for(Detector::Phone, start, phone::find_international),
            b'(' => self.look_for(Detector::Phone, start, phone::find_bracketed),
            b'-' if ends_before(self.text, start, b"xapp-").is_some() => {
                self.look_for(Detector::SlackToken, start, slack::find_app);
            }
            _ => {}
        }
        match (end - start, byte(self.text, end)) {
            (1 | 3, b'.') => {
                self.look_for(Detector::Ipv4, start, ipv4::find);
                self.look_for(Detector::Phone, start, phone::find_national);
            }
            (2, b'.') => self.look_for(Detector::Ipv4, start, ipv4::find),
            (3, b'-') => {
                self.look_for(Detector::UsSsn, start, ssn::find);
                self.look_for(Detector::Phone, start, phone::find_national);
            }
            (1, b'-' | b' ' | b'(') | (3, b' ') => {
                self.look_for(Detector::Phone, start, phone::find_national);
            }
            (4, b' ' | b'-' | b'.') => {
                self.look_for(Detector::PaymentCard, start, card::find_grouped);
            }
            (14..=19, _) => self.look_for(Detector::PaymentCard, start, card::find_run),
            _ => {}
        }
        end
    }

    fn aws_id(&mut self, at: usize) {
        self.look_for(Detector::AwsKey, at, aws::find_id);
        let id_end = match self.findings.last() {
            Some(Finding { range, .. }) if range.contains(&at) => range.end,
            _ => return,
        };
        self.look_for(Detector::AwsKey, id_end, aws::secret_after);
    }

    #[inline]
    fn look_for<L: Into<Look>>(
        &mut self,
        detector: Detector,
        at: usize,
        find: impl FnOnce(&[u8], usize) -> L,
    ) {
        let Some(done) = self.done.get_mut(detector.index()) else {
            return;
        };
        if !self.wanted.has(detector) || at < *done {
            return;
        }
        match find(self.text, at).into() {
            Look::Nothing => {}
            Look::NothingBefore(next) => *done = next,
            Look::Found(range) => {
                *done = range.end;
                let last = self.findings.last();
                self.tangled |= last.is_some_and(|last| range.start < last.range.end);
                self.findings.push(Finding { detector, range });
            }
        }
    }
}

/// Orders findings and gives each byte to one of them.
#[cold]
fn untangle(findings: &mut Vec<Finding>) {
    findings.sort_unstable_by(|a, b| {
        let (a, b) = (&a.range, &b.range);
        a.start.cmp(&b.start).then(b.end.cmp(&a.end))
    });
    let mut free = 0;
    findings.retain_mut(|Finding { range, .. }| {
        range.start = range.start.max(free);
        free = free.max(range.end);
        range.start < range.end
    });
}
