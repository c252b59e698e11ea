//! Bundles the tests run under.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ostiary_policy::{Bundle, Files};

use crate::State;

const ACCESS: &str = r#"
@id("reads") permit (principal in Group::"analysts",
    action in [Action::"sql:select", Action::"sql:show", Action::"sql:transaction",
               Action::"sql:explain", Action::"sql:set", Action::"sql:listen", Action::"sql:notify",
               Action::"sql:copy-out"],
    resource in Resource::"shop");
@id("writes") permit (principal in Group::"analysts",
    action in [Action::"sql:insert", Action::"sql:update", Action::"sql:delete", Action::"sql:call",
               Action::"sql:copy-in"],
    resource in Resource::"shop");
@id("owners-build") permit (principal in Group::"owners", action in Action::"sql:ddl",
    resource in Resource::"shop");
@id("no-truncate") @reason("nobody empties a table") forbid (principal, action == Action::"sql:truncate", resource);
@id("no-purge") @reason("purge is for people") forbid (principal, action == Action::"sql:call",
    resource == Function::"shop/app/public.purge");
@id("deletes-need-approval") @approval("dba") @reason("rows are about to be deleted")
forbid (principal, action == Action::"sql:delete", resource);
@id("support-sees-email") permit (principal in Group::"support", action == Action::"reveal",
    resource == Label::"pii.email");
"#;

const CALLS: &str = r#"
@id("calls") permit (principal in Group::"analysts",
    action in [Action::"sql:function-call", Action::"sql:unreadable"], resource in Resource::"shop");
"#;

const REPLICATES: &str = r#"
@id("replicates") permit (principal in Group::"analysts",
    action in [Action::"sql:replicate", Action::"sql:unreadable"], resource in Resource::"shop");
"#;

/// The database is another one than that of the tests.
const ELSEWHERE: &str = "
labels:
  pii.email: {strategy: redact}
columns:
  - {column: other.public.users.email, label: pii.email}
";

const LABELS: &str = "
labels:
  pii.email: {strategy: {partial: {keep: 4}}}
  pii.ssn: {strategy: redact}
  pii.card: {strategy: hash}
  pii.gone: {strategy: \"null\"}
columns:
  - {column: public.users.email, label: pii.email}
  - {column: public.users.ssn, label: pii.ssn}
  - {column: public.users.card, label: pii.card}
  - {column: public.users.born, label: pii.gone}
";

const DETECTORS: &str = "
labels:
  pii.email: {strategy: redact}
detectors:
  - {detector: email, label: pii.email}
";

const APPROVALS: &str = "
approvals:
  dba: {reviewers: [dba], people: 1, hold: 5m, grant: 0s}
  boss: {reviewers: [boss], people: 1, hold: 5m, grant: 0s}
";

/// Which rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rules {
    /// Verdicts, no masks.
    Plain,
    /// Verdicts and column labels.
    Labels,
    /// Verdicts and a detector.
    Detectors,
    /// As `Labels`, in observe mode.
    Observe,
    /// As `Plain`, and deletes are denied.
    Strict,
    /// As `Plain`, and deletes need the boss as well.
    Boss,
    /// As `Plain`, and deletes are free.
    Lax,
    /// As `Plain`, and FunctionCall is permitted.
    Calls,
    /// As `Labels`, and FunctionCall is permitted.
    LabelledCalls,
    /// As `Calls`, and each needs an approval.
    AskedCalls,
    /// As `Plain`, and replication is permitted.
    Replicates,
    /// The same on one database alone.
    ReplicatesHere,
    /// As `Plain`, and all is permitted, nothing of it by its name.
    Blanket,
    /// As `Replicates`, and it needs an approval.
    AskedReplication,
    /// As `Replicates`, with the masks of `Labels`, of `Detectors`, and of another database.
    LabelledReplication,
    DetectedReplication,
    LabelsElsewhere,
    /// Nothing is known yet.
    None,
}

impl Rules {
    pub(super) fn state(self) -> State {
        thread_local! {
            static KNOWN: RefCell<BTreeMap<Rules, State>> = const { RefCell::new(BTreeMap::new()) };
        }
        KNOWN.with_borrow_mut(|known| known.entry(self).or_insert_with(|| self.parse()).clone())
    }

    fn parse(self) -> State {
        let bundle = match self.files() {
            None => Bundle::deny_all("policy not received"),
            Some(files) => Bundle::parse(&files).unwrap_or_else(|problems| panic!("{problems:#?}")),
        };
        State {
            bundle: Rc::new(bundle),
            hash_key: Rc::new(vec![7; 32]),
        }
    }

    fn files(self) -> Option<Files> {
        let mut access = ACCESS.to_owned();
        let mut files = Files::new();
        match self {
            Self::None => return None,
            Self::Plain => {}
            Self::Calls => access.push_str(CALLS),
            Self::LabelledCalls => {
                access.push_str(CALLS);
                files.insert("labels.yaml".to_owned(), LABELS.to_owned());
            }
            Self::AskedCalls => {
                access.push_str(CALLS);
                access.push_str(
                    r#"@id("ask") @approval("dba") forbid (principal, action == Action::"sql:function-call", resource);"#,
                );
            }
            Self::Replicates => access.push_str(REPLICATES),
            Self::ReplicatesHere => {
                let here = r#"resource == Database::"shop/app""#;
                access.push_str(&REPLICATES.replace(r#"resource in Resource::"shop""#, here));
            }
            Self::Blanket => access.push_str(r#"@id("all") permit (principal, action, resource);"#),
            Self::AskedReplication => {
                access.push_str(REPLICATES);
                access.push_str(
                    r#"@id("ask") @approval("dba") forbid (principal, action == Action::"sql:replicate", resource);"#,
                );
            }
            Self::LabelledReplication | Self::DetectedReplication | Self::LabelsElsewhere => {
                access.push_str(REPLICATES);
                let labels = match self {
                    Self::LabelledReplication => LABELS,
                    Self::DetectedReplication => DETECTORS,
                    _ => ELSEWHERE,
                };
                files.insert("labels.yaml".to_owned(), labels.to_owned());
            }
            Self::Labels => {
                files.insert("labels.yaml".to_owned(), LABELS.to_owned());
            }
            Self::Detectors => {
                files.insert("labels.yaml".to_owned(), DETECTORS.to_owned());
            }
            Self::Observe => {
                files.insert("labels.yaml".to_owned(), LABELS.to_owned());
                files.insert(
                    "resources.yaml".to_owned(),
                    "resources: {shop: {mode: observe}}".to_owned(),
                );
            }
            Self::Strict => access.push_str(
                r#"@id("no-delete") @reason("never") forbid (principal, action == Action::"sql:delete", resource);"#,
            ),
            Self::Boss => access.push_str(
                r#"@id("boss") @approval("boss") forbid (principal, action == Action::"sql:delete", resource);"#,
            ),
            Self::Lax => access = access.replace("@approval(\"dba\")", "").replace(
                "forbid (principal, action == Action::\"sql:delete\", resource);",
                "permit (principal, action == Action::\"sql:delete\", resource);",
            ),
        }
        if !files.contains_key("labels.yaml") {
            let label = "labels: {pii.email: {strategy: redact}}\n";
            files.insert("labels.yaml".to_owned(), label.to_owned());
        }
        files.insert("access.cedar".to_owned(), access);
        files.insert("approvals.yaml".to_owned(), APPROVALS.to_owned());
        Some(files)
    }
}
