//! Messages of the server, section 53.7:
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
//!
//! A server can be hostile too: it may be what an attacker already holds. Everything it says is
//! checked as what a client says is.

mod authentication;
mod column;
pub mod encode;
#[cfg(test)]
mod tests;

pub use authentication::Authentication;
pub use column::Column;

use super::startup::secret_key;
use super::{Fields, Format, TransactionStatus, tag};
use crate::limits::MAX_PROTOCOL_OPTIONS;
use crate::{Malformed, Reader};

/// A message of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend<'a> {
    /// A step of the login.
    Authentication(Authentication<'a>),
    /// What a CancelRequest for this session must name.
    BackendKeyData {
        /// The process.
        process_id: i32,
        /// The secret: 4 bytes up to protocol 3.0, 4 to 256 since 3.2.
        secret: &'a [u8],
    },
    /// Bind is done.
    BindComplete,
    /// Close is done.
    CloseComplete,
    /// A statement is done.
    CommandComplete {
        /// Which, and on how many rows: `DELETE 3`.
        tag: &'a [u8],
    },
    /// The server waits for data of `COPY .. FROM STDIN`.
    CopyInResponse(CopyFormat),
    /// Data of `COPY .. TO STDOUT` follows.
    CopyOutResponse(CopyFormat),
    /// Both; replication only.
    CopyBothResponse(CopyFormat),
    /// Data of a COPY.
    CopyData(&'a [u8]),
    /// The end of a COPY.
    CopyDone,
    /// A row, not decoded; see [`super::DataRow`].
    DataRow(&'a [u8]),
    /// The answer to an empty statement, instead of CommandComplete.
    EmptyQueryResponse,
    /// An error.
    ErrorResponse(Fields<'a>),
    /// A notice or warning.
    NoticeResponse(Fields<'a>),
    /// The result of a FunctionCall; `None` is NULL.
    FunctionCallResponse(Option<&'a [u8]>),
    /// The server does not speak the minor version or the options asked for.
    NegotiateProtocolVersion {
        /// The newest minor version of protocol 3 the server speaks.
        minor: u16,
        /// Options the server does not know.
        options: Vec<&'a [u8]>,
    },
    /// What was described returns no rows.
    NoData,
    /// A NOTIFY of some session.
    NotificationResponse {
        /// The process that sent it.
        process_id: i32,
        /// The channel.
        channel: &'a [u8],
        /// The payload.
        payload: &'a [u8],
    },
    /// Types of a statement's parameters.
    ParameterDescription(Vec<u32>),
    /// A setting the client wants to know.
    ParameterStatus {
        /// The setting.
        name: &'a [u8],
        /// Its value.
        value: &'a [u8],
    },
    /// Parse is done.
    ParseComplete,
    /// Execute stopped at its row limit.
    PortalSuspended,
    /// The server waits for the next round.
    ReadyForQuery {
        /// The state of the transaction block.
        status: TransactionStatus,
    },
    /// The columns of the rows to come.
    RowDescription(Vec<Column<'a>>),
}

/// The formats of a COPY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFormat {
    /// Text (also CSV) or binary as a whole.
    pub format: Format,
    /// One for each column.
    pub column_formats: Vec<Format>,
}

impl<'a> Backend<'a> {
    /// Decodes the body of a frame.
    pub fn parse(tag: u8, body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let (message, name) = match tag {
            tag::backend::AUTHENTICATION => {
                let step = Authentication::read(&mut reader)?;
                (Self::Authentication(step), "Authentication")
            }
            tag::backend::BACKEND_KEY_DATA => {
                let process_id = reader.i32("BackendKeyData.process_id")?;
                let secret = secret_key(reader.rest(), "BackendKeyData.secret_key")?;
                let message = Self::BackendKeyData { process_id, secret };
                (message, "BackendKeyData")
            }
            tag::backend::BIND_COMPLETE => (Self::BindComplete, "BindComplete"),
            tag::backend::CLOSE_COMPLETE => (Self::CloseComplete, "CloseComplete"),
            tag::backend::COMMAND_COMPLETE => {
                let tag = reader.string("CommandComplete.tag")?;
                (Self::CommandComplete { tag }, "CommandComplete")
            }
            tag::backend::COPY_IN_RESPONSE => {
                let format = CopyFormat::read(&mut reader)?;
                (Self::CopyInResponse(format), "CopyInResponse")
            }
            tag::backend::COPY_OUT_RESPONSE => {
                let format = CopyFormat::read(&mut reader)?;
                (Self::CopyOutResponse(format), "CopyOutResponse")
            }
            tag::backend::COPY_BOTH_RESPONSE => {
                let format = CopyFormat::read(&mut reader)?;
                (Self::CopyBothResponse(format), "CopyBothResponse")
            }
            tag::backend::COPY_DATA => (Self::CopyData(reader.rest()), "CopyData"),
            tag::backend::COPY_DONE => (Self::CopyDone, "CopyDone"),
            tag::backend::DATA_ROW => (Self::DataRow(reader.rest()), "DataRow"),
            tag::backend::EMPTY_QUERY_RESPONSE => (Self::EmptyQueryResponse, "EmptyQueryResponse"),
            tag::backend::ERROR_RESPONSE => {
                let fields = Fields::read(&mut reader, "ErrorResponse.field")?;
                (Self::ErrorResponse(fields), "ErrorResponse")
            }
            tag::backend::NOTICE_RESPONSE => {
                let fields = Fields::read(&mut reader, "NoticeResponse.field")?;
                (Self::NoticeResponse(fields), "NoticeResponse")
            }
            tag::backend::FUNCTION_CALL_RESPONSE => {
                let value = reader.value("FunctionCallResponse.value")?;
                (Self::FunctionCallResponse(value), "FunctionCallResponse")
            }
            tag::backend::NEGOTIATE_PROTOCOL_VERSION => {
                (negotiate(&mut reader)?, "NegotiateProtocolVersion")
            }
            tag::backend::NO_DATA => (Self::NoData, "NoData"),
            tag::backend::NOTIFICATION_RESPONSE => {
                let message = Self::NotificationResponse {
                    process_id: reader.i32("NotificationResponse.process_id")?,
                    channel: reader.string("NotificationResponse.channel")?,
                    payload: reader.string("NotificationResponse.payload")?,
                };
                (message, "NotificationResponse")
            }
            tag::backend::PARAMETER_DESCRIPTION => {
                let count = reader.count(4, "ParameterDescription.types")?;
                let mut types = Vec::with_capacity(count);
                for _ in 0..count {
                    types.push(reader.u32("ParameterDescription.type")?);
                }
                (Self::ParameterDescription(types), "ParameterDescription")
            }
            tag::backend::PARAMETER_STATUS => {
                let name = reader.string("ParameterStatus.name")?;
                let value = reader.string("ParameterStatus.value")?;
                (Self::ParameterStatus { name, value }, "ParameterStatus")
            }
            tag::backend::PARSE_COMPLETE => (Self::ParseComplete, "ParseComplete"),
            tag::backend::PORTAL_SUSPENDED => (Self::PortalSuspended, "PortalSuspended"),
            tag::backend::READY_FOR_QUERY => {
                let status = TransactionStatus::read(&mut reader)?;
                (Self::ReadyForQuery { status }, "ReadyForQuery")
            }
            tag::backend::ROW_DESCRIPTION => {
                let columns = Column::read_list(&mut reader)?;
                (Self::RowDescription(columns), "RowDescription")
            }
            _ => return Err(Malformed::UnknownTag { tag }),
        };
        reader.finish(name)?;
        Ok(message)
    }
}

impl CopyFormat {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let field = "CopyResponse.format";
        let format = match reader.u8(field)? {
            0 => Format::Text,
            1 => Format::Binary,
            other => {
                let value = i64::from(other);
                return Err(Malformed::UnknownValue { field, value });
            }
        };
        let column_formats = Format::read_list(reader, "CopyResponse.column_formats")?;
        Ok(Self {
            format,
            column_formats,
        })
    }
}

impl TransactionStatus {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let field = "ReadyForQuery.status";
        match reader.u8(field)? {
            b'I' => Ok(Self::Idle),
            b'T' => Ok(Self::InTransaction),
            b'E' => Ok(Self::Failed),
            other => Err(Malformed::UnknownValue {
                field,
                value: i64::from(other),
            }),
        }
    }
}

/// The manual says the first number is the minor version alone; servers up to 18 send the whole
/// version, `0x0003_0000` and up. The lower half is the minor version either way.
fn negotiate<'a>(reader: &mut Reader<'a>) -> Result<Backend<'a>, Malformed> {
    let version = reader.u32("NegotiateProtocolVersion.version")?;
    let [a, b, c, d] = version.to_be_bytes();
    let (major, minor) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    if major != 0 && major != 3 {
        return Err(Malformed::Protocol { major, minor });
    }
    let field = "NegotiateProtocolVersion.options";
    let announced = reader.i32("NegotiateProtocolVersion.options")?;
    let count = usize::try_from(announced).map_err(|_| Malformed::Length {
        field,
        length: i64::from(announced),
    })?;
    if count > MAX_PROTOCOL_OPTIONS {
        let limit = MAX_PROTOCOL_OPTIONS;
        return Err(Malformed::TooMany {
            field,
            count,
            limit,
        });
    }
    let mut options = Vec::new();
    for _ in 0..count {
        options.push(reader.string("NegotiateProtocolVersion.option")?);
    }
    Ok(Backend::NegotiateProtocolVersion { minor, options })
}

/// Fuzz entry: a message that is read is written and read back as the same message, and nothing
/// panics.
///
/// `bytes` are taken as a frame and, since few random frames have a right length, as a tag and body.
#[doc(hidden)]
pub fn exercise(bytes: &[u8]) -> Result<(), &'static str> {
    if let Ok(Some(frame)) = super::frame::take(bytes, usize::MAX) {
        reads_back(frame.tag, frame.body)?;
    }
    match bytes.split_first() {
        Some((tag, body)) => reads_back(*tag, body),
        None => Ok(()),
    }
}

fn reads_back(tag: u8, body: &[u8]) -> Result<(), &'static str> {
    let Ok(message) = Backend::parse(tag, body) else {
        return Ok(());
    };
    let mut again = Vec::new();
    if message.encode(&mut again).is_err() {
        return Err("a backend message that was read cannot be written");
    }
    let written = again.get(super::frame::HEADER..).unwrap_or_default();
    if again.first() != Some(&tag) || Backend::parse(tag, written) != Ok(message) {
        return Err("a backend message is written as another one");
    }
    // NegotiateProtocolVersion has two ways to say the version, and only one is written.
    if written != body && tag != tag::backend::NEGOTIATE_PROTOCOL_VERSION {
        return Err("a backend message is written differently from how it was read");
    }
    Ok(())
}
