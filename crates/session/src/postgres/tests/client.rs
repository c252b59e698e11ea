//! What a client sends.

use ostiary_wire::postgres::{Format, StartupMessage, Target, frontend::encode};

/// Bytes of a client, put together message by message.
#[derive(Clone, Debug, Default)]
pub(super) struct Client(pub(super) Vec<u8>);

pub(super) fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    StartupMessage {
        major: 3,
        minor: 0,
        parameters: parameters.to_vec(),
    }
    .encode(&mut out)
    .unwrap();
    out
}

pub(super) fn hello() -> Vec<u8> {
    startup(&[("user", "alice"), ("database", "app")])
}

pub(super) fn password(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    encode::password(&mut out, text.as_bytes()).unwrap();
    out
}

pub(super) fn query(sql: &str) -> Vec<u8> {
    Client::default().query(sql).0
}

/// Starts a pipeline.
pub(super) fn parse(name: &str, sql: &str) -> Client {
    Client::default().parse(name, sql)
}

pub(super) fn bind(portal: &str, statement: &str) -> Client {
    Client::default().bind(portal, statement)
}

/// Parse, Bind, Describe, Execute, Sync, as drivers send it.
pub(super) fn extended(sql: &str) -> Vec<u8> {
    parse("", sql)
        .bind("", "")
        .describe_portal("")
        .execute("")
        .sync()
}

impl Client {
    pub(super) fn query(mut self, sql: &str) -> Self {
        encode::query(&mut self.0, sql.as_bytes()).unwrap();
        self
    }

    pub(super) fn parse(mut self, name: &str, sql: &str) -> Self {
        encode::parse(&mut self.0, name.as_bytes(), sql.as_bytes(), &[]).unwrap();
        self
    }

    pub(super) fn bind(self, portal: &str, statement: &str) -> Self {
        self.bind_with(portal, statement, &[], &[])
    }

    pub(super) fn bind_with(
        mut self,
        portal: &str,
        statement: &str,
        parameters: &[Option<&str>],
        results: &[Format],
    ) -> Self {
        let parameters: Vec<_> = parameters.iter().map(|p| p.map(str::as_bytes)).collect();
        encode::bind(
            &mut self.0,
            portal.as_bytes(),
            statement.as_bytes(),
            &[],
            &parameters,
            results,
        )
        .unwrap();
        self
    }

    pub(super) fn describe_portal(mut self, name: &str) -> Self {
        encode::describe(&mut self.0, Target::Portal, name.as_bytes()).unwrap();
        self
    }

    pub(super) fn describe_statement(mut self, name: &str) -> Self {
        encode::describe(&mut self.0, Target::Statement, name.as_bytes()).unwrap();
        self
    }

    pub(super) fn execute(self, portal: &str) -> Self {
        self.execute_some(portal, 0)
    }

    pub(super) fn execute_some(mut self, portal: &str, max_rows: i32) -> Self {
        encode::execute(&mut self.0, portal.as_bytes(), max_rows).unwrap();
        self
    }

    pub(super) fn close_statement(mut self, name: &str) -> Self {
        encode::close(&mut self.0, Target::Statement, name.as_bytes()).unwrap();
        self
    }

    pub(super) fn close_portal(mut self, name: &str) -> Self {
        encode::close(&mut self.0, Target::Portal, name.as_bytes()).unwrap();
        self
    }

    pub(super) fn flush(mut self) -> Self {
        encode::flush(&mut self.0).unwrap();
        self
    }

    /// Ends the round.
    pub(super) fn sync(mut self) -> Vec<u8> {
        encode::sync(&mut self.0).unwrap();
        self.0
    }
}

pub(super) fn copy_data(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::copy_data(&mut out, data).unwrap();
    out
}

pub(super) fn copy_done() -> Vec<u8> {
    let mut out = Vec::new();
    encode::copy_done(&mut out).unwrap();
    out
}

pub(super) fn terminate() -> Vec<u8> {
    let mut out = Vec::new();
    encode::terminate(&mut out).unwrap();
    out
}
