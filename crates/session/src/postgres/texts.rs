//! Texts as they were read, for all sessions of a VM: what a text does hangs on nothing but the text and
//! how it is read, and of its constants only on those the analysis looked at.

use std::rc::Rc;

use ostiary_operation::sql::{Reading, Shape, Tokens};

use super::judge::Read;
use super::known::{Known, MAX_KEY};

/// Texts that came more than once, and texts that differ only in constants from others.
#[derive(Debug, Default)]
pub(super) struct Texts {
    texts: Known<Text>,
    /// By outline.
    shapes: Known<Shaped>,
}

#[derive(Debug)]
struct Text {
    reading: Reading,
    read: Rc<Read>,
}

#[derive(Debug)]
struct Shaped {
    shape: Shape,
    reading: Reading,
    read: Rc<Read>,
}

impl Texts {
    /// What `text` does.
    pub(super) fn read(&mut self, text: &str, reading: Reading) -> Rc<Read> {
        if let Some(known) = self.texts.get(text.as_bytes())
            && known.reading == reading
        {
            return Rc::clone(&known.read);
        }
        let tokens = Tokens::cut(text, reading);
        let read = self.read_tokens(text, &tokens, reading);
        self.texts.keep(text.as_bytes(), || Text {
            reading,
            read: Rc::clone(&read),
        });
        read
    }

    fn read_tokens(&mut self, text: &str, tokens: &Tokens<'_>, reading: Reading) -> Rc<Read> {
        let short = text.len() <= MAX_KEY;
        let outline = short.then(|| tokens.outline()).flatten();
        let outline = outline.as_deref();
        if let Some(known) = outline.and_then(|outline| self.shapes.get(outline))
            && known.reading == reading
            && tokens.fit(&known.shape)
        {
            return Rc::clone(&known.read);
        }
        let analysis = tokens.analyze();
        // Whether a text without a statement is blank hangs on its comments.
        let has_statement = !analysis.statements.is_empty();
        let read = Rc::new(Read::of_text(text, analysis));
        if let Some((outline, shape)) = outline.zip(tokens.shape())
            && has_statement
        {
            self.shapes.keep(outline, || Shaped {
                shape,
                reading,
                read: Rc::clone(&read),
            });
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: Reading = Reading {
        standard_conforming_strings: true,
        utf8: true,
        server_utf8: true,
    };

    #[test]
    fn knows_what_comes_again_and_only_for_its_reading() {
        let mut texts = Texts::default();
        let text = "SELECT E'\u{e4}'";
        let reads: Vec<Rc<Read>> = (0..3).map(|_| texts.read(text, READING)).collect();
        assert!(!Rc::ptr_eq(&reads[0], &reads[1]));
        assert!(Rc::ptr_eq(&reads[1], &reads[2]));
        let other = Reading {
            utf8: false,
            ..READING
        };
        let unread = texts.read(text, other);
        assert!(unread.operations[0].facts.unreadable.is_some());
    }

    #[test]
    fn knows_what_differs_only_in_constants() {
        let mut texts = Texts::default();
        let mut read = |text: &str| texts.read(text, READING);
        let first = read("SELECT a FROM t WHERE b = 1");
        let second = read("SELECT a FROM t WHERE b = 2");
        let third = read("select a from t where b = 3 -- again");
        assert!(!Rc::ptr_eq(&first, &second));
        assert!(Rc::ptr_eq(&second, &third));
        for limit in ["LIMIT 1", "LIMIT 2", "LIMIT 2", "LIMIT 1"] {
            let read = read(&format!("SELECT a FROM t {limit}"));
            let limit = limit.strip_prefix("LIMIT ").and_then(|n| n.parse().ok());
            assert_eq!(read.operations[0].facts.row_limit, limit);
        }
    }

    #[test]
    fn a_text_without_a_statement_is_no_shape() {
        let mut texts = Texts::default();
        for _ in 0..3 {
            assert!(texts.read("-- ping", READING).operations.is_empty());
        }
        let odd = "/* /* ping */ */";
        for _ in 0..3 {
            assert!(!texts.read(odd, READING).operations.is_empty());
        }
        assert!(texts.read("-- ping", READING).operations.is_empty());
    }
}
