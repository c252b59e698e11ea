//! What can be wrong with bytes. The peer is at fault, never the moment.

#[cfg(test)]
mod tests;

/// Why bytes are not a message, or why a message cannot be written as bytes.
///
/// Holds no byte of the input except a tag, so it can be logged and sent to the other peer.
/// Fields are named `Message.field` as the PostgreSQL manual names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The frame ends inside this field.
    #[error("message ends inside `{field}`")]
    Truncated {
        /// The field.
        field: &'static str,
    },
    /// The frame goes on after the message.
    #[error("{extra} extra bytes after `{message}`")]
    Trailing {
        /// The message.
        message: &'static str,
        /// How many bytes are left over.
        extra: usize,
    },
    /// A frame whose length field is below four or above 2^31-1.
    #[error("message `{}` has impossible length {length}", tag.escape_ascii())]
    FrameLength {
        /// The frame's tag.
        tag: u8,
        /// The length field, unsigned.
        length: u32,
    },
    /// A frame longer than the caller allows.
    #[error("message `{}` of {length} bytes is over the limit of {limit}", tag.escape_ascii())]
    TooLong {
        /// The frame's tag.
        tag: u8,
        /// Bytes of the whole frame.
        length: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// A length inside a message, or that of a startup packet, which cannot be.
    #[error("`{field}` has impossible length {length}")]
    Length {
        /// The field.
        field: &'static str,
        /// The length as sent.
        length: i64,
    },
    /// More of something than is allowed.
    #[error("`{field}` has {count} entries, over the limit of {limit}")]
    TooMany {
        /// What there is too much of.
        field: &'static str,
        /// How many were seen or announced.
        count: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// Two counts of one message that must agree do not.
    #[error("`{field}` has {count} entries where {expected} are needed")]
    Count {
        /// The field.
        field: &'static str,
        /// How many there are.
        count: usize,
        /// How many there must be.
        expected: usize,
    },
    /// Text that is not UTF-8.
    #[error("`{field}` is not UTF-8")]
    Utf8 {
        /// The field.
        field: &'static str,
    },
    /// A string without its final NUL.
    #[error("`{field}` has no final NUL")]
    UnterminatedString {
        /// The field.
        field: &'static str,
    },
    /// A string to be written that has a NUL inside, where its reader would stop.
    #[error("`{field}` contains a NUL")]
    InteriorNul {
        /// The field.
        field: &'static str,
    },
    /// A tag which no message of this direction has.
    #[error("unknown message tag `{}`", tag.escape_ascii())]
    UnknownTag {
        /// The tag.
        tag: u8,
    },
    /// A number outside the set the protocol defines for this field.
    #[error("`{field}` has unknown value {value}")]
    UnknownValue {
        /// The field.
        field: &'static str,
        /// The value as sent.
        value: i64,
    },
    /// Something that may come once came twice.
    #[error("`{field}` is given twice")]
    Duplicate {
        /// What was repeated.
        field: &'static str,
    },
    /// Something that must be there is not.
    #[error("`{field}` is missing")]
    Missing {
        /// What is missing.
        field: &'static str,
    },
    /// A StartupMessage of a protocol this codec does not know.
    #[error("unsupported frontend protocol {major}.{minor}: only 3.x is supported")]
    Protocol {
        /// The major version asked for.
        major: u16,
        /// The minor version asked for.
        minor: u16,
    },
    /// A compressed block of headers that cannot be read to its last byte, or names that are not headers.
    #[error("a block of headers cannot be read")]
    HeaderBlock,
    /// A message to be written that does not fit its own length or count field.
    #[error("`{message}` is too large for the protocol")]
    TooLarge {
        /// The message.
        message: &'static str,
    },
}
