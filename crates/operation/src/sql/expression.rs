//! Expressions (`a_expr` and what it is made of).
//!
//! Precedence does not matter here: what counts is which functions an expression calls and which
//! queries it holds. So an expression is read as operands with something between them, in a loop
//! that takes no stack however long the chain is.

mod call;
mod special;
mod total;

pub(super) use call::Arguments;

use super::columns::What;
use super::functions;
use super::keywords::{Class, class};
use super::lexer::Kind;
use super::reader::{Read, Reader, Unreadable};

/// What a pair of parentheses held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parens {
    Query,
    Expressions,
}

impl<'t> Reader<'t, '_> {
    /// `a_expr`.
    pub(super) fn expression(&mut self) -> Read<()> {
        self.nested(|r| {
            r.framed(|r| {
                r.prefixed_operand()?;
                r.after_operand(true)
            })
        })
    }

    /// Reads one expression, or part of one with an AND or OR of its own.
    fn framed(&mut self, rule: impl FnOnce(&mut Self) -> Read<()>) -> Read<()> {
        let outer = self.columns.open(self.position());
        let result = rule(self);
        self.columns.close(outer);
        result
    }

    /// An expression that ends before `IN`, as in `position(a IN b)`.
    fn expression_before_in(&mut self) -> Read<()> {
        self.nested(|r| {
            r.framed(|r| {
                r.prefixed_operand()?;
                r.after_operand(false)
            })
        })
    }

    pub(super) fn expressions(&mut self) -> Read<()> {
        self.list(Self::expression)
    }

    fn prefixed_operand(&mut self) -> Read<()> {
        while let Some(operator) = self.peek() {
            if self.eat_operator() {
                // Not `-1`.
                if !self.is_kind(Kind::Number) || !matches!(operator.text(), "-" | "+") {
                    self.columns.fails();
                }
            } else if !self.eat("not") {
                break;
            }
        }
        self.operand()
    }

    /// An operator, also as `OPERATOR(schema.+)`.
    pub(super) fn eat_operator(&mut self) -> bool {
        if self.is_kind(Kind::Operator) {
            self.skip(1);
            return true;
        }
        if !self.is("operator") || !self.nth_is_mark(1, "(") {
            return false;
        }
        let mut ahead = 2;
        while self.nth_is_mark(ahead + 1, ".") {
            ahead += 2;
        }
        let operator = self.nth(ahead).is_some_and(|t| t.kind == Kind::Operator);
        if operator && self.nth_is_mark(ahead + 1, ")") {
            self.skip(ahead + 2);
            return true;
        }
        false
    }

    /// Everything that can follow a first operand.
    fn after_operand(&mut self, with_in: bool) -> Read<()> {
        let mut escape = false;
        loop {
            let Some(token) = self.peek() else {
                return Ok(());
            };
            match token.kind {
                Kind::Operator => {
                    self.skip(1);
                    self.note_operator(token.text());
                    self.prefixed_operand()?;
                }
                Kind::Punctuation => match token.text() {
                    "::" => {
                        let operand = self.since(self.columns.frame().token);
                        self.skip(1);
                        self.cast(operand)?;
                    }
                    "[" => self.subscript()?,
                    "." => {
                        self.skip(1);
                        if !self.eat_mark("*") {
                            let field = self.label()?;
                            functions::record_field(&mut self.effects, field);
                            self.columns.note_column(field);
                            if functions::field_can_fail(field) {
                                self.columns.fails();
                            }
                        }
                    }
                    _ => return Ok(()),
                },
                Kind::Word => {
                    if !self.word_after_operand(token.text(), with_in, &mut escape)? {
                        return Ok(());
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// Takes what `word` starts, if it goes on with the expression.
    fn word_after_operand(&mut self, word: &str, with_in: bool, escape: &mut bool) -> Read<bool> {
        match word {
            "and" | "or" => {
                self.skip(1);
                self.columns.connective(word == "and");
                self.prefixed_operand()?;
            }
            "overlaps" => {
                self.skip(1);
                self.prefixed_operand()?;
            }
            "like" | "ilike" => {
                self.skip(1);
                *escape = true;
                self.note_operator("~");
                self.prefixed_operand()?;
            }
            "similar" if self.word(1) == "to" => {
                self.skip(2);
                *escape = true;
                self.note_operator("~");
                self.prefixed_operand()?;
            }
            "escape" if *escape => {
                self.skip(1);
                *escape = false;
                self.note_operator("~");
                self.prefixed_operand()?;
            }
            "between" => {
                self.skip(1);
                self.eat_any(&["symmetric", "asymmetric"]);
                self.columns.between();
                self.prefixed_operand()?;
            }
            "in" if with_in => {
                self.skip(1);
                self.columns.skips();
                self.parenthesised()?;
            }
            "not"
                if matches!(
                    self.word(1),
                    "like" | "ilike" | "similar" | "between" | "in"
                ) =>
            {
                self.skip(1);
            }
            "is" => self.is_predicate()?,
            "isnull" | "notnull" => self.skip(1),
            "collate" => {
                self.skip(1);
                self.name()?;
            }
            "at" if self.word(1) == "time" && self.word(2) == "zone" => {
                self.skip(3);
                self.columns.fails();
                self.prefixed_operand()?;
            }
            "at" if self.word(1) == "local" => self.skip(2),
            "operator" if self.nth_is_mark(1, "(") => {
                if !self.eat_operator() {
                    return Ok(false);
                }
                self.columns.fails();
                self.prefixed_operand()?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `IS …`.
    fn is_predicate(&mut self) -> Read<()> {
        self.skip(1);
        self.eat("not");
        if self.eat_all(&["distinct", "from"]) {
            return self.prefixed_operand();
        }
        if self.eat("of") {
            return self.parens(|r| r.list(Self::type_name));
        }
        if self.eat("json") {
            self.eat_any(&["value", "array", "object", "scalar"]);
            if self.eat_any(&["with", "without"]) {
                self.expect("unique")?;
                self.eat_any(&["keys", "key"]);
            }
            return Ok(());
        }
        let form = self.eat_any(&["nfc", "nfd", "nfkc", "nfkd"]);
        if self.eat("normalized")
            || !form && self.eat_any(&["null", "true", "false", "unknown", "document"])
        {
            return Ok(());
        }
        Err(self.unexpected())
    }

    /// `[a]`, `[a:b]`, `[:]`.
    pub(super) fn subscript(&mut self) -> Read<()> {
        self.expect_mark("[")?;
        if !self.is_mark(":") && !self.is_mark("]") {
            self.expression()?;
        }
        if self.eat_mark(":") && !self.is_mark("]") {
            self.expression()?;
        }
        self.expect_mark("]")
    }

    /// `( … )`: a query, one expression or a row of them.
    pub(super) fn parenthesised(&mut self) -> Read<()> {
        self.nested(Self::in_parens).map(drop)
    }

    fn in_parens(&mut self) -> Read<Parens> {
        // Behind further parentheses the expression has begun already when it shows to be one.
        let outer = self.columns.open(self.position());
        let result = self.in_parens_framed();
        self.columns.close(outer);
        result
    }

    fn in_parens_framed(&mut self) -> Read<Parens> {
        let names = self.columns.mark();
        self.expect_mark("(")?;
        if self.starts_query() {
            self.query()?;
            self.expect_mark(")")?;
            return Ok(Parens::Query);
        }
        if self.eat_mark(")") {
            return Ok(Parens::Expressions);
        }
        if self.is_mark("(") {
            let inner = self.nested(Self::in_parens)?;
            if inner == Parens::Query && (self.is_mark(")") || self.goes_on_as_query()) {
                self.query_rest(names)?;
                self.expect_mark(")")?;
                return Ok(Parens::Query);
            }
            self.after_operand(true)?;
        } else {
            self.expression()?;
        }
        while self.eat_mark(",") {
            self.expression()?;
        }
        self.expect_mark(")")?;
        Ok(Parens::Expressions)
    }

    /// A function in FROM.
    pub(super) fn function_operand(&mut self) -> Read<()> {
        self.framed(Self::operand)
    }

    /// One operand, without what may follow it.
    fn operand(&mut self) -> Read<()> {
        let Some(token) = self.peek() else {
            return Err(self.unexpected());
        };
        match token.kind {
            Kind::Number | Kind::String | Kind::Parameter => self.take_constant(),
            Kind::Opaque => {
                self.take_constant();
                if self.is("uescape") {
                    self.skip(1);
                    self.string()?;
                }
            }
            Kind::Punctuation if token.is_mark("(") => self.parenthesised()?,
            Kind::Quoted => return self.name_operand(),
            Kind::Word => return self.word_operand(token.text()),
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    fn word_operand(&mut self, word: &'t str) -> Read<()> {
        if self.special_operand(word)? {
            return Ok(());
        }
        match class(word) {
            Class::Free => self.name_operand(),
            // Names of types and functions that cannot be columns.
            Class::Function if self.nth_is_mark(1, "(") || self.nth_is_mark(1, ".") => {
                self.name_operand()
            }
            Class::Function if self.nth(1).is_some_and(|t| t.kind == Kind::String) => {
                self.skip(1);
                self.take_constant();
                Ok(())
            }
            Class::Column => self.name_operand(),
            _ => Err(self.unexpected()),
        }
    }

    /// A column, a function call or a constant of a named type.
    fn name_operand(&mut self) -> Read<()> {
        let start = self.position();
        let first = self.label()?;
        let (mut parts, mut last, mut qualifier) = (1_usize, first, None);
        while self.is_mark(".") {
            if self.nth_is_mark(1, "*") {
                self.skip(2);
                self.columns.note(What::AllOf(last));
                return Ok(());
            }
            self.skip(1);
            qualifier = Some(last);
            last = self.label()?;
            parts += 1;
        }
        let is_call = self.is_mark("(");
        let is_constant = self.is_kind(Kind::String) || self.is_kind(Kind::Opaque);
        if !is_call && !is_constant {
            if parts > 1 {
                functions::record_field(&mut self.effects, last);
            }
            let name = last;
            self.columns.note(What::Column { qualifier, name });
            return Ok(());
        }
        if parts > 3 {
            return Err(Unreadable("a name of more than three parts"));
        }
        if is_constant {
            self.take_constant();
            return Ok(());
        }
        self.rewind(start + 1);
        let name = self.name_after(first)?;
        self.call(name)?;
        // `numeric(10,2) '1.5'`
        if self.is_kind(Kind::String) {
            self.take_constant();
        }
        Ok(())
    }
}
