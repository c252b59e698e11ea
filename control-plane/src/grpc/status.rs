//! From errors of the use cases to gRPC statuses, in this one place.

use tonic::{Code, Status};

use crate::{app::Error, store::StoreError};

pub(super) fn status(error: &Error) -> Status {
    let code = match error {
        Error::Token(_) | Error::GatewayToken => Code::Unauthenticated,
        Error::NotAllowed(_) => Code::PermissionDenied,
        Error::NotFound(_) => Code::NotFound,
        Error::Invalid(_) => Code::InvalidArgument,
        Error::TooLate(_) => Code::FailedPrecondition,
        Error::Exists(_) => Code::AlreadyExists,
        Error::TooMany(_) => Code::ResourceExhausted,
        Error::Store(StoreError::Conflict) => Code::Aborted,
        Error::Stopping | Error::Unstored | Error::Store(StoreError::Failed(_)) => {
            Code::Unavailable
        }
        Error::Store(_) | Error::Random(_) | Error::Task => Code::Internal,
    };
    if matches!(code, Code::Internal | Code::Unavailable) {
        // The caller is told that it failed; why is for the operator's log.
        let cause = crate::telemetry::chain(error);
        tracing::error!(cause, "a call failed");
    }
    Status::new(code, error.to_string())
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        status(&error)
    }
}
