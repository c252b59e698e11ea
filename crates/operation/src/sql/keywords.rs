//! PostgreSQL's keyword classes (`kwlist.h`, versions 12 to 18): which words can be which names.

/// What a keyword may be used as. Words of the unreserved class may be anything, like plain names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Any name.
    Free,
    /// A column or table name, but not a function or type name.
    Column,
    /// A function or type name, but not a column or table name.
    Function,
    /// No name at all.
    Reserved,
}

/// The class of an unquoted, folded word.
pub(super) fn class(word: &str) -> Class {
    if RESERVED.binary_search(&word).is_ok() {
        Class::Reserved
    } else if FUNCTION.binary_search(&word).is_ok() {
        Class::Function
    } else if COLUMN.binary_search(&word).is_ok() {
        Class::Column
    } else {
        Class::Free
    }
}

/// Whether the word can stand after an expression as its name without `AS`.
pub(super) fn is_bare_label(word: &str) -> bool {
    NOT_BARE.binary_search(&word).is_err()
}

#[rustfmt::skip]
const RESERVED: [&str; 78] = [
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both", "case",
    "cast", "check", "collate", "column", "constraint", "create", "current_catalog", "current_date",
    "current_role", "current_time", "current_timestamp", "current_user", "default", "deferrable",
    "desc", "distinct", "do", "else", "end", "except", "false", "fetch", "for", "foreign", "from",
    "grant", "group", "having", "in", "initially", "intersect", "into", "lateral", "leading",
    "limit", "localtime", "localtimestamp", "not", "null", "offset", "on", "only", "or", "order",
    "placing", "primary", "references", "returning", "select", "session_user", "some", "symmetric",
    "system_user", "table", "then", "to", "trailing", "true", "union", "unique", "user", "using",
    "variadic", "when", "where", "window", "with",
];

#[rustfmt::skip]
const FUNCTION: [&str; 23] = [
    "authorization", "binary", "collation", "concurrently", "cross", "current_schema", "freeze",
    "full", "ilike", "inner", "is", "isnull", "join", "left", "like", "natural", "notnull", "outer",
    "overlaps", "right", "similar", "tablesample", "verbose",
];

#[rustfmt::skip]
const COLUMN: [&str; 51] = [
    "between", "bigint", "bit", "boolean", "char", "character", "coalesce", "dec", "decimal",
    "exists", "extract", "float", "greatest", "grouping", "inout", "int", "integer", "interval",
    "least", "national", "nchar", "none", "normalize", "nullif", "numeric", "out", "overlay",
    "position", "precision", "real", "row", "setof", "smallint", "substring", "time", "timestamp",
    "treat", "trim", "values", "varchar", "xmlattributes", "xmlconcat", "xmlelement", "xmlexists",
    "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable",
];

#[rustfmt::skip]
const NOT_BARE: [&str; 39] = [
    "array", "as", "char", "character", "create", "day", "except", "fetch", "filter", "for", "from",
    "grant", "group", "having", "hour", "intersect", "into", "isnull", "limit", "minute", "month",
    "notnull", "offset", "on", "order", "over", "overlaps", "precision", "returning", "second",
    "to", "union", "varying", "where", "window", "with", "within", "without", "year",
];

#[cfg(test)]
#[test]
fn keyword_lists_are_sorted() {
    for list in [&RESERVED[..], &FUNCTION, &COLUMN, &NOT_BARE] {
        assert!(list.is_sorted());
    }
}
