//! Operation to Cedar: entities, facts, and the requests to ask.

mod kubernetes;

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr as _,
};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression,
};
use ostiary_operation::{
    Facts, Object, Operation, Principal, Protocol, Target, Verb, http::RequestFacts,
    kubernetes::ObjectFacts,
};

use crate::{mentions::Mentions, schema::REVEAL};

/// The schema of a name that does not say in which it is, where nothing else is known.
pub(crate) const UNRESOLVED: &str = "?";

/// Names of types and actions, parsed once.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    agent: EntityTypeName,
    group: EntityTypeName,
    resource: EntityTypeName,
    database: EntityTypeName,
    schema: EntityTypeName,
    table: EntityTypeName,
    function: EntityTypeName,
    setting: EntityTypeName,
    role: EntityTypeName,
    other: EntityTypeName,
    label: EntityTypeName,
    api: EntityTypeName,
    route: EntityTypeName,
    field: EntityTypeName,
    service: EntityTypeName,
    method: EntityTypeName,
    cluster: EntityTypeName,
    namespace: EntityTypeName,
    kind: EntityTypeName,
    url: EntityTypeName,
    parameters: EntityTypeName,
    fields: EntityTypeName,
    numbers: EntityTypeName,
    action: EntityTypeName,
}

/// An operation's pieces as Cedar wants them.
pub(crate) struct Case {
    pub(crate) principal: EntityUid,
    pub(crate) context: Context,
    pub(crate) entities: Entities,
    /// What is asked; every answer counts.
    pub(crate) questions: Vec<Question>,
}

/// May this action meet this resource?
pub(crate) struct Question {
    /// Which of the operation's accesses it is about.
    pub(crate) access: usize,
    pub(crate) action: EntityUid,
    pub(crate) resource: EntityUid,
}

/// Something Cedar could not be told.
pub(crate) type Untold = Box<dyn std::error::Error>;

impl Vocabulary {
    pub(crate) fn new() -> Result<Self, String> {
        let name = |name| EntityTypeName::from_str(name).map_err(|error| error.to_string());
        Ok(Self {
            agent: name("Agent")?,
            group: name("Group")?,
            resource: name("Resource")?,
            database: name("Database")?,
            schema: name("Schema")?,
            table: name("Table")?,
            function: name("Function")?,
            setting: name("Setting")?,
            role: name("DbRole")?,
            other: name("Other")?,
            label: name("Label")?,
            api: name("Api")?,
            route: name("Route")?,
            field: name("Field")?,
            service: name("Service")?,
            method: name("Method")?,
            cluster: name("Cluster")?,
            namespace: name("Namespace")?,
            kind: name("Kind")?,
            url: name("Url")?,
            parameters: name("Parameters")?,
            fields: name("Fields")?,
            numbers: name("Numbers")?,
            action: name("Action")?,
        })
    }

    pub(crate) fn action(&self, name: &str) -> EntityUid {
        uid(&self.action, name)
    }

    /// Everything to ask about an operation.
    pub(crate) fn case(
        &self,
        who: &Principal,
        target: &Target,
        tags: &[String],
        operation: &Operation,
        mentions: &Mentions,
    ) -> Result<Case, Untold> {
        let agent = self.agent(who)?;
        let principal = agent.uid();
        let mut entities = vec![agent];
        let mut questions = Vec::new();
        for (index, access) in operation.accesses.iter().enumerate() {
            let action = self.verb(access.verb)?;
            for resource in self.resources(target, &access.object, mentions)? {
                questions.push(Question {
                    access: index,
                    action: action.uid(),
                    resource: resource.uid(),
                });
                entities.push(resource);
            }
            entities.push(action);
        }
        let mut facts = facts(target, tags, operation);
        if operation.verb.protocol() != Protocol::Sql {
            let of_none = RequestFacts::default();
            let request = operation.facts.request.as_deref().unwrap_or(&of_none);
            let record = self.request(request, &mut entities)?;
            facts.push(("request".to_owned(), record));
        }
        if operation.verb.protocol() == Protocol::Kubernetes {
            let of_none = ObjectFacts::default();
            let objects = operation.facts.objects.as_deref().unwrap_or(&of_none);
            facts.push(("objects".to_owned(), kubernetes::facts(objects)?));
        }
        Ok(Case {
            principal,
            context: Context::from_pairs(facts)?,
            entities: Entities::from_entities(entities, None)?,
            questions,
        })
    }

    /// The facts of a request; what came under names becomes tags of entities.
    fn request(
        &self,
        request: &RequestFacts,
        entities: &mut Vec<Entity>,
    ) -> Result<RestrictedExpression, Untold> {
        let mut tagged = |kind: &EntityTypeName, id: &str, tags: Vec<(String, _)>| {
            let uid = uid(kind, id);
            let entity = Entity::new_with_tags(uid.clone(), [], [], tags)?;
            entities.push(entity);
            Ok::<_, Untold>(RestrictedExpression::new_entity_uid(uid))
        };
        let parameters = request.parameters.iter();
        let parameters = parameters.map(|(key, value)| (key.clone(), text(value)));
        let sets = |from: &BTreeMap<String, BTreeSet<String>>| -> Vec<_> {
            from.iter()
                .map(|(key, values)| (key.clone(), texts(values.iter().cloned())))
                .collect()
        };
        let numbers = request.numbers.iter();
        let numbers =
            numbers.map(|(key, number)| (key.clone(), RestrictedExpression::new_long(*number)));
        let pairs = [
            ("path", text(&request.path)),
            (
                "parameters",
                tagged(&self.parameters, "path", parameters.collect())?,
            ),
            (
                "query",
                tagged(&self.fields, "query", sets(&request.query))?,
            ),
            ("body", tagged(&self.fields, "body", sets(&request.body))?),
            ("numbers", tagged(&self.numbers, "body", numbers.collect())?),
            ("content_type", text(&request.content_type)),
            ("has_body", RestrictedExpression::new_bool(request.has_body)),
        ];
        let operation = request.operation.as_ref();
        let pairs = pairs
            .into_iter()
            .chain(operation.map(|name| ("operation", text(name))));
        Ok(RestrictedExpression::new_record(
            pairs.map(|(name, value)| (name.to_owned(), value)),
        )?)
    }

    /// Everything to ask about labels: one question for each, in their order.
    pub(crate) fn reveal<'l>(
        &self,
        who: &Principal,
        target: &Target,
        tags: &[String],
        labels: impl Iterator<Item = &'l String>,
    ) -> Result<Case, Untold> {
        // Facts of an operation that does nothing: a policy about operations says nothing here.
        let idle = Operation {
            verb: Verb::Select,
            accesses: std::collections::BTreeSet::new(),
            facts: Facts {
                has_where: true,
                ..Facts::default()
            },
        };
        let agent = self.agent(who)?;
        let principal = agent.uid();
        let mut entities = vec![agent];
        let mut questions = Vec::new();
        for (index, label) in labels.enumerate() {
            let resource = entity(uid(&self.label, label), [("name", text(label))], [])?;
            questions.push(Question {
                access: index,
                action: self.action(REVEAL),
                resource: resource.uid(),
            });
            entities.push(resource);
        }
        Ok(Case {
            principal,
            context: Context::from_pairs(facts(target, tags, &idle))?,
            entities: Entities::from_entities(entities, None)?,
            questions,
        })
    }

    fn agent(&self, who: &Principal) -> Result<Entity, Untold> {
        let id = format!("{}|{}", who.issuer.replace('|', "%7C"), who.subject);
        let on_behalf_of = who.on_behalf_of.as_ref();
        let attributes = [
            ("issuer", text(&who.issuer)),
            ("subject", text(&who.subject)),
        ]
        .into_iter()
        .chain(on_behalf_of.map(|human| ("on_behalf_of", text(human))));
        let groups = who.groups.iter().map(|group| uid(&self.group, group));
        entity(uid(&self.agent, &id), attributes, groups)
    }

    fn verb(&self, verb: Verb) -> Result<Entity, Untold> {
        let group = verb.group().map(|group| self.action(group.as_str()));
        entity(self.action(verb.as_str()), [], group)
    }

    /// The entity of an object, with every ancestor a policy can name. An object that does not say in
    /// which schema it is gives one entity for each schema it could be in.
    fn resources(
        &self,
        target: &Target,
        object: &Object,
        mentions: &Mentions,
    ) -> Result<Vec<Entity>, Untold> {
        let resource = escape(&target.resource);
        let api = uid(&self.api, &resource);
        match object {
            Object::Api => {
                let name = [("name", text(&target.resource))];
                return Ok(vec![entity(api, name, [uid(&self.resource, &resource)])?]);
            }
            Object::Route { template } => {
                let id = format!("{resource}{template}");
                let above = [api, uid(&self.resource, &resource)];
                let name = [("name", text(template))];
                return Ok(vec![entity(uid(&self.route, &id), name, above)?]);
            }
            Object::Field { route, name } => {
                let route = format!("{resource}{route}");
                let id = format!("{route}.{name}");
                let route = uid(&self.route, &route);
                let above = [route, api, uid(&self.resource, &resource)];
                let name = [("name", text(name))];
                return Ok(vec![entity(uid(&self.field, &id), name, above)?]);
            }
            Object::Method { service, name } => {
                let id = format!("{resource}/{service}/{}", escape(name));
                let within = uid(&self.service, &format!("{resource}/{service}"));
                let above = [within, api, uid(&self.resource, &resource)];
                let attributes = [("name", text(name)), ("service", text(service))];
                return Ok(vec![entity(uid(&self.method, &id), attributes, above)?]);
            }
            Object::Kind { .. } | Object::Url { .. } => {
                return self.objects(target, object, mentions);
            }
            _ => {}
        }
        let database = format!("{resource}/{}", escape(&target.database));
        let resource = uid(&self.resource, &resource);
        let above = [uid(&self.database, &database), resource.clone()];
        let plain = |kind, id: String, name: &str| {
            let id = format!("{database}/{id}");
            entity(uid(kind, &id), [("name", text(name))], above.clone())
        };
        let member = |kind, schema: Option<&str>, name: &str| {
            let part = schema.map_or_else(|| UNRESOLVED.to_owned(), escape_schema);
            let place = format!("{database}/{part}");
            let id = format!("{place}.{}", escape(name));
            let within = schema.map(|_| uid(&self.schema, &place));
            let schema = text(schema.unwrap_or(UNRESOLVED));
            let attributes = [("name", text(name)), ("schema", schema)];
            entity(
                uid(kind, &id),
                attributes,
                within.into_iter().chain(above.clone()),
            )
        };
        let members = |kind, schema: Option<&str>, name: &str, built_in: bool| {
            if schema.is_some() {
                return Ok(vec![member(kind, schema, name)?]);
            }
            let mut schemas = mentions.schemas(target, name);
            schemas.insert("public");
            schemas.extend(built_in.then_some("pg_catalog"));
            let schemas = schemas.into_iter().map(Some).chain([None]);
            schemas.map(|schema| member(kind, schema, name)).collect()
        };
        Ok(match object {
            Object::Database => {
                let name = [("name", text(&target.database))];
                vec![entity(uid(&self.database, &database), name, [resource])?]
            }
            Object::Schema { name } => vec![plain(&self.schema, escape_schema(name), name)?],
            // PostgreSQL looks into pg_catalog first, whatever the search path says.
            Object::Relation { schema, name } => {
                let built_in = name.starts_with("pg_");
                members(&self.table, schema.as_deref(), name, built_in)?
            }
            Object::Function { schema, name } => {
                members(&self.function, schema.as_deref(), name, true)?
            }
            Object::Setting { name } => vec![plain(&self.setting, escape(name), name)?],
            Object::Role { name } => vec![plain(&self.role, escape(name), name)?],
            Object::Other { kind, name } => {
                let id = format!("{database}/{}:{}", escape(kind), escape(name));
                let attributes = [("kind", text(kind)), ("name", text(name))];
                vec![entity(uid(&self.other, &id), attributes, above.clone())?]
            }
            Object::Api
            | Object::Route { .. }
            | Object::Field { .. }
            | Object::Method { .. }
            | Object::Kind { .. }
            | Object::Url { .. } => Vec::new(),
        })
    }
}

fn facts(
    target: &Target,
    tags: &[String],
    operation: &Operation,
) -> Vec<(String, RestrictedExpression)> {
    let facts = &operation.facts;
    let limit = facts
        .row_limit
        .map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let pairs = [
        ("resource", text(&target.resource)),
        ("database", text(&target.database)),
        ("role", text(&target.role)),
        ("tags", texts(tags.iter().cloned())),
        ("has_where", RestrictedExpression::new_bool(facts.has_where)),
        ("functions", texts(facts.functions.iter().cloned())),
        ("dynamic", RestrictedExpression::new_bool(facts.dynamic)),
        (
            "unreadable",
            RestrictedExpression::new_bool(facts.unreadable.is_some()),
        ),
        ("tables_read", texts(tables(operation, reads))),
        ("tables_written", texts(tables(operation, writes))),
    ];
    let limit = limit.map(|limit| ("row_limit", RestrictedExpression::new_long(limit)));
    let pairs = pairs.into_iter().chain(limit);
    pairs
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn reads(verb: Verb) -> bool {
    matches!(verb.group(), Some(ostiary_operation::Group::Read))
}

fn writes(verb: Verb) -> bool {
    use ostiary_operation::Group;
    matches!(verb.group(), Some(Group::Write | Group::Ddl))
}

fn tables(operation: &Operation, which: fn(Verb) -> bool) -> impl Iterator<Item = String> {
    let accesses = operation.accesses.iter();
    accesses.filter_map(move |access| match &access.object {
        object @ Object::Relation { .. } if which(access.verb) => Some(object.to_string()),
        _ => None,
    })
}

/// A part of an id: `/` separates parts, so a name cannot hold it as it is.
fn escape(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

/// A schema in an id: the first dot ends it. The unresolved schema is not to be confused with one
/// that is named so.
fn escape_schema(name: &str) -> String {
    match name {
        UNRESOLVED => "%3F".to_owned(),
        _ => escape(name).replace('.', "%2E"),
    }
}

/// What [`escape`] and [`escape_schema`] were given.
pub(crate) fn unescape(part: &str) -> String {
    part.replace("%3F", "?")
        .replace("%2E", ".")
        .replace("%2F", "/")
        .replace("%25", "%")
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn entity<'a>(
    uid: EntityUid,
    attributes: impl IntoIterator<Item = (&'a str, RestrictedExpression)>,
    parents: impl IntoIterator<Item = EntityUid>,
) -> Result<Entity, Untold> {
    let attributes = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Ok(Entity::new(uid, attributes, parents.into_iter().collect())?)
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn texts(values: impl Iterator<Item = String>) -> RestrictedExpression {
    RestrictedExpression::new_set(values.map(RestrictedExpression::new_string))
}
