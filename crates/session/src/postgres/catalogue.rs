//! Which columns carry a label, by what the server attests: table OID and attribute number.
//!
//! The session asks the server itself, with a query of its own, so that an alias, a view or a
//! partition cannot rename a label away.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ostiary_mask::Strategy;
use ostiary_policy::Masks;

/// Rows the answer may have: relations of a database plus labelled columns.
const MAX_ROWS: usize = 200_000;

/// Table and attribute number of each column, by schema and name.
type Columns = BTreeMap<(String, String), (u32, i16)>;

/// What the server said.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalogue {
    /// Labelled columns: table, view, partition or child.
    labelled: BTreeMap<(u32, i16), Rc<Strategy>>,
    /// Relations with at least one labelled column, by name, with these columns.
    names: BTreeMap<String, BTreeSet<Named>>,
    /// Every column of these relations, by the name of the relation.
    columns: BTreeMap<String, Columns>,
    /// How many these are.
    rows: usize,
    /// Relations with at least one labelled column, by OID.
    touched: BTreeSet<u32>,
    /// Every relation there was, sorted; a relation that is not here is newer than this answer.
    known: Vec<u32>,
}

/// A labelled column of a relation, as statements name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    pub(super) schema: String,
    pub(super) column: String,
    pub(super) label: Rc<str>,
}

/// What is known of a column's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A labelled column: this strategy holds.
    Labelled(Rc<Strategy>),
    /// The whole row of a relation with a labelled column.
    WholeRow,
    /// A column without a label.
    Clean,
    /// A relation the catalogue does not know.
    Unknown,
}

/// The answer of the server is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unusable;

impl Catalogue {
    /// What is known of column `attribute` of relation `table`.
    pub(super) fn origin(&self, table: u32, attribute: i16) -> Origin {
        if let Some(strategy) = self.labelled.get(&(table, attribute)) {
            return Origin::Labelled(Rc::clone(strategy));
        }
        if attribute == 0 && self.touched.contains(&table) {
            return Origin::WholeRow;
        }
        if self.knows(table) {
            Origin::Clean
        } else {
            Origin::Unknown
        }
    }

    /// Whether the relation a statement names may have a labelled column.
    pub(super) fn is_labelled(&self, schema: Option<&str>, name: &str) -> bool {
        self.named(schema, name).next().is_some()
    }

    /// The labelled columns of the relation a statement names.
    pub(super) fn named(&self, schema: Option<&str>, name: &str) -> impl Iterator<Item = &Named> {
        let columns = self.names.get(name).into_iter().flatten();
        columns.filter(move |named| schema.is_none_or(|schema| named.schema == schema))
    }

    /// Every labelled column, with the name of its relation.
    pub(super) fn all_named(&self) -> impl Iterator<Item = (&str, &Named)> {
        self.names
            .iter()
            .flat_map(|(relation, columns)| columns.iter().map(|named| (relation.as_str(), named)))
    }

    /// Whether a column of a relation that may have labelled ones is known to carry none. Each schema is
    /// asked: which one the statement means is the session's search_path's to say.
    pub(super) fn is_clean(&self, schema: Option<&str>, name: &str, column: &str) -> bool {
        let mut schemas = self.named(schema, name).map(|named| &named.schema);
        let known = self.columns.get(name);
        schemas.all(|schema| {
            let origin = known.and_then(|known| known.get(&(schema.clone(), column.to_owned())));
            origin.is_some_and(|origin| !self.labelled.contains_key(origin))
        })
    }

    /// Whether a relation that may have labelled columns has one of this name that carries a label, under
    /// this name or one it had before.
    pub(super) fn has_labelled(&self, schema: Option<&str>, name: &str, column: &str) -> bool {
        let mut named = self.named(schema, name);
        let known = self.columns.get(name).into_iter().flatten();
        named.any(|named| named.column == column)
            || known
                .filter(|((at, called), _)| {
                    called == column && schema.is_none_or(|schema| schema == at)
                })
                .any(|(_, origin)| self.labelled.contains_key(origin))
    }

    /// Reads one row of the answer: OID, attribute or NULL, label or NULL, schema, relation, column.
    pub(super) fn add(&mut self, row: &[Option<&str>], masks: &Masks) -> Result<(), Unusable> {
        let rows = self.known.len().saturating_add(self.labelled.len());
        if rows.saturating_add(self.rows) >= MAX_ROWS {
            return Err(Unusable);
        }
        let [Some(oid), attribute, label, schema, relation, column] = row else {
            return Err(Unusable);
        };
        let oid: u32 = oid.parse().map_err(|_| Unusable)?;
        let (Some(attribute), Some(schema), Some(relation), Some(column)) =
            (attribute, schema, relation, column)
        else {
            self.known.push(oid);
            return Ok(());
        };
        let attribute: i16 = attribute.parse().map_err(|_| Unusable)?;
        let Some(label) = label else {
            let columns = self.columns.entry((*relation).to_owned()).or_default();
            let name = ((*schema).to_owned(), (*column).to_owned());
            columns.insert(name, (oid, attribute));
            self.rows = self.rows.saturating_add(1);
            return Ok(());
        };
        let label: usize = label.parse().map_err(|_| Unusable)?;
        let (labelled, strategy) = masks.columns.get(label).ok_or(Unusable)?;
        // A column that two labels reach, through a view, is redacted.
        let strategy = match self.labelled.get(&(oid, attribute)) {
            Some(other) if **other != *strategy => Strategy::Redact,
            _ => strategy.clone(),
        };
        self.labelled.insert((oid, attribute), Rc::new(strategy));
        self.touched.insert(oid);
        let columns = self.names.entry((*relation).to_owned()).or_default();
        columns.insert(Named {
            schema: (*schema).to_owned(),
            column: (*column).to_owned(),
            label: labelled.label.as_str().into(),
        });
        Ok(())
    }

    /// The answer is complete.
    pub(super) fn finish(&mut self) {
        self.known.sort_unstable();
        self.known.shrink_to_fit();
    }

    /// Whether the relation is in it.
    pub(super) fn knows(&self, relation: u32) -> bool {
        self.known.binary_search(&relation).is_ok()
    }

    /// What was labelled in the answer `before`, of the same labels, stays so: a column that was renamed
    /// or a view that was dropped in a transaction may come back.
    pub(super) fn after(self: Rc<Self>, before: &Self) -> Rc<Self> {
        let covered = before
            .labelled
            .keys()
            .all(|column| self.labelled.contains_key(column))
            && before.names.iter().all(|(name, schemas)| {
                let here = self.names.get(name);
                here.is_some_and(|here| schemas.is_subset(here))
            });
        if covered {
            return self;
        }
        let mut both = Rc::unwrap_or_clone(self);
        for (column, strategy) in &before.labelled {
            both.labelled
                .entry(*column)
                .or_insert_with(|| Rc::clone(strategy));
        }
        for (name, schemas) in &before.names {
            let here = both.names.entry(name.clone()).or_default();
            here.extend(schemas.iter().cloned());
        }
        both.touched.extend(&before.touched);
        Rc::new(both)
    }
}

/// The catalogue's relations that show values of others, and their columns that do.
const STATISTICS: &str =
    "pg_statistic,pg_statistic_ext_data,pg_stats,pg_stats_ext,pg_stats_ext_exprs";
const VALUES_OF_OTHERS: &str = "stavalues1,stavalues2,stavalues3,stavalues4,stavalues5,stxdmcv,stxdexpr,\
     most_common_vals,most_common_elems,histogram_bounds,range_bounds_histogram";

/// The query that asks for the origin of everything labelled.
///
/// A label goes from a table to its partitions and children by column name, and to what it is a partition or
/// child of, whose rows are its own too (but not from there to other children); from a column to the columns
/// generated from it (servers before 15 note that between the columns), to the table's overflow table, to
/// the statistics, and to every column of a view that depends on it: which output it feeds is not in the
/// catalogue. A view that takes a whole row (`SELECT id, u FROM users u`) depends on no column for it; its
/// rule shows a variable of attribute 0, and it is taken to depend on every column. A view that calls a
/// function depends on the tables whose names are among the words of its body. Every name and operator is
/// qualified: the session's search_path is the client's to set.
pub(super) fn query(masks: &Masks) -> String {
    let labels: Vec<String> = masks
        .columns
        .iter()
        .enumerate()
        .map(|(index, (column, _))| {
            format!(
                "({}::pg_catalog.name,{}::pg_catalog.name,{}::pg_catalog.name,{index})",
                literal(&column.schema),
                literal(&column.table),
                literal(&column.column)
            )
        })
        .collect();
    format!(
        "WITH RECURSIVE l(s,t,c,i) AS (VALUES {labels}), f(o,f,words) AS MATERIALIZED (\
         SELECT w.ev_class,f.oid,pg_catalog.regexp_split_to_array(pg_catalog.lower(f.prosrc),'[^[:alnum:]_$]+') \
         FROM pg_catalog.pg_depend d \
         JOIN pg_catalog.pg_rewrite w ON w.oid OPERATOR(pg_catalog.=) d.objid \
         JOIN pg_catalog.pg_proc f ON f.oid OPERATOR(pg_catalog.=) d.refobjid \
         JOIN pg_catalog.pg_language g ON g.oid OPERATOR(pg_catalog.=) f.prolang \
         AND g.lanname OPERATOR(pg_catalog.<>) ALL ('{{internal,c}}'::pg_catalog.name[]) \
         WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid \
         AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid), \
         p(o,a,i,u) AS (\
         SELECT a.attrelid,a.attnum,l.i,false FROM l \
         JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) l.s \
         JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid \
         AND c.relname OPERATOR(pg_catalog.=) l.t \
         JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid \
         AND a.attname OPERATOR(pg_catalog.=) l.c \
         UNION SELECT e.o,e.a,p.i,e.u FROM p CROSS JOIN LATERAL (\
         SELECT h.inhrelid o,k.attnum a,false u FROM pg_catalog.pg_inherits h \
         JOIN pg_catalog.pg_attribute b ON b.attrelid OPERATOR(pg_catalog.=) h.inhparent \
         AND b.attnum OPERATOR(pg_catalog.=) p.a \
         JOIN pg_catalog.pg_attribute k ON k.attrelid OPERATOR(pg_catalog.=) h.inhrelid \
         AND k.attname OPERATOR(pg_catalog.=) b.attname \
         WHERE h.inhparent OPERATOR(pg_catalog.=) p.o AND NOT p.u \
         UNION ALL SELECT h.inhparent,k.attnum,true FROM pg_catalog.pg_inherits h \
         JOIN pg_catalog.pg_attribute b ON b.attrelid OPERATOR(pg_catalog.=) h.inhrelid \
         AND b.attnum OPERATOR(pg_catalog.=) p.a \
         JOIN pg_catalog.pg_attribute k ON k.attrelid OPERATOR(pg_catalog.=) h.inhparent \
         AND k.attname OPERATOR(pg_catalog.=) b.attname \
         WHERE h.inhrelid OPERATOR(pg_catalog.=) p.o \
         UNION ALL SELECT v.o,k.attnum,p.u FROM (\
         SELECT DISTINCT w.ev_class o FROM pg_catalog.pg_depend d \
         JOIN pg_catalog.pg_rewrite w ON w.oid OPERATOR(pg_catalog.=) d.objid \
         AND w.ev_class OPERATOR(pg_catalog.<>) d.refobjid \
         WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid \
         AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid \
         AND d.refobjid OPERATOR(pg_catalog.=) p.o \
         AND (d.refobjsubid OPERATOR(pg_catalog.=) p.a OR d.refobjsubid OPERATOR(pg_catalog.=) 0 \
         OR pg_catalog.strpos(w.ev_action::pg_catalog.text,':varattno 0 ') OPERATOR(pg_catalog.>) 0)) v \
         JOIN pg_catalog.pg_attribute k ON k.attrelid OPERATOR(pg_catalog.=) v.o \
         AND k.attnum OPERATOR(pg_catalog.>) 0 \
         UNION ALL SELECT p.o,g.adnum,p.u FROM pg_catalog.pg_depend d \
         JOIN pg_catalog.pg_attrdef g ON g.oid OPERATOR(pg_catalog.=) d.objid \
         AND g.adrelid OPERATOR(pg_catalog.=) p.o \
         WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass::pg_catalog.oid \
         AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid \
         AND d.refobjid OPERATOR(pg_catalog.=) p.o AND d.refobjsubid OPERATOR(pg_catalog.=) p.a \
         UNION ALL SELECT p.o,d.objsubid::pg_catalog.int2,p.u FROM pg_catalog.pg_depend d \
         WHERE d.classid OPERATOR(pg_catalog.=) d.refclassid \
         AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid \
         AND d.objid OPERATOR(pg_catalog.=) p.o AND d.objsubid OPERATOR(pg_catalog.>) 0 \
         AND d.refobjid OPERATOR(pg_catalog.=) p.o AND d.refobjsubid OPERATOR(pg_catalog.=) p.a \
         UNION ALL SELECT k.attrelid,k.attnum,p.u FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_attribute k ON k.attrelid OPERATOR(pg_catalog.=) c.reltoastrelid \
         AND k.attnum OPERATOR(pg_catalog.>) 0 WHERE c.oid OPERATOR(pg_catalog.=) p.o \
         UNION ALL SELECT k.attrelid,k.attnum,p.u FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_attribute k ON k.attrelid OPERATOR(pg_catalog.=) c.oid \
         AND k.attname OPERATOR(pg_catalog.=) ANY ('{{{VALUES_OF_OTHERS}}}'::pg_catalog.name[]) \
         WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid \
         AND c.relname OPERATOR(pg_catalog.=) ANY ('{{{STATISTICS}}}'::pg_catalog.name[]) \
         UNION ALL SELECT f.o,k.attnum,p.u FROM pg_catalog.pg_class c CROSS JOIN f \
         JOIN pg_catalog.pg_attribute k ON k.attrelid OPERATOR(pg_catalog.=) f.o \
         AND k.attnum OPERATOR(pg_catalog.>) 0 WHERE c.oid OPERATOR(pg_catalog.=) p.o \
         AND (pg_catalog.lower(c.relname::pg_catalog.text) OPERATOR(pg_catalog.=) ANY (f.words) \
         OR EXISTS (SELECT FROM pg_catalog.pg_depend d \
         WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid \
         AND d.objid OPERATOR(pg_catalog.=) f.f AND d.refobjid OPERATOR(pg_catalog.=) p.o))) e) \
         SELECT p.o,p.a,p.i,n.nspname,c.relname,k.attname FROM p \
         JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) p.o \
         JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
         JOIN pg_catalog.pg_attribute k ON k.attrelid OPERATOR(pg_catalog.=) p.o \
         AND k.attnum OPERATOR(pg_catalog.=) p.a \
         UNION ALL SELECT q.o,k.attnum,NULL,n.nspname,c.relname,k.attname FROM (SELECT DISTINCT p.o FROM p) q \
         JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) q.o \
         JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
         JOIN pg_catalog.pg_attribute k ON k.attrelid OPERATOR(pg_catalog.=) q.o \
         AND k.attnum OPERATOR(pg_catalog.>) 0 AND NOT k.attisdropped \
         UNION ALL SELECT c.oid,NULL,NULL,NULL,NULL,NULL FROM pg_catalog.pg_class c \
         WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{{r,v,m,f,p,S,t}}'::pg_catalog.\"char\"[])",
        labels = labels.join(",")
    )
}

/// A literal that means the same whatever `standard_conforming_strings` and `client_encoding` say.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::from("E'");
    for character in text.chars() {
        match character {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(character),
            other => out.push_str(&format!("\\U{:08X}", u32::from(other))),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_literals_that_no_setting_changes() {
        for (text, expected) in [
            ("email", "E'email'"),
            ("o'clock", "E'o''clock'"),
            (r"a\b", r"E'a\\b'"),
            ("straße", r"E'stra\U000000DFe'"),
            ("\n🦀", r"E'\U0000000A\U0001F980'"),
        ] {
            assert_eq!(literal(text), expected);
        }
    }
}
