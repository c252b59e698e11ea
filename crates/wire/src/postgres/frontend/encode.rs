//! Writing messages of the client.
//!
//! Each function appends one whole frame, or fails and appends nothing: when a length or count does
//! not fit its field, and when a string contains a NUL.

use super::{Format, Frontend, Target, formats_fit, tag};
use crate::{Malformed, writer};

type Written = Result<(), Malformed>;

/// Appends a Query.
pub fn query(out: &mut Vec<u8>, sql: &[u8]) -> Written {
    writer::message(out, tag::frontend::QUERY, "Query", |out| {
        writer::string(out, sql, "Query.sql")
    })
}

/// Appends a Parse.
pub fn parse(out: &mut Vec<u8>, name: &[u8], sql: &[u8], parameter_types: &[u32]) -> Written {
    writer::message(out, tag::frontend::PARSE, "Parse", |out| {
        writer::string(out, name, "Parse.name")?;
        writer::string(out, sql, "Parse.sql")?;
        writer::count(out, parameter_types.len(), "Parse")?;
        for parameter_type in parameter_types {
            out.extend_from_slice(&parameter_type.to_be_bytes());
        }
        Ok(())
    })
}

/// Appends a Bind.
pub fn bind(
    out: &mut Vec<u8>,
    portal: &[u8],
    statement: &[u8],
    parameter_formats: &[Format],
    parameters: &[Option<&[u8]>],
    result_formats: &[Format],
) -> Written {
    formats_fit(parameter_formats, parameters.len())?;
    writer::message(out, tag::frontend::BIND, "Bind", |out| {
        writer::string(out, portal, "Bind.portal")?;
        writer::string(out, statement, "Bind.statement")?;
        Format::write_list(out, parameter_formats, "Bind")?;
        writer::count(out, parameters.len(), "Bind")?;
        for parameter in parameters {
            writer::value(out, *parameter, "Bind")?;
        }
        Format::write_list(out, result_formats, "Bind")
    })
}

/// Appends a Describe.
pub fn describe(out: &mut Vec<u8>, kind: Target, name: &[u8]) -> Written {
    writer::message(out, tag::frontend::DESCRIBE, "Describe", |out| {
        out.push(kind.code());
        writer::string(out, name, "Describe.name")
    })
}

/// Appends an Execute; `max_rows` of 0 is no limit.
pub fn execute(out: &mut Vec<u8>, portal: &[u8], max_rows: i32) -> Written {
    writer::message(out, tag::frontend::EXECUTE, "Execute", |out| {
        writer::string(out, portal, "Execute.portal")?;
        out.extend_from_slice(&max_rows.to_be_bytes());
        Ok(())
    })
}

/// Appends a Close.
pub fn close(out: &mut Vec<u8>, kind: Target, name: &[u8]) -> Written {
    writer::message(out, tag::frontend::CLOSE, "Close", |out| {
        out.push(kind.code());
        writer::string(out, name, "Close.name")
    })
}

/// Appends a Sync.
pub fn sync(out: &mut Vec<u8>) -> Written {
    raw(out, tag::frontend::SYNC, "Sync", &[])
}

/// Appends a Flush.
pub fn flush(out: &mut Vec<u8>) -> Written {
    raw(out, tag::frontend::FLUSH, "Flush", &[])
}

/// Appends a Terminate.
pub fn terminate(out: &mut Vec<u8>) -> Written {
    raw(out, tag::frontend::TERMINATE, "Terminate", &[])
}

/// Appends a PasswordMessage; `password` comes without the NUL, which is added.
pub fn password(out: &mut Vec<u8>, password: &[u8]) -> Written {
    writer::message(out, tag::frontend::PASSWORD, "PasswordMessage", |out| {
        writer::string(out, password, "PasswordMessage.password")
    })
}

/// Appends a SASLInitialResponse; `data` of none is no initial response, which differs from an
/// empty one.
pub fn sasl_initial_response(out: &mut Vec<u8>, mechanism: &str, data: Option<&[u8]>) -> Written {
    writer::message(out, tag::frontend::PASSWORD, "SASLInitialResponse", |out| {
        writer::string(out, mechanism.as_bytes(), "SASLInitialResponse.mechanism")?;
        writer::value(out, data, "SASLInitialResponse")
    })
}

/// Appends a SASLResponse.
pub fn sasl_response(out: &mut Vec<u8>, data: &[u8]) -> Written {
    raw(out, tag::frontend::PASSWORD, "SASLResponse", data)
}

/// Appends a CopyData.
pub fn copy_data(out: &mut Vec<u8>, data: &[u8]) -> Written {
    raw(out, tag::frontend::COPY_DATA, "CopyData", data)
}

/// Appends a CopyDone.
pub fn copy_done(out: &mut Vec<u8>) -> Written {
    raw(out, tag::frontend::COPY_DONE, "CopyDone", &[])
}

/// Appends a CopyFail.
pub fn copy_fail(out: &mut Vec<u8>, message: &[u8]) -> Written {
    writer::message(out, tag::frontend::COPY_FAIL, "CopyFail", |out| {
        writer::string(out, message, "CopyFail.message")
    })
}

fn raw(out: &mut Vec<u8>, tag: u8, name: &'static str, body: &[u8]) -> Written {
    writer::message(out, tag, name, |out| {
        out.extend_from_slice(body);
        Ok(())
    })
}

impl Frontend<'_> {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) -> Written {
        match self {
            Self::Query { sql } => query(out, sql),
            Self::Parse {
                name,
                sql,
                parameter_types,
            } => parse(out, name, sql, parameter_types),
            Self::Bind {
                portal,
                statement,
                parameter_formats,
                parameters,
                result_formats,
            } => bind(
                out,
                portal,
                statement,
                parameter_formats,
                parameters,
                result_formats,
            ),
            Self::Describe { kind, name } => describe(out, *kind, name),
            Self::Execute { portal, max_rows } => execute(out, portal, *max_rows),
            Self::Close { kind, name } => close(out, *kind, name),
            Self::Sync => sync(out),
            Self::Flush => flush(out),
            Self::Terminate => terminate(out),
            Self::Password(body) => raw(out, tag::frontend::PASSWORD, "PasswordMessage", body),
            Self::CopyData(data) => copy_data(out, data),
            Self::CopyDone => copy_done(out),
            Self::CopyFail(message) => copy_fail(out, message),
            Self::FunctionCall(body) => {
                raw(out, tag::frontend::FUNCTION_CALL, "FunctionCall", body)
            }
        }
    }
}
