//! VACUUM, ANALYZE, CLUSTER, REINDEX, REFRESH, CHECKPOINT.

use crate::sql::reader::{Name, Read, Reader};
use crate::{Object, Verb};

impl Reader<'_, '_> {
    fn maintain(&mut self, name: Name<'_>) {
        self.effects.add(Verb::Maintain, name.relation());
    }

    fn maintain_all(&mut self) {
        self.effects.add(Verb::Maintain, Object::Database);
    }

    /// `( option, … )` after the first word.
    fn options(&mut self) -> Read<()> {
        if self.is_mark("(") {
            self.skip_parens()?;
        }
        Ok(())
    }

    /// `VACUUM … t (columns), …` and `ANALYZE …`.
    pub(super) fn vacuum(&mut self) -> Read<()> {
        self.skip(1);
        self.options()?;
        while self.eat_any(&["full", "freeze", "verbose", "analyze", "analyse"]) {}
        if self.at_end() {
            self.maintain_all();
            return Ok(());
        }
        self.list(|r| {
            let name = r.relation_target()?;
            r.maintain(name);
            if r.is_mark("(") {
                r.names_in_parens()?;
            }
            Ok(())
        })
    }

    /// `CLUSTER t USING i`, `CLUSTER i ON t`.
    pub(super) fn cluster(&mut self) -> Read<()> {
        self.skip(1);
        self.options()?;
        self.eat("verbose");
        if self.at_end() {
            self.maintain_all();
            return Ok(());
        }
        let name = self.name()?;
        self.maintain(name);
        if self.eat_any(&["using", "on"]) {
            let other = self.name()?;
            self.maintain(other);
        }
        Ok(())
    }

    pub(super) fn reindex(&mut self) -> Read<()> {
        self.skip(1);
        self.options()?;
        let whole = self.is_any(&["system", "database"]);
        let schema = self.is("schema");
        if !self.eat_any(&["index", "table", "schema", "system", "database"]) {
            return Err(self.unexpected());
        }
        self.eat("concurrently");
        if whole {
            if !self.at_end() {
                self.column_id()?;
            }
            self.maintain_all();
        } else if schema {
            let name = self.column_id()?.to_owned();
            self.effects.add(Verb::Maintain, Object::Schema { name });
        } else {
            let name = self.name()?;
            self.maintain(name);
        }
        Ok(())
    }

    pub(super) fn refresh(&mut self) -> Read<()> {
        self.skip(1);
        self.expect("materialized")?;
        self.expect("view")?;
        self.eat("concurrently");
        let name = self.name()?;
        self.maintain(name);
        self.with_data();
        Ok(())
    }

    /// `WITH [NO] DATA`.
    pub(super) fn with_data(&mut self) {
        if !self.eat_all(&["with", "data"]) {
            self.eat_all(&["with", "no", "data"]);
        }
    }

    pub(super) fn checkpoint(&mut self) -> Read<()> {
        self.skip(1);
        self.options()?;
        self.maintain_all();
        Ok(())
    }
}
