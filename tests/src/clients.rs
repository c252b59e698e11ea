//! Unmodified clients, as an agent would run them.

use std::{process::Command, time::Duration};

use ::postgres::{Config, NoTls};

use crate::{
    Result,
    process::{Ran, Started},
    tools,
    wire::Raw,
};

/// Longest run of a client's script.
const SCRIPT: Duration = Duration::from_secs(60);

/// Who connects, and where.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Port of the gateway, on 127.0.0.1.
    pub port: u16,
    /// The role the client names; the gateway uses its own.
    pub user: String,
    /// The database.
    pub database: String,
    /// The password: an OIDC token.
    pub token: String,
}

impl Agent {
    /// The same agent on another database.
    pub fn on(&self, database: &str) -> Self {
        Self {
            database: database.to_owned(),
            ..self.clone()
        }
    }

    /// The same agent with another password.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// Runs SQL in psql, one `-c` for each, in one session; unaligned tuples.
    pub fn psql(&self, statements: &[&str]) -> Result<Ran> {
        self.psql_started(statements)?.finish(SCRIPT)
    }

    /// psql that is still running.
    pub fn psql_started(&self, statements: &[&str]) -> Result<Started> {
        let mut psql = self.psql_command()?;
        psql.arg("-At");
        for statement in statements {
            psql.args(["-c", statement]);
        }
        Started::new(psql, "")
    }

    /// psql with the environment of this agent and no start-up file.
    pub fn psql_command(&self) -> Result<Command> {
        let mut psql = self.command("psql")?;
        psql.arg("-X");
        Ok(psql)
    }

    /// One of PostgreSQL's programs with the environment of this agent.
    pub fn command(&self, program: &str) -> Result<Command> {
        let mut command = Command::new(tools::postgres(program)?);
        self.environment(&mut command);
        Ok(command)
    }

    /// Runs a script of `tests/clients` in Python.
    pub fn python(&self, script: &str, arguments: &[&str]) -> Result<Ran> {
        let mut python = Command::new(tools::python()?);
        python
            .arg("-B")
            .arg(tools::root().join("tests/clients").join(script))
            .args(arguments);
        self.environment(&mut python);
        Started::new(python, "")?.finish(SCRIPT)
    }

    /// Runs a script of `tests/clients` in Node.js.
    pub fn node(&self, script: &str, arguments: &[&str]) -> Result<Ran> {
        let mut node = Command::new("node");
        node.arg(tools::root().join("tests/clients").join(script))
            .args(arguments);
        node.env("NODE_PATH", tools::node_modules()?);
        self.environment(&mut node);
        Started::new(node, "")?.finish(SCRIPT)
    }

    /// Runs a source file of `tests/clients` in Java, with pgjdbc.
    pub fn java(&self, source: &str) -> Result<Ran> {
        let mut java = Command::new("java");
        java.arg("-XX:TieredStopAtLevel=1")
            .arg("-cp")
            .arg(tools::pgjdbc()?)
            .arg(tools::root().join("tests/clients").join(source));
        self.environment(&mut java);
        Started::new(java, "")?.finish(SCRIPT)
    }

    /// A session of tokio-postgres, behind its blocking face.
    pub fn connect(&self) -> Result<::postgres::Client> {
        Ok(self.config().connect(NoTls)?)
    }

    /// The same as a configuration.
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user(&self.user)
            .dbname(&self.database)
            .password(&self.token)
            .connect_timeout(Duration::from_secs(30));
        config
    }

    /// The same for tokio-postgres itself.
    pub fn tokio_config(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user(&self.user)
            .dbname(&self.database)
            .password(&self.token)
            .connect_timeout(Duration::from_secs(30));
        config
    }

    /// A logged-in session, byte by byte.
    pub fn raw(&self) -> Result<Raw> {
        Raw::login(self.port, &self.user, &self.database, &self.token)
    }

    fn environment(&self, command: &mut Command) {
        for (name, _) in std::env::vars() {
            if name.starts_with("PG") {
                command.env_remove(name);
            }
        }
        command
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", &self.user)
            .env("PGDATABASE", &self.database)
            .env("PGPASSWORD", &self.token)
            .env("PGCONNECT_TIMEOUT", "30");
    }
}
