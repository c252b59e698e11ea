//! An OpenAPI document of the bundle: its paths, and the names of their operations. Everything else
//! in it is left unread.

use ostiary_operation::{Verb, http::Routes};

use crate::{error::Problems, yaml::Document};

/// Adds the routes of a document, JSON or YAML.
pub(crate) fn read(file: &str, text: &str, routes: &mut Routes, problems: &mut Problems) {
    let Some(document) = Document::parse(file, text, problems) else {
        return;
    };
    let root = document.root();
    let top = root.entries(problems);
    let Some((_, paths)) = top.iter().find(|(key, _)| key == "paths") else {
        return root.problem(problems, "an OpenAPI document has `paths`");
    };
    for (template, node) in paths.entries(problems) {
        if let Err(error) = routes.add(&template) {
            node.problem(problems, error.to_string());
            continue;
        }
        for (method, operation) in node.entries(problems) {
            // `parameters`, `summary`, `x-…` stand beside the methods.
            let Some(verb) = Verb::of_method(&method.to_ascii_uppercase()) else {
                continue;
            };
            let fields = operation.entries(problems);
            let id = fields.iter().find(|(key, _)| key == "operationId");
            if let Some((_, id)) = id
                && let Some(id) = id.text(problems)
            {
                routes.name(&template, verb, id);
            }
        }
    }
}
