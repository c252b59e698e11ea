//! Why a use case refused, and whose fault it is.

use crate::{identity::TokenError, random::NoRandomness, store::StoreError};

/// The text is for the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Who calls is not known.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The gateway token is not the one.
    #[error("gateway token is wrong")]
    GatewayToken,
    /// Who calls may not do this.
    #[error("{0}")]
    NotAllowed(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// It made sense before something else happened.
    #[error("{0}")]
    TooLate(String),
    /// It exists already.
    #[error("{0}")]
    Exists(String),
    /// Too much of it.
    #[error("{0}")]
    TooMany(String),
    /// The control plane is going down.
    #[error("the control plane is stopping")]
    Stopping,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The store failed; why is in the log.
    #[error("the store failed")]
    Unstored,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A task died.
    #[error("an internal task ended early")]
    Task,
}
