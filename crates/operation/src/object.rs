//! Objects: what an operation touches.

use std::fmt;

use crate::Verb;

/// One verb applied to one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Access {
    /// What is done.
    pub verb: Verb,
    /// To what.
    pub object: Object,
}

/// A thing inside a resource. Names are as the server stores them: folded, unquoted, cut at 63 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// The database itself: for operations that name nothing inside it.
    Database,
    /// A schema.
    Schema {
        /// Its name.
        name: String,
    },
    /// A table, view, materialized view, sequence or index.
    Relation {
        /// The schema, where the statement names it.
        schema: Option<String>,
        /// Its name.
        name: String,
    },
    /// A function or procedure.
    Function {
        /// The schema, where the statement names it.
        schema: Option<String>,
        /// Its name.
        name: String,
    },
    /// A setting, such as `search_path`.
    Setting {
        /// Its name, lower case.
        name: String,
    },
    /// A database role.
    Role {
        /// Its name.
        name: String,
    },
    /// Anything else that has a name (extension, type, publication, other database).
    Other {
        /// `extension`, `type`, …
        kind: String,
        /// Its name.
        name: String,
    },
    /// An HTTP API as a whole: for requests to none of its routes.
    Api,
    /// A route of an HTTP API.
    Route {
        /// Its path template.
        template: String,
    },
    /// A field at the root of a GraphQL operation.
    Field {
        /// The template of the GraphQL route.
        route: String,
        /// Its name in the schema, whatever alias it was given.
        name: String,
    },
    /// A gRPC method.
    Method {
        /// The service with its package.
        service: String,
        /// Its name.
        name: String,
    },
    /// Objects of one kind in a Kubernetes cluster: one, or all of a namespace, or of every one.
    Kind {
        /// The namespace; `None` for objects of the cluster itself, and for those of every namespace.
        namespace: Option<String>,
        /// The API group; empty for the core.
        group: String,
        /// What the API calls the kind: `pods`.
        resource: String,
        /// `scale`, `status`, `exec`; empty for the object itself.
        subresource: String,
        /// The object's own name, where the request says.
        name: Option<String>,
    },
    /// A path of a Kubernetes API server at which there are no objects: `/version`.
    Url {
        /// The path, without a last slash.
        path: String,
    },
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database => f.write_str("database"),
            Self::Schema { name } => write!(f, "schema {name}"),
            Self::Relation {
                schema: Some(schema),
                name,
            } => write!(f, "{schema}.{name}"),
            Self::Relation { schema: None, name } => f.write_str(name),
            Self::Function {
                schema: Some(schema),
                name,
            } => write!(f, "{schema}.{name}()"),
            Self::Function { schema: None, name } => write!(f, "{name}()"),
            Self::Setting { name } => write!(f, "setting {name}"),
            Self::Role { name } => write!(f, "role {name}"),
            Self::Other { kind, name } => write!(f, "{kind} {name}"),
            Self::Api => f.write_str("the api"),
            Self::Route { template } => f.write_str(template),
            Self::Field { route, name } => write!(f, "{route}.{name}"),
            Self::Method { service, name } => write!(f, "{service}/{name}"),
            Self::Kind {
                namespace,
                group,
                resource,
                subresource,
                name,
            } => {
                f.write_str(resource)?;
                for (mark, part) in [
                    (".", group.as_str()),
                    ("/", name.as_deref().unwrap_or_default()),
                    ("/", subresource.as_str()),
                ] {
                    if !part.is_empty() {
                        write!(f, "{mark}{part}")?;
                    }
                }
                match namespace {
                    Some(namespace) => write!(f, " in {namespace}"),
                    None => Ok(()),
                }
            }
            Self::Url { path } => f.write_str(path),
        }
    }
}
