//! What went wrong, for people and for scripts.

use std::{fmt, io, process::ExitCode};

use serde_json::json;

use crate::output::{self, Paint, Printer, block, one_line};

/// An exit code with a meaning scripts can rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// The answer is no, or the operation failed.
    No = 1,
    /// Wrong usage or invalid input.
    Input = 2,
    /// The control plane cannot be reached.
    Unreachable = 3,
    /// Not authenticated, or not allowed.
    NotAllowed = 4,
    /// Not found.
    NotFound = 5,
    /// Already decided, or changed meanwhile.
    Conflict = 6,
}

/// The end of a command that did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
    cure: Option<String>,
    /// Nobody reads any more: the reader of a pipe has gone.
    quiet: bool,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            cure: None,
            quiet: false,
        }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Code::No, message)
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(Code::Input, message)
    }

    /// What was printed already says it all.
    pub(crate) fn said(code: Code) -> Self {
        Self {
            quiet: true,
            ..Self::new(code, "")
        }
    }

    /// What the reader can do about it.
    pub(crate) fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Says it on standard error; the code is the process's.
    pub(crate) fn report(&self, printer: Printer) -> ExitCode {
        if !self.quiet && printer.is_json() {
            let error = json!({"error": {
                "code": self.code.as_str(),
                "message": self.message,
                "help": self.cure,
            }});
            output::say(&error.to_string());
        } else if !self.quiet {
            // Only a message of ours has several lines; what others chose is escaped by line.
            let message = block(&self.message, "  ");
            output::say(&format!(
                "{} {}",
                printer.paint(Paint::Bad, "error:"),
                message.trim_start()
            ));
            if let Some(cure) = &self.cure {
                let help = printer.for_errors().paint(Paint::Good, "help:");
                output::say(&format!(" {help} {}", one_line(cure)));
            }
        }
        ExitCode::from(self.code.number())
    }
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::No => "failed",
            Self::Input => "invalid_input",
            Self::Unreachable => "unreachable",
            Self::NotAllowed => "not_allowed",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::No => 1,
            Self::Input => 2,
            Self::Unreachable => 3,
            Self::NotAllowed => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An error writing to standard output. A reader that has seen enough (`| head`) is no failure.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let mut failure = Self::failed(format!("cannot write: {error}"));
        failure.quiet = error.kind() == io::ErrorKind::BrokenPipe;
        failure
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        use tonic::Code as Grpc;
        let code = match status.code() {
            Grpc::Unavailable | Grpc::DeadlineExceeded => Code::Unreachable,
            Grpc::Unauthenticated | Grpc::PermissionDenied => Code::NotAllowed,
            Grpc::NotFound => Code::NotFound,
            Grpc::AlreadyExists | Grpc::Aborted | Grpc::FailedPrecondition => Code::Conflict,
            Grpc::InvalidArgument | Grpc::OutOfRange => Code::Input,
            Grpc::Ok
            | Grpc::Cancelled
            | Grpc::Unknown
            | Grpc::ResourceExhausted
            | Grpc::Unimplemented
            | Grpc::Internal
            | Grpc::DataLoss => Code::No,
        };
        let message = match status.message() {
            "" => status.code().description(),
            message => message,
        };
        let failure = Self::new(code, message);
        match status.code() {
            Grpc::Unauthenticated => failure.cure(
                "present a fresh token with --token-file or OSTIARY_TOKEN (for a development \
                 issuer: `ostiary dev token`)",
            ),
            Grpc::PermissionDenied => {
                failure.cure("`roles` in ostiary.yaml names the groups that may do this")
            }
            _ => failure,
        }
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // Some libraries print their cause themselves.
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
