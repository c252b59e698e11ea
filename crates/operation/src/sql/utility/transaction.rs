//! Transaction control. Two-phase commit is administration: a prepared transaction outlives its
//! session and holds locks.

use crate::sql::lexer::Kind;
use crate::sql::reader::{Read, Reader};
use crate::{Object, Verb};

impl Reader<'_, '_> {
    pub(super) fn transaction_control(&mut self) -> Read<Verb> {
        let two_phase = match self.word(0) {
            "prepare" => {
                self.skip(2);
                true
            }
            "commit" | "rollback" if self.word(1) == "prepared" => {
                self.skip(2);
                true
            }
            _ => false,
        };
        if two_phase {
            self.string()?;
            self.effects.add(Verb::Administer, Object::Database);
            return Ok(Verb::Administer);
        }
        let first = self.word(0);
        self.skip(1);
        match first {
            "begin" => {
                self.eat_any(&["work", "transaction"]);
                self.transaction_modes()?;
            }
            "start" => {
                self.expect("transaction")?;
                self.transaction_modes()?;
            }
            "savepoint" => drop(self.column_id()?),
            "release" => {
                self.eat("savepoint");
                self.column_id()?;
            }
            _ => {
                self.eat_any(&["work", "transaction"]);
                if first == "rollback" && self.eat("to") {
                    self.eat("savepoint");
                    self.column_id()?;
                } else if self.eat("and") {
                    self.eat("no");
                    self.expect("chain")?;
                }
            }
        }
        self.effects.add(Verb::Transaction, Object::Database);
        Ok(Verb::Transaction)
    }

    /// `ISOLATION LEVEL …, READ ONLY, NOT DEFERRABLE`.
    pub(super) fn transaction_modes(&mut self) -> Read<()> {
        loop {
            self.eat_mark(",");
            if self.eat_all(&["isolation", "level"]) {
                let level = self.eat("serializable")
                    || self.eat_all(&["repeatable", "read"])
                    || self.eat_all(&["read", "committed"])
                    || self.eat_all(&["read", "uncommitted"]);
                if !level {
                    return Err(self.unexpected());
                }
            } else if self.eat("read") {
                if !self.eat_any(&["only", "write"]) {
                    return Err(self.unexpected());
                }
            } else if self.eat("not") {
                self.expect("deferrable")?;
            } else if !self.eat("deferrable") {
                return Ok(());
            }
        }
    }

    /// `SET CONSTRAINTS ALL DEFERRED`.
    pub(super) fn set_constraints(&mut self) -> Read<Verb> {
        self.skip(1);
        if !self.eat("all") {
            self.list(|r| r.name().map(drop))?;
        }
        if !self.eat_any(&["deferred", "immediate"]) {
            return Err(self.unexpected());
        }
        self.effects.add(Verb::Transaction, Object::Database);
        Ok(Verb::Transaction)
    }

    /// `SET TRANSACTION …`, `SET TRANSACTION SNAPSHOT '…'`.
    pub(super) fn set_transaction(&mut self) -> Read<Verb> {
        self.skip(1);
        if self.eat("snapshot") {
            if !self.is_kind(Kind::String) {
                return Err(self.unexpected());
            }
            self.skip(1);
        } else {
            self.transaction_modes()?;
        }
        self.effects.add(Verb::Transaction, Object::Database);
        Ok(Verb::Transaction)
    }
}
