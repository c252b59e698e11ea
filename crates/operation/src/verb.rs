//! Verbs: what is done. Policy calls them `Action::"sql:delete"`, `Action::"http:POST"`,
//! `Action::"k8s:delete"`.

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
    /// Kubernetes: one object, or a path that is no object.
    K8sGet,
    /// The objects of a kind.
    K8sList,
    /// Changes of objects, as they come.
    K8sWatch,
    /// What a container wrote.
    K8sLog,
    /// A new object, or a POST to a subresource.
    K8sCreate,
    /// A whole object in place of another.
    K8sUpdate,
    /// Parts of an object; also server-side apply.
    K8sPatch,
    /// Removes one object.
    K8sDelete,
    /// Removes the objects of a kind.
    K8sDeleteCollection,
    /// Runs a command in a container.
    K8sExec,
    /// Joins the streams of a running container.
    K8sAttach,
    /// Opens connections to ports of a pod.
    K8sPortForward,
    /// Speaks to a node, service or pod through the API server.
    K8sProxy,
    /// A body that is not read, of a request or a response.
    K8sUnreadable,
}

/// What a verb is a word of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Statements.
    Sql,
    /// Requests.
    Http,
    /// Requests to a Kubernetes API server.
    Kubernetes,
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
    /// Shows objects of a cluster.
    K8sRead,
    /// Changes objects of a cluster.
    K8sWrite,
    /// Reaches into what runs in a cluster.
    K8sConnect,
}

impl Verb {
    /// Every verb, in order of strength.
    pub const ALL: [Self; 56] = [
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
        Self::K8sGet,
        Self::K8sList,
        Self::K8sWatch,
        Self::K8sLog,
        Self::K8sCreate,
        Self::K8sUpdate,
        Self::K8sPatch,
        Self::K8sDelete,
        Self::K8sDeleteCollection,
        Self::K8sExec,
        Self::K8sAttach,
        Self::K8sPortForward,
        Self::K8sProxy,
        Self::K8sUnreadable,
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
            Self::K8sGet => "k8s:get",
            Self::K8sList => "k8s:list",
            Self::K8sWatch => "k8s:watch",
            Self::K8sLog => "k8s:log",
            Self::K8sCreate => "k8s:create",
            Self::K8sUpdate => "k8s:update",
            Self::K8sPatch => "k8s:patch",
            Self::K8sDelete => "k8s:delete",
            Self::K8sDeleteCollection => "k8s:deletecollection",
            Self::K8sExec => "k8s:exec",
            Self::K8sAttach => "k8s:attach",
            Self::K8sPortForward => "k8s:portforward",
            Self::K8sProxy => "k8s:proxy",
            Self::K8sUnreadable => "k8s:unreadable",
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
        match self.as_str().split(':').next() {
            Some("sql") => Protocol::Sql,
            Some("k8s") => Protocol::Kubernetes,
            _ => Protocol::Http,
        }
    }

    /// Whether it stands for what could not be read, which only a permit that names it lets pass.
    pub fn is_unreadable(self) -> bool {
        matches!(
            self,
            Self::Unreadable | Self::HttpUnreadable | Self::K8sUnreadable
        )
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
            | Self::HttpUnreadable
            | Self::K8sUnreadable => None,
            Self::K8sGet | Self::K8sList | Self::K8sWatch | Self::K8sLog => Some(Group::K8sRead),
            Self::K8sCreate
            | Self::K8sUpdate
            | Self::K8sPatch
            | Self::K8sDelete
            | Self::K8sDeleteCollection => Some(Group::K8sWrite),
            Self::K8sExec | Self::K8sAttach | Self::K8sPortForward | Self::K8sProxy => {
                Some(Group::K8sConnect)
            }
        }
    }

    /// Whether the verb leaves the target as it was. A setting of one's own session counts as read:
    /// it ends with the session.
    pub fn is_read(self) -> bool {
        matches!(
            self.group(),
            Some(Group::Read | Group::HttpRead | Group::K8sRead)
        ) || matches!(self, Self::Set | Self::Listen)
    }
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::Write,
        Self::Ddl,
        Self::Admin,
        Self::HttpRead,
        Self::HttpWrite,
        Self::K8sRead,
        Self::K8sWrite,
        Self::K8sConnect,
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
            Self::K8sRead => "k8s:read",
            Self::K8sWrite => "k8s:write",
            Self::K8sConnect => "k8s:connect",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
