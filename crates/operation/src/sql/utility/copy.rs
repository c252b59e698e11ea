//! COPY in both directions, with the connection, a server file or a program at the other end.

use crate::sql::columns::Columns;
use crate::sql::copy::{Copied, Copy, Options};
use crate::sql::lexer::Kind;
use crate::sql::reader::{Read, Reader};
use crate::{Object, Verb};

/// Options that say nothing of how rows are written to a client.
const OTHERS: [&str; 10] = [
    "convert_selectively",
    "default",
    "force_not_null",
    "force_null",
    "force_quote",
    "freeze",
    "log_verbosity",
    "oids",
    "on_error",
    "reject_limit",
];

impl<'t> Reader<'t, '_> {
    pub(super) fn copy(&mut self) -> Read<()> {
        self.skip(1);
        let mut options = Options::new();
        if self.eat("binary") {
            options.set("format", Some("binary"));
        }
        let (table, rows) = self.copied()?;
        let into_table = if self.eat("from") {
            true
        } else {
            self.expect("to")?;
            false
        };
        let program = self.eat("program");
        let connection = !program && self.eat_any(&["stdin", "stdout"]);
        if !connection {
            self.string()?;
            self.effects.add(Verb::ServerFile, Object::Database);
        }
        let verb = if into_table {
            Verb::Insert
        } else {
            Verb::Select
        };
        if let Some(table) = &table {
            self.effects.add(verb, table.clone());
        }
        self.copy_options(&mut options)?;
        if connection {
            let verb = if into_table {
                Verb::CopyIn
            } else {
                Verb::CopyOut
            };
            self.effects.add(verb, table.unwrap_or(Object::Database));
            self.copy = Some(Copy {
                out: !into_table,
                rows,
                layout: options.layout(),
            });
        }
        Ok(())
    }

    /// A table with its columns, or a query in parentheses.
    fn copied(&mut self) -> Read<(Option<Object>, Copied)> {
        if !self.is_mark("(") {
            let name = self.name()?;
            let mut columns = Vec::new();
            if self.is_mark("(") {
                self.parens(|r| {
                    r.list(|r| {
                        columns.push(r.label()?.to_owned());
                        Ok(())
                    })
                })?;
            }
            let rows = Copied::Table {
                schema: name.schema.map(str::to_owned),
                name: name.name.to_owned(),
                columns,
            };
            return Ok((Some(name.relation()), rows));
        }
        self.skip(1);
        let from = self.offset().unwrap_or_default();
        self.noting(Columns::returning(), Self::query)?;
        let to = self.offset().unwrap_or_default();
        self.expect_mark(")")?;
        Ok((None, Copied::Query { from, to }))
    }

    fn copy_options(&mut self, options: &mut Options) -> Read<()> {
        self.eat("using");
        if self.eat("delimiters") {
            let value = self.value()?;
            options.set("delimiter", value);
        }
        self.eat("with");
        if self.is_mark("(") {
            self.parens(|r| r.list(|r| r.generic_option(options)))?;
        } else {
            while !self.at_end() && !self.is("where") {
                self.old_option(options)?;
            }
        }
        if self.eat("where") {
            // About the rows that come in.
            let incoming = Columns::returning();
            return self.noting(incoming, Self::expression);
        }
        Ok(())
    }

    /// `copy_generic_opt_elem`: a name, and what stands up to the next comma.
    fn generic_option(&mut self, options: &mut Options) -> Read<()> {
        let name = self.label()?;
        let value = if self.is_mark(",") || self.is_mark(")") {
            // Only of HEADER this says something.
            (name == "header").then_some("true")
        } else if self.is_mark("(") {
            self.skip_parens()?;
            None
        } else if self.eat_mark("*") {
            None
        } else {
            self.value()?
        };
        if !OTHERS.contains(&name) {
            options.set(name, value);
        }
        Ok(())
    }

    /// `copy_opt_item`, the syntax of before 9.0.
    fn old_option(&mut self, options: &mut Options) -> Read<()> {
        let name = self.label()?;
        match name {
            "binary" | "csv" => options.set("format", Some(name)),
            "header" => options.set("header", Some("true")),
            "freeze" | "oids" => {}
            "force" => {
                self.eat("not");
                if !self.eat_any(&["quote", "null"]) {
                    return Err(self.unexpected());
                }
                if !self.eat_mark("*") {
                    self.list(|r| r.label().map(drop))?;
                }
            }
            "delimiter" | "null" | "quote" | "escape" | "encoding" => {
                if name != "encoding" {
                    self.eat("as");
                }
                let value = self.value()?;
                options.set(name, value);
            }
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    /// A value of one token, or a number with its sign; `None` if what it says is not certain.
    fn value(&mut self) -> Read<Option<&'t str>> {
        let signed = self.eat_mark("-") || self.eat_mark("+");
        let Some(token) = self.peek() else {
            return Err(self.unexpected());
        };
        let value = match token.kind {
            Kind::Word | Kind::Quoted | Kind::String => Some(token.text()),
            // As the server writes it only where it is that short.
            Kind::Number if token.text().len() == 1 => Some(token.text()),
            Kind::Number | Kind::Opaque => None,
            Kind::Parameter | Kind::Operator | Kind::Punctuation | Kind::Fault(_) => {
                return Err(self.unexpected());
            }
        };
        self.skip(1);
        Ok(value.filter(|_| !signed))
    }
}
