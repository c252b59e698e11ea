//! Verbs: what is done. Policy calls them `Action::"sql:delete"`, `Action::"http:POST"`.

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
    /// LISTEN.
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
    /// HTTP GET.
    HttpGet,
    /// HTTP HEAD.
    HttpHead,
    /// HTTP OPTIONS.
    HttpOptions,
    /// HTTP POST.
    HttpPost,
    /// HTTP PUT.
    HttpPut,
    /// HTTP PATCH.
    HttpPatch,
    /// HTTP DELETE.
    HttpDelete,
    /// A GraphQL query's root field.
    GraphqlQuery,
    /// A GraphQL subscription's root field.
    GraphqlSubscription,
    /// A GraphQL mutation's root field.
    GraphqlMutation,
    /// A call of a gRPC method.
    GrpcCall,
    /// A change to WebSocket, whose frames are not read.
    HttpUpgrade,
    /// A body that is not read, of a request or a response.
    HttpUnreadable,
}

/// What a verb is a word of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Statements.
    Sql,
    /// Requests.
    Http,
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
    /// HTTP methods that are safe, and what GraphQL reads.
    HttpRead,
    /// HTTP methods that are not, GraphQL's mutations and every gRPC call.
    HttpWrite,
}

impl Verb {
    /// Every verb, in order of strength.
    pub const ALL: [Self; 42] = [
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
        Self::HttpGet,
        Self::HttpHead,
        Self::HttpOptions,
        Self::HttpPost,
        Self::HttpPut,
        Self::HttpPatch,
        Self::HttpDelete,
        Self::GraphqlQuery,
        Self::GraphqlSubscription,
        Self::GraphqlMutation,
        Self::GrpcCall,
        Self::HttpUpgrade,
        Self::HttpUnreadable,
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
            Self::HttpGet => "http:GET",
            Self::HttpHead => "http:HEAD",
            Self::HttpOptions => "http:OPTIONS",
            Self::HttpPost => "http:POST",
            Self::HttpPut => "http:PUT",
            Self::HttpPatch => "http:PATCH",
            Self::HttpDelete => "http:DELETE",
            Self::GraphqlQuery => "graphql:query",
            Self::GraphqlSubscription => "graphql:subscription",
            Self::GraphqlMutation => "graphql:mutation",
            Self::GrpcCall => "grpc:call",
            Self::HttpUpgrade => "http:upgrade",
            Self::HttpUnreadable => "http:unreadable",
        }
    }

    /// The verb of an HTTP method, written exactly so.
    pub fn of_method(method: &str) -> Option<Self> {
        Some(match method {
            "GET" => Self::HttpGet,
            "HEAD" => Self::HttpHead,
            "OPTIONS" => Self::HttpOptions,
            "POST" => Self::HttpPost,
            "PUT" => Self::HttpPut,
            "PATCH" => Self::HttpPatch,
            "DELETE" => Self::HttpDelete,
            _ => return None,
        })
    }

    /// What it is a word of.
    pub fn protocol(self) -> Protocol {
        match self.as_str().starts_with("sql:") {
            true => Protocol::Sql,
            false => Protocol::Http,
        }
    }

    /// Whether it stands for what could not be read, which only a permit that names it lets pass.
    pub fn is_unreadable(self) -> bool {
        matches!(self, Self::Unreadable | Self::HttpUnreadable)
    }

    /// Whether only a permit whose scope names it lets it pass: nothing of what comes is read.
    pub fn needs_naming(self) -> bool {
        self.is_unreadable() || matches!(self, Self::HttpUpgrade | Self::Replicate)
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
            Self::HttpGet
            | Self::HttpHead
            | Self::HttpOptions
            | Self::GraphqlQuery
            | Self::GraphqlSubscription => Some(Group::HttpRead),
            Self::HttpPost
            | Self::HttpPut
            | Self::HttpPatch
            | Self::HttpDelete
            | Self::GraphqlMutation
            | Self::GrpcCall => Some(Group::HttpWrite),
            Self::Set
            | Self::Listen
            | Self::Notify
            | Self::Lock
            | Self::Call
            | Self::Do
            | Self::FunctionCall
            | Self::Unreadable
            | Self::HttpUpgrade
            | Self::HttpUnreadable => None,
        }
    }

    /// Whether the verb leaves the target as it was. A setting of one's own session counts as read:
    /// it ends with the session.
    pub fn is_read(self) -> bool {
        matches!(self.group(), Some(Group::Read | Group::HttpRead))
            || matches!(self, Self::Set | Self::Listen)
    }
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::Write,
        Self::Ddl,
        Self::Admin,
        Self::HttpRead,
        Self::HttpWrite,
    ];

    /// The name policy uses: `Action::"sql:read"` and so on.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "sql:read",
            Self::Write => "sql:write",
            Self::Ddl => "sql:ddl",
            Self::Admin => "sql:admin",
            Self::HttpRead => "http:read",
            Self::HttpWrite => "http:write",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
