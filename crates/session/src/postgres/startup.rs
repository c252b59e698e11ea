//! What a client asks for in its StartupMessage.

use std::collections::BTreeMap;

use ostiary_wire::postgres::startup::StartupMessage;

use super::core::Fatal;
use super::replication::Mode;
use super::reply;

/// The newest minor version of protocol 3 that is read here (3.2, PostgreSQL 18).
const NEWEST_MINOR: u16 = 2;

/// Settings that change how values look, never what a statement means; drivers send them unasked.
const PRESENTATION: [&str; 8] = [
    "application_name",
    "client_encoding",
    "datestyle",
    "extra_float_digits",
    "intervalstyle",
    "timezone",
    "bytea_output",
    "client_min_messages",
];

/// Settings that make the server load code as soon as it starts, before anybody was verified.
const LOADS_CODE: [&str; 4] = [
    "jit_provider",
    "local_preload_libraries",
    "session_preload_libraries",
    "shared_preload_libraries",
];

/// Names that are no settings in a StartupMessage: as one inside `options` they would be sent on unread.
const NO_SETTINGS: [&str; 4] = ["user", "database", "options", "replication"];

/// A client's wishes, and the StartupMessage that goes upstream in its stead.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) database: String,
    pub(super) requested_role: String,
    pub(super) application_name: String,
    /// Settings that have to be judged before the login is finished.
    pub(super) settings: Vec<(String, String)>,
    /// The message for the server.
    pub(super) upstream: Vec<u8>,
    /// Whether it is to be a replication connection.
    pub(super) replication: Option<Mode>,
    /// `minor` and unknown protocol options, if the client asked for more than is read here.
    pub(super) negotiate: Option<(u16, Vec<String>)>,
}

fn refuse(sqlstate: &'static str, message: String) -> Fatal {
    Fatal::new(sqlstate, "login", message)
}

impl Wanted {
    /// Reads `message`; the role upstream is `role` whatever the client names.
    pub(super) fn new(message: &StartupMessage<'_>, role: &str) -> Result<Self, Fatal> {
        if message.major != 3 {
            return Err(refuse(
                reply::UNSUPPORTED,
                format!(
                    "protocol version {}.{} is not supported",
                    message.major, message.minor
                ),
            ));
        }
        let mut requested_role = String::new();
        let mut database = None;
        let mut application_name = String::new();
        // The server reads `options` first; of two for one setting the later holds.
        let mut settings = message
            .parameters
            .iter()
            .find(|(name, _)| *name == "options")
            .map_or_else(|| Ok(Vec::new()), |(_, value)| options(value))?;
        let mut unknown: Vec<String> = Vec::new();
        let mut replication = None;
        for (name, value) in &message.parameters {
            let lower = name.to_ascii_lowercase();
            match lower.as_str() {
                "user" => requested_role = (*value).to_owned(),
                "database" => database = Some((*value).to_owned()),
                // The server knows it in small letters only.
                "replication" if *name == "replication" => replication = Mode::read(value)?,
                "options" => {}
                _ if lower.starts_with("_pq_.") => unknown.push((*name).to_owned()),
                _ => settings.push((lower, (*value).to_owned())),
            }
        }
        for (name, value) in &settings {
            if !is_setting_name(name) || NO_SETTINGS.contains(&name.as_str()) {
                return Err(refuse(
                    reply::LOGIN,
                    "a startup parameter has a bad name".to_owned(),
                ));
            }
            if LOADS_CODE.contains(&name.as_str()) {
                return Err(refuse(
                    reply::UNSUPPORTED,
                    format!("startup parameter `{name}` is not supported"),
                ));
            }
            if name == "application_name" {
                application_name.clone_from(value);
            }
        }
        // The server's own rule: a database named like the role the client asked for.
        let database = database
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| requested_role.clone());

        let minor = message.minor.min(NEWEST_MINOR);
        let mut parameters: Vec<(&str, &str)> = vec![("user", role), ("database", &database)];
        parameters.extend(replication.map(|mode: Mode| ("replication", mode.as_str())));
        let last: BTreeMap<&str, &str> = settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        parameters.extend(last);
        let mut upstream = Vec::new();
        StartupMessage {
            major: 3,
            minor,
            parameters,
        }
        .encode(&mut upstream)
        .map_err(|error| refuse(reply::PROTOCOL, error.to_string()))?;
        let negotiate = (minor != message.minor || !unknown.is_empty()).then_some((minor, unknown));
        settings.retain(|(name, _)| !PRESENTATION.contains(&name.as_str()));
        Ok(Self {
            // A physical session is in no database, whichever was named.
            database: match replication {
                Some(Mode::Physical) => String::new(),
                Some(Mode::Logical) | None => database,
            },
            requested_role,
            application_name,
            settings,
            upstream,
            replication,
            negotiate,
        })
    }
}

/// A name that can stand in `SET name` without quotes.
fn is_setting_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 63
        && !name.starts_with("_pq_.")
        && name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|other| {
            other.is_ascii_lowercase() || other.is_ascii_digit() || "_.".contains(other)
        })
}

/// Reads `options` as the server does (`pg_split_opts`): words split at white space, a backslash
/// takes the next character as it is. Only settings are understood.
fn options(text: &str) -> Result<Vec<(String, String)>, Fatal> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character.is_ascii_whitespace() || character == '\u{b}' {
            words.extend(word.take());
        } else {
            let literal = if character == '\\' {
                characters.next()
            } else {
                Some(character)
            };
            word.get_or_insert_default().extend(literal);
        }
    }
    words.extend(word);

    let mut settings = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let setting = if word == "-c" {
            words.next()
        } else {
            word.strip_prefix("-c")
                .or_else(|| word.strip_prefix("--"))
                .map(str::to_owned)
        };
        let Some((name, value)) = setting.as_ref().and_then(|setting| setting.split_once('='))
        else {
            return Err(refuse(
                reply::UNSUPPORTED,
                "startup options other than settings are not supported".to_owned(),
            ));
        };
        settings.push((
            name.to_ascii_lowercase().replace('-', "_"),
            value.to_owned(),
        ));
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(parameters: &[(&str, &str)]) -> Result<Wanted, Fatal> {
        let message = StartupMessage {
            major: 3,
            minor: 0,
            parameters: parameters.to_vec(),
        };
        Wanted::new(&message, "shop_app")
    }

    #[test]
    fn reads_settings_from_parameters_and_options() {
        let wanted = wanted(&[
            ("user", "alice"),
            ("DateStyle", "ISO"),
            ("options", r"-c search_path=a\ b --role=admin -cwork-mem=1"),
        ])
        .unwrap();
        assert_eq!(wanted.database, "alice");
        let expected = [("search_path", "a b"), ("role", "admin"), ("work_mem", "1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(wanted.settings, expected);
        assert!(
            wanted
                .upstream
                .windows(13)
                .any(|part| part == b"user\0shop_app")
        );
    }

    #[test]
    fn refuses_what_it_cannot_judge() {
        for parameters in [
            [("user", "a"), ("options", "-d 5")],
            [("user", "a"), ("options", "-c")],
            [("user", "a"), ("replication", "Database")],
            [("user", "a"), ("Replication", "true")],
            [("user", "a"), ("x'; drop", "1")],
        ] {
            assert!(wanted(&parameters).is_err(), "{parameters:?}");
        }
    }
}
