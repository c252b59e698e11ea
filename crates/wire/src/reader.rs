//! A bounds-checked cursor over one message.

use crate::Malformed;

#[cfg(test)]
mod tests;

/// Reads fields from the front of a message; every read names its field for the error.
///
/// Numbers are big-endian, as in every protocol read here.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the first of `bytes`.
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How many bytes have not been read.
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// The next `length` bytes.
    #[inline]
    pub fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or(Malformed::Truncated { field })?;
        self.bytes = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    #[inline]
    pub fn take_array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self
            .bytes
            .split_first_chunk::<N>()
            .ok_or(Malformed::Truncated { field })?;
        self.bytes = rest;
        Ok(*taken)
    }

    /// Byte1 or Int8.
    #[inline]
    pub fn u8(&mut self, field: &'static str) -> Result<u8, Malformed> {
        self.take_array(field).map(u8::from_be_bytes)
    }

    /// Int16, read without sign.
    #[inline]
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Malformed> {
        self.take_array(field).map(u16::from_be_bytes)
    }

    /// Int16.
    #[inline]
    pub fn i16(&mut self, field: &'static str) -> Result<i16, Malformed> {
        self.take_array(field).map(i16::from_be_bytes)
    }

    /// Int32, read without sign.
    #[inline]
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Malformed> {
        self.take_array(field).map(u32::from_be_bytes)
    }

    /// Int32.
    #[inline]
    pub fn i32(&mut self, field: &'static str) -> Result<i32, Malformed> {
        self.take_array(field).map(i32::from_be_bytes)
    }

    /// A string up to its NUL, which is read and not given.
    pub fn string(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        let end = self
            .bytes
            .iter()
            .position(|byte| *byte == 0)
            .ok_or(Malformed::UnterminatedString { field })?;
        let string = self.take(end, field)?;
        self.u8(field)?;
        Ok(string)
    }

    /// A string that must be UTF-8.
    pub fn utf8(&mut self, field: &'static str) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.string(field)?).map_err(|_| Malformed::Utf8 { field })
    }

    /// An Int16 count of items of at least `smallest` bytes each, without sign: the server and libpq
    /// read up to 65,535.
    ///
    /// The result is at most what the remaining bytes can hold, so it may be reserved for.
    pub fn count(&mut self, smallest: usize, field: &'static str) -> Result<usize, Malformed> {
        let count = usize::from(self.u16(field)?);
        if count.saturating_mul(smallest) > self.remaining() {
            return Err(Malformed::Truncated { field });
        }
        Ok(count)
    }

    /// An Int32 length and as many bytes; -1 stands for none, any other negative is malformed.
    #[inline]
    pub fn value(&mut self, field: &'static str) -> Result<Option<&'a [u8]>, Malformed> {
        let length = self.i32(field)?;
        match usize::try_from(length) {
            Ok(length) => self.take(length, field).map(Some),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(Malformed::Length {
                field,
                length: i64::from(length),
            }),
        }
    }

    /// Everything that is left.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// Proves that nothing is left.
    #[inline]
    pub const fn finish(self, message: &'static str) -> Result<(), Malformed> {
        match self.bytes.len() {
            0 => Ok(()),
            extra => Err(Malformed::Trailing { message, extra }),
        }
    }
}
