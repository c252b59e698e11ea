//! The bundle: what its author wrote, validated whole and compiled.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Validator;
use ostiary_mask::{Strategy, detect::Detector};
use ostiary_operation::{Operation, Principal, Target, http::Routes};

use crate::{
    Approval, Decision, InvalidPolicy, LabelledColumn, LabelledField, Mode, approvals,
    decide::Judge,
    error::Problems,
    hash::hash,
    keys::Keys,
    labels::{self, Labels},
    mentions::Mentions,
    names::meant,
    policies::{self, Known, NO_POLICY},
    resources::{self, ResourceRules},
    schema::schema,
};

/// A bundle's files: name relative to its directory (`reads.cedar`, `labels.yaml`) to text.
pub type Files = BTreeMap<String, String>;

/// Bytes of all files: what a filter can be made to hold and parse.
const MAX_BYTES: usize = 1 << 20;
const MAX_FILES: usize = 256;
const YAML_FILES: [&str; 3] = [labels::FILE, approvals::FILE, resources::FILE];

/// A validated, compiled bundle.
#[derive(Debug)]
pub struct Bundle {
    hash: String,
    state: State,
}

#[derive(Debug)]
enum State {
    DenyAll { reason: String },
    Compiled(Box<Compiled>),
}

#[derive(Debug)]
struct Compiled {
    judge: Judge,
    labels: Labels,
    approvals: BTreeMap<String, Approval>,
    resources: BTreeMap<String, ResourceRules>,
    /// `resources.*.tags` as policies see them, `key=value`.
    tags: BTreeMap<String, Vec<String>>,
}

/// What is masked for one principal on one target; labels the principal may reveal are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// Labelled columns with their strategies; no column comes twice.
    pub columns: Vec<(LabelledColumn, Strategy)>,
    /// Labelled fields of JSON bodies, of every route.
    pub fields: Vec<(LabelledField, Strategy)>,
    /// What Kubernetes keeps secret; `None` if the principal may see it.
    pub secrets: Option<Strategy>,
    /// Detectors that run over every text value, with their label and strategy.
    pub detectors: BTreeMap<Detector, (String, Strategy)>,
    /// Labels whose columns may decide which rows there are and in which order, masked as they are.
    pub rows_allowed: BTreeSet<String>,
}

impl Bundle {
    /// Parses and validates; every problem is listed, by file and line.
    pub fn parse(files: &Files) -> Result<Self, Vec<InvalidPolicy>> {
        let mut problems = Problems::default();
        if !fits(files, &mut problems) {
            return Err(problems.into_list());
        }
        let mut labels = Labels::parse(files, &mut problems);
        labels.add_built_in();
        let approvals = approvals::parse(files, &mut problems);
        let resources = resources::parse(files, &mut problems);
        check_names(files, &resources, &mut problems);
        check_routes(&labels, &resources, &mut problems);
        let validator = match schema() {
            Ok(schema) => Validator::new(schema),
            Err(error) => {
                problems.push("", || 0, format!("the built-in schema: {error}"));
                return Err(problems.into_list());
            }
        };
        let known = Known {
            validator: &validator,
            approvals: &approvals,
            labels: &labels,
            resources: &resources,
        };
        let rules = policies::parse(files, &known, &mut problems);
        if !problems.is_empty() {
            return Err(problems.into_list());
        }
        let policies = || rules.iter().map(|rule| &rule.policy);
        let judge = Mentions::of(policies())
            .and_then(|mentions| Judge::new(&rules, mentions, Keys::of(policies())?));
        let judge = judge.map_err(|error| {
            problems.push("", || 0, error);
            problems.into_list()
        })?;
        let tags = resources
            .iter()
            .map(|(name, rules)| {
                let tags = rules
                    .tags
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"));
                (name.clone(), tags.collect())
            })
            .collect();
        Ok(Self {
            hash: hash(files),
            state: State::Compiled(Box::new(Compiled {
                judge,
                labels,
                approvals,
                resources,
                tags,
            })),
        })
    }

    /// A bundle that denies everything and says why; the value before any snapshot has come.
    pub fn deny_all(reason: &str) -> Self {
        Self {
            hash: String::new(),
            state: State::DenyAll {
                reason: reason.to_owned(),
            },
        }
    }

    /// SHA-256 over the canonical form of the files, lower-case hex; empty for
    /// [`deny_all`](Self::deny_all).
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The operation without what no rule asks of it, as the key of a verdict to be kept: under this
    /// bundle, the verdict on both is the same.
    pub fn relevant(&self, operation: &Operation) -> Operation {
        match &self.state {
            State::DenyAll { .. } => operation.clone(),
            State::Compiled(bundle) => bundle.judge.relevant(operation),
        }
    }

    /// The verdict on one operation.
    pub fn decide(&self, who: &Principal, target: &Target, operation: &Operation) -> Decision {
        match &self.state {
            State::DenyAll { reason } => Decision::deny(NO_POLICY, reason),
            State::Compiled(bundle) => {
                let tags = bundle.tags(&target.resource);
                bundle.judge.decide(who, target, tags, operation)
            }
        }
    }

    /// What must be masked for this principal on this target. Nothing for
    /// [`deny_all`](Self::deny_all), under which no statement passes and no row comes.
    pub fn masks(&self, who: &Principal, target: &Target) -> Masks {
        let State::Compiled(bundle) = &self.state else {
            return Masks::default();
        };
        let Compiled { judge, labels, .. } = bundle.as_ref();
        let tags = bundle.tags(&target.resource);
        let revealed = judge.revealed(who, target, tags, labels.strategies.keys());
        let strategy = |label: &str| match revealed.contains(label) {
            true => None,
            false => labels.strategies.get(label).cloned(),
        };
        let mut columns: Vec<(LabelledColumn, Strategy)> = labels
            .columns(target)
            .filter_map(|column| Some((column.clone(), strategy(&column.label)?)))
            .collect();
        columns.sort_by(|(left, _), (right, _)| left.cmp(right));
        let fields = labels
            .fields(target)
            .filter_map(|field| Some((field.clone(), strategy(&field.label)?)))
            .collect();
        let detectors = labels
            .detectors
            .iter()
            .filter_map(|(detector, label)| Some((*detector, (label.clone(), strategy(label)?))))
            .collect();
        Masks {
            columns,
            fields,
            secrets: strategy(labels::SECRET),
            detectors,
            rows_allowed: labels.rows_allowed.clone(),
        }
    }

    /// A label that is masked for this principal on this target, if any is.
    pub fn masked(&self, who: &Principal, target: &Target) -> Option<String> {
        let masks = self.masks(who, target);
        let column = masks.columns.first().map(|(column, _)| &column.label);
        let detector = masks.detectors.values().map(|(label, _)| label);
        column.into_iter().chain(detector).next().cloned()
    }

    /// The same in any database of the target's resource: for what shows them all.
    pub fn masked_anywhere(&self, who: &Principal, target: &Target) -> Option<String> {
        let Compiled { judge, labels, .. } = self.compiled()?;
        let tags = self.compiled()?.tags(&target.resource);
        let revealed = judge.revealed(who, target, tags, labels.strategies.keys());
        let columns = labels.columns_of(&target.resource).map(|it| &it.label);
        let mut all = columns.chain(labels.detectors.values());
        all.find(|label| !revealed.contains(label.as_str()))
            .cloned()
    }

    /// The routes of a resource that is an HTTP API; `None` if `resources.yaml` names none.
    pub fn routes(&self, resource: &str) -> Option<&Routes> {
        self.compiled()?
            .resources
            .get(resource)
            .map(|rules| &rules.routes)
    }

    /// The mode of a resource; [`Mode::Enforce`] unless `resources.yaml` says otherwise.
    pub fn mode(&self, resource: &str) -> Mode {
        self.compiled()
            .and_then(|bundle| bundle.resources.get(resource))
            .map_or(Mode::Enforce, |rules| rules.mode)
    }

    /// The tags `resources.yaml` gives a resource.
    pub fn tags(&self, resource: &str) -> impl Iterator<Item = (&str, &str)> {
        self.compiled()
            .and_then(|bundle| bundle.resources.get(resource))
            .into_iter()
            .flat_map(|rules| &rules.tags)
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// An approval by its name.
    pub fn approval(&self, name: &str) -> Option<&Approval> {
        self.compiled()?.approvals.get(name)
    }

    /// Every approval, by name.
    pub fn approvals(&self) -> impl Iterator<Item = (&str, &Approval)> {
        self.compiled()
            .into_iter()
            .flat_map(|bundle| &bundle.approvals)
            .map(|(name, approval)| (name.as_str(), approval))
    }

    fn compiled(&self) -> Option<&Compiled> {
        match &self.state {
            State::DenyAll { .. } => None,
            State::Compiled(bundle) => Some(bundle),
        }
    }
}

impl Compiled {
    fn tags(&self, resource: &str) -> &[String] {
        self.tags.get(resource).map_or(&[], Vec::as_slice)
    }
}

/// Whether the files are within bounds; nothing of a bundle that is not gets read.
fn fits(files: &Files, problems: &mut Problems) -> bool {
    let bytes: usize = files
        .iter()
        .map(|(name, text)| name.len().saturating_add(text.len()))
        .fold(0, usize::saturating_add);
    if bytes > MAX_BYTES {
        let message = format!("the bundle is {bytes} bytes, more than {MAX_BYTES}");
        problems.push("", || 0, message);
    }
    if files.len() > MAX_FILES {
        let message = format!(
            "the bundle has {} files, more than {MAX_FILES}",
            files.len()
        );
        problems.push("", || 0, message);
    }
    problems.is_empty()
}

fn check_names(
    files: &Files,
    resources: &BTreeMap<String, ResourceRules>,
    problems: &mut Problems,
) {
    let mut policies = false;
    for name in files.keys() {
        let describes = |rules: &ResourceRules| rules.openapi.as_ref() == Some(name);
        if name.ends_with(".cedar") {
            policies = true;
        } else if resources.values().any(describes) {
            // Read with the resource that names it.
        } else if !YAML_FILES.contains(&name.as_str()) {
            let meant = meant(name, ["*.cedar"].into_iter().chain(YAML_FILES));
            problems.push(name, || 0, format!("unknown file{meant}"));
        }
    }
    if !policies {
        let message = "no `*.cedar` file: such a bundle would deny everything";
        problems.push("", || 0, message);
    }
}

/// A label on a route that nobody named would mask nothing.
fn check_routes(
    labels: &Labels,
    resources: &BTreeMap<String, ResourceRules>,
    problems: &mut Problems,
) {
    for (resource, route) in labels.routes() {
        let templates: Vec<&str> = resources
            .iter()
            .filter(|(name, _)| resource.is_none_or(|it| it == name.as_str()))
            .flat_map(|(_, rules)| rules.routes.iter())
            .map(ostiary_operation::http::Route::template)
            .collect();
        if !templates.contains(&route) {
            let meant = meant(route, templates.iter().copied().take(20));
            let message = format!("a field is labelled on `{route}`, which is no route{meant}");
            problems.push(labels::FILE, || 0, message);
        }
    }
}
