//! Where detectors have to look.
//!
//! A table gives each byte its bits, one for each [`Lane`]. Those of eight bytes side by side are put
//! together in one word, lane by lane, so that what stands before and after a byte is a shift away
//! and text without triggers costs a lookup per byte and one branch per eight.

use super::Detector;

/// Bytes looked at together; a lane is as many bits.
const STRIDE: usize = 8;
/// The first bit of every lane.
const FIRST: u64 = 0x0101_0101_0101_0101;

/// What a byte can be. The discriminant is the place of the lane's first bit in the word.
#[derive(Clone, Copy)]
enum Lane {
    /// A trigger anywhere.
    Anywhere = 0,
    /// A trigger unless after a word byte.
    Digit = 8,
    /// A trigger after an opener.
    Opened = 16,
    /// A trigger between two group bytes.
    Colon = 24,
    /// A letter or digit.
    Word = 32,
    /// What stands before an opened trigger.
    Opener = 40,
    /// A hex digit or colon.
    Group = 48,
}

/// Lanes without which there is no trigger.
const TRIGGERS: u64 = 0xffff_ffff;

#[derive(Clone)]
pub(super) struct Triggers {
    bits: [u64; 256],
}

impl Default for Triggers {
    fn default() -> Self {
        Self { bits: [0; 256] }
    }
}

impl Triggers {
    /// Adds what `detector` has to look at.
    pub(super) fn add(&mut self, detector: Detector) {
        match detector {
            Detector::Email => self.set(Lane::Anywhere, b"@"),
            Detector::PaymentCard | Detector::UsSsn | Detector::Phone | Detector::Ipv4 => {
                self.digits();
            }
            Detector::Ipv6 => {
                self.set(Lane::Colon, b":");
                self.set(Lane::Group, b"0123456789abcdefABCDEF:");
            }
            Detector::Jwt => self.opened(b"y", b"J"),
            Detector::PrivateKey => self.opened(b"E", b"G"),
            Detector::AwsKey => {
                self.opened(b"KSBC", b"IC");
                self.opened(b"sS", b"K");
                self.opened(b"tT", b"_");
            }
            Detector::GithubToken => self.opened(b"pousrt", b"_"),
            Detector::SlackToken => {
                self.opened(b"o", b"x");
                self.opened(b"/", b"T");
                self.digits();
            }
            Detector::GcpKey => {
                self.opened(b"I", b"z");
                self.opened(b"P", b"X");
            }
        }
    }

    fn digits(&mut self) {
        self.set(Lane::Digit, b"0123456789");
        for b in 0..=u8::MAX {
            if b.is_ascii_alphanumeric() {
                self.set(Lane::Word, &[b]);
            }
        }
    }

    fn opened(&mut self, openers: &[u8], trigger: &[u8]) {
        self.set(Lane::Opener, openers);
        self.set(Lane::Opened, trigger);
    }

    fn set(&mut self, lane: Lane, bytes: &[u8]) {
        for b in bytes {
            if let Some(bits) = self.bits.get_mut(usize::from(*b)) {
                *bits |= 1 << lane as u32;
            }
        }
    }

    /// Calls `look` with the place of each trigger in `text`, in order, but for those before the
    /// place that the last call returned.
    #[inline]
    pub(super) fn each(&self, text: &[u8], mut look: impl FnMut(usize) -> usize) {
        let mut next = 0;
        let mut last = 0;
        let (strides, tail) = text.as_chunks::<STRIDE>();
        let mut base = 0;
        for stride in strides {
            let word = self.word(stride);
            if word & TRIGGERS != 0 {
                visit(places(word, last), base, &mut next, &mut look);
            }
            last = word;
            base += STRIDE;
        }
        if tail.is_empty() {
            return;
        }
        // The last eight bytes once more, if there are as many, to look at the tail without a loop.
        let (word, seen) = match text.last_chunk::<STRIDE>() {
            Some(stride) => (self.word(stride), STRIDE - tail.len()),
            None => (self.word(tail), 0),
        };
        if word & TRIGGERS != 0 {
            let unseen = places(word, 0) & (u64::MAX << seen);
            visit(unseen, base - seen, &mut next, &mut look);
        }
    }

    /// The lanes of up to eight bytes.
    #[inline]
    fn word(&self, stride: &[u8]) -> u64 {
        let mut word = 0;
        for (place, b) in stride.iter().enumerate() {
            word |= self.bits.get(usize::from(*b)).copied().unwrap_or(0) << place;
        }
        word
    }
}

/// Bit `n` is set if byte `n` is a trigger. `last` is the word of the eight bytes before.
#[inline]
fn places(word: u64, last: u64) -> u64 {
    let before = ((word & !(FIRST << 7)) << 1) | ((last >> 7) & FIRST);
    // What follows the last byte is not known; the detector looks.
    let after = ((word & !FIRST) >> 1) | (FIRST << 7);
    let places = lane(word, Lane::Anywhere)
        | (lane(word, Lane::Digit) & !lane(before, Lane::Word))
        | (lane(word, Lane::Opened) & lane(before, Lane::Opener))
        | (lane(word, Lane::Colon) & lane(before, Lane::Group) & lane(after, Lane::Group));
    places & 0xff
}

#[inline]
fn lane(word: u64, lane: Lane) -> u64 {
    word >> lane as u32
}

#[inline]
fn visit(mut places: u64, base: usize, next: &mut usize, look: &mut impl FnMut(usize) -> usize) {
    while places != 0 {
        let at = base + places.trailing_zeros() as usize;
        places &= places - 1;
        if at >= *next {
            *next = look(at);
        }
    }
}
