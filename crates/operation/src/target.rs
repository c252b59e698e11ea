//! Where an operation acts.

/// The place a session is connected to; fixed at login.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The resource, as the operator named it.
    pub resource: String,
    /// The database inside it.
    pub database: String,
    /// The role Ostiary uses upstream.
    pub role: String,
}
