//! The kinds of objects that DROP, COMMENT, GRANT and ALTER name, and how each kind is named.

use crate::sql::lexer::Kind;
use crate::sql::reader::{Read, Reader};
use crate::{Object, Verb};

/// How an object of a kind is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A table, view, index or sequence.
    Relation,
    /// A function with its argument types.
    Function,
    /// A schema.
    Schema,
    /// A role.
    Role,
    /// `name` of a kind.
    Named(&'static str),
    /// `name ON table`.
    OnTable(&'static str),
    /// `table.column`.
    Column,
    /// `name USING method`.
    UsingMethod(&'static str),
    /// `+ (int, int)`.
    Operator,
    /// `(source AS target)`.
    Cast,
    /// `FOR type LANGUAGE name`.
    Transform,
    /// A large object's number.
    LargeObject,
    /// `FOR role SERVER name`.
    UserMapping,
}

impl Reader<'_, '_> {
    /// Takes the words of an object's kind.
    pub(super) fn object_shape(&mut self) -> Option<Shape> {
        let (words, shape) = match (self.word(0), self.word(1)) {
            ("table" | "view" | "sequence" | "index", _) => (1, Shape::Relation),
            ("materialized", "view") | ("foreign", "table") => (2, Shape::Relation),
            ("function" | "procedure" | "routine" | "aggregate", _) => (1, Shape::Function),
            ("schema", _) => (1, Shape::Schema),
            ("user", "mapping") => (2, Shape::UserMapping),
            ("role" | "user" | "group", _) => (1, Shape::Role),
            ("foreign", "data") if self.word(2) == "wrapper" => {
                (3, Shape::Named("foreign data wrapper"))
            }
            ("procedural", "language") => (2, Shape::Named("language")),
            ("event", "trigger") => (2, Shape::Named("event trigger")),
            ("access", "method") => (2, Shape::Named("access method")),
            ("text", "search") => match self.word(2) {
                "parser" | "dictionary" | "template" | "configuration" => {
                    (3, Shape::Named("text search"))
                }
                _ => return None,
            },
            ("large", "object") => (2, Shape::LargeObject),
            ("operator", "class" | "family") => (2, Shape::UsingMethod("operator class")),
            ("operator", _) => (1, Shape::Operator),
            ("rule", _) => (1, Shape::OnTable("rule")),
            ("trigger", _) => (1, Shape::OnTable("trigger")),
            ("policy", _) => (1, Shape::OnTable("policy")),
            ("constraint", _) => (1, Shape::OnTable("constraint")),
            ("column", _) => (1, Shape::Column),
            ("cast", _) => (1, Shape::Cast),
            ("transform", _) => (1, Shape::Transform),
            ("type", _) => (1, Shape::Named("type")),
            ("domain", _) => (1, Shape::Named("domain")),
            ("extension", _) => (1, Shape::Named("extension")),
            ("collation", _) => (1, Shape::Named("collation")),
            ("conversion", _) => (1, Shape::Named("conversion")),
            ("language", _) => (1, Shape::Named("language")),
            ("tablespace", _) => (1, Shape::Named("tablespace")),
            ("database", _) => (1, Shape::Named("database")),
            ("server", _) => (1, Shape::Named("server")),
            ("publication", _) => (1, Shape::Named("publication")),
            ("subscription", _) => (1, Shape::Named("subscription")),
            ("statistics", _) => (1, Shape::Named("statistics")),
            _ => return None,
        };
        self.skip(words);
        Some(shape)
    }

    /// Reads one object's name and adds `verb` on it.
    pub(super) fn touch(&mut self, shape: Shape, verb: Verb) -> Read<()> {
        let object = match shape {
            Shape::Relation => self.relation_target()?.relation(),
            Shape::Function => {
                let first = self.non_reserved()?;
                let name = self.name_after(first)?;
                if self.is_mark("(") {
                    self.skip_parens()?;
                }
                name.function()
            }
            Shape::Schema => Object::Schema {
                name: self.column_id()?.to_owned(),
            },
            Shape::Role => Object::Role {
                name: self.role_name()?,
            },
            Shape::Named(kind) => {
                let first = self.non_reserved()?;
                // A type may come with array bounds.
                let name = self.name_after(first)?.other(kind);
                while self.is_mark("[") {
                    self.subscript()?;
                }
                name
            }
            Shape::OnTable(kind) => return self.touch_on_table(kind, verb),
            Shape::Column => return self.touch_column(verb),
            Shape::UsingMethod(kind) => {
                let first = self.non_reserved()?;
                let object = self.name_after(first)?.other(kind);
                self.expect("using")?;
                self.column_id()?;
                object
            }
            Shape::Operator => self.operator_object()?,
            Shape::Cast => {
                let start = self.position();
                self.skip_parens()?;
                let words: Vec<&str> = self.since(start).iter().map(|t| t.text()).collect();
                Object::Other {
                    kind: "cast".to_owned(),
                    name: words.join(" "),
                }
            }
            Shape::Transform => {
                self.expect("for")?;
                self.type_name()?;
                self.expect("language")?;
                let name = self.column_id()?.to_owned();
                let kind = "transform".to_owned();
                Object::Other { kind, name }
            }
            Shape::LargeObject => {
                if !self.is_kind(Kind::Number) {
                    return Err(self.unexpected());
                }
                let name = self
                    .peek()
                    .map(|t| t.text().to_string())
                    .unwrap_or_default();
                self.skip(1);
                let kind = "large object".to_owned();
                Object::Other { kind, name }
            }
            Shape::UserMapping => {
                self.expect("for")?;
                let name = self.label()?.to_owned();
                self.expect("server")?;
                self.column_id()?;
                let kind = "user mapping".to_owned();
                Object::Other { kind, name }
            }
        };
        self.effects.add(verb, object);
        Ok(())
    }

    /// A trigger, rule, policy or constraint: changing one changes what its table does.
    fn touch_on_table(&mut self, kind: &str, verb: Verb) -> Read<()> {
        let first = self.non_reserved()?;
        let object = self.name_after(first)?.other(kind);
        self.effects.add(verb, object);
        self.expect("on")?;
        if kind == "constraint" && self.eat("domain") {
            let first = self.non_reserved()?;
            let domain = self.name_after(first)?.other("domain");
            self.effects.add(Verb::Alter, domain);
            return Ok(());
        }
        let table = self.name()?.relation();
        self.effects.add(Verb::Alter, table);
        Ok(())
    }

    /// `schema.table.column`.
    fn touch_column(&mut self, verb: Verb) -> Read<()> {
        let mut parts = vec![self.column_id()?];
        while self.eat_mark(".") {
            parts.push(self.label()?);
        }
        parts.pop();
        let object = match parts.as_slice() {
            [name] => Object::Relation {
                schema: None,
                name: (*name).to_owned(),
            },
            [.., schema, name] => Object::Relation {
                schema: Some((*schema).to_owned()),
                name: (*name).to_owned(),
            },
            [] => return Err(self.unexpected()),
        };
        self.effects.add(verb, object);
        Ok(())
    }

    /// `schema.+ (left, right)`.
    pub(super) fn operator_object(&mut self) -> Read<Object> {
        let mut name = String::new();
        while self.nth_is_mark(1, ".") {
            name.push_str(self.label()?);
            name.push('.');
            self.skip(1);
        }
        let Some(token) = self.peek().filter(|t| t.kind == Kind::Operator) else {
            return Err(self.unexpected());
        };
        name.push_str(token.text());
        self.skip(1);
        if self.is_mark("(") {
            self.skip_parens()?;
        }
        let kind = "operator".to_owned();
        Ok(Object::Other { kind, name })
    }
}
