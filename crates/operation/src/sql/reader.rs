//! A position in the tokens of one statement, and the small steps every grammar rule is made of.

use std::cell::Cell;

use super::columns::{Columns, Context};
use super::effects::Effects;
use super::keywords::{Class, class};
use super::lexer::{Kind, Token};
use super::{Copy, Named, Outputs};
use crate::Object;

/// Why a statement could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) &'static str);

/// The result of a grammar rule.
pub(super) type Read<T> = Result<T, Unreadable>;

/// How deep queries and expressions may nest: each level costs stack, of which a wasm module has
/// little.
const MAX_DEPTH: u32 = 250;

/// A name as the statement gives it. A leading database is dropped: the server refuses any but the
/// current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'t> {
    pub(super) schema: Option<&'t str>,
    pub(super) name: &'t str,
}

impl Name<'_> {
    pub(super) fn relation(self) -> Object {
        Object::Relation {
            schema: self.schema.map(str::to_owned),
            name: self.name.to_owned(),
        }
    }

    /// Its schema, if there is one, and its name.
    pub(super) fn owned(self) -> (Option<String>, String) {
        (self.schema.map(str::to_owned), self.name.to_owned())
    }

    pub(super) fn function(self) -> Object {
        Object::Function {
            schema: self.schema.map(str::to_owned),
            name: self.name.to_owned(),
        }
    }

    pub(super) fn other(self, kind: &str) -> Object {
        Object::Other {
            kind: kind.to_owned(),
            name: self.dotted(),
        }
    }

    pub(super) fn dotted(self) -> String {
        match self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.to_owned(),
        }
    }
}

/// A part of FROM, under the name `FOR UPDATE OF` knows it by.
#[derive(Debug)]
pub(super) struct Source<'t> {
    pub(super) known_as: &'t str,
    /// The table; `None` for a query or a join, which stands for all that was read in it.
    pub(super) object: Option<Object>,
}

/// How often a token may be looked at. An honest statement needs a few dozen; a text that makes a rule
/// go back again and again, or not at all on, would keep a worker busy.
const LOOKS_PER_TOKEN: usize = 500;

/// Reads one statement.
pub(super) struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
    depth: u32,
    /// Looks at tokens that are left; see [`LOOKS_PER_TOKEN`].
    looks: Cell<usize>,
    pub(super) effects: Effects,
    pub(super) columns: Columns<'t>,
    /// Names of the common table expressions in scope.
    pub(super) ctes: Vec<&'t str>,
    /// Tables read so far.
    pub(super) sources: Vec<Source<'t>>,
    pub(super) outputs: Outputs,
    /// The values of the items of the first SELECT of the query at the top.
    pub(super) items: Vec<&'t [Token<'a>]>,
    /// Set before that SELECT is read.
    pub(super) notes_items: bool,
    pub(super) named: Option<Named>,
    pub(super) copy: Option<Copy>,
    /// Set while the target of an UPDATE is read: there `SET` is no alias.
    pub(super) no_set_alias: bool,
}

impl<'t, 'a> Reader<'t, 'a> {
    pub(super) fn new(tokens: &'t [Token<'a>]) -> Self {
        Self {
            tokens,
            at: 0,
            depth: 0,
            looks: Cell::new(
                tokens
                    .len()
                    .saturating_mul(LOOKS_PER_TOKEN)
                    .saturating_add(10_000),
            ),
            effects: Effects::default(),
            columns: Columns::new(),
            ctes: Vec::new(),
            sources: Vec::new(),
            outputs: Outputs::Unknown,
            items: Vec::new(),
            notes_items: false,
            named: None,
            copy: None,
            no_set_alias: false,
        }
    }

    /// Runs `rule` one level deeper.
    pub(super) fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Unreadable("nested too deeply"));
        }
        self.depth += 1;
        let result = rule(self);
        self.depth -= 1;
        result
    }

    pub(super) fn tokens(&self) -> &'t [Token<'a>] {
        self.tokens
    }

    /// Runs `rule` where names have the roles of `context`.
    pub(super) fn noting<T>(
        &mut self,
        context: Context,
        rule: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<T> {
        let outer = self.columns.enter(context);
        let result = rule(self);
        self.columns.leave(outer);
        result
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The tokens from `start` to the position.
    pub(super) fn since(&self, start: usize) -> &'t [Token<'a>] {
        self.tokens.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    pub(super) fn nth(&self, ahead: usize) -> Option<&'t Token<'a>> {
        self.looks.set(self.looks.get().checked_sub(1)?);
        self.tokens.get(self.at.saturating_add(ahead))
    }

    pub(super) fn peek(&self) -> Option<&'t Token<'a>> {
        self.nth(0)
    }

    pub(super) fn previous(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.at.checked_sub(1)?)
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.tokens.len() || self.is_exhausted()
    }

    /// Whether the text took too many looks: from then on it seems to end everywhere.
    pub(super) fn is_exhausted(&self) -> bool {
        self.looks.get() == 0
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.tokens.len());
    }

    pub(super) fn skip_all(&mut self) {
        self.at = self.tokens.len();
    }

    /// The keyword `ahead` tokens on, or "" for anything else.
    pub(super) fn word(&self, ahead: usize) -> &'t str {
        match self.nth(ahead) {
            Some(token) if token.kind == Kind::Word => token.text(),
            _ => "",
        }
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is(word))
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.nth_is_mark(0, mark)
    }

    pub(super) fn nth_is_mark(&self, ahead: usize, mark: &str) -> bool {
        self.nth(ahead).is_some_and(|token| token.is_mark(mark))
    }

    pub(super) fn is_kind(&self, kind: Kind) -> bool {
        self.peek().is_some_and(|token| token.kind == kind)
    }

    /// Whether these keywords come next.
    pub(super) fn are(&self, words: &[&str]) -> bool {
        let mut ahead = 0_usize;
        words.iter().all(|word| {
            let found = self.nth(ahead).is_some_and(|token| token.is(word));
            ahead = ahead.saturating_add(1);
            found
        })
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.at += 1;
        }
        found
    }

    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = self.are(words);
        if found {
            self.skip(words.len());
        }
        found
    }

    /// Takes one of these keywords, if it comes next.
    pub(super) fn eat_any(&mut self, words: &[&str]) -> bool {
        let found = self.is_any(words);
        if found {
            self.at += 1;
        }
        found
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        let word = self.word(0);
        !word.is_empty() && words.contains(&word)
    }

    pub(super) fn eat_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        if found {
            self.at += 1;
        }
        found
    }

    pub(super) fn expect(&mut self, word: &str) -> Read<()> {
        if self.eat(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn expect_mark(&mut self, mark: &str) -> Read<()> {
        if self.eat_mark(mark) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// The reason for stopping at the next token.
    pub(super) fn unexpected(&self) -> Unreadable {
        Unreadable(match self.peek().map(|token| token.kind) {
            Some(Kind::Fault(reason)) => reason,
            Some(_) => "not understood as PostgreSQL",
            None => "the statement ends too early",
        })
    }

    /// Takes the constant or parameter that comes next.
    pub(super) fn take_constant(&mut self) {
        if let Some(token) = self.peek() {
            self.columns.note_constant(self.at, token.kind);
        }
        self.skip(1);
    }

    /// The next token as a string constant.
    pub(super) fn string(&mut self) -> Read<&'t str> {
        match self.peek() {
            Some(token) if token.kind == Kind::String => {
                self.at += 1;
                Ok(token.text())
            }
            _ => Err(self.unexpected()),
        }
    }

    /// `ColId`: a column, table or alias name.
    pub(super) fn column_id(&mut self) -> Read<&'t str> {
        self.name_token(|class| matches!(class, Class::Free | Class::Column))
    }

    /// `ColLabel`: any word.
    pub(super) fn label(&mut self) -> Read<&'t str> {
        self.name_token(|_| true)
    }

    /// A name where the grammar takes a non-reserved word of any class.
    pub(super) fn non_reserved(&mut self) -> Read<&'t str> {
        self.name_token(|class| class != Class::Reserved)
    }

    fn name_token(&mut self, allowed: impl Fn(Class) -> bool) -> Read<&'t str> {
        match self.peek() {
            Some(token)
                if token.kind == Kind::Quoted
                    || token.kind == Kind::Word && allowed(class(token.text())) =>
            {
                self.at += 1;
                Ok(token.text())
            }
            _ => Err(self.unexpected()),
        }
    }

    /// `qualified_name`: a relation, perhaps with its schema.
    pub(super) fn name(&mut self) -> Read<Name<'t>> {
        let first = self.column_id()?;
        self.name_after(first)
    }

    /// The rest of a dotted name.
    pub(super) fn name_after(&mut self, first: &'t str) -> Read<Name<'t>> {
        let mut name = Name {
            schema: None,
            name: first,
        };
        let mut parts = 1;
        while self.eat_mark(".") {
            parts += 1;
            if parts > 3 {
                return Err(Unreadable("a name of more than three parts"));
            }
            name = Name {
                schema: Some(name.name),
                name: self.label()?,
            };
        }
        Ok(name)
    }

    /// `rule, rule, …`.
    pub(super) fn list(&mut self, mut rule: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        loop {
            rule(self)?;
            if !self.eat_mark(",") {
                return Ok(());
            }
        }
    }

    /// `( rule )`.
    pub(super) fn parens<T>(&mut self, rule: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.expect_mark("(")?;
        let result = rule(self)?;
        self.expect_mark(")")?;
        Ok(result)
    }

    /// `( name, name, … )`, each of them a column.
    pub(super) fn columns_in_parens(&mut self) -> Read<()> {
        self.parens(|r| {
            r.list(|r| {
                let name = r.label()?;
                r.columns.note_column(name);
                Ok(())
            })
        })
    }

    /// `( name, name, … )`, names of no interest.
    pub(super) fn names_in_parens(&mut self) -> Read<()> {
        self.parens(|r| r.list(|r| r.label().map(drop)))
    }

    /// Where the next token starts in the text.
    pub(super) fn offset(&self) -> Option<usize> {
        self.peek().map(Token::start)
    }
}
