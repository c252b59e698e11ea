//! Operations in one line: `sql:delete public.users, sql:select users, limit 10, no where`.

use ostiary_operation::{Access, Facts, Object, Operation, Verb};

pub(super) fn verb(name: &str) -> Verb {
    let mut all = Verb::ALL.into_iter();
    all.find(|verb| verb.as_str() == name)
        .unwrap_or_else(|| panic!("no verb `{name}`"))
}

/// `objects web/pods`, `url /version`, `database`, `schema x`, `setting x`, `role x`, `extension x`, `f()`, `s.f()`, `t`, `s.t`.
pub(super) fn object(text: &str) -> Object {
    let split = |name: &str| match name.split_once('.') {
        Some((schema, name)) => (Some(schema.to_owned()), name.to_owned()),
        None => (None, name.to_owned()),
    };
    if text == "database" {
        return Object::Database;
    }
    if text == "api" {
        return Object::Api;
    }
    if let Some((service, name)) = text
        .strip_prefix("method ")
        .and_then(|it| it.split_once('/'))
    {
        return Object::Method {
            service: service.to_owned(),
            name: name.to_owned(),
        };
    }
    if let Some((route, name)) = text.rsplit_once('.').filter(|_| text.starts_with('/')) {
        return Object::Field {
            route: route.to_owned(),
            name: name.to_owned(),
        };
    }
    if text.starts_with('/') {
        return Object::Route {
            template: text.to_owned(),
        };
    }
    if let Some(function) = text.strip_suffix("()") {
        let (schema, name) = split(function);
        return Object::Function { schema, name };
    }
    let Some((kind, name)) = text.split_once(' ') else {
        let (schema, name) = split(text);
        return Object::Relation { schema, name };
    };
    let (kind, name) = (kind.to_owned(), name.to_owned());
    match kind.as_str() {
        "url" => Object::Url { path: name },
        "objects" => Object::Kind {
            namespace: name
                .split_once('/')
                .map(|(namespace, _)| namespace.to_owned()),
            group: String::new(),
            resource: name.rsplit('/').next().unwrap().to_owned(),
            subresource: String::new(),
            name: None,
        },
        "schema" => Object::Schema { name },
        "setting" => Object::Setting { name },
        "role" => Object::Role { name },
        _ => Object::Other { kind, name },
    }
}

/// The strongest verb is the first one.
pub(super) fn operation(text: &str) -> Operation {
    let mut operation = Operation {
        verb: Verb::Select,
        accesses: std::collections::BTreeSet::new(),
        facts: Facts {
            has_where: true,
            ..Facts::default()
        },
    };
    for part in text.split(", ") {
        match part.split_once(' ') {
            None if part == "dynamic" => operation.facts.dynamic = true,
            Some(("no", "where")) => operation.facts.has_where = false,
            Some(("limit", count)) => operation.facts.row_limit = Some(count.parse().unwrap()),
            Some(("calls", function)) => {
                operation.facts.functions.insert(function.to_owned());
            }
            Some(("unreadable", why)) => operation.facts.unreadable = Some(why.to_owned()),
            Some((name, on)) => {
                let access = Access {
                    verb: verb(name),
                    object: object(on),
                };
                if operation.accesses.is_empty() {
                    operation.verb = access.verb;
                }
                operation.accesses.insert(access);
            }
            None => panic!("`{part}` is no part of an operation"),
        }
    }
    operation
}
