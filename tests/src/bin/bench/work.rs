//! What is measured.

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// pgbench in one session for each client.
    Transactions(Script, u32),
    /// pgbench with a session for each transaction.
    Logins,
    /// A large result.
    Rows(Shape),
}

/// What pgbench runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// `-S`, simple protocol.
    Simple,
    /// `-S`, prepared.
    Prepared,
    /// Ten prepared selects in one pipeline.
    Pipeline,
    /// `-N`: an update, a select and an insert in a transaction.
    Writes,
}

/// How a large result comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Four columns, in text.
    Text,
    /// The same in binary, by the extended protocol.
    Binary,
    /// The same by COPY.
    Copy,
    /// 200 columns.
    Wide,
}

/// Clients of [`Work::Logins`].
pub(crate) const LOGIN_CLIENTS: u32 = 4;

/// The transactions a target of issue 2 is about.
pub(crate) const SELECTS: [Work; 4] = [
    Work::Transactions(Script::Simple, 1),
    Work::Transactions(Script::Prepared, 1),
    Work::Transactions(Script::Simple, 50),
    Work::Transactions(Script::Prepared, 50),
];

impl Work {
    /// Everything pgbench does.
    pub(crate) const PGBENCH: [Self; 8] = [
        SELECTS[0],
        SELECTS[1],
        SELECTS[2],
        SELECTS[3],
        Self::Transactions(Script::Pipeline, 1),
        Self::Transactions(Script::Writes, 1),
        Self::Transactions(Script::Writes, 20),
        Self::Logins,
    ];

    /// Every large result.
    pub(crate) const ROWS: [Self; 4] = [
        Self::Rows(Shape::Text),
        Self::Rows(Shape::Binary),
        Self::Rows(Shape::Copy),
        Self::Rows(Shape::Wide),
    ];

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::PGBENCH.into_iter().chain(Self::ROWS)
    }

    pub(crate) fn name(self) -> String {
        let of = |clients| match clients {
            1 => "1 client".to_owned(),
            several => format!("{several} clients"),
        };
        match self {
            Self::Transactions(Script::Simple, n) => format!("`-S` simple, {}", of(n)),
            Self::Transactions(Script::Prepared, n) => format!("`-S` prepared, {}", of(n)),
            Self::Transactions(Script::Pipeline, n) => format!("pipelines of 10, {}", of(n)),
            Self::Transactions(Script::Writes, n) => format!("`-N` (writes), {}", of(n)),
            Self::Logins => format!("`-C` (a session each), {}", of(LOGIN_CLIENTS)),
            Self::Rows(Shape::Text) => "text".to_owned(),
            Self::Rows(Shape::Binary) => "binary".to_owned(),
            Self::Rows(Shape::Copy) => "COPY OUT".to_owned(),
            Self::Rows(Shape::Wide) => "200 columns".to_owned(),
        }
    }
}
