//! Everything that is not a query or data modification, chosen by its first words as PostgreSQL's
//! grammar chooses.

mod alter;
mod copy;
mod create;
mod drop;
mod explain;
mod grant;
mod maintain;
mod objects;
mod prepared;
mod scan;
mod session;
mod transaction;

use super::reader::{Read, Reader};
use crate::{Object, Verb};

impl Reader<'_, '_> {
    /// A utility statement; answers its verb if it touches nothing that has a name.
    pub(super) fn utility(&mut self) -> Read<Verb> {
        let first = self.word(0);
        match first {
            "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint"
            | "release" => return self.transaction_control(),
            "prepare" if self.word(1) == "transaction" => return self.transaction_control(),
            "set" => return self.set_statement(),
            "reset" => self.reset()?,
            "show" => self.show()?,
            "discard" => return self.discard(),
            "explain" => self.explain()?,
            "prepare" => self.prepare()?,
            "execute" => self.execute()?,
            "deallocate" => self.deallocate()?,
            "declare" => self.declare()?,
            "fetch" | "move" => self.fetch()?,
            "close" => self.close()?,
            "copy" => self.copy()?,
            "create" => self.create()?,
            "alter" => self.alter()?,
            "drop" => self.drop_statement()?,
            "truncate" => self.truncate()?,
            "comment" => self.comment()?,
            "security" => self.security_label()?,
            "grant" | "revoke" => self.grant()?,
            "reassign" => self.reassign_owned()?,
            "vacuum" | "analyze" | "analyse" => self.vacuum()?,
            "cluster" => self.cluster()?,
            "reindex" => self.reindex()?,
            "refresh" => self.refresh()?,
            "checkpoint" => self.checkpoint()?,
            "lock" => self.lock_table()?,
            "listen" | "unlisten" | "notify" => self.channel(first)?,
            "call" => self.call_procedure()?,
            "do" => self.do_block()?,
            "load" => {
                self.skip(1);
                self.string()?;
                self.effects.add(Verb::Administer, Object::Database);
            }
            "import" => self.import_foreign_schema()?,
            _ => return Err(self.unexpected()),
        }
        Ok(Verb::Select)
    }

    /// `CALL p(…)`.
    fn call_procedure(&mut self) -> Read<()> {
        self.skip(1);
        let first = self.label()?;
        let name = self.name_after(first)?;
        self.effects.add(Verb::Call, name.function());
        self.call(name)
    }

    /// `DO $$…$$`: what the block does is not visible.
    fn do_block(&mut self) -> Read<()> {
        self.skip(1);
        loop {
            if self.eat("language") {
                if self.string().is_err() {
                    self.non_reserved()?;
                }
            } else if self.at_end() {
                break;
            } else {
                self.string()?;
            }
        }
        self.effects.dynamic = true;
        self.effects.add(Verb::Do, Object::Database);
        Ok(())
    }

    /// `LISTEN c`, `UNLISTEN *`, `NOTIFY c, 'payload'`.
    fn channel(&mut self, first: &str) -> Read<()> {
        self.skip(1);
        if first == "unlisten" {
            // Like CLOSE and DEALLOCATE: a session gives up what is its own.
            self.effects.add(Verb::Transaction, Object::Database);
            if !self.eat_mark("*") {
                self.column_id()?;
            }
            return Ok(());
        }
        let verb = if first == "notify" {
            Verb::Notify
        } else {
            Verb::Listen
        };
        let name = self.column_id()?.to_owned();
        let kind = "channel".to_owned();
        self.effects.add(verb, Object::Other { kind, name });
        if first == "notify" && self.eat_mark(",") {
            self.string()?;
        }
        Ok(())
    }

    /// `LOCK TABLE t IN … MODE`.
    fn lock_table(&mut self) -> Read<()> {
        self.skip(1);
        self.eat("table");
        self.list(|r| {
            let name = r.relation_target()?;
            r.effects.add(Verb::Lock, name.relation());
            Ok(())
        })?;
        if self.eat("in") {
            while self.eat_any(&["access", "row", "share", "update", "exclusive"]) {}
            self.expect("mode")?;
        }
        self.eat("nowait");
        Ok(())
    }

    /// `TRUNCATE a, b CASCADE`.
    fn truncate(&mut self) -> Read<()> {
        self.skip(1);
        self.eat("table");
        self.list(|r| {
            let name = r.relation_target()?;
            r.effects.add(Verb::Truncate, name.relation());
            Ok(())
        })?;
        if self.eat_any(&["continue", "restart"]) {
            self.expect("identity")?;
        }
        self.cascade(Verb::Truncate);
        Ok(())
    }

    /// `CASCADE` reaches objects the statement does not name.
    fn cascade(&mut self, verb: Verb) {
        if self.eat("cascade") {
            self.effects.add(verb, Object::Database);
        } else {
            self.eat("restrict");
        }
    }
}
