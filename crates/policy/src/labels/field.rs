//! Fields of JSON bodies as authors write them.

use ostiary_mask::FieldPath;
use ostiary_operation::Target;

/// A field that carries a label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelledField {
    /// The template of the route; every route if `None`.
    pub route: Option<String>,
    /// The kind of Kubernetes objects, `secrets` or `deployments.apps`; everything if `None`.
    pub kind: Option<String>,
    /// Where in the body.
    pub path: FieldPath,
    /// The label.
    pub label: String,
}

impl LabelledField {
    /// Whether it holds on a route; `None` is a request to no known route.
    pub fn is_on(&self, route: Option<&str>) -> bool {
        self.kind.is_none() && (self.route.is_none() || self.route.as_deref() == route)
    }

    /// Whether it holds for objects of a kind; `None` is a request to no objects.
    pub fn is_of(&self, kind: Option<&str>) -> bool {
        self.route.is_none() && (self.kind.is_none() || self.kind.as_deref() == kind)
    }
}

/// A labelled field and where it is.
#[derive(Debug)]
pub(crate) struct FieldRule {
    /// Every resource if `None`.
    pub(crate) resource: Option<String>,
    pub(crate) field: LabelledField,
}

impl FieldRule {
    pub(crate) fn is_in(&self, target: &Target) -> bool {
        let resource = self.resource.as_deref();
        resource.is_none_or(|at| at == target.resource)
    }
}
