//! Function calls, with their arguments, filters and windows.

use super::total::is_constant;
use crate::sql::columns::{CHOOSING, SHAPING};
use crate::sql::functions;
use crate::sql::lexer::{Kind, Token};
use crate::sql::reader::{Name, Read, Reader};

/// The arguments of a call, as far as effects depend on them.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::sql) struct Arguments<'t> {
    /// How many there are.
    pub(in crate::sql) count: usize,
    /// The first two, where they are plain string constants without a name.
    pub(in crate::sql) literals: [Option<&'t str>; 2],
    /// Which of the first 64 vary from row to row: a bit for each.
    pub(in crate::sql) varying: u64,
}

impl<'t> Reader<'t, '_> {
    /// `name(…) …`; the position is at the parenthesis.
    pub(in crate::sql) fn call(&mut self, name: Name<'t>) -> Read<()> {
        let (names, constants) = (self.columns.mark(), self.columns.constant_mark());
        let start = self.position();
        let arguments = self.nested(Self::arguments)?;
        functions::record(&mut self.effects, name, &arguments);
        // A count is shown to the client: it must not be one of the rows some values have.
        let counted = self.since(start);
        let column = matches!(counted, [_, _, _] | [_, _, _, _, _])
            && !counted.iter().any(|token| token.is("distinct"));
        if name.name == "count" && !column {
            let group = self.columns.context.group;
            let span = self.columns.since(names);
            self.columns.give(span, group, SHAPING);
        }
        self.note_call(name, &arguments, names, constants);
        self.after_call()
    }

    fn arguments(&mut self) -> Read<Arguments<'t>> {
        let mut arguments = Arguments::default();
        self.expect_mark("(")?;
        self.eat_any(&["all", "distinct"]);
        if self.is_mark("*") && self.nth_is_mark(1, ")") {
            self.skip(2);
            return Ok(arguments);
        }
        if !self.is_mark(")") {
            loop {
                let start = self.position();
                let literal = self.argument()?;
                if !is_constant(self.since(start)) {
                    let bit = u32::try_from(arguments.count).ok();
                    let bit = bit.and_then(|bit| 1_u64.checked_shl(bit));
                    arguments.varying |= bit.unwrap_or(u64::MAX);
                }
                if let Some(slot) = arguments.literals.get_mut(arguments.count) {
                    *slot = literal;
                }
                arguments.count += 1;
                if !self.eat_mark(",") {
                    break;
                }
            }
            self.order_by()?;
        }
        self.expect_mark(")")?;
        Ok(arguments)
    }

    /// One argument; its value, if it is a plain string constant.
    fn argument(&mut self) -> Read<Option<&'t str>> {
        let plain = !self.eat("variadic");
        let named = self.nth_is_mark(1, "=>") || self.nth_is_mark(1, ":=");
        if named {
            self.non_reserved()?;
            self.skip(1);
        }
        let start = self.position();
        self.expression()?;
        Ok(match self.since(start) {
            [value] if plain && !named => literal(value),
            // `'users'::regclass`; another type may make anything of the text.
            [value, cast, kind]
                if plain
                    && !named
                    && cast.is_mark("::")
                    && (kind.is("regclass") || kind.is("text") || kind.is("name")) =>
            {
                literal(value)
            }
            _ => None,
        })
    }

    /// `WITHIN GROUP`, `FILTER`, `IGNORE NULLS` and `OVER`.
    pub(super) fn after_call(&mut self) -> Read<()> {
        if self.eat_all(&["within", "group"]) {
            self.parens(Self::order_by)?;
        }
        if self.is("filter") && self.nth_is_mark(1, "(") {
            self.skip(1);
            self.parens(|r| {
                r.expect("where")?;
                r.noting(CHOOSING, Self::expression)
            })?;
        }
        if matches!(self.word(0), "ignore" | "respect") && self.word(1) == "nulls" {
            self.skip(2);
        }
        if self.eat("over") {
            if self.is_mark("(") {
                self.nested(|r| r.noting(CHOOSING, Self::window))?;
            } else {
                self.column_id()?;
            }
        }
        Ok(())
    }

    /// `( [name] [PARTITION BY …] [ORDER BY …] [frame] )`.
    pub(in crate::sql) fn window(&mut self) -> Read<()> {
        self.expect_mark("(")?;
        if !self.is_mark(")") && !self.is_any(&["partition", "order", "range", "rows", "groups"]) {
            self.column_id()?;
        }
        if self.eat_all(&["partition", "by"]) {
            self.expressions()?;
        }
        self.order_by()?;
        if self.eat_any(&["range", "rows", "groups"]) {
            if self.eat("between") {
                self.frame_bound()?;
                self.expect("and")?;
            }
            self.frame_bound()?;
            if self.eat("exclude")
                && !self.eat_all(&["current", "row"])
                && !self.eat_all(&["no", "others"])
                && !self.eat_any(&["group", "ties"])
            {
                return Err(self.unexpected());
            }
        }
        self.expect_mark(")")
    }

    fn frame_bound(&mut self) -> Read<()> {
        if self.eat_all(&["current", "row"]) {
            return Ok(());
        }
        if !self.eat("unbounded") {
            self.expression()?;
        }
        if self.eat_any(&["preceding", "following"]) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }
}

fn literal<'t>(token: &'t Token<'_>) -> Option<&'t str> {
    (token.kind == Kind::String).then_some(token.text())
}
