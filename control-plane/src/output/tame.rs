//! Output of a command that others chose, for a player to draw: colours and the cursor stay, and whatever
//! else a terminal would obey is shown as text: titles, the clipboard, links, questions it would answer.

/// Bytes of a control sequence that is obeyed.
const MAX_SEQUENCE: usize = 64;

/// One channel's output, cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct Tame {
    /// Bytes of a character that is not whole.
    partial: Vec<u8>,
    /// The beginning of a control sequence, from its ESC.
    sequence: String,
    after_return: bool,
}

impl Tame {
    /// The next of it.
    pub(crate) fn next(&mut self, bytes: &[u8]) -> String {
        self.partial.extend_from_slice(bytes);
        let whole = whole_characters(&self.partial);
        let rest = self.partial.split_off(whole);
        let text =
            String::from_utf8_lossy(&std::mem::replace(&mut self.partial, rest)).into_owned();
        let mut out = String::with_capacity(text.len());
        for character in text.chars() {
            self.push(character, &mut out);
        }
        out
    }

    /// What is left at the end.
    pub(crate) fn end(&mut self) -> String {
        let mut out = String::new();
        self.give_up(&mut out);
        out.push_str(&String::from_utf8_lossy(&std::mem::take(&mut self.partial)));
        out
    }

    fn push(&mut self, character: char, out: &mut String) {
        if self.sequence.is_empty() {
            return self.plain(character, out);
        }
        if character == '\u{1b}' {
            self.give_up(out);
            self.sequence.push(character);
            return;
        }
        self.sequence.push(character);
        match verdict(&self.sequence) {
            Verdict::Wait if self.sequence.len() < MAX_SEQUENCE => {}
            Verdict::Obey => {
                out.push_str(&self.sequence);
                self.sequence.clear();
            }
            Verdict::Wait | Verdict::Show => self.give_up(out),
        }
    }

    fn plain(&mut self, character: char, out: &mut String) {
        let after_return = std::mem::replace(&mut self.after_return, character == '\r');
        match character {
            '\u{1b}' => self.sequence.push(character),
            // Without a terminal a new line begins where the last one ended.
            '\n' if !after_return => out.push_str("\r\n"),
            '\n' | '\r' | '\t' | '\u{8}' => out.push(character),
            _ => out.push(shown(character)),
        }
    }

    /// Shows a sequence that is not obeyed.
    fn give_up(&mut self, out: &mut String) {
        let sequence = std::mem::take(&mut self.sequence);
        for character in sequence.chars() {
            match character {
                '\u{1b}' => out.push('\u{241b}'),
                other => self.plain(other, out),
            }
        }
    }
}

/// How many of the bytes are not the beginning of a character that goes on.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        // What is broken further on is shown as such.
        _ => {
            let tail = bytes.len().saturating_sub(3);
            let last = bytes.get(tail..).unwrap_or_default();
            let begins = last.iter().rposition(|byte| *byte >= 0xc0);
            let cut = begins.filter(|at| {
                let end = last.get(*at..).unwrap_or_default();
                std::str::from_utf8(end).is_err_and(|it| it.error_len().is_none())
            });
            cut.map_or(bytes.len(), |at| tail.saturating_add(at))
        }
    }
}

/// A control as a picture of it.
fn shown(character: char) -> char {
    match u32::from(character) {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
        0x7f => '\u{2421}',
        0x80..=0x9f => '\u{fffd}',
        _ => character,
    }
}

enum Verdict {
    Wait,
    Obey,
    Show,
}

fn verdict(sequence: &str) -> Verdict {
    let rest = sequence.strip_prefix('\u{1b}').unwrap_or_default();
    let Some(parameters) = rest.strip_prefix('[') else {
        // Save and restore the cursor, new lines, the keypad, character sets.
        return match rest {
            "7" | "8" | "D" | "E" | "M" | "=" | ">" | "(B" | "(0" => Verdict::Obey,
            "(" => Verdict::Wait,
            _ => Verdict::Show,
        };
    };
    let Some(last) = parameters.chars().next_back() else {
        return Verdict::Wait;
    };
    if matches!(last, '0'..='9' | ';' | ':' | '?') {
        return Verdict::Wait;
    }
    let body = parameters.strip_suffix(last).unwrap_or_default();
    let is_obeyed = match last {
        'A'..='H'
        | 'J'
        | 'K'
        | 'L'
        | 'M'
        | 'P'
        | 'S'
        | 'X'
        | '@'
        | 'd'
        | 'f'
        | 'm'
        | 'r'
        | 's'
        | 'u' => !body.starts_with('?'),
        'h' | 'l' => matches!(
            body,
            "4" | "?1" | "?7" | "?25" | "?47" | "?1047" | "?1048" | "?1049" | "?2004"
        ),
        _ => false,
    };
    match is_obeyed {
        true => Verdict::Obey,
        false => Verdict::Show,
    }
}

#[cfg(test)]
mod tests {
    use super::Tame;

    fn whole(text: &str) -> String {
        let mut tame = Tame::default();
        tame.next(text.as_bytes()) + &tame.end()
    }

    #[test]
    fn a_terminal_draws_and_does_nothing_else() {
        for (name, text, expected) in [
            ("text", "größe 漢字\r\n", "größe 漢字\r\n"),
            ("lines without a terminal", "a\nb\n", "a\r\nb\r\n"),
            (
                "colour",
                "\u{1b}[1;31mred\u{1b}[0m",
                "\u{1b}[1;31mred\u{1b}[0m",
            ),
            (
                "the cursor",
                "\u{1b}[2J\u{1b}[H\u{1b}7",
                "\u{1b}[2J\u{1b}[H\u{1b}7",
            ),
            ("the other screen", "\u{1b}[?1049h", "\u{1b}[?1049h"),
            ("a title", "\u{1b}]0;owned\u{7}", "␛]0;owned␇"),
            (
                "the clipboard",
                "\u{1b}]52;c;eA==\u{1b}\\",
                "␛]52;c;eA==␛\\",
            ),
            ("a link", "\u{1b}]8;;http://x\u{7}y", "␛]8;;http://x␇y"),
            ("a question", "\u{1b}[6n\u{1b}[c\u{1b}[>q", "␛[6n␛[c␛[>q"),
            ("the mouse", "\u{1b}[?1000h", "␛[?1000h"),
            ("a window", "\u{1b}[21t", "␛[21t"),
            ("a device", "\u{1b}Pq\u{1b}\\", "␛Pq␛\\"),
            (
                "C1",
                "\u{9b}2J\u{9d}0;x\u{9c}",
                "\u{fffd}2J\u{fffd}0;x\u{fffd}",
            ),
            ("a sequence without an end", "\u{1b}[12", "␛[12"),
            ("a new line within", "\u{1b}[1\nx", "␛[1\r\nx"),
        ] {
            assert_eq!(whole(text), expected, "{name}");
        }
        let long = format!("\u{1b}[{}m", "1;".repeat(60));
        assert!(whole(&long).starts_with('␛'));
    }

    #[test]
    fn however_it_is_cut_it_is_the_same() {
        let text = "größe \u{1b}[31mrot\u{1b}]0;x\u{7}\r\n漢\u{1b}[6n\nend";
        let mut tame = Tame::default();
        let mut out = String::new();
        for byte in text.as_bytes() {
            out.push_str(&tame.next(&[*byte]));
        }
        out.push_str(&tame.end());
        assert_eq!(out, whole(text));
        assert_eq!(Tame::default().next(b"\xff\xfe a"), "\u{fffd}\u{fffd} a");
    }
}
