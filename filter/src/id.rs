//! Random ids.

/// 16 random bytes as 32 lower-case hex digits; `None` if the host gives no randomness.
pub(crate) fn random() -> Option<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
