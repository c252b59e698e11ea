//! What is masked in the answer to a request, and in what is kept of both.

use std::rc::Rc;

use ostiary_mask::{BodyMasker, FieldPath, HashKey, Rewriter, Strategy, body::Form};
use ostiary_operation::{Access, Object, Operation};
use ostiary_policy::Masks;

use super::{Agent, Api, kubernetes};

/// What is masked in the response.
#[derive(Debug)]
pub(super) struct Masking {
    pub(super) fields: Vec<(FieldPath, Strategy)>,
    /// The detectors and the key; copied where something is masked.
    pub(super) rewriter: Rc<Rewriter>,
    /// Nothing is enforced.
    pub(super) observes: bool,
    /// Kubernetes may answer with tables.
    pub(super) tables: bool,
}

/// The rule that keeps an alias from hiding a labelled field.
pub(super) const HIDDEN: &str = "labelled-alias";

impl Default for Masking {
    fn default() -> Self {
        let nothing = Rewriter::new([], HashKey::new(Vec::new()));
        Self {
            fields: Vec::new(),
            rewriter: Rc::new(nothing),
            observes: false,
            tables: false,
        }
    }
}

impl Masking {
    /// Of an operation of this agent.
    pub(super) fn of(agent: &mut Agent, operation: &Operation, observes: bool) -> Self {
        let (masks, rewriter) = agent.masks();
        let fields = match agent.api {
            Api::Http => on_route(&masks, operation),
            Api::Kubernetes => kubernetes::fields(&masks, operation),
        };
        Self {
            fields,
            rewriter,
            observes,
            tables: observes || !kubernetes::has_labelled(&masks, operation),
        }
    }

    /// An alias of a GraphQL document for a name on the way to a labelled field, and the name: the
    /// answer would have the field where the label is not.
    pub(super) fn hiding<'o>(&self, operation: &'o Operation) -> Option<(&'o str, &'o str)> {
        let request = operation.facts.request.as_deref()?;
        let labelled = |name: &str| {
            let mut names = self.fields.iter().flat_map(|(path, _)| path.names());
            names.any(|it| it.eq_ignore_ascii_case(name))
        };
        let pairs = request.aliases.iter().flat_map(|(alias, names)| {
            let names = names.iter().map(String::as_str);
            names.map(move |name| (alias.as_str(), name))
        });
        let mut hiding = pairs.filter(|(alias, name)| {
            !self.observes && !alias.eq_ignore_ascii_case(name) && labelled(name)
        });
        hiding.next()
    }

    /// Whether anything may be masked.
    pub(super) fn masks(&self) -> bool {
        !self.fields.is_empty() || !self.rewriter.is_empty()
    }

    /// Whether there is anything to look for in a text.
    pub(super) fn detects(&self) -> bool {
        !self.rewriter.is_empty()
    }

    pub(super) fn masker(&self, form: Form) -> BodyMasker {
        BodyMasker::new(form, self.fields.clone(), self.rewriter())
    }

    pub(super) fn rewriter(&self) -> Rewriter {
        Rewriter::clone(&self.rewriter)
    }
}

/// What is masked in the answers of a route.
fn on_route(masks: &Masks, operation: &Operation) -> Vec<(FieldPath, Strategy)> {
    let route = operation.accesses.iter().find_map(|it| match &it.object {
        Object::Route { template: route } | Object::Field { route, .. } => Some(route.as_str()),
        _ => None,
    });
    let fields = masks.fields.iter();
    let fields = fields.filter(|(field, _)| field.is_on(route));
    let mut fields: Vec<_> = fields
        .map(|(field, strategy)| (field.path.clone(), strategy.clone()))
        .collect();
    let is_field = |access: &Access| matches!(access.object, Object::Field { .. });
    if operation.accesses.iter().any(is_field) {
        // The answer to a batch is an array of answers.
        let of_batch = fields.iter();
        let of_batch: Vec<_> = of_batch
            .map(|(path, strategy)| (path.in_each_item(), strategy.clone()))
            .collect();
        fields.extend(of_batch);
    }
    fields
}
