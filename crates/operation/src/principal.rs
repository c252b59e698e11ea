//! Who acts.

use std::collections::BTreeSet;

/// The identity a verified token attests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// `iss` of the token.
    pub issuer: String,
    /// `sub` of the token.
    pub subject: String,
    /// Groups, from the claim the issuer's configuration names.
    pub groups: BTreeSet<String>,
    /// The human behind the agent, where the token names one (`act`, RFC 8693).
    pub on_behalf_of: Option<String>,
}
