//! Detectors: sensitive values known by their shape.
//!
//! In: one whole value as bytes, UTF-8 or not. Out: where something sensitive stands in it. A value
//! is looked at on its own; what is cut in two by rows, columns or chunks is not put together.
//! Each module says what its detector takes and which neighbours end a match.

mod aws;
mod bytes;
mod card;
mod email;
mod gcp;
mod github;
mod ipv4;
mod ipv6;
mod jwt;
#[cfg(test)]
mod labelled;
mod phone;
mod private_key;
mod scanner;
mod slack;
mod ssn;
#[cfg(test)]
mod tests;
mod triggers;

pub use scanner::Scanner;

use std::{fmt, ops::Range, str::FromStr};

/// A kind of value that its shape gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detector {
    /// RFC 5321 mailbox.
    Email,
    /// Payment card number with a valid Luhn digit and a known issuer range.
    PaymentCard,
    /// US social security number.
    UsSsn,
    /// Phone number, E.164 or North American.
    Phone,
    /// IPv4 address.
    Ipv4,
    /// IPv6 address.
    Ipv6,
    /// JSON Web Token.
    Jwt,
    /// PEM private key.
    PrivateKey,
    /// AWS access key id or secret.
    AwsKey,
    /// GitHub token.
    GithubToken,
    /// Slack token.
    SlackToken,
    /// Google API key.
    GcpKey,
}

/// Where a detector matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was found.
    pub detector: Detector,
    /// Byte range in the scanned text.
    pub range: Range<usize>,
}

/// What a detector makes of a trigger.
enum Look {
    /// A value.
    Found(Range<usize>),
    /// Nothing.
    Nothing,
    /// Nothing, nor at any trigger before this.
    NothingBefore(usize),
}

impl From<Option<Range<usize>>> for Look {
    fn from(found: Option<Range<usize>>) -> Self {
        found.map_or(Self::Nothing, Self::Found)
    }
}

/// A detector's name that is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDetector(String);

impl Detector {
    /// Every detector, in the order of their declaration.
    pub const ALL: [Self; 12] = [
        Self::Email,
        Self::PaymentCard,
        Self::UsSsn,
        Self::Phone,
        Self::Ipv4,
        Self::Ipv6,
        Self::Jwt,
        Self::PrivateKey,
        Self::AwsKey,
        Self::GithubToken,
        Self::SlackToken,
        Self::GcpKey,
    ];

    /// The name used in `labels.yaml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::PaymentCard => "payment_card",
            Self::UsSsn => "us_ssn",
            Self::Phone => "phone",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Jwt => "jwt",
            Self::PrivateKey => "private_key",
            Self::AwsKey => "aws_key",
            Self::GithubToken => "github_token",
            Self::SlackToken => "slack_token",
            Self::GcpKey => "gcp_key",
        }
    }

    /// The detector's place in [`Detector::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Detector {
    type Err = UnknownDetector;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|detector| detector.as_str() == name)
            .ok_or_else(|| UnknownDetector(name.to_owned()))
    }
}

impl fmt::Display for UnknownDetector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown detector `{}`; known are", self.0)?;
        for (n, detector) in Detector::ALL.into_iter().enumerate() {
            write!(f, "{} `{detector}`", if n == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownDetector {}
