//! Names authors choose, and what they probably meant by an unknown one.

const MAX_NAME: usize = 64;

/// Names are shown in errors, terminals and URLs, so they are plain.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// What a name may be, for messages.
pub(crate) const PLAIN: &str = "ASCII letters, digits, `-`, `_` and `.`, at most 64";

/// "; did you mean `x`?" if a known name is near, else "; known: …".
pub(crate) fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 4))
        .min();
    match near {
        Some((_, candidate)) => format!("; did you mean `{candidate}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; known: {}", known.join(", ")),
    }
}

/// Levenshtein distance, by bytes, of the first 64 of each.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<u8> = right.bytes().take(MAX_NAME).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, byte) in left.bytes().take(MAX_NAME).enumerate() {
        let mut diagonal = index;
        let mut before = index.saturating_add(1);
        let mut next = vec![before];
        for (above, other) in row.iter().skip(1).zip(&right) {
            let change = diagonal.saturating_add(usize::from(byte != *other));
            before = change
                .min(above.saturating_add(1))
                .min(before.saturating_add(1));
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
