//! The five ways to the server, all up at once.

use std::process::Command;

use ostiary_tests::{
    Result,
    issuer::Issuer,
    ports,
    postgres::{PASSWORD, Postgres, Settings},
    process::{Folder, Running, must},
    stack::{Policy, Stack, Target, example_policy},
    tools,
};
use serde_json::json;

use crate::envoy;

/// Of pgbench's tables.
pub(crate) const SCALE: &str = "10";

/// Columns of the wide table.
const COLUMNS: u32 = 200;

/// One way from a client to the server.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    /// User and password where the server is to ask for SCRAM.
    pub(crate) scram: (String, String),
    /// Its Envoy's process.
    pub(crate) envoy: Option<u32>,
    /// Port of its Envoy's admin listener, of a gateway alone.
    pub(crate) admin: Option<u16>,
}

/// Everything that runs during the measurement.
pub(crate) struct Ways {
    pub(crate) all: Vec<Way>,
    _postgres: Postgres,
    pub(crate) folder: Folder,
    _envoy: Running,
    _stacks: Vec<Stack>,
}

impl Ways {
    pub(crate) fn start(rows: u64) -> Result<Self> {
        let folder = Folder::new("bench")?;
        let settings = Settings {
            conf: vec![
                "log_statement = none".into(),
                "shared_buffers = 512MB".into(),
                "autovacuum = off".into(),
                "max_connections = 700".into(),
                // Writes are to cost what they cost elsewhere.
                "fsync = on".into(),
                "full_page_writes = on".into(),
            ],
            ..Settings::default()
        };
        let postgres = Postgres::start(&settings)?;
        fill(&postgres, rows)?;
        let issuer: &'static Issuer = Box::leak(Box::new(Issuer::start()?));

        let (listen, admin) = (ports::free(), ports::free());
        let envoy = plain_envoy(&folder, listen, admin, postgres.port())?;
        let direct = |name, port, envoy| Way {
            name,
            port,
            user: "shop_trust".into(),
            password: String::new(),
            scram: ("shop_scram".into(), PASSWORD.into()),
            envoy,
            admin: None,
        };
        let mut all = vec![
            direct("PostgreSQL", postgres.port(), None),
            direct("Envoy tcp_proxy", listen, Some(envoy.pid())),
        ];
        let mut stacks = Vec::new();
        for (name, policy) in policies()? {
            let target = Target::shop(postgres.port());
            let stack = Stack::start(issuer, &[target], &policy)?;
            let token = issuer.token_with("bench", &["analysts"], &["--ttl", "8h"])?;
            all.push(Way {
                name,
                port: stack.port("shop")?,
                user: "agent".into(),
                password: token.clone(),
                scram: ("agent".into(), token),
                envoy: Some(stack.envoy()?),
                admin: Some(stack.admin_port()),
            });
            stacks.push(stack);
        }
        Ok(Self {
            all,
            _postgres: postgres,
            folder,
            _envoy: envoy,
            _stacks: stacks,
        })
    }
}

/// pgbench's own tables, and tables of people and of many columns for the large results.
fn fill(postgres: &Postgres, rows: u64) -> Result<()> {
    let mut pgbench = Command::new(tools::postgres("pgbench")?);
    pgbench
        .args([
            "-i",
            "-q",
            "-s",
            SCALE,
            "-U",
            "shop_trust",
            "-h",
            "127.0.0.1",
            "-p",
        ])
        .arg(postgres.port().to_string())
        .arg("shop");
    must(pgbench)?;
    let mut admin = postgres.admin("shop")?;
    let wide: String = (1..=COLUMNS)
        .map(|n| format!(", 'value ' || (i * {n} % 9973) AS c{n}"))
        .collect();
    let few = rows / 50;
    admin.batch_execute(&format!(
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO shop;
         SET ROLE shop;
         CREATE TABLE people AS
         SELECT i AS id, 'Name ' || i AS name, 'person' || i || '@example.com' AS email,
                'lives in street ' || (i % 977) || ' and likes the colour ' || (i % 13) AS note
         FROM generate_series(1, {rows}) AS i;
         CREATE TABLE wide AS SELECT i AS id{wide} FROM generate_series(1, {few}) AS i;
         RESET ROLE"
    ))?;
    for sql in ["VACUUM ANALYZE", "CHECKPOINT"] {
        admin.batch_execute(sql)?;
    }
    Ok(())
}

/// The example permits no COPY.
const COPIES: &str = r#"@id("copies") permit (principal, action == Action::"sql:copy-out", resource in Resource::"shop");"#;

fn policies() -> Result<Vec<(&'static str, Policy)>> {
    let with_labels = |labels: &str| -> Result<Policy> {
        let mut policy = example_policy()?;
        policy.insert("labels.yaml".into(), labels.into());
        policy.insert("copy.cedar".into(), COPIES.into());
        Ok(policy)
    };
    let labels = "labels:\n  pii.email: {strategy: {partial: {keep: 4}}}\n";
    let column = "columns:\n  - {column: public.people.email, label: pii.email}\n  \
                  - {column: public.wide.c7, label: pii.email}\n";
    let detectors: Vec<&str> = [
        "email",
        "payment_card",
        "us_ssn",
        "phone",
        "ipv4",
        "ipv6",
        "jwt",
        "private_key",
        "aws_key",
        "github_token",
        "slack_token",
        "gcp_key",
    ]
    .to_vec();
    let detectors: String = detectors
        .iter()
        .map(|name| format!("  - {{detector: {name}, label: pii.email}}\n"))
        .collect();
    Ok(vec![
        ("Ostiary, policy only", with_labels(labels)?),
        (
            "Ostiary, one column",
            with_labels(&format!("{labels}{column}"))?,
        ),
        (
            "Ostiary, all detectors",
            with_labels(&format!("{labels}{column}detectors:\n{detectors}"))?,
        ),
    ])
}

/// Envoy with nothing but `tcp_proxy`, with as many workers as the gateways have.
fn plain_envoy(folder: &Folder, listen: u16, admin: u16, server: u16) -> Result<Running> {
    let address =
        |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    let config = json!({
        "admin": {"address": address(admin)},
        "static_resources": {
            "listeners": [{
                "name": "plain", "address": address(listen),
                "filter_chains": [{"filters": [{
                    "name": "tcp",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                        "stat_prefix": "plain", "cluster": "server",
                    },
                }]}],
            }],
            "clusters": [{
                "name": "server", "type": "STATIC", "connect_timeout": "5s",
                "load_assignment": {"cluster_name": "server", "endpoints": [
                    {"lb_endpoints": [{"endpoint": {"address": address(server)}}]},
                ]},
            }],
        },
    });
    envoy::start(folder, "envoy", &config, listen)
}
