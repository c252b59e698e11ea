//! What can fail, or give more than one row, for some values and not for others: whoever learns which of it
//! happened learns about the values, even if all output is masked.

use crate::sql::functions;
use crate::sql::lexer::{Kind, Token};
use crate::sql::reader::{Name, Read, Reader};

use super::Arguments;

impl<'t, 'a> Reader<'t, 'a> {
    /// An operator behind an operand; the position is behind it.
    pub(super) fn note_operator(&mut self, operator: &str) {
        let total = match operator {
            "||" | "->" | "->>" | "#>" | "#>>" | "=" | "<>" | "!=" | "<" | ">" | "<=" | ">="
            | "@>" | "<@" | "&&" | "?" | "?|" | "?&" => true,
            // A pattern can be malformed.
            "~" | "~*" | "!~" | "!~*" | "~~" | "~~*" | "!~~" | "!~~*" => self
                .peek()
                .is_some_and(|pattern| is_constant(std::slice::from_ref(pattern))),
            _ => false,
        };
        if !total {
            self.columns.fails();
        }
    }

    /// The type of a cast, of the operand in these tokens. A cast to a text never fails, and that of a
    /// bare column to a built-in type only tells what its values look like; a domain asks what it likes.
    pub(super) fn cast(&mut self, operand: &[Token<'_>]) -> Read<()> {
        let start = self.position();
        self.type_name()?;
        let name = self.since(start);
        let text = name.first().is_some_and(|name| {
            ["text", "varchar", "bpchar", "char", "character", "name"]
                .iter()
                .any(|text| name.is(text))
        });
        let bare = match operand {
            [_] => true,
            [open, _, close] => open.is_mark("(") && close.is_mark(")"),
            _ => false,
        } || matches!(operand, [_, dot, _] if dot.is_mark("."));
        // `numeric(4, 2)` asks about values of one's choice.
        let plain = !name.iter().any(|token| token.is_mark("("))
            && name.first().is_some_and(|first| {
                first.kind == Kind::Word && functions::is_built_in_type(first.text())
            })
            && !name.iter().any(|token| token.is_mark("."));
        let harmless = text || bare && plain || is_constant(operand);
        if !harmless {
            self.columns.fails();
        }
        Ok(())
    }

    /// A call that was read, with the names noted since `names` and the constants since `constants`.
    pub(super) fn note_call(
        &mut self,
        name: Name<'t>,
        arguments: &Arguments<'t>,
        names: usize,
        constants: usize,
    ) {
        use functions::Totality;
        let span = self.columns.since(names);
        match functions::totality(name, arguments) {
            Totality::Total => {}
            Totality::Partial => self.columns.fails(),
            // Policy has to permit it by name; what it makes of its arguments is its own.
            Totality::Unknown => self.columns.hide_constants(constants),
            Totality::Effect => {
                self.columns.fails();
                let group = self.columns.context.group;
                self.columns.give(span, group, crate::sql::columns::MOVED);
                self.columns.hide_constants(constants);
            }
        }
        if name.schema.is_none() && name.name == "coalesce" {
            self.columns.skips();
        }
        // `email(u)` is `u.email`.
        if name.schema.is_none() && arguments.count == 1 {
            self.columns.note_column(name.name);
        }
    }
}

/// Whether these tokens are a constant or a parameter.
pub(super) fn is_constant(tokens: &[Token<'_>]) -> bool {
    let constant = |token: &Token<'_>| {
        matches!(
            token.kind,
            Kind::Number | Kind::String | Kind::Parameter | Kind::Opaque
        )
    };
    match tokens {
        [token] => constant(token) || ["null", "true", "false"].iter().any(|word| token.is(word)),
        [sign, number] => (sign.is_mark("-") || sign.is_mark("+")) && number.kind == Kind::Number,
        _ => false,
    }
}
