//! A real PostgreSQL server of one's own.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use ::postgres::NoTls;

use crate::{
    Context as _, Result, ports,
    process::{Folder, Running, Signal, must},
    tools, wait,
};

/// The password of every role of [`ROLES`].
pub const PASSWORD: &str = "upstream secret";

/// Roles that own the seeded tables together, and how each logs in: role, method.
pub const ROLES: [(&str, &str); 4] = [
    ("shop_scram", "scram-sha-256"),
    ("shop_md5", "md5"),
    ("shop_password", "password"),
    ("shop_trust", "trust"),
];

const SEED: &str = include_str!("../seed.sql");

/// The server.
#[derive(Debug)]
pub struct Postgres {
    folder: Folder,
    port: u16,
    running: Running,
    databases: AtomicU32,
}

/// How a server differs from the usual one.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// With a certificate, and `ssl=on`.
    pub tls: bool,
    /// Lines of `postgresql.conf` that win over the harness's own.
    pub conf: Vec<String>,
}

impl Postgres {
    /// A seeded server on a free port.
    pub fn start(settings: &Settings) -> Result<Self> {
        let folder = Folder::new("postgres")?;
        let owner = Owner::find()?;
        owner.give(folder.path())?;
        let data = folder.path().join("data");
        let mut initdb = owner.command(&tools::postgres("initdb")?);
        initdb.arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        must(initdb)?;
        let port = ports::free();
        if settings.tls {
            certificate(&data)?;
            std::fs::copy(data.join("ca.crt"), folder.path().join("ca.crt"))?;
            for name in ["server.crt", "server.key"] {
                owner.give(&data.join(name))?;
            }
        }
        std::fs::write(data.join("pg_hba.conf"), host_rules())?;
        let mut conf = std::fs::read_to_string(data.join("postgresql.conf"))?;
        conf.push_str(&format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\n\
             fsync = off\nfull_page_writes = off\nshared_buffers = 64MB\nmax_connections = 200\n\
             log_statement = all\nssl = {}\n",
            folder.path().display(),
            if settings.tls { "on" } else { "off" }
        ));
        for line in &settings.conf {
            conf.push_str(line);
            conf.push('\n');
        }
        std::fs::write(data.join("postgresql.conf"), conf)?;

        let log = folder.path().join("log");
        let mut server = owner.command(&tools::postgres("postgres")?);
        server.arg("-D").arg(&data);
        let running = Running::start("PostgreSQL", server, &log, Signal::INT)?;
        let mut this = Self {
            folder,
            port,
            running,
            databases: AtomicU32::new(0),
        };
        this.wait_ready()?;
        this.seed()?;
        Ok(this)
    }

    /// The TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its Unix-domain socket, where everyone is trusted.
    pub fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// The authority of its certificate, when it speaks TLS.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// A direct connection as superuser, past the gateway.
    pub fn admin(&self, database: &str) -> Result<::postgres::Client> {
        let socket = self.socket().display();
        let target = format!(
            "host={socket} port={} user=postgres dbname={database}",
            self.port
        );
        Ok(::postgres::Client::connect(&target, NoTls)?)
    }

    /// One value, read past the gateway.
    pub fn value(&self, database: &str, query: &str) -> Result<String> {
        let rows = self.admin(database)?.simple_query(query)?;
        let first = rows.iter().find_map(|message| match message {
            ::postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("").to_owned()),
            _ => None,
        });
        first.with_context(|| format!("no row: {query}"))
    }

    /// A seeded database nobody else uses.
    pub fn database(&self) -> Result<String> {
        let name = format!("shop_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.admin("postgres")?
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE seed OWNER shop"))?;
        Ok(name)
    }

    /// Whether the server was ever sent a statement that holds this text.
    pub fn was_sent(&self, text: &str) -> bool {
        self.running.log().contains(text)
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        self.running.log()
    }

    /// Stops the server at once, as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        self.running.signal(Signal::QUIT)?;
        self.running.wait(wait::SOON)?;
        Ok(())
    }

    fn wait_ready(&mut self) -> Result<()> {
        let target = format!(
            "host={} port={} user=postgres dbname=postgres",
            self.folder.path().display(),
            self.port
        );
        self.running.until("PostgreSQL to accept connections", || {
            Ok(::postgres::Client::connect(&target, NoTls).is_ok())
        })
    }

    fn seed(&self) -> Result<()> {
        let mut admin = self.admin("postgres")?;
        admin.batch_execute("CREATE ROLE shop NOLOGIN; CREATE ROLE app LOGIN")?;
        for (role, method) in ROLES {
            let encryption = if method == "md5" {
                "md5"
            } else {
                "scram-sha-256"
            };
            admin.batch_execute(&format!(
                "SET password_encryption = '{encryption}'; \
                 CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}' IN ROLE shop"
            ))?;
        }
        admin.batch_execute("CREATE DATABASE seed OWNER shop")?;
        {
            let mut seed = self.admin("seed")?;
            seed.batch_execute(&format!("SET ROLE shop; {SEED}"))?;
        }
        admin.batch_execute("CREATE DATABASE shop TEMPLATE seed OWNER shop")?;
        Ok(())
    }
}

fn host_rules() -> String {
    let mut rules = String::from("local all all trust\nhost all postgres 127.0.0.1/32 trust\n");
    for (role, method) in ROLES {
        // `all` are the databases; physical replication is in none.
        for what in ["all", "replication"] {
            rules.push_str(&format!("host {what} {role} 127.0.0.1/32 {method}\n"));
        }
    }
    rules
}

/// An authority, `ca.crt`, and a certificate of its own for the server, `server.crt` with `server.key`.
pub fn certificate(data: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    let openssl = |arguments: &[&str]| {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments).current_dir(data);
        must(openssl)
    };
    let authority = [
        "req",
        "-x509",
        "-days",
        "2",
        "-subj",
        "/CN=test authority",
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
    ];
    openssl(&[&authority[..], &key].concat())?;
    let request = [
        "req",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
    ];
    openssl(&[&request[..], &key].concat())?;
    std::fs::write(
        data.join("server.ext"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1\n",
    )?;
    openssl(&[
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        "server.csr",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-extfile",
        "server.ext",
        "-out",
        "server.crt",
    ])?;
    std::fs::set_permissions(
        data.join("server.key"),
        std::fs::Permissions::from_mode(0o600),
    )?;
    Ok(())
}

/// Who runs the server: PostgreSQL refuses to run as root.
struct Owner(Option<(u32, u32)>);

impl Owner {
    fn find() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let users = std::fs::read_to_string("/etc/passwd")?;
        let ids = |name: &str| {
            let line = users
                .lines()
                .find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        let found = ids("postgres").or_else(|| ids("nobody"));
        Ok(Self(Some(found.context(
            "neither `postgres` nor `nobody` is in /etc/passwd",
        )?)))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env_remove("PGDATA");
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }

    fn give(&self, path: &Path) -> Result<()> {
        if let Some((user, group)) = self.0 {
            std::os::unix::fs::chown(path, Some(user), Some(group))?;
        }
        Ok(())
    }
}
