//! The loose part of definitions: constraints, options, actions.
//!
//! Their grammar is wide and most of it has no effect beyond the definition. So it is scanned, not
//! parsed: for tables it names, for queries, and for functions it calls, which run when an index is
//! built or a column is added. When in doubt something counts as a call.

use crate::sql::keywords::{Class, class};
use crate::sql::lexer::{Kind, Token};
use crate::sql::reader::{Read, Reader};
use crate::{Object, Verb};

impl<'t> Reader<'t, '_> {
    /// Scans to the end of the statement.
    pub(super) fn scan(&mut self) -> Read<()> {
        self.scan_until(|_| false)
    }

    /// Scans to the end, or to a token outside parentheses at which `stop` holds.
    pub(super) fn scan_until(&mut self, stop: impl Fn(&Self) -> bool) -> Read<()> {
        let mut depth = 0_u32;
        while let Some(token) = self.peek() {
            if depth == 0 && stop(self) {
                return Ok(());
            }
            match token.kind {
                Kind::Fault(_) => return Err(self.unexpected()),
                Kind::Punctuation if token.is_mark("(") => {
                    if self.holds_query() {
                        self.parenthesised()?;
                        continue;
                    }
                    depth += 1;
                }
                Kind::Punctuation if token.is_mark(")") => {
                    let Some(outer) = depth.checked_sub(1) else {
                        return Ok(());
                    };
                    depth = outer;
                }
                // Queries start behind parentheses and are read there: one here was overlooked.
                Kind::Word
                    if depth > 0 && self.is_any(&["select", "union", "intersect", "except"]) =>
                {
                    return Err(self.unexpected());
                }
                Kind::Word
                    if self.scan_expression()? || self.scan_words()? || self.scan_call()? =>
                {
                    continue;
                }
                Kind::Quoted if self.scan_call()? => continue,
                _ => {}
            }
            self.skip(1);
        }
        Ok(())
    }

    /// Whether the parentheses here hold a query, behind however many others.
    fn holds_query(&self) -> bool {
        let mut ahead = 1;
        while self.nth_is_mark(ahead, "(") {
            ahead += 1;
        }
        match self.word(ahead) {
            "select" | "with" | "table" => true,
            "values" => self.nth_is_mark(ahead + 1, "("),
            _ => false,
        }
    }

    /// Words after which an expression stands, read as one.
    fn scan_expression(&mut self) -> Read<bool> {
        match (self.word(0), self.word(1)) {
            ("check" | "using" | "when", _) if self.nth_is_mark(1, "(") => {
                self.skip(1);
                self.expression()?;
            }
            ("where", _) => {
                self.skip(1);
                self.expression()?;
            }
            // A generated column.
            ("always" | "expression", "as") if self.nth_is_mark(2, "(") => {
                self.skip(2);
                self.parenthesised()?;
            }
            ("default", _) if !self.previous().is_some_and(comes_before_setting) => {
                self.skip(1);
                self.default_value()?;
            }
            ("partition", "by") => {
                self.skip(2);
                self.label()?;
                self.parens(|r| r.list(Self::index_element))?;
            }
            ("exclude", "using") => {
                self.skip(2);
                self.column_id()?;
                self.excluded()?;
            }
            ("exclude", _) if self.nth_is_mark(1, "(") && self.starts_element() => {
                self.skip(1);
                self.excluded()?;
            }
            ("for", "values") if matches!(self.word(2), "in" | "from") => {
                self.skip(3);
                self.parenthesised()?;
                if self.eat("to") {
                    self.parenthesised()?;
                }
            }
            // A call like any other, of a function that only the type's name shows.
            ("treat", _) if self.nth_is_mark(1, "(") => return Err(self.unexpected()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What follows `DEFAULT`, if it is a value: `ON DELETE SET DEFAULT` and others have none.
    fn default_value(&mut self) -> Read<()> {
        if self.is("partition") {
            return Ok(());
        }
        let (start, scope) = (self.position(), self.ctes.len());
        let Err(reason) = self.expression() else {
            return Ok(());
        };
        self.ctes.truncate(scope);
        self.rewind(start);
        let none = self.at_end()
            || self.is_mark(",")
            || self.is_mark(")")
            || self.is_any(&AFTER_BARE_DEFAULT);
        if none { Ok(()) } else { Err(reason) }
    }

    /// `(a WITH =, (b + c) opclass WITH &&)`
    fn excluded(&mut self) -> Read<()> {
        self.parens(|r| {
            r.list(|r| {
                r.index_element()?;
                r.expect("with")?;
                if r.eat_operator() {
                    Ok(())
                } else {
                    Err(r.unexpected())
                }
            })
        })
    }

    /// Whether a column or a table constraint can start here.
    fn starts_element(&self) -> bool {
        self.previous()
            .is_none_or(|before| before.is_mark("(") || before.is_mark(",") || before.is("add"))
    }

    /// Words after which something has a name.
    fn scan_words(&mut self) -> Read<bool> {
        let starts_element = self.starts_element();
        match (self.word(0), self.word(1)) {
            ("references", _) => {
                self.skip(1);
                let name = self.name()?;
                // A foreign key tells which values the other table holds.
                self.effects.add(Verb::Select, name.relation());
            }
            ("like", _) if starts_element && !self.nth_is_mark(1, "=") => {
                self.skip(1);
                let name = self.name()?;
                self.effects.add(Verb::Select, name.relation());
            }
            ("inherits", _) if self.nth_is_mark(1, "(") => {
                self.skip(1);
                self.parens(|r| r.list(Self::scan_parent))?;
            }
            ("inherit", _) if self.is_name(1) => {
                self.skip(1);
                self.scan_parent()?;
            }
            ("partition", "of") => {
                self.skip(2);
                self.scan_parent()?;
            }
            ("attach" | "detach", "partition") => {
                self.skip(2);
                self.scan_parent()?;
            }
            ("merge", "partitions") | ("split", "partition") => {
                return Err(self.unexpected());
            }
            ("owner", "to") => {
                self.skip(2);
                // Ownership is every privilege at once.
                let name = self.role_name()?;
                self.effects.add(Verb::Grant, Object::Role { name });
            }
            ("set", "schema") if self.is_name(2) => {
                self.skip(2);
                let name = self.column_id()?.to_owned();
                self.effects.add(Verb::Alter, Object::Schema { name });
            }
            ("execute", "function" | "procedure") => {
                self.skip(2);
                let first = self.non_reserved()?;
                let name = self.name_after(first)?;
                self.effects.functions.insert(name.dotted());
                self.effects.add(Verb::Call, name.function());
                if self.is_mark("(") {
                    self.skip_parens()?;
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn scan_parent(&mut self) -> Read<()> {
        let name = self.name()?;
        self.effects.add(Verb::Alter, name.relation());
        Ok(())
    }

    fn is_name(&self, ahead: usize) -> bool {
        self.nth(ahead).is_some_and(|token| match token.kind {
            Kind::Quoted => true,
            Kind::Word => matches!(class(token.text()), Class::Free | Class::Column),
            _ => false,
        })
    }

    /// A name before a parenthesis, where an expression can be.
    fn scan_call(&mut self) -> Read<bool> {
        if self.is("operator") && self.eat_operator() {
            // `OPERATOR(schema.+)`: what follows is an operand.
            self.scan_operand()?;
            return Ok(true);
        }
        // `PRIMARY KEY (a)`
        let key = self.is("key")
            && self
                .previous()
                .is_some_and(|before| before.is("primary") || before.is("foreign"));
        if key || !self.previous().is_some_and(comes_before_expression) {
            return Ok(false);
        }
        self.scan_operand()
    }

    fn scan_operand(&mut self) -> Read<bool> {
        let mut ahead = 0;
        while self.nth_is_mark(ahead + 1, ".") {
            ahead += 2;
        }
        // `coalesce(` and `exists(` are no calls of their own; what they hold is scanned.
        let keyword = self.is_kind(Kind::Word)
            && matches!(class(self.word(0)), Class::Reserved | Class::Column);
        if keyword || !self.nth_is_mark(ahead + 1, "(") {
            if self.is_any(&WORDED_FUNCTIONS) && self.nth_is_mark(1, "(") {
                self.effects.functions.insert(self.word(0).to_owned());
            }
            return Ok(false);
        }
        let first = self.label()?;
        let name = self.name_after(first)?;
        let (arguments, scope) = (self.position(), self.ctes.len());
        if self.call(name).is_err() {
            // Not the arguments of a call; the parentheses are scanned for what they hold.
            self.ctes.truncate(scope);
            self.effects.functions.insert(name.dotted());
            self.effects.add(Verb::Call, name.function());
            self.rewind(arguments);
        }
        Ok(true)
    }
}

/// Built-in functions whose names are keywords.
#[rustfmt::skip]
const WORDED_FUNCTIONS: [&str; 10] = [
    "coalesce", "extract", "greatest", "least", "normalize", "nullif", "overlay", "position",
    "substring", "trim",
];

/// Whether an expression can follow, so that a name with a parenthesis behind it is a call, and not
/// a type with its length or a table with its columns.
fn comes_before_expression(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Operator => true,
        Kind::Punctuation => matches!(token.text(), "(" | "," | "[" | ":" | ":=" | "=>"),
        Kind::Word => match token.text() {
            "as" => false,
            "zone" | "escape" | "return" | "between" | "passing" | "document" | "content"
            | "value" | "version" => true,
            word => matches!(class(word), Class::Reserved | Class::Function),
        },
        _ => false,
    }
}

/// `SET work_mem TO DEFAULT`, `SET work_mem = DEFAULT`
fn comes_before_setting(token: &Token<'_>) -> bool {
    token.is("to") || token.is_mark("=")
}

/// What can follow a `DEFAULT` that gives no expression.
#[rustfmt::skip]
const AFTER_BARE_DEFAULT: [&str; 15] = [
    "as", "check", "collate", "constraint", "deferrable", "for", "initially", "not", "on",
    "primary", "references", "unique", "using", "with", "where",
];
