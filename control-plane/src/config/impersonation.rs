//! Who a Kubernetes API server takes an agent for: its own subject and groups, as `Impersonate-*` headers.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation>

use ostiary_operation::Principal;

/// Names that the cluster keeps for itself: nobody who is let in by a token is one of them.
const RESERVED: &str = "system:";

/// How subjects and groups of tokens are called in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impersonation {
    /// Comes before the subject.
    pub user_prefix: String,
    /// Comes before each group.
    pub groups_prefix: String,
}

impl Default for Impersonation {
    fn default() -> Self {
        Self {
            user_prefix: "ostiary:".to_owned(),
            groups_prefix: "ostiary:".to_owned(),
        }
    }
}

impl Impersonation {
    /// The headers, lower case. Groups that no header can say, or that are the cluster's own, are left
    /// out: without them the agent can do less.
    ///
    /// # Errors
    ///
    /// If the subject is such a name: the agent must not be taken for the gateway instead.
    pub fn headers(&self, principal: &Principal) -> Result<Vec<(String, String)>, String> {
        let user = named(&self.user_prefix, &principal.subject)
            .ok_or("the cluster cannot know a user of this name")?;
        let groups = principal.groups.iter();
        let groups = groups.filter_map(|group| named(&self.groups_prefix, group));
        let groups = groups.map(|group| ("impersonate-group".to_owned(), group));
        let user = ("impersonate-user".to_owned(), user);
        Ok(std::iter::once(user).chain(groups).collect())
    }
}

/// HTTP drops spaces around a value, which would make another name of it.
fn named(prefix: &str, name: &str) -> Option<String> {
    let whole = format!("{prefix}{name}");
    let is_fit = !name.is_empty()
        && whole.trim() == whole
        && whole.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && !whole.to_ascii_lowercase().starts_with(RESERVED);
    is_fit.then_some(whole)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn headers(prefix: &str, subject: &str, groups: &[&str]) -> Result<Vec<String>, String> {
        let impersonation = Impersonation {
            user_prefix: prefix.to_owned(),
            groups_prefix: prefix.to_owned(),
        };
        let headers = impersonation.headers(&Principal {
            issuer: "https://id.example".to_owned(),
            subject: subject.to_owned(),
            groups: groups
                .iter()
                .map(|&group| group.to_owned())
                .collect::<BTreeSet<_>>(),
            on_behalf_of: None,
        })?;
        let shown = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"));
        Ok(shown.collect())
    }

    #[test]
    fn subject_and_groups_are_named() {
        let expected = [
            "impersonate-user: oidc:agent 7",
            "impersonate-group: oidc:a,b",
            "impersonate-group: oidc:system:masters",
        ];
        assert_eq!(
            headers("oidc:", "agent 7", &["system:masters", "a,b"]).unwrap(),
            expected
        );
        assert_eq!(
            headers("", "agent-7", &[]).unwrap(),
            ["impersonate-user: agent-7"]
        );
    }

    #[test]
    fn nobody_becomes_what_the_cluster_keeps_for_itself() {
        for subject in [
            "system:admin",
            "System:admin",
            "",
            " system:admin",
            "a ",
            "\u{e9}",
            "a\nb",
        ] {
            headers("", subject, &[]).unwrap_err();
        }
        headers("sys", "tem:admin", &[]).unwrap_err();
        let groups = ["system:masters", " system:masters", "", "\u{e9}", "fine"];
        let expected = ["impersonate-user: a", "impersonate-group: fine"];
        assert_eq!(headers("", "a", &groups).unwrap(), expected);
    }
}
