//! Type names (`Typename`). A type has no effect of its own; what counts is where it ends.

use super::keywords::{Class, class};
use super::lexer::Kind;
use super::reader::{Read, Reader};

impl Reader<'_, '_> {
    /// `Typename`, with array bounds.
    pub(super) fn type_name(&mut self) -> Read<()> {
        self.eat("setof");
        self.simple_type()?;
        if self.eat("array") {
            if self.is_mark("[") {
                self.bound()?;
            }
            return Ok(());
        }
        while self.is_mark("[") {
            self.bound()?;
        }
        Ok(())
    }

    fn bound(&mut self) -> Read<()> {
        self.expect_mark("[")?;
        if self.is_kind(Kind::Number) {
            self.skip(1);
        }
        self.expect_mark("]")
    }

    fn simple_type(&mut self) -> Read<()> {
        match self.word(0) {
            "double" if self.word(1) == "precision" => self.skip(2),
            "character" | "char" | "nchar" | "bit" => {
                self.skip(1);
                self.eat("varying");
                self.modifiers()?;
            }
            "national" => {
                self.skip(1);
                if !self.eat_any(&["character", "char"]) {
                    return Err(self.unexpected());
                }
                self.eat("varying");
                self.modifiers()?;
            }
            "time" | "timestamp" => {
                self.skip(1);
                self.modifiers()?;
                self.time_zone();
            }
            "interval" => {
                self.skip(1);
                self.modifiers()?;
                self.interval_fields()?;
            }
            word => {
                // Type names are words of any class but the reserved one.
                if !word.is_empty() && class(word) == Class::Reserved {
                    return Err(self.unexpected());
                }
                self.label()?;
                while self.eat_mark(".") {
                    self.label()?;
                }
                if self.is_mark("%") && matches!(self.word(1), "type" | "rowtype") {
                    self.skip(2);
                    return Ok(());
                }
                self.modifiers()?;
            }
        }
        Ok(())
    }

    /// `(10, 2)`.
    fn modifiers(&mut self) -> Read<()> {
        if self.is_mark("(") {
            self.parens(Self::expressions)?;
        }
        Ok(())
    }

    /// `WITH TIME ZONE`, `WITHOUT TIME ZONE`.
    pub(super) fn time_zone(&mut self) {
        if self.is_any(&["with", "without"]) && self.word(1) == "time" && self.word(2) == "zone" {
            self.skip(3);
        }
    }

    /// `DAY TO SECOND(3)` and its kind.
    pub(super) fn interval_fields(&mut self) -> Read<()> {
        const FIELDS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];
        if self.eat_any(&FIELDS) {
            self.modifiers()?;
            if self.is("to") && FIELDS.contains(&self.word(1)) {
                self.skip(2);
                self.modifiers()?;
            }
        }
        Ok(())
    }
}
