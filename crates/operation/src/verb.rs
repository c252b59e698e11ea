//! Verbs: what is done. Policy calls them `Action::"sql:delete"`.

use std::fmt;

/// What an operation does to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Reads rows.
    Select,
    /// Reads a setting (`SHOW`).
    Show,
    /// BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, SET TRANSACTION, CLOSE, DEALLOCATE, DISCARD PLANS.
    Transaction,
    /// `EXPLAIN` without `ANALYZE` (reads no rows itself; its plan can show literals).
    Explain,
    /// Changes a setting of this session (`SET`, `RESET`, `set_config`).
    Set,
    /// LISTEN, UNLISTEN.
    Listen,
    /// NOTIFY, `pg_notify`.
    Notify,
    /// LOCK TABLE, advisory locks.
    Lock,
    /// Adds rows.
    Insert,
    /// Changes rows.
    Update,
    /// Removes rows.
    Delete,
    /// MERGE (each branch is an access of its own as well).
    Merge,
    /// TRUNCATE.
    Truncate,
    /// `COPY … FROM STDIN`.
    CopyIn,
    /// `COPY … TO STDOUT`.
    CopyOut,
    /// COPY from or to a server file or program.
    ServerFile,
    /// CREATE of anything, also `SELECT INTO`.
    Create,
    /// ALTER of anything, COMMENT, SECURITY LABEL.
    Alter,
    /// DROP of anything.
    Drop,
    /// VACUUM, ANALYZE, REINDEX, CLUSTER, REFRESH MATERIALIZED VIEW, CHECKPOINT.
    Maintain,
    /// GRANT, REVOKE, ALTER DEFAULT PRIVILEGES, REASSIGN OWNED.
    Grant,
    /// SET ROLE, SET SESSION AUTHORIZATION.
    SetRole,
    /// CREATE, ALTER, DROP ROLE, USER or GROUP.
    Role,
    /// ALTER SYSTEM, LOAD, server control functions.
    Administer,
    /// Calls a function or procedure that may have side effects.
    Call,
    /// An anonymous code block (`DO`).
    Do,
    /// The FunctionCall message.
    FunctionCall,
    /// A replication connection or command.
    Replicate,
    /// Not read: the text does not parse or its effect is not visible.
    Unreadable,
}

/// A named set of verbs, so that a policy can say `action in Action::"ddl"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Cannot change anything outside the session.
    Read,
    /// Changes rows.
    Write,
    /// Changes the schema.
    Ddl,
    /// Changes who may do what, or the server itself.
    Admin,
}

impl Verb {
    /// Every verb, in order of strength.
    pub const ALL: [Self; 29] = [
        Self::Select,
        Self::Show,
        Self::Transaction,
        Self::Explain,
        Self::Set,
        Self::Listen,
        Self::Notify,
        Self::Lock,
        Self::Insert,
        Self::Update,
        Self::Delete,
        Self::Merge,
        Self::Truncate,
        Self::CopyIn,
        Self::CopyOut,
        Self::ServerFile,
        Self::Create,
        Self::Alter,
        Self::Drop,
        Self::Maintain,
        Self::Grant,
        Self::SetRole,
        Self::Role,
        Self::Administer,
        Self::Call,
        Self::Do,
        Self::FunctionCall,
        Self::Replicate,
        Self::Unreadable,
    ];

    /// The name policy uses, such as `sql:delete`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Select => "sql:select",
            Self::Show => "sql:show",
            Self::Transaction => "sql:transaction",
            Self::Explain => "sql:explain",
            Self::Set => "sql:set",
            Self::Listen => "sql:listen",
            Self::Notify => "sql:notify",
            Self::Lock => "sql:lock",
            Self::Insert => "sql:insert",
            Self::Update => "sql:update",
            Self::Delete => "sql:delete",
            Self::Merge => "sql:merge",
            Self::Truncate => "sql:truncate",
            Self::CopyIn => "sql:copy-in",
            Self::CopyOut => "sql:copy-out",
            Self::ServerFile => "sql:server-file",
            Self::Create => "sql:create",
            Self::Alter => "sql:alter",
            Self::Drop => "sql:drop",
            Self::Maintain => "sql:maintain",
            Self::Grant => "sql:grant",
            Self::SetRole => "sql:set-role",
            Self::Role => "sql:role",
            Self::Administer => "sql:administer",
            Self::Call => "sql:call",
            Self::Do => "sql:do",
            Self::FunctionCall => "sql:function-call",
            Self::Replicate => "sql:replicate",
            Self::Unreadable => "sql:unreadable",
        }
    }

    /// The group the verb belongs to, if any.
    pub fn group(self) -> Option<Group> {
        match self {
            Self::Select | Self::Show | Self::Transaction | Self::Explain | Self::CopyOut => {
                Some(Group::Read)
            }
            Self::Insert
            | Self::Update
            | Self::Delete
            | Self::Merge
            | Self::Truncate
            | Self::CopyIn => Some(Group::Write),
            Self::Create | Self::Alter | Self::Drop | Self::Maintain => Some(Group::Ddl),
            Self::Grant
            | Self::SetRole
            | Self::Role
            | Self::Administer
            | Self::ServerFile
            | Self::Replicate => Some(Group::Admin),
            Self::Set
            | Self::Listen
            | Self::Notify
            | Self::Lock
            | Self::Call
            | Self::Do
            | Self::FunctionCall
            | Self::Unreadable => None,
        }
    }

    /// Whether the verb leaves the target as it was. A setting of one's own session counts as read:
    /// it ends with the session.
    pub fn is_read(self) -> bool {
        self.group() == Some(Group::Read) || matches!(self, Self::Set | Self::Listen)
    }
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Ddl, Self::Admin];

    /// The name policy uses: `Action::"sql:read"` and so on.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "sql:read",
            Self::Write => "sql:write",
            Self::Ddl => "sql:ddl",
            Self::Admin => "sql:admin",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
