//! How messages of the client show in a failed test or a trace.

use std::fmt;

use super::Frontend;
use crate::postgres::Shown;

impl fmt::Debug for Frontend<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query { sql } => f.debug_struct("Query").field("sql", &Shown(sql)).finish(),
            Self::Parse {
                name,
                sql,
                parameter_types,
            } => f
                .debug_struct("Parse")
                .field("name", &Shown(name))
                .field("sql", &Shown(sql))
                .field("parameter_types", parameter_types)
                .finish(),
            Self::Bind {
                portal,
                statement,
                parameter_formats,
                parameters,
                result_formats,
            } => {
                let parameters: Vec<_> = parameters.iter().map(|p| p.map(Shown)).collect();
                f.debug_struct("Bind")
                    .field("portal", &Shown(portal))
                    .field("statement", &Shown(statement))
                    .field("parameter_formats", parameter_formats)
                    .field("parameters", &parameters)
                    .field("result_formats", result_formats)
                    .finish()
            }
            Self::Describe { kind, name } => f
                .debug_struct("Describe")
                .field("kind", kind)
                .field("name", &Shown(name))
                .finish(),
            Self::Execute { portal, max_rows } => f
                .debug_struct("Execute")
                .field("portal", &Shown(portal))
                .field("max_rows", max_rows)
                .finish(),
            Self::Close { kind, name } => f
                .debug_struct("Close")
                .field("kind", kind)
                .field("name", &Shown(name))
                .finish(),
            Self::Sync => f.write_str("Sync"),
            Self::Flush => f.write_str("Flush"),
            Self::Terminate => f.write_str("Terminate"),
            // A token or a password, which must not reach a log by way of an error message.
            Self::Password(_) => f.write_str("Password(..)"),
            Self::CopyData(data) => f.debug_tuple("CopyData").field(&Shown(data)).finish(),
            Self::CopyDone => f.write_str("CopyDone"),
            Self::CopyFail(text) => f.debug_tuple("CopyFail").field(&Shown(text)).finish(),
            Self::FunctionCall(body) => f.debug_tuple("FunctionCall").field(&Shown(body)).finish(),
        }
    }
}
