//! Text that others chose, made safe to read on a terminal.

use std::fmt::Write as _;

/// `text` on one line: line breaks and tabs are escapes too.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut out, character);
    }
    out
}

/// `text` with its line breaks and tabs, each line behind `margin`, so that no line of it can pass
/// for a line of ours.
pub(crate) fn block(text: &str, margin: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        out.push_str(margin);
        for character in line.chars() {
            match character {
                '\t' => out.push_str("    "),
                other => push(&mut out, other),
            }
        }
    }
    out
}

/// Letters of `text` that are not ASCII, at most `limit` different ones: one may look like another.
pub(crate) fn unusual(text: &str, limit: usize) -> Vec<char> {
    let mut found = Vec::new();
    for character in text.chars().filter(|c| !c.is_ascii()) {
        if found.len() == limit {
            break;
        }
        if !found.contains(&character) {
            found.push(character);
        }
    }
    found
}

fn push(out: &mut String, character: char) {
    let code = u32::from(character);
    // Writing to a string does not fail.
    let _ = match character {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        _ if code < 0x20 || code == 0x7f => write!(out, "\\x{code:02x}"),
        _ if is_deceptive(code) => write!(out, "\\u{{{code:x}}}"),
        _ => out.write_char(character),
    };
}

/// Characters that a terminal obeys, or shows as nothing or as something else: C1 controls, spaces
/// other than the space, joiners, bidirectional controls, fillers, variation selectors, tags,
/// private use and non-characters.
fn is_deceptive(code: u32) -> bool {
    matches!(
        code,
        0x80..=0xa0
            | 0xad
            | 0x034f
            | 0x061c
            | 0x115f..=0x1160
            | 0x1680
            | 0x17b4..=0x17b5
            | 0x180b..=0x180f
            | 0x2000..=0x200f
            | 0x2028..=0x202f
            | 0x205f..=0x206f
            | 0x2800
            | 0x3000
            | 0x3164
            | 0xe000..=0xf8ff
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xffa0
            | 0xfff0..=0xfffb
            | 0xfffe..=0xffff
            | 0x1d173..=0x1d17a
            | 0xe0000..=0x10ffff
    )
}

#[cfg(test)]
mod tests {
    use super::{block, one_line, unusual};

    #[test]
    fn text_of_agents_cannot_steer_a_terminal() {
        let cases = [
            ("plain text", "plain text", "plain text"),
            ("title", "\u{1b}]0;owned\u{7}", "\\x1b]0;owned\\x07"),
            (
                "clipboard",
                "\u{1b}]52;c;eA==\u{1b}\\",
                "\\x1b]52;c;eA==\\x1b\\",
            ),
            ("link", "\u{1b}]8;;http://x\u{7}", "\\x1b]8;;http://x\\x07"),
            ("erase", "a\u{1b}[2Kb", "a\\x1b[2Kb"),
            ("overwrite", "DROP\rSELECT", "DROP\\rSELECT"),
            ("backspace", "DROP\u{8}\u{8}", "DROP\\x08\\x08"),
            ("new line", "a\nb", "a\\nb"),
            ("nul", "a\0b", "a\\x00b"),
            ("delete", "a\u{7f}b", "a\\x7fb"),
            ("C1 control sequence", "\u{9b}2J", "\\u{9b}2J"),
            ("next line", "a\u{85}b", "a\\u{85}b"),
            ("bidi override", "a\u{202e}b", "a\\u{202e}b"),
            ("bidi isolate", "a\u{2066}b\u{2069}", "a\\u{2066}b\\u{2069}"),
            ("zero width", "us\u{200b}ers", "us\\u{200b}ers"),
            ("byte order mark", "\u{feff}SELECT", "\\u{feff}SELECT"),
            ("no-break space", "a\u{a0}b", "a\\u{a0}b"),
            ("line separator", "a\u{2028}b", "a\\u{2028}b"),
            ("tags", "a\u{e0041}b", "a\\u{e0041}b"),
            ("hangul filler", "a\u{3164}b", "a\\u{3164}b"),
            ("letters stay", "größe 漢字", "größe 漢字"),
        ];
        for (name, text, shown) in cases {
            assert_eq!(one_line(text), shown, "{name}");
        }
    }

    #[test]
    fn every_line_of_a_block_has_its_margin() {
        assert_eq!(
            block("SELECT 1\n\tFROM x\r\n\napproved\u{1b}[A", "  | "),
            "  | SELECT 1\n  |     FROM x\\r\n  | \n  | approved\\x1b[A"
        );
    }

    #[test]
    fn letters_that_may_look_like_others_are_named() {
        assert_eq!(unusual("SELECT * FROM u\u{455}ers", 8), ['\u{455}']);
        assert_eq!(unusual("ééü", 1), ['é']);
        assert!(unusual("SELECT 1", 8).is_empty());
    }
}
