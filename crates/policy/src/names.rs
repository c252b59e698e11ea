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

/// Text as a terminal or a reviewer may see it: what would move the cursor, turn the direction of
/// reading or not be seen at all is spelled out.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if is_hidden(char) {
            shown.extend(char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    shown
}

/// Control characters, and those of the format category that change how others are read.
pub(crate) fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
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
