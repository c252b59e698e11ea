//! Who an operator is, and what each operator role may do.

use std::{collections::BTreeSet, sync::Arc};

use ostiary_operation::Principal;

use super::Error;
use crate::{
    config::Roles,
    identity::{TokenError, Verifier},
};

/// A role of operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Applies policy, ends sessions.
    Admin,
    /// Decides approvals.
    Reviewer,
    /// Reads everything.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Reviewer, Self::Auditor];

    /// The name in `ostiary.yaml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Reviewer => "reviewer",
            Self::Auditor => "auditor",
        }
    }
}

/// Something operators ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Validate a bundle.
    CheckPolicy,
    /// Make a bundle the running one.
    ApplyPolicy,
    /// Read a bundle.
    ReadPolicy,
    /// See what is guarded.
    ListResources,
    /// See approvals: auditors all, reviewers those they may decide.
    ReadApprovals,
    /// Approve or deny.
    DecideApproval,
    /// See sessions and their events.
    ReadSessions,
    /// End a session.
    KillSession,
}

impl Action {
    /// Any one of these roles is enough.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::CheckPolicy | Self::ListResources => &Role::ALL,
            Self::ApplyPolicy | Self::KillSession => &[Role::Admin],
            Self::ReadPolicy => &[Role::Admin, Role::Auditor],
            Self::ReadApprovals => &[Role::Reviewer, Role::Auditor],
            Self::DecideApproval => &[Role::Reviewer],
            Self::ReadSessions => &[Role::Auditor],
        }
    }
}

/// A verified operator.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Who.
    pub principal: Principal,
    /// Roles their groups hold.
    pub roles: BTreeSet<Role>,
    /// When the token ends, microseconds since the Unix epoch.
    pub expires_us: u64,
}

impl Operator {
    /// How they are named to others: their subject.
    pub fn name(&self) -> &str {
        &self.principal.subject
    }
}

/// Turns tokens into operators.
#[derive(Debug)]
pub struct Access {
    verifier: Arc<Verifier>,
    roles: Roles,
}

impl Access {
    /// Groups of `roles` count for tokens of any issuer of the verifier.
    pub fn new(verifier: Arc<Verifier>, roles: Roles) -> Self {
        Self { verifier, roles }
    }

    /// The operator behind a token, if they may do this.
    pub async fn operator(&self, token: Option<&str>, action: Action) -> Result<Operator, Error> {
        let token = token.ok_or(TokenError::Missing)?;
        let verified = self.verifier.verify(token).await?;
        let roles = self.roles_of(&verified.principal);
        if !action.roles().iter().any(|role| roles.contains(role)) {
            let needed: Vec<&str> = action.roles().iter().map(|role| role.as_str()).collect();
            return Err(Error::NotAllowed(format!(
                "this needs role {}, which no group of the token holds",
                needed.join(" or ")
            )));
        }
        Ok(Operator {
            principal: verified.principal,
            roles,
            expires_us: verified.expires_us,
        })
    }

    fn roles_of(&self, who: &Principal) -> BTreeSet<Role> {
        let holds = |role: &Role| {
            let groups = match role {
                Role::Admin => &self.roles.admin,
                Role::Reviewer => &self.roles.reviewer,
                Role::Auditor => &self.roles.auditor,
            };
            groups.iter().any(|group| who.groups.contains(group))
        };
        Role::ALL.into_iter().filter(holds).collect()
    }
}
