//! How a statement uses the columns it names.
//!
//! A column that a statement merely returns is not here: the server attests it, or it is masked. Here
//! are those by which rows are chosen, and those whose value goes somewhere else. The rule is that of
//! the analysis: more may be here than the server would do, never less.

/// Columns of one relation, or of whichever one has them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// The relation, if the statement says; else any that it touches.
    pub relation: Option<(Option<String>, String)>,
    /// The column; `None` for all of them.
    pub column: Option<String>,
}

/// A value that is stored, or given to something that may store it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// Where it comes from.
    pub from: Mention,
    /// The one column it goes to, if there is one.
    pub to: Option<Mention>,
}

/// The columns of a statement in the roles that matter; both lists are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Roles {
    /// These decide which rows there are, in which order, or whether there is an error.
    pub shaping: Vec<Mention>,
    /// These are put where they may be read again.
    pub moved: Vec<Move>,
}

impl Mention {
    /// Every column of every relation.
    pub const ANY: Self = Self {
        relation: None,
        column: None,
    };
}

impl Roles {
    /// Whether no column has a role.
    pub fn is_empty(&self) -> bool {
        self.shaping.is_empty() && self.moved.is_empty()
    }
}

/// The constants and parameters of a statement, and the columns each one meets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Kinds of places, which the others refer to.
    pub places: Vec<Place>,
    /// Number of a parameter (`$1` is 1) and its place; one that comes twice has two.
    pub parameters: Vec<(u16, usize)>,
    /// Bytes of a constant in the text, and its place.
    pub literals: Vec<(std::ops::Range<usize>, usize)>,
}

/// Where a constant or a parameter stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// It is compared with these columns, computed with them or assigned to them.
    Near(Vec<Mention>),
    /// It meets no column, as in `LIMIT 10`.
    Apart,
    /// It may meet any column.
    Unknown,
}
