//! What a COPY will send, asked of the server before the COPY goes.
//!
//! An equivalent statement is parsed and described under a name of ours. No Sync follows, so that the
//! locks it takes hold until the COPY is done: nobody changes the columns in between.

use std::collections::VecDeque;
use std::rc::Rc;

use ostiary_operation::sql::{Copied, Copy, Layout, Outputs};
use ostiary_wire::postgres::{Backend, DataRow, Fields, Target, error_response::field, frontend};

use super::take::Taking;
use crate::postgres::answers::{Outcome, broken, columns, out_of_turn};
use crate::postgres::catalogue::literal;
use crate::postgres::core::{Fatal, encoded};
use crate::postgres::expect::Expect;
use crate::postgres::judge::Read;
use crate::postgres::names::Portal;
use crate::postgres::open::Open;
use crate::postgres::rows::Columns;
use crate::postgres::running::Running;

/// The statement and portal the session asks with.
const NAME: &[u8] = b"\x01ostiary copy";

/// A COPY that waits for its description.
#[derive(Debug)]
pub(in crate::postgres) struct Look {
    steps: VecDeque<Step>,
    found: VecDeque<Planned>,
    deferred: Deferred,
    pub(in crate::postgres) running: Box<Running>,
}

/// What is known of the rows one COPY will send.
#[derive(Debug)]
pub(in crate::postgres) struct Planned {
    /// None if nothing had to be masked when it was sent.
    pub(super) columns: Option<Columns>,
    /// What the text proves of them.
    pub(super) outputs: Outputs,
    pub(super) layout: Option<Layout>,
}

/// The message that goes once all is known.
#[derive(Debug)]
pub(in crate::postgres) enum Deferred {
    Query { bytes: Vec<u8> },
    Execute { portal: Rc<Portal>, bytes: Vec<u8> },
}

impl Planned {
    fn unasked(copy: &Copy) -> Self {
        Self {
            columns: None,
            outputs: Outputs::Unknown,
            layout: copy.layout.clone(),
        }
    }
}

impl Deferred {
    /// The answer that is due to it.
    fn expect(self, running: Box<Running>) -> (Vec<u8>, Expect) {
        match self {
            Self::Query { bytes } => (bytes, Expect::Query(running)),
            Self::Execute { portal, bytes } => (bytes, Expect::Execute { portal, running }),
        }
    }
}

/// An answer to come.
#[derive(Debug)]
enum Step {
    Closed,
    /// Characters of the client's text before the one that is parsed; none if that is of our making.
    Parsed(Option<usize>),
    Parameters,
    Described,
    Bound,
    /// The numbers of the columns that are generated, which COPY leaves out.
    Generated,
}

impl Open {
    /// Sends a message that was judged, or first asks what its COPY will send.
    pub(in crate::postgres) fn dispatch(
        &mut self,
        read: &Read,
        text: &str,
        mut running: Box<Running>,
        deferred: Deferred,
    ) {
        let copies: Vec<&Copy> = read.copies.iter().filter(|copy| copy.out).collect();
        running.copies_in = read.copies.len().saturating_sub(copies.len());
        if running.copies_in > 0 {
            running.taking = Taking::Awaited;
        }
        if copies.is_empty() || !self.masks_anything() {
            running.copies = copies.into_iter().rev().map(Planned::unasked).collect();
            let (bytes, expect) = deferred.expect(running);
            return self.send(&bytes, Some(expect));
        }
        let mut bytes = Vec::new();
        let mut steps = VecDeque::new();
        let mut found = VecDeque::new();
        for copy in copies {
            bytes.extend(ask(copy, text, &mut steps));
            let outputs = match &copy.rows {
                Copied::Table { .. } => Outputs::Unknown,
                Copied::Query { from, to } => {
                    let query = text.get(*from..*to).unwrap_or_default();
                    let read = self.read(query);
                    self.proved(running.taint, &read.operations, &read)
                }
            };
            found.push_back(Planned {
                outputs,
                ..Planned::unasked(copy)
            });
        }
        bytes.extend(encoded(frontend::encode::flush));
        let look = Look {
            steps,
            found,
            deferred,
            running,
        };
        self.send(&bytes, Some(Expect::Look(Box::new(look))));
    }

    /// A message of the server while it answers a look; none if it has nothing to do with that.
    pub(in crate::postgres) fn on_look(
        &mut self,
        message: &Backend<'_>,
    ) -> Result<Option<Outcome>, Fatal> {
        let Some(Expect::Look(look)) = self.expects.front_mut() else {
            return Ok(None);
        };
        match message {
            // Of the COPY itself there will be the same ones.
            Backend::NoticeResponse(_) => return Ok(Some(Outcome::Done)),
            Backend::ErrorResponse(_)
            | Backend::ParameterStatus { .. }
            | Backend::NotificationResponse { .. } => return Ok(None),
            _ => look.on_answer(message)?,
        }
        if look.steps.is_empty()
            && let Some(Expect::Look(look)) = self.expects.pop_front()
        {
            let mut running = look.running;
            running.copies = look.found.into_iter().rev().collect();
            let (bytes, expect) = look.deferred.expect(running);
            self.send(&bytes, Some(expect));
        }
        Ok(Some(Outcome::Done))
    }

    /// The server refuses what it was asked: the client gets that as the answer, and nothing of the
    /// COPY is sent.
    pub(in crate::postgres) fn look_failed(&mut self) {
        let Some(Expect::Look(look)) = self.expects.pop_front() else {
            return;
        };
        let simple = matches!(look.deferred, Deferred::Query { .. });
        let (_, expect) = look.deferred.expect(look.running);
        self.expects.push_front(expect);
        if simple {
            // It skips to a Sync now, and the answer to a Query ends with ReadyForQuery.
            self.outbox.tail().extend(encoded(frontend::encode::sync));
        }
    }
}

impl Look {
    fn on_answer(&mut self, message: &Backend<'_>) -> Result<(), Fatal> {
        let step = self.steps.pop_front();
        match (step, message) {
            (Some(Step::Closed), Backend::CloseComplete)
            | (Some(Step::Parsed(_)), Backend::ParseComplete)
            | (Some(Step::Parameters), Backend::ParameterDescription(_))
            | (Some(Step::Bound), Backend::BindComplete)
            | (Some(Step::Generated), Backend::CommandComplete { .. }) => {}
            (Some(Step::Described), Backend::NoData) => self.described(Columns(Vec::new())),
            (Some(Step::Described), Backend::RowDescription(described)) => {
                self.described(columns(described));
            }
            _ => return Err(out_of_turn("an answer to a question of ours")),
        }
        Ok(())
    }

    /// Descriptions come in the order of the COPYs; the one that is filled in goes to the back.
    fn described(&mut self, columns: Columns) {
        if let Some(mut planned) = self.found.pop_front() {
            planned.columns = Some(columns);
            self.found.push_back(planned);
        }
    }

    /// A row of an answer: the number of a generated column of the table described last.
    pub(in crate::postgres) fn row(&mut self, body: &[u8]) -> Result<(), Fatal> {
        let Some(Step::Generated) = self.steps.front() else {
            return Err(out_of_turn("DataRow"));
        };
        let row = DataRow::parse(body).ok();
        let value = row.and_then(|row| row.values().next().flatten());
        let number: Option<i16> =
            value.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        let (Some(number), Some(planned)) = (number, self.found.back_mut()) else {
            return Err(broken("the answer to a question of ours cannot be read"));
        };
        if let Some(columns) = &mut planned.columns {
            columns.0.retain(|column| column.attribute != number);
        }
        Ok(())
    }

    /// Where an error of the server points to in the client's own text.
    pub(in crate::postgres) fn position(&self, fields: Fields<'_>) -> Option<Vec<u8>> {
        let Some(Step::Parsed(Some(before))) = self.steps.front() else {
            return None;
        };
        let position = std::str::from_utf8(fields.get(field::POSITION)?).ok()?;
        let position: usize = position.parse().ok()?;
        Some(position.saturating_add(*before).to_string().into_bytes())
    }
}

/// The messages that ask for the columns of one COPY.
fn ask(copy: &Copy, text: &str, steps: &mut VecDeque<Step>) -> Vec<u8> {
    let parse = |sql: &str| {
        encoded(|out| {
            frontend::encode::close(out, Target::Statement, NAME)?;
            frontend::encode::parse(out, NAME, sql.as_bytes(), &[])
        })
    };
    let (sql, before) = match &copy.rows {
        Copied::Query { from, to } => {
            let before = text.get(..*from).unwrap_or_default().chars().count();
            let query = text.get(*from..*to).unwrap_or_default();
            (query.to_owned(), Some(before))
        }
        Copied::Table {
            schema,
            name,
            columns,
        } => {
            let columns = if columns.is_empty() {
                "*".to_owned()
            } else {
                let columns: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
                columns.join(",")
            };
            let table = table(schema.as_deref(), name);
            (format!("SELECT {columns} FROM ONLY {table}"), None)
        }
    };
    let mut bytes = parse(&sql);
    bytes.extend(encoded(|out| {
        frontend::encode::describe(out, Target::Statement, NAME)
    }));
    steps.extend([
        Step::Closed,
        Step::Parsed(before),
        Step::Parameters,
        Step::Described,
    ]);
    if let Copied::Table {
        schema,
        name,
        columns,
    } = &copy.rows
        && columns.is_empty()
    {
        let sql = format!(
            "SELECT a.attnum FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) \
             {}::pg_catalog.regclass::pg_catalog.oid AND a.attgenerated OPERATOR(pg_catalog.<>) \
             ''::pg_catalog.\"char\"",
            literal(&table(schema.as_deref(), name))
        );
        bytes.extend(parse(&sql));
        bytes.extend(encoded(|out| {
            frontend::encode::bind(out, NAME, NAME, &[], &[], &[])?;
            frontend::encode::execute(out, NAME, 0)?;
            frontend::encode::close(out, Target::Portal, NAME)
        }));
        steps.extend([
            Step::Closed,
            Step::Parsed(None),
            Step::Bound,
            Step::Generated,
            Step::Closed,
        ]);
    }
    bytes.extend(encoded(|out| {
        frontend::encode::close(out, Target::Statement, NAME)
    }));
    steps.push_back(Step::Closed);
    bytes
}

fn table(schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(name)),
        None => quoted(name),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
