//! `resources.yaml`: how decisions on a resource are carried out, its tags and its routes.

use std::collections::BTreeMap;

use ostiary_operation::http::Routes;

use crate::{
    Files,
    error::Problems,
    names::meant,
    openapi,
    yaml::{Document, Fields},
};

pub(crate) const FILE: &str = "resources.yaml";
/// Routes of one resource; each is tried for each request.
const MAX_ROUTES: usize = 2000;

/// How decisions on a resource are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Decisions hold.
    #[default]
    Enforce,
    /// Decisions are recorded and everything passes.
    Observe,
}

/// What the file says of one resource.
#[derive(Debug, Default)]
pub(crate) struct ResourceRules {
    pub(crate) mode: Mode,
    pub(crate) tags: BTreeMap<String, String>,
    /// Of an HTTP API.
    pub(crate) routes: Routes,
    /// The file of the bundle that describes it.
    pub(crate) openapi: Option<String>,
}

pub(crate) fn parse(files: &Files, problems: &mut Problems) -> BTreeMap<String, ResourceRules> {
    let mut resources = BTreeMap::new();
    let Some(document) = files
        .get(FILE)
        .and_then(|text| Document::parse(FILE, text, problems))
    else {
        return resources;
    };
    let top = document.root().fields(&["resources"], problems);
    let named = top.get("resources").map(|node| node.named(problems));
    for (name, node) in named.into_iter().flatten() {
        let fields = node.fields(
            &["mode", "tags", "routes", "openapi", "graphql", "grpc"],
            problems,
        );
        let mut rules = ResourceRules::default();
        if let Some(field) = fields.get("mode") {
            match field.text(problems) {
                Some("enforce") | None => {}
                Some("observe") => rules.mode = Mode::Observe,
                Some(other) => {
                    let meant = meant(other, ["enforce", "observe"]);
                    field.problem(problems, format!("unknown mode `{other}`{meant}"));
                }
            }
        }
        let tags = fields.get("tags").map(|field| field.named(problems));
        for (key, value) in tags.into_iter().flatten() {
            rules
                .tags
                .extend(value.text(problems).map(|text| (key, text.to_owned())));
        }
        rules.add_routes(files, &fields, problems);
        resources.insert(name, rules);
    }
    resources
}

impl ResourceRules {
    fn add_routes(&mut self, files: &Files, fields: &Fields<'_>, problems: &mut Problems) {
        let written = fields.get("routes").map(|node| node.items(problems));
        for node in written.into_iter().flatten() {
            if let Some(template) = node.text(problems)
                && let Err(error) = self.routes.add(template)
            {
                node.problem(problems, error.to_string());
            }
        }
        if let Some(node) = fields.get("openapi")
            && let Some(name) = node.text(problems)
        {
            match files.get(name) {
                Some(text) => openapi::read(name, text, &mut self.routes, problems),
                None => {
                    let known = files.keys().map(String::as_str);
                    let message = format!("the bundle has no file `{name}`{}", meant(name, known));
                    node.problem(problems, message);
                }
            }
            self.openapi = Some(name.to_owned());
        }
        let graphql = fields.get("graphql").map(|node| node.items(problems));
        for node in graphql.into_iter().flatten() {
            if let Some(template) = node.text(problems)
                && let Err(error) = self.routes.add_graphql(template)
            {
                node.problem(problems, error.to_string());
            }
        }
        let services = fields.get("grpc").map(|node| node.items(problems));
        for node in services.into_iter().flatten() {
            if let Some(name) = node.text(problems)
                && !self.routes.add_service(name)
            {
                let message = format!("`{name}` is no gRPC service: write it like shop.v1.Orders");
                node.problem(problems, message);
            }
        }
        let services = self.routes.services().count();
        if self.routes.len().saturating_add(services) > MAX_ROUTES {
            let node = fields.get("openapi").or_else(|| fields.get("routes"));
            let message = format!("a resource has at most {MAX_ROUTES} routes");
            if let Some(node) = node {
                node.problem(problems, message);
            }
        }
    }
}
