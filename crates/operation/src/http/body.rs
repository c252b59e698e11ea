//! The body of a request: its fields, for policy to ask about.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::{Parameters, Refused, RequestFacts};

/// Values of all fields of one body.
const MAX_VALUES: usize = 10_000;
/// Levels of objects and arrays. Bounds the stack too.
const MAX_DEPTH: usize = 64;
/// Bytes of the way to a field: each field keeps its own, so that long names of outer objects would
/// be kept again and again.
const MAX_PATH: usize = 512;

/// Why a body of a media type that is not known is not read.
pub(crate) const NO_FORM: &str = "its body is neither JSON nor a form";

/// What a body is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// JSON.
    Json(String),
    /// `application/x-www-form-urlencoded`.
    Form(String),
    /// Something that is not read, with the reason.
    Other {
        /// The media type; empty if there is none.
        media_type: String,
        /// Why it is not read.
        reason: String,
    },
}

impl Content {
    /// By the headers.
    pub(crate) fn of(headers: &[(String, String)]) -> Result<Self, Refused> {
        let one = |name: &str| {
            let mut values = headers.iter().filter(|(key, _)| key == name);
            match (values.next(), values.next()) {
                (first, None) => Ok(first.map(|(_, value)| value.as_str())),
                _ => Err(Refused::bad(format!("`{name}` comes more than once"))),
            }
        };
        let written = one("content-type")?.unwrap_or_default();
        let encoding = one("content-encoding")?.unwrap_or("identity");
        let mut parts = written.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let other = |reason: String| {
            Ok(Self::Other {
                media_type: media_type.clone(),
                reason,
            })
        };
        if !encoding.trim().eq_ignore_ascii_case("identity") {
            return other("its body is encoded (`content-encoding`)".to_owned());
        }
        if !parts.all(is_utf8) {
            return other("its body is in a character set other than UTF-8".to_owned());
        }
        if is_grpc(&media_type) {
            return other("its body is messages of gRPC".to_owned());
        }
        if is_json(&media_type) {
            return Ok(Self::Json(media_type));
        }
        match media_type.as_str() {
            "application/x-www-form-urlencoded" => Ok(Self::Form(media_type)),
            "" => other("its body has no content type".to_owned()),
            _ => other(NO_FORM.to_owned()),
        }
    }

    /// The media type, lower case; empty if there is none.
    pub fn media_type(&self) -> &str {
        match self {
            Self::Json(it) | Self::Form(it) | Self::Other { media_type: it, .. } => it,
        }
    }

    /// Puts the fields of a body among the facts; answers why it was not read, if so.
    pub(crate) fn read(
        &self,
        body: &[u8],
        facts: &mut RequestFacts,
    ) -> Result<Option<String>, Refused> {
        if body.is_empty() {
            return Ok(None);
        }
        let mut fields = Fields::default();
        match self {
            Self::Other { reason, .. } => return Ok(Some(reason.clone())),
            Self::Json(_) => fields.read_json(body)?,
            Self::Form(_) => fields.read_form(body)?,
        }
        facts.body = fields.values;
        facts.numbers = fields.numbers;
        Ok(None)
    }
}

/// Also gRPC-Web's, and those that carry JSON: frames stand between the messages.
pub fn is_grpc(media_type: &str) -> bool {
    media_type.starts_with("application/grpc")
}

/// Puts the fields of JSON values among the facts, each below its own path.
pub(crate) fn read_at(
    parts: &[(String, Vec<u8>)],
    facts: &mut RequestFacts,
) -> Result<(), Refused> {
    let mut fields = Fields::default();
    for (path, json) in parts {
        fields.read_json_at(path.clone(), json)?;
    }
    facts.body = fields.values;
    facts.numbers = fields.numbers;
    Ok(())
}

/// `application/json`, `text/json` and every `…+json`.
fn is_json(media_type: &str) -> bool {
    matches!(media_type, "application/json" | "text/json") || media_type.ends_with("+json")
}

/// Whether a parameter of the media type leaves the text UTF-8.
fn is_utf8(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            let value = value.trim().trim_matches('"');
            value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("us-ascii")
        }
        _ => true,
    }
}

/// Fields and their values.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) values: BTreeMap<String, BTreeSet<String>>,
    pub(super) numbers: BTreeMap<String, i64>,
    count: usize,
}

impl Fields {
    /// Reads JSON whose keys are all different.
    pub(super) fn read_json(&mut self, body: &[u8]) -> Result<(), Refused> {
        self.read_json_at(String::new(), body)
    }

    fn read_json_at(&mut self, mut path: String, body: &[u8]) -> Result<(), Refused> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let seed = Value {
            fields: self,
            path: &mut path,
            depth: 0,
        };
        seed.deserialize(&mut json)
            .and_then(|()| json.end())
            .map_err(|error| {
                // The parser's own words can quote the body; ours begin with `the body`.
                let text = error.to_string();
                let ours = text.split(" at line ").next().unwrap_or_default();
                match ours.strip_prefix("the body ") {
                    Some(what) => Refused::bad(format!("the body {what}")),
                    None => Refused::bad(format!(
                        "the body is not the JSON it is said to be (line {}, column {})",
                        error.line(),
                        error.column()
                    )),
                }
            })
    }

    fn read_form(&mut self, body: &[u8]) -> Result<(), Refused> {
        let text = std::str::from_utf8(body).map_err(|_| Refused::bad("the form is not UTF-8"))?;
        if text.trim_start().starts_with(['{', '[', '<']) {
            return Err(Refused::bad("the body is not the form it is said to be"));
        }
        let pairs = Parameters::parse(text, "form")?;
        if pairs.has("_method") {
            return Err(Refused::bad("`_method` would override the method"));
        }
        for (key, values) in pairs.all() {
            for value in values {
                self.add(key, value);
                self.add_number_of(key, value);
            }
        }
        Ok(())
    }

    /// False if there are too many.
    pub(super) fn add(&mut self, path: &str, value: &str) -> bool {
        self.count = self.count.saturating_add(1);
        let values = self.values.entry(path.to_owned()).or_default();
        values.insert(value.to_owned());
        self.count <= MAX_VALUES
    }

    /// Text that a lenient server would take for a number; false if it is none.
    pub(super) fn add_number_of(&mut self, path: &str, text: &str) -> bool {
        let text = text.trim();
        if let Ok(number) = text.parse::<i64>() {
            self.add_number(path, number);
        } else if text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
            && let Ok(number) = text.parse::<f64>()
        {
            self.add_number(path, whole(number));
        } else {
            return false;
        }
        true
    }

    /// Of several, the one farthest from zero is kept.
    pub(super) fn add_number(&mut self, path: &str, number: i64) {
        let kept = self.numbers.entry(path.to_owned()).or_insert(number);
        if number.unsigned_abs() > kept.unsigned_abs() {
            *kept = number;
        }
    }
}

/// The next whole number away from zero; what is out of range is the end of it.
fn whole(number: f64) -> i64 {
    let away = if number < 0.0 {
        number.floor()
    } else {
        number.ceil()
    };
    // Text is the way from a float to an integer that can neither wrap nor trap.
    format!("{away:.0}")
        .parse()
        .unwrap_or(if away < 0.0 { i64::MIN } else { i64::MAX })
}

/// Reads one value below `path`.
struct Value<'f> {
    fields: &'f mut Fields,
    path: &'f mut String,
    depth: usize,
}

impl Value<'_> {
    fn scalar<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        match self.fields.add(self.path, text) {
            true => Ok(()),
            false => Err(E::custom(format!(
                "the body has more than {MAX_VALUES} values"
            ))),
        }
    }

    /// The depth of what is inside.
    fn inside<E: serde::de::Error>(&self) -> Result<usize, E> {
        match self.depth < MAX_DEPTH {
            true => Ok(self.depth.saturating_add(1)),
            false => Err(E::custom(format!(
                "the body is more than {MAX_DEPTH} levels deep"
            ))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.scalar("null")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.scalar(if value { "true" } else { "false" })
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.fields.add_number(self.path, value);
        self.scalar(&value.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        let number = i64::try_from(value).unwrap_or(i64::MAX);
        self.fields.add_number(self.path, number);
        self.scalar(&value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.fields.add_number(self.path, whole(value));
        self.scalar(&value.to_string())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        if value.contains('\0') {
            return Err(E::custom("the body holds a NUL character"));
        }
        self.fields.add_number_of(self.path, value);
        self.scalar(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let depth = self.inside()?;
        let before = self.path.len();
        self.path.push_str("[]");
        while items
            .next_element_seed(Value {
                fields: self.fields,
                path: self.path,
                depth,
            })?
            .is_some()
        {}
        self.path.truncate(before);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let depth = self.inside()?;
        let before = self.path.len();
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            self.fields.count = self.fields.count.saturating_add(1);
            if self.fields.count > MAX_VALUES {
                let message = format!("the body has more than {MAX_VALUES} values");
                return Err(A::Error::custom(message));
            }
            // Some servers take `Amount` for `amount`.
            if !names.insert(name.to_lowercase()) {
                return Err(A::Error::custom("the body has one key twice in an object"));
            }
            push_name(self.path, &name);
            if self.path.len() > MAX_PATH {
                let message =
                    format!("the body has a name, or nested names, over {MAX_PATH} bytes");
                return Err(A::Error::custom(message));
            }
            members.next_value_seed(Value {
                fields: self.fields,
                path: self.path,
                depth,
            })?;
            self.path.truncate(before);
        }
        Ok(())
    }
}

/// `.name`, or `."odd name"`; the first name has no dot.
pub(crate) fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(plain) {
        path.push_str(name);
    } else {
        path.push_str(&serde_json::Value::from(name).to_string());
    }
}
