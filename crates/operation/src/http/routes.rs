//! Path templates, `/users/{id}`, and which of them a path is.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::Path;
use crate::Verb;

/// The routes of one API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    routes: Vec<Route>,
    services: BTreeSet<String>,
}

/// One path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    template: String,
    segments: Vec<Segment>,
    operations: BTreeMap<Verb, String>,
    graphql: bool,
}

/// A segment of a template: text, and at most one parameter in it. The order is that of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter {
        before: String,
        name: String,
        after: String,
    },
}

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'r> {
    /// This route, with its parameters.
    Route(&'r Route, BTreeMap<String, String>),
    /// A gRPC method: its service and its name.
    Method(String, String),
    /// This route or service to a server that ignores case or a last slash, and another one to others.
    Otherwise(&'r str),
    /// No route.
    Nothing,
}

/// Why a template is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// Its form.
    #[error("`{0}` is no path template: write it like /users/{{id}}")]
    Form(String),
    /// One parameter name twice.
    #[error("`{0}` has the parameter `{1}` twice")]
    Twice(String, String),
    /// Another template takes the same paths.
    #[error("`{0}` takes the same paths as `{1}`")]
    Same(String, String),
}

impl Route {
    /// The template as it was written.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// Whether its requests are read as GraphQL.
    pub fn is_graphql(&self) -> bool {
        self.graphql
    }

    /// The name of what a method does here.
    pub fn operation(&self, verb: Verb) -> Option<&str> {
        self.operations.get(&verb).map(String::as_str)
    }

    fn parse(template: &str) -> Result<Self, InvalidTemplate> {
        let invalid = || InvalidTemplate::Form(template.to_owned());
        let rest = template.strip_prefix('/').ok_or_else(invalid)?;
        let segments = rest
            .split('/')
            .map(Segment::parse)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(invalid)?;
        let inner = segments.len().saturating_sub(1);
        if segments.iter().take(inner).any(Segment::is_empty) {
            return Err(invalid());
        }
        let mut names: Vec<&str> = segments.iter().filter_map(Segment::name).collect();
        names.sort_unstable();
        for (left, right) in names.iter().zip(names.iter().skip(1)) {
            if left == right {
                let name = (*left).to_owned();
                return Err(InvalidTemplate::Twice(template.to_owned(), name));
            }
        }
        Ok(Self {
            template: template.to_owned(),
            segments,
            operations: BTreeMap::new(),
            graphql: false,
        })
    }

    /// The parameters, if the path is this route.
    fn take(&self, segments: &[String]) -> Option<BTreeMap<String, String>> {
        if self.segments.len() != segments.len() {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (segment, text) in self.segments.iter().zip(segments) {
            match segment {
                Segment::Literal(literal) if literal == text => {}
                Segment::Literal(_) => return None,
                Segment::Parameter {
                    before,
                    name,
                    after,
                } => {
                    let value = text.strip_prefix(before)?.strip_suffix(after)?;
                    if value.is_empty() {
                        return None;
                    }
                    parameters.insert(name.clone(), value.to_owned());
                }
            }
        }
        Some(parameters)
    }

    /// Whether a server that ignores case and a last slash could take the path for this route.
    fn could_take(&self, segments: &[String]) -> bool {
        let ours = without_last(&self.segments, Segment::is_empty);
        let theirs = without_last(segments, String::is_empty);
        ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|(segment, text)| {
                let text = text.to_lowercase();
                match segment {
                    Segment::Literal(literal) => literal.to_lowercase() == text,
                    Segment::Parameter { before, after, .. } => text
                        .strip_prefix(&before.to_lowercase())
                        .and_then(|rest| rest.strip_suffix(&after.to_lowercase()))
                        .is_some_and(|value| !value.is_empty()),
                }
            })
    }

    /// Less is more specific: text before parameters, from the left.
    fn preference(&self, other: &Self) -> Ordering {
        let ranks = |route: &Self| -> Vec<(bool, std::cmp::Reverse<usize>)> {
            let rank = |segment: &Segment| {
                let text = segment.literals();
                (segment.name().is_some(), std::cmp::Reverse(text))
            };
            without_last(&route.segments, Segment::is_empty)
                .iter()
                .map(rank)
                .collect()
        };
        ranks(self).cmp(&ranks(other))
    }

    fn takes_the_same(&self, other: &Self) -> bool {
        self.segments.len() == other.segments.len()
            && self
                .segments
                .iter()
                .zip(&other.segments)
                .all(|(left, right)| left.shape() == right.shape())
    }
}

/// The parts without a last one that is empty.
fn without_last<T>(parts: &[T], is_empty: impl Fn(&T) -> bool) -> &[T] {
    match parts.split_last() {
        Some((last, rest)) if is_empty(last) => rest,
        _ => parts,
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        let plain = |text: &str| {
            text.chars()
                .all(|c| !c.is_control() && !"{}%\\;?# ".contains(c))
        };
        let Some((before, rest)) = text.split_once('{') else {
            return (plain(text) && text != "." && text != "..")
                .then(|| Self::Literal(text.to_owned()));
        };
        let (name, after) = rest.split_once('}')?;
        let named = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        (named && plain(before) && plain(after)).then(|| Self::Parameter {
            before: before.to_owned(),
            name: name.to_owned(),
            after: after.to_owned(),
        })
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Literal(text) if text.is_empty())
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Parameter { name, .. } => Some(name),
        }
    }

    fn literals(&self) -> usize {
        match self {
            // Two literals that take one segment are equal.
            Self::Literal(_) => 0,
            Self::Parameter { before, after, .. } => before.len().saturating_add(after.len()),
        }
    }

    /// Without the name of the parameter.
    fn shape(&self) -> (&str, Option<&str>) {
        match self {
            Self::Literal(text) => (text, None),
            Self::Parameter { before, after, .. } => (before, Some(after)),
        }
    }
}

impl Routes {
    /// Adds a template; one that is there already is not added again.
    pub fn add(&mut self, template: &str) -> Result<(), InvalidTemplate> {
        let route = Route::parse(template)?;
        match self
            .routes
            .iter()
            .find(|other| other.takes_the_same(&route))
        {
            Some(other) if other.template == template => Ok(()),
            Some(other) => Err(InvalidTemplate::Same(
                template.to_owned(),
                other.template.clone(),
            )),
            None => {
                self.routes.push(route);
                Ok(())
            }
        }
    }

    /// Adds a template whose requests are read as GraphQL, or makes it one.
    pub fn add_graphql(&mut self, template: &str) -> Result<(), InvalidTemplate> {
        self.add(template)?;
        let route = self.routes.iter_mut().find(|it| it.template == template);
        if let Some(route) = route {
            route.graphql = true;
        }
        Ok(())
    }

    /// Adds a gRPC service by its full name, `shop.v1.Orders`; false if that is none.
    pub fn add_service(&mut self, name: &str) -> bool {
        let part = |part: &str| {
            let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            plain && !part.is_empty()
        };
        let is_name = name.split('.').all(part);
        if is_name {
            self.services.insert(name.to_owned());
        }
        is_name
    }

    /// Every gRPC service.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(String::as_str)
    }

    /// Names what a method does on a route that was added.
    pub fn name(&mut self, template: &str, verb: Verb, operation: &str) {
        let route = self.routes.iter_mut().find(|it| it.template == template);
        if let Some(route) = route {
            route.operations.insert(verb, operation.to_owned());
        }
    }

    /// Every route, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// Which route a path is: of several, the one with text where the others have parameters, from
    /// the left.
    pub fn find(&self, path: &Path) -> Found<'_> {
        let segments = path.segments();
        if let Some(method) = self.method(segments) {
            return method;
        }
        let taken = self
            .routes
            .iter()
            .filter_map(|route| Some((route, route.take(segments)?)))
            .min_by(|(left, _), (right, _)| left.preference(right));
        let could = self
            .routes
            .iter()
            .filter(|route| route.could_take(segments))
            .min_by(|left, right| left.preference(right));
        match (taken, could) {
            (Some((route, parameters)), Some(other))
                if route.preference(other) != Ordering::Greater =>
            {
                Found::Route(route, parameters)
            }
            (_, Some(other)) => Found::Otherwise(other.template()),
            (_, None) => Found::Nothing,
        }
    }

    /// The method that a path is, if it is one of a service.
    fn method(&self, segments: &[String]) -> Option<Found<'_>> {
        let (first, rest) = segments.split_first()?;
        let mut services = self.services.iter();
        let service = services.find(|it| it.eq_ignore_ascii_case(first))?;
        let name = match rest {
            [name] if !name.is_empty() => name,
            [name, last] if !name.is_empty() && last.is_empty() => {
                return Some(Found::Otherwise(service));
            }
            _ => return None,
        };
        Some(match service == first {
            true => Found::Method(service.clone(), name.clone()),
            false => Found::Otherwise(service),
        })
    }
}
