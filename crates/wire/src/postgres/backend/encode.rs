//! Writing messages of the server.
//!
//! Each function appends one whole frame, or fails and appends nothing: when a length or count does
//! not fit its field, and when a string contains a NUL. The texts of [`error`] and [`notice`] are
//! the exception: they quote what peers sent, so a NUL in them becomes `?`.

use super::{Authentication, Backend, CopyFormat, Format, TransactionStatus, tag};
use crate::limits::MAX_PROTOCOL_OPTIONS;
use crate::postgres::error_response::field;
use crate::postgres::startup::secret_key;
use crate::{Malformed, writer};

type Written = Result<(), Malformed>;

/// Appends an AuthenticationOk.
pub fn authentication_ok(out: &mut Vec<u8>) -> Written {
    authentication(out, &Authentication::Ok)
}

/// Appends an AuthenticationCleartextPassword.
pub fn authentication_cleartext(out: &mut Vec<u8>) -> Written {
    authentication(out, &Authentication::CleartextPassword)
}

/// Appends any Authentication message.
pub fn authentication(out: &mut Vec<u8>, step: &Authentication<'_>) -> Written {
    let name = "Authentication";
    writer::message(out, tag::backend::AUTHENTICATION, name, |out| {
        step.write(out)
    })
}

/// Appends a BackendKeyData.
pub fn backend_key_data(out: &mut Vec<u8>, process_id: i32, secret: &[u8]) -> Written {
    secret_key(secret, "BackendKeyData.secret_key")?;
    writer::message(
        out,
        tag::backend::BACKEND_KEY_DATA,
        "BackendKeyData",
        |out| {
            out.extend_from_slice(&process_id.to_be_bytes());
            out.extend_from_slice(secret);
            Ok(())
        },
    )
}

/// Appends a CommandComplete.
pub fn command_complete(out: &mut Vec<u8>, tag: &[u8]) -> Written {
    writer::message(
        out,
        tag::backend::COMMAND_COMPLETE,
        "CommandComplete",
        |out| writer::string(out, tag, "CommandComplete.tag"),
    )
}

/// Appends an ErrorResponse.
///
/// `severity` is `ERROR`, `FATAL` or `PANIC`, and is written both as `S` and as `V`. Before login a
/// message over 30,000 bytes makes libpq take the server for something else.
pub fn error(
    out: &mut Vec<u8>,
    severity: &str,
    sqlstate: &str,
    message: &str,
    detail: Option<&str>,
    hint: Option<&str>,
) -> Written {
    let tag = tag::backend::ERROR_RESPONSE;
    let texts = [Some(severity), Some(sqlstate), Some(message), detail, hint];
    response(out, tag, "ErrorResponse", texts)
}

/// Appends a NoticeResponse; `severity` is `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`.
pub fn notice(
    out: &mut Vec<u8>,
    severity: &str,
    sqlstate: &str,
    message: &str,
    detail: Option<&str>,
    hint: Option<&str>,
) -> Written {
    let tag = tag::backend::NOTICE_RESPONSE;
    let texts = [Some(severity), Some(sqlstate), Some(message), detail, hint];
    response(out, tag, "NoticeResponse", texts)
}

fn response(
    out: &mut Vec<u8>,
    tag: u8,
    name: &'static str,
    [severity, sqlstate, message, detail, hint]: [Option<&str>; 5],
) -> Written {
    writer::message(out, tag, name, |out| {
        for (code, text) in [
            (field::SEVERITY_LOCALIZED, severity),
            (field::SEVERITY, severity),
            (field::SQLSTATE, sqlstate),
            (field::MESSAGE, message),
            (field::DETAIL, detail),
            (field::HINT, hint),
        ] {
            if let Some(text) = text {
                out.push(code);
                out.extend(text.bytes().map(|byte| if byte == 0 { b'?' } else { byte }));
                out.push(0);
            }
        }
        out.push(0);
        Ok(())
    })
}

/// Appends a NegotiateProtocolVersion: `minor` is the newest minor version of protocol 3 spoken.
///
/// Writes the whole version, as servers do and libpq expects, where the manual asks for the minor
/// version alone.
pub fn negotiate_protocol_version(out: &mut Vec<u8>, minor: u16, options: &[&[u8]]) -> Written {
    let name = "NegotiateProtocolVersion";
    if options.len() > MAX_PROTOCOL_OPTIONS {
        return Err(Malformed::TooLarge { message: name });
    }
    writer::message(out, tag::backend::NEGOTIATE_PROTOCOL_VERSION, name, |out| {
        let count =
            u32::try_from(options.len()).map_err(|_| Malformed::TooLarge { message: name })?;
        out.extend_from_slice(&3_u16.to_be_bytes());
        out.extend_from_slice(&minor.to_be_bytes());
        out.extend_from_slice(&count.to_be_bytes());
        for option in options {
            writer::string(out, option, "NegotiateProtocolVersion.option")?;
        }
        Ok(())
    })
}

/// Appends a ParameterStatus.
pub fn parameter_status(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Written {
    writer::message(
        out,
        tag::backend::PARAMETER_STATUS,
        "ParameterStatus",
        |out| {
            writer::string(out, name, "ParameterStatus.name")?;
            writer::string(out, value, "ParameterStatus.value")
        },
    )
}

/// Appends a ReadyForQuery.
pub fn ready_for_query(out: &mut Vec<u8>, status: TransactionStatus) -> Written {
    let body = [status.code()];
    raw(out, tag::backend::READY_FOR_QUERY, "ReadyForQuery", &body)
}

fn raw(out: &mut Vec<u8>, tag: u8, name: &'static str, body: &[u8]) -> Written {
    writer::message(out, tag, name, |out| {
        out.extend_from_slice(body);
        Ok(())
    })
}

fn copy(out: &mut Vec<u8>, tag: u8, name: &'static str, copy: &CopyFormat) -> Written {
    writer::message(out, tag, name, |out| {
        out.push(match copy.format {
            Format::Text => 0,
            Format::Binary => 1,
        });
        Format::write_list(out, &copy.column_formats, name)
    })
}

impl Backend<'_> {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) -> Written {
        use tag::backend as tag;
        match self {
            Self::Authentication(step) => authentication(out, step),
            Self::BackendKeyData { process_id, secret } => {
                backend_key_data(out, *process_id, secret)
            }
            Self::BindComplete => raw(out, tag::BIND_COMPLETE, "BindComplete", &[]),
            Self::CloseComplete => raw(out, tag::CLOSE_COMPLETE, "CloseComplete", &[]),
            Self::CommandComplete { tag } => command_complete(out, tag),
            Self::CopyInResponse(format) => {
                copy(out, tag::COPY_IN_RESPONSE, "CopyInResponse", format)
            }
            Self::CopyOutResponse(format) => {
                copy(out, tag::COPY_OUT_RESPONSE, "CopyOutResponse", format)
            }
            Self::CopyBothResponse(format) => {
                copy(out, tag::COPY_BOTH_RESPONSE, "CopyBothResponse", format)
            }
            Self::CopyData(data) => raw(out, tag::COPY_DATA, "CopyData", data),
            Self::CopyDone => raw(out, tag::COPY_DONE, "CopyDone", &[]),
            Self::DataRow(body) => raw(out, tag::DATA_ROW, "DataRow", body),
            Self::EmptyQueryResponse => {
                raw(out, tag::EMPTY_QUERY_RESPONSE, "EmptyQueryResponse", &[])
            }
            Self::ErrorResponse(fields) => {
                raw(out, tag::ERROR_RESPONSE, "ErrorResponse", fields.body())
            }
            Self::NoticeResponse(fields) => {
                raw(out, tag::NOTICE_RESPONSE, "NoticeResponse", fields.body())
            }
            Self::FunctionCallResponse(value) => {
                let name = "FunctionCallResponse";
                writer::message(out, tag::FUNCTION_CALL_RESPONSE, name, |out| {
                    writer::value(out, *value, name)
                })
            }
            Self::NegotiateProtocolVersion { minor, options } => {
                negotiate_protocol_version(out, *minor, options)
            }
            Self::NoData => raw(out, tag::NO_DATA, "NoData", &[]),
            Self::NotificationResponse {
                process_id,
                channel,
                payload,
            } => {
                let name = "NotificationResponse";
                writer::message(out, tag::NOTIFICATION_RESPONSE, name, |out| {
                    out.extend_from_slice(&process_id.to_be_bytes());
                    writer::string(out, channel, "NotificationResponse.channel")?;
                    writer::string(out, payload, "NotificationResponse.payload")
                })
            }
            Self::ParameterDescription(types) => {
                let name = "ParameterDescription";
                writer::message(out, tag::PARAMETER_DESCRIPTION, name, |out| {
                    writer::count(out, types.len(), name)?;
                    for type_id in types {
                        out.extend_from_slice(&type_id.to_be_bytes());
                    }
                    Ok(())
                })
            }
            Self::ParameterStatus { name, value } => parameter_status(out, name, value),
            Self::ParseComplete => raw(out, tag::PARSE_COMPLETE, "ParseComplete", &[]),
            Self::PortalSuspended => raw(out, tag::PORTAL_SUSPENDED, "PortalSuspended", &[]),
            Self::ReadyForQuery { status } => ready_for_query(out, *status),
            Self::RowDescription(columns) => {
                let name = "RowDescription";
                writer::message(out, tag::ROW_DESCRIPTION, name, |out| {
                    writer::count(out, columns.len(), name)?;
                    columns.iter().try_for_each(|column| column.write(out))
                })
            }
        }
    }
}
