//! Randomness from the operating system, and its forms.

use std::fmt::Write as _;

/// The operating system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no randomness: {0}")]
pub struct NoRandomness(getrandom::Error);

/// Random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

/// Ten characters that people can read to each other: 50 random bits, no `i l o u`.
pub(crate) fn readable_id() -> Result<String, NoRandomness> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let characters = bytes::<10>()?.map(|byte| {
        let letter = ALPHABET.get(usize::from(byte) % 32).copied();
        char::from(letter.unwrap_or(b'0'))
    });
    Ok(characters.iter().collect())
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
