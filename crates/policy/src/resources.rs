//! `resources.yaml`: how decisions on a resource are carried out, and its tags.

use std::collections::BTreeMap;

use crate::{Files, error::Problems, names::meant, yaml::Document};

pub(crate) const FILE: &str = "resources.yaml";

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
        let fields = node.fields(&["mode", "tags"], problems);
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
        resources.insert(name, rules);
    }
    resources
}
