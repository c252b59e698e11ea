//! Operands with a grammar of their own: `CASE`, `CAST`, `EXTRACT(… FROM …)`, `XMLELEMENT` and so on.

use super::Arguments;
use super::total::is_constant;
use crate::Verb;
use crate::sql::columns::{Context, SHAPING};
use crate::sql::functions;
use crate::sql::lexer::{Kind, Token};
use crate::sql::reader::{Name, Read, Reader, Unreadable};

impl<'t> Reader<'t, '_> {
    /// Reads an operand that starts with the keyword `word`; false if `word` is just a name.
    pub(super) fn special_operand(&mut self, word: &'t str) -> Read<bool> {
        let called = self.nth_is_mark(1, "(");
        match word {
            "null" | "true" | "false" | "default" => self.skip(1),
            "current_date" | "current_role" | "current_user" | "current_catalog"
            | "session_user" | "system_user" | "user" => {
                self.effects.functions.insert(word.to_owned());
                self.skip(1);
            }
            "current_schema" if !called => {
                self.effects.functions.insert(word.to_owned());
                self.skip(1);
            }
            "current_time" | "current_timestamp" | "localtime" | "localtimestamp" => {
                self.effects.functions.insert(word.to_owned());
                self.skip(1);
                if self.is_mark("(") {
                    self.parenthesised()?;
                }
            }
            "case" => self.nested(Self::case)?,
            "array" => {
                self.skip(1);
                if self.is_mark("[") {
                    self.nested(Self::array)?;
                } else {
                    self.parenthesised()?;
                }
            }
            "any" | "some" | "all" | "exists" | "row" | "unique" | "grouping" if called => {
                self.skip(1);
                self.parenthesised()?;
            }
            // `TREAT(x AS name)` calls the function of that name, whatever it is.
            "treat" if called => return Err(Unreadable("TREAT calls a function by a type's name")),
            "cast" if called => {
                self.skip(1);
                self.nested(|r| {
                    r.parens(|r| {
                        let start = r.position();
                        r.expression()?;
                        let operand = r.since(start);
                        r.expect("as")?;
                        r.cast(operand)?;
                        if r.eat("format") {
                            r.expression()?;
                        }
                        Ok(())
                    })
                })?;
            }
            "collation" if self.word(1) == "for" => {
                self.skip(2);
                self.parenthesised()?;
            }
            "interval" | "time" | "timestamp" | "double" | "bit" | "char" | "character"
            | "nchar" | "national" | "varchar" | "numeric" | "decimal" | "dec" | "float"
            | "int" | "integer" | "bigint" | "smallint" | "real" | "boolean" => {
                return self.typed_constant(word);
            }
            "extract" | "trim" | "substring" | "overlay" | "position" | "normalize" if called => {
                self.effects.functions.insert(word.to_owned());
                self.skip(1);
                self.nested(|r| r.worded_arguments(word))?;
            }
            "coalesce" | "greatest" | "least" | "nullif" | "xmlconcat" if called => {
                self.effects.functions.insert(word.to_owned());
                self.skip(1);
                self.columns.skips();
                self.parenthesised()?;
            }
            "xmlelement" | "xmlforest" | "xmlparse" | "xmlpi" | "xmlroot" | "xmlserialize"
            | "xmlexists" | "json_object" | "json_array" | "json_objectagg" | "json_arrayagg"
            | "json_query" | "json_value" | "json_exists" | "json_scalar" | "json_serialize"
            | "json"
                if called =>
            {
                self.effects.functions.insert(word.to_owned());
                self.skip(1);
                let plain = self.nested(Self::sql_xml_arguments)?;
                let total = matches!(
                    word,
                    "xmlelement" | "xmlforest" | "xmlconcat" | "json_array"
                );
                if !plain && !total || word.ends_with("exists") {
                    self.columns.fails();
                }
                // To servers before 16 or 17 it may be a column of a row.
                self.columns.note_column(word);
                if plain && word.starts_with("json") && word != "json_object" {
                    // To servers before 16 or 17 this may be a function of the user's.
                    let name = Name {
                        schema: None,
                        name: word,
                    };
                    self.effects.add(Verb::Call, name.function());
                }
                self.after_call()?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn case(&mut self) -> Read<()> {
        self.skip(1);
        let condition = Context {
            roles: self.columns.context.roles | SHAPING,
            ..self.columns.context
        };
        self.columns.skips();
        if !self.is("when") {
            self.noting(condition, Self::expression)?;
        }
        while self.eat("when") {
            self.noting(condition, Self::expression)?;
            self.expect("then")?;
            self.expression()?;
        }
        if self.eat("else") {
            self.expression()?;
        }
        self.expect("end")
    }

    /// `[1, 2]`, `[[1], [2]]`.
    fn array(&mut self) -> Read<()> {
        self.expect_mark("[")?;
        if !self.is_mark("]") {
            self.list(|r| {
                if r.is_mark("[") {
                    r.nested(Self::array)
                } else {
                    r.expression()
                }
            })?;
        }
        self.expect_mark("]")
    }

    /// `interval '1 day'`, `timestamp with time zone '…'`; a bare `interval` may be a column.
    fn typed_constant(&mut self, word: &str) -> Read<bool> {
        // Looked at before it is read: reading twice would double with each level of nesting.
        let start = self.position();
        self.skip(1);
        self.eat_any(&["precision", "varying", "character", "char"]);
        self.eat("varying");
        if self.is_mark("(") {
            self.skip_parens()?;
        }
        self.time_zone();
        let constant = self.is_kind(Kind::String);
        self.rewind(start);
        if constant {
            self.type_name()?;
            self.take_constant();
            if word == "interval" {
                self.interval_fields()?;
            }
        }
        Ok(constant)
    }

    /// Arguments parted by words: `extract(year FROM t)`, `position(a IN b)`, `trim(BOTH FROM x)`.
    fn worded_arguments(&mut self, function: &str) -> Read<()> {
        self.expect_mark("(")?;
        self.eat_any(&["both", "leading", "trailing"]);
        self.eat("from");
        if !self.is_mark(")") {
            let mut first = true;
            loop {
                let start = self.position();
                self.expression_before_in()?;
                // A length can be negative, a pattern malformed.
                let cuts = matches!(function, "substring" | "overlay");
                if cuts && !first && !is_constant(self.since(start)) {
                    self.columns.fails();
                }
                first = false;
                let parted = self.eat_mark(",")
                    || self.eat_any(&["from", "for", "in", "placing", "similar", "escape"]);
                if !parted {
                    break;
                }
            }
        }
        self.expect_mark(")")
    }

    /// The arguments of SQL/XML and SQL/JSON functions: expressions with words between them. True
    /// if there were none of these words.
    fn sql_xml_arguments(&mut self) -> Read<bool> {
        self.expect_mark("(")?;
        let mut plain = true;
        while !self.eat_mark(")") {
            if self.eat_mark(",") {
                continue;
            }
            if self.sql_xml_clause()? {
                plain = false;
            } else {
                self.expression()?;
            }
        }
        Ok(plain)
    }

    fn sql_xml_clause(&mut self) -> Read<bool> {
        const WORDS: [&str; 6] = ["document", "content", "passing", "value", "ref", "version"];
        if self.is_name_of_element() {
            self.skip(1);
            self.label()?;
        } else if self.is("xmlattributes") && self.nth_is_mark(1, "(") {
            self.skip(1);
            self.nested(Self::sql_xml_arguments)?;
        } else if self.eat("as") {
            // A label, or the type of XMLSERIALIZE.
            self.type_name()?;
        } else if self.eat("returning") {
            self.type_name()?;
            if self.eat("format") {
                self.json_format()?;
            }
        } else if self.eat("format") {
            self.json_format()?;
        } else if self.is("order") {
            self.order_by()?;
        } else if self.is_sql_json_clause() {
            self.sql_json_clause()?;
        } else if self.is_any(&WORDS)
            && ![",", ")", "."].iter().any(|mark| self.nth_is_mark(1, mark))
        {
            // It may be a column, too.
            self.columns.note_column(self.word(0));
            if self.nth_is_mark(1, "(") && !self.previous().is_some_and(ends_operand) {
                // A word before an operand in parentheses, or a function of that name.
                let name = Name {
                    schema: None,
                    name: self.word(0),
                };
                functions::record(&mut self.effects, name, &Arguments::default());
            }
            self.skip(1);
            if self.is("by") && matches!(self.word(1), "ref" | "value") {
                self.skip(2);
            }
            self.eat_all(&["no", "value"]);
        } else if self.starts_query() {
            self.query()?;
        } else {
            return Ok(self.eat_mark(":"));
        }
        Ok(true)
    }

    /// `xmlelement(NAME x, …`: elsewhere `name` is a column.
    fn is_name_of_element(&self) -> bool {
        self.is("name")
            && self.previous().is_some_and(|before| before.is_mark("("))
            && self.word(1) != "as"
            && self
                .nth(1)
                .is_some_and(|next| matches!(next.kind, Kind::Word | Kind::Quoted))
    }

    pub(in crate::sql) fn json_format(&mut self) -> Read<()> {
        self.expect("json")?;
        if self.eat("encoding") {
            self.label()?;
        }
        Ok(())
    }

    pub(in crate::sql) fn is_sql_json_clause(&self) -> bool {
        match self.word(0) {
            "with" | "without" | "null" | "absent" | "error" | "empty" | "keep" | "omit"
            | "standalone" | "strip" | "preserve" | "indent" | "unknown" | "true" | "false"
            | "no" => {
                matches!(
                    self.word(1),
                    "unique"
                        | "wrapper"
                        | "array"
                        | "conditional"
                        | "unconditional"
                        | "on"
                        | "quotes"
                        | "yes"
                        | "no"
                        | "whitespace"
                        | "object"
                        | "indent"
                        | "value"
                ) || self.is("indent") && !self.nth_is_mark(1, "(")
            }
            "default" => true,
            _ => false,
        }
    }

    pub(in crate::sql) fn sql_json_clause(&mut self) -> Read<()> {
        match self.word(0) {
            "with" | "without" => {
                self.skip(1);
                self.eat_any(&["conditional", "unconditional"]);
                self.eat("array");
                if self.eat("unique") {
                    self.eat_any(&["keys", "key"]);
                } else if !self.eat("wrapper") {
                    return Err(self.unexpected());
                }
            }
            "keep" | "omit" => {
                self.skip(2);
                if self.eat_all(&["on", "scalar"]) {
                    self.expect("string")?;
                }
            }
            "standalone" | "strip" | "preserve" => {
                self.skip(2);
                self.eat("value");
            }
            "no" => {
                self.skip(2);
            }
            "indent" => self.skip(1),
            _ => {
                if self.eat("default") {
                    self.expression()?;
                } else {
                    self.skip(1);
                    self.eat_any(&["array", "object"]);
                }
                self.expect("on")?;
                if !self.eat_any(&["null", "empty", "error"]) {
                    return Err(self.unexpected());
                }
            }
        }
        Ok(())
    }
}

/// Whether a word after this token cannot start an operand.
fn ends_operand(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Quoted | Kind::Number | Kind::String | Kind::Opaque | Kind::Parameter => true,
        Kind::Punctuation => token.is_mark(")") || token.is_mark("]"),
        _ => false,
    }
}
