//! What is masked in the answer to a request, and in what is kept of both.

use ostiary_mask::{
    BodyMasker, FieldPath, HashKey, Rewriter, Strategy, body::Form, detect::Detector,
};
use ostiary_operation::{Access, Object, Operation};
use ostiary_policy::Masks;

use super::{Agent, Api, kubernetes};

/// What is masked in the response.
#[derive(Debug, Default)]
pub(super) struct Masking {
    pub(super) fields: Vec<(FieldPath, Strategy)>,
    pub(super) detectors: Vec<(Detector, Strategy)>,
    pub(super) key: Option<HashKey>,
    /// Nothing is enforced.
    pub(super) observes: bool,
    /// Kubernetes may answer with tables.
    pub(super) tables: bool,
}

/// The rule that keeps an alias from hiding a labelled field.
pub(super) const HIDDEN: &str = "labelled-alias";

impl Masking {
    /// Of an operation of this agent.
    pub(super) fn of(agent: &mut Agent, operation: &Operation, observes: bool) -> Self {
        let masks = agent.masks();
        let fields = match agent.api {
            Api::Http => on_route(&masks, operation),
            Api::Kubernetes => kubernetes::fields(&masks, operation),
        };
        let detectors = masks.detectors.iter();
        Self {
            fields,
            detectors: detectors
                .map(|(detector, (_, strategy))| (*detector, strategy.clone()))
                .collect(),
            key: Some(HashKey::new(agent.state.hash_key.to_vec())),
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

    pub(super) fn key(&self) -> HashKey {
        self.key.clone().unwrap_or_else(|| HashKey::new(Vec::new()))
    }

    pub(super) fn masker(&self, form: Form) -> BodyMasker {
        let detectors = self.detectors.iter().cloned();
        BodyMasker::new(form, self.fields.clone(), detectors, self.key())
    }

    pub(super) fn rewriter(&self) -> Rewriter {
        Rewriter::new(self.detectors.iter().cloned(), self.key())
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
