//! Arguments of root fields, for policy to ask about: `refund(input.amount)`, whether they are written
//! out or come as variables.

use std::collections::{BTreeMap, BTreeSet};

use apollo_parser::cst;
use serde_json::{Map, Value};

use super::{
    super::{Fields, RequestFacts},
    document::{Document, Field, Operation},
};

/// Bytes of all arguments: one long variable may be given to many of them.
const MAX_BYTES: usize = 1 << 20;
/// Bytes of the way to one.
const MAX_PATH: usize = 512;

/// The arguments of one request.
pub(super) struct Arguments<'f> {
    facts: &'f mut RequestFacts,
    fields: Fields,
    left: usize,
    /// Of each field that was read, which arguments were given, and which of them are numbers: what one
    /// lacks must not be taken from another.
    given: BTreeMap<String, BTreeSet<String>>,
    /// Of the field that is read.
    now: BTreeSet<String>,
}

/// What variables stand for.
struct Variables<'v> {
    given: &'v Map<String, Value>,
    defaults: BTreeMap<String, cst::Value>,
}

impl<'f> Arguments<'f> {
    pub(super) fn new(facts: &'f mut RequestFacts) -> Self {
        Self {
            facts,
            fields: Fields::default(),
            left: MAX_BYTES,
            given: BTreeMap::new(),
            now: BTreeSet::new(),
        }
    }

    /// Reads the arguments of these fields.
    pub(super) fn add(
        &mut self,
        operation: &Operation,
        fields: &[Field],
        given: &Map<String, Value>,
    ) -> Result<(), String> {
        let variables = Variables {
            given,
            defaults: defaults(operation)?,
        };
        for field in fields {
            let arguments = field.field.arguments();
            let mut names = BTreeSet::new();
            for argument in arguments.iter().flat_map(cst::Arguments::arguments) {
                let (Some(name), Some(value)) = (argument.name(), argument.value()) else {
                    return Err("its query is not whole".to_owned());
                };
                let name = name.text().to_string();
                let mut path = format!("{}({name}", field.name());
                if !names.insert(name) {
                    return Err("a field has one argument twice".to_owned());
                }
                self.literal(&mut path, &value, &variables)?;
            }
            let now = std::mem::take(&mut self.now);
            let known = self.given.entry(field.name().to_owned());
            if *known.or_insert_with(|| now.clone()) != now {
                return Err("a field comes twice, with other arguments".to_owned());
            }
        }
        Ok(())
    }

    /// Adds what else the facts say of a document, and its name where it is the only one.
    pub(super) fn note(&mut self, document: &Document, name: Option<&str>) {
        if let Some(name) = name {
            self.facts.operation = Some(name.to_owned());
        }
        for (alias, names) in document.aliases() {
            let known = self.facts.aliases.entry(alias.clone()).or_default();
            known.extend(names.iter().cloned());
        }
        let fields = std::mem::take(&mut self.fields);
        for (path, values) in fields.values {
            self.facts.body.entry(path).or_default().extend(values);
        }
        for (path, number) in fields.numbers {
            let kept = self.facts.numbers.entry(path).or_insert(number);
            if number.unsigned_abs() > kept.unsigned_abs() {
                *kept = number;
            }
        }
    }

    fn literal(
        &mut self,
        path: &mut String,
        value: &cst::Value,
        variables: &Variables<'_>,
    ) -> Result<(), String> {
        let before = path.len();
        match value {
            cst::Value::Variable(variable) => {
                let name = variable.name().map(|it| it.text().to_string());
                let name = name.unwrap_or_default();
                match (variables.given.get(&name), variables.defaults.get(&name)) {
                    (Some(given), _) => self.json(path, given)?,
                    // A default holds no variables.
                    (None, Some(default)) => {
                        let none = Variables {
                            given: &Map::new(),
                            defaults: BTreeMap::new(),
                        };
                        self.literal(path, default, &none)?;
                    }
                    (None, None) => {}
                }
            }
            cst::Value::StringValue(text) => self.text(path, &String::from(text))?,
            cst::Value::IntValue(_) | cst::Value::FloatValue(_) => {
                let number = serde_json::from_str(&value_text(value));
                let number: Value = number.map_err(|_| "a number of it is too large")?;
                self.json(path, &number)?;
            }
            cst::Value::BooleanValue(_) | cst::Value::EnumValue(_) | cst::Value::NullValue(_) => {
                self.keep(path, &value_text(value))?;
            }
            cst::Value::ListValue(list) => {
                path.push_str("[]");
                for item in list.values() {
                    self.literal(path, &item, variables)?;
                }
            }
            cst::Value::ObjectValue(object) => {
                let mut names = BTreeSet::new();
                for field in object.object_fields() {
                    let (Some(name), Some(value)) = (field.name(), field.value()) else {
                        return Err("its query is not whole".to_owned());
                    };
                    let name = name.text().to_string();
                    path.push('.');
                    path.push_str(&name);
                    if !names.insert(name) {
                        return Err("an object of it has one key twice".to_owned());
                    }
                    self.literal(path, &value, variables)?;
                    path.truncate(before);
                }
            }
        }
        path.truncate(before);
        Ok(())
    }

    fn json(&mut self, path: &mut String, value: &Value) -> Result<(), String> {
        let before = path.len();
        match value {
            Value::Null => self.keep(path, "null")?,
            Value::Bool(it) => self.keep(path, if *it { "true" } else { "false" })?,
            Value::Number(number) => {
                self.keep(path, &number.to_string())?;
                self.number(path, &number.to_string());
            }
            Value::String(text) => self.text(path, text)?,
            Value::Array(items) => {
                path.push_str("[]");
                for item in items {
                    self.json(path, item)?;
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    super::super::push_name(path, name);
                    self.json(path, value)?;
                    path.truncate(before);
                }
            }
        }
        path.truncate(before);
        Ok(())
    }

    fn text(&mut self, path: &str, text: &str) -> Result<(), String> {
        self.keep(path, text)?;
        self.number(path, text);
        Ok(())
    }

    fn number(&mut self, path: &str, text: &str) {
        if self.fields.add_number_of(&format!("{path})"), text) {
            self.now.insert(format!("{path}) is a number"));
        }
    }

    fn keep(&mut self, path: &str, text: &str) -> Result<(), String> {
        let cost = path.len().saturating_add(text.len());
        let fits = path.len() <= MAX_PATH && cost <= self.left;
        self.left = self.left.saturating_sub(cost);
        let key = format!("{path})");
        match fits && self.fields.add(&key, text) {
            true => {
                self.now.insert(key);
                Ok(())
            }
            false => Err("its arguments are too many or too long".to_owned()),
        }
    }
}

/// The text of a value that is one token.
fn value_text(value: &cst::Value) -> String {
    use cst::CstNode as _;
    let token = value.syntax().descendants_with_tokens();
    let mut tokens = token.filter_map(|it| it.into_token());
    let ignored = |text: &str| text.trim().is_empty() || text.starts_with(['#', ',', '\u{feff}']);
    let first = tokens.find(|it| !ignored(it.text()));
    first.map(|it| it.text().to_owned()).unwrap_or_default()
}

fn defaults(operation: &Operation) -> Result<BTreeMap<String, cst::Value>, String> {
    let definitions = operation.definition.variable_definitions();
    let mut names = BTreeSet::new();
    let mut defaults = BTreeMap::new();
    for definition in definitions
        .iter()
        .flat_map(cst::VariableDefinitions::variable_definitions)
    {
        let name = definition.variable().and_then(|it| it.name());
        let name = name.ok_or("its query is not whole")?.text().to_string();
        if !names.insert(name.clone()) {
            return Err("two of its variables have one name".to_owned());
        }
        if let Some(value) = definition.default_value().and_then(|it| it.value()) {
            defaults.insert(name, value);
        }
    }
    Ok(defaults)
}
