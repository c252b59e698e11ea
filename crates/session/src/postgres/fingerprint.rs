//! What tells the parameters of one Bind from those of any other.

use ostiary_wire::postgres::Format;
use sha2::{Digest as _, Sha256};

/// Bytes up to which parameters are kept as they came. Most are never held for an approval, and a
/// digest costs more than all else that is done with them.
const SHORT: usize = 256;

/// Parameters as they came, or their digest.
#[derive(Debug)]
pub(super) enum Fingerprint {
    Short(Vec<u8>),
    Digest([u8; 32]),
}

impl Fingerprint {
    pub(super) fn new(formats: &[Format], values: &[Option<&[u8]>]) -> Self {
        let mut short = Vec::new();
        let mut long: Option<Sha256> = None;
        for (index, value) in values.iter().enumerate() {
            let format = Format::of(formats, index).unwrap_or(Format::Binary);
            let head = [
                u8::from(format == Format::Binary),
                u8::from(value.is_some()),
            ];
            let size = value.map_or(0, <[u8]>::len);
            let length = u64::try_from(size).unwrap_or(u64::MAX).to_be_bytes();
            let length: &[u8] = value.map_or(&[], |_| &length);
            if short.len().saturating_add(size) > SHORT && long.is_none() {
                long = Some(Sha256::new_with_prefix(&short));
            }
            for part in [&head, length, value.unwrap_or_default()] {
                match &mut long {
                    None => short.extend_from_slice(part),
                    Some(digest) => digest.update(part),
                }
            }
        }
        match long {
            None => Self::Short(short),
            Some(digest) => Self::Digest(digest.finalize().into()),
        }
    }

    /// SHA-256 over the parameters, each with its format and length.
    pub(super) fn digest(&self) -> [u8; 32] {
        match self {
            Self::Short(bytes) => Sha256::digest(bytes).into(),
            Self::Digest(digest) => *digest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parameters<'p> = (&'p [Format], &'p [Option<&'p [u8]>]);

    #[test]
    fn differs_with_format_null_and_the_cut_between_values() {
        let long = vec![b'x'; SHORT];
        let parameters: [Parameters<'_>; 9] = [
            (&[], &[]),
            (&[], &[None]),
            (&[], &[Some(b"")]),
            (&[], &[Some(b"ab"), Some(b"c")]),
            (&[], &[Some(b"a"), Some(b"bc")]),
            (&[Format::Binary], &[Some(b"a"), Some(b"bc")]),
            (&[], &[Some(&long)]),
            (&[], &[Some(&long), None]),
            (&[], &[None, Some(&long)]),
        ];
        let mut digests: Vec<[u8; 32]> = parameters
            .iter()
            .map(|(formats, values)| Fingerprint::new(formats, values).digest())
            .collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), parameters.len());
    }

    #[test]
    fn is_bounded() {
        let value = vec![b'x'; 1 << 20];
        let long = Fingerprint::new(&[], &[Some(b"a"), Some(&value)]);
        assert!(matches!(long, Fingerprint::Digest(_)));
        let nulls = vec![None; 65_535];
        assert!(matches!(
            Fingerprint::new(&[], &nulls),
            Fingerprint::Digest(_)
        ));
    }
}
