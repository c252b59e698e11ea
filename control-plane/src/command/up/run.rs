//! From a configuration to agents that can connect, and back.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};

use ostiary_control_plane::{config::Config, server::Server, telemetry};
use tokio::time::{sleep, timeout};

use super::{
    Args,
    lock::Lock,
    ready::{DevIssuer, Ready, ReadyFile, ReadyResource},
    ways::{Way, open_ways, plan, write_bootstrap},
};
use crate::{
    command::{Failure, serve, signals::Signals},
    dev::{self, Issuer, Keys},
    envoy::{Admin, Envoy, Launch, Restarts, find_binary, find_filter, listener_name},
    output::{self, Printer},
    private,
};

/// From Envoy's start until the filter of every resource has its policy.
const READY_PATIENCE: Duration = Duration::from_secs(120);
const PORT_PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at something that is on its way.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

pub(super) async fn run(args: &Args, printer: Printer) -> Result<(), Failure> {
    let config = args.config.load()?;
    telemetry::init();
    let mut signals = Signals::new()?;
    private::make_dir(&config.state_dir).map_err(|error| {
        Failure::failed(format!(
            "cannot make `{}`: {error}",
            config.state_dir.display()
        ))
    })?;
    let _lock = Lock::take(&config.state_dir)?;
    let ready_file = ReadyFile::new(args.ready_file.as_deref());
    let binary = find_binary(config.envoy.binary.as_deref()).map_err(Failure::input)?;
    let filter = find_filter(config.envoy.filter.as_deref()).map_err(Failure::input)?;
    check_ports(&config).await?;

    let issuer = match args.dev {
        true => Some(start_issuer(&config).await?),
        false => None,
    };
    let server = serve::start(&config).await?;
    let ways = open_ways(&config).await?;
    let plan = plan(&config, &server, filter, &ways)?;
    let launch = Launch {
        binary,
        config: write_bootstrap(&config.state_dir, &plan)?,
        admin_address: config.state_dir.join("envoy-admin"),
        concurrency: config.envoy.concurrency.unwrap_or_else(cpus),
        log_level: config
            .envoy
            .log_level
            .clone()
            .unwrap_or_else(|| "warning".to_owned()),
    };
    let gateway = Gateway {
        config: &config,
        server: &server,
        ways: &ways,
        issuer: issuer.as_ref().map(|(_, named)| named.clone()),
        launch,
        grace: Duration::from_secs(args.grace),
    };
    let outcome = gateway.supervise(&mut signals, &ready_file, printer).await;
    ready_file.remove();
    drop(ways);
    server.shutdown().await;
    outcome
}

/// A running gateway but for its Envoy, which comes and goes.
struct Gateway<'a> {
    config: &'a Config,
    server: &'a Server,
    ways: &'a BTreeMap<String, Way>,
    issuer: Option<DevIssuer>,
    launch: Launch,
    grace: Duration,
}

impl Gateway<'_> {
    /// Until a signal, or until Envoy cannot be kept running.
    async fn supervise(
        &self,
        signals: &mut Signals,
        ready_file: &ReadyFile,
        printer: Printer,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        let mut restarts = Restarts::default();
        let mut was_ready = false;
        loop {
            let mut envoy = self.start()?;
            let outcome = tokio::select! {
                outcome = self.become_ready(&mut envoy) => outcome,
                name = signals.next() => return self.stop(envoy, name, signals).await,
            };
            match outcome {
                Ok(ready) => {
                    ready.print(printer)?;
                    ready_file.write(&ready)?;
                    was_ready = true;
                }
                Err(NotReady::Stuck(reason)) => {
                    envoy.stop(Duration::ZERO).await;
                    return Err(with_lines(reason, &envoy.last_lines().await));
                }
                Err(NotReady::Ended(status)) if !was_ready => {
                    return Err(with_lines(
                        format!("Envoy did not start: {status}"),
                        &envoy.last_lines().await,
                    ));
                }
                // Handled below, as any other end.
                Err(NotReady::Ended(_)) => {}
            }
            let status = tokio::select! {
                status = envoy.wait() => status,
                name = signals.next() => return self.stop(envoy, name, signals).await,
            };
            ready_file.remove();
            let status = status.map_or_else(|error| error.to_string(), |it| it.to_string());
            let Some(pause) = restarts.ended(started.elapsed()) else {
                let reason =
                    format!("Envoy ended three times within a minute, the last with {status}");
                return Err(with_lines(reason, &envoy.last_lines().await));
            };
            tracing::error!(%status, ?pause, "Envoy ended; every session with it. Starting it again");
            tokio::select! {
                () = sleep(pause) => {}
                _ = signals.next() => return Ok(()),
            }
        }
    }

    fn start(&self) -> Result<Envoy, Failure> {
        let say = |line: &str| output::say(&format!("envoy | {line}"));
        Envoy::start(&self.launch, say)
            .map_err(|error| Failure::failed(format!("cannot start Envoy: {error}")))
    }

    /// Drains and stops; a second signal skips the draining.
    async fn stop(
        &self,
        mut envoy: Envoy,
        name: &str,
        signals: &mut Signals,
    ) -> Result<(), Failure> {
        tracing::info!(signal = name, "stopping");
        let mut grace = self.grace;
        if let Some(admin) = envoy.admin() {
            tokio::select! {
                () = admin.drain(grace) => {}
                _ = signals.next() => {}
            }
            grace = Duration::ZERO;
        }
        envoy.stop(grace).await;
        Ok(())
    }

    async fn become_ready(&self, envoy: &mut Envoy) -> Result<Ready, NotReady> {
        let address = envoy.address_file();
        tokio::select! {
            status = envoy.wait() => match status {
                Ok(status) => Err(NotReady::Ended(status)),
                Err(error) => Err(NotReady::Stuck(error.to_string())),
            },
            ready = timeout(READY_PATIENCE, self.look(&address)) => ready.unwrap_or_else(|_| {
                let seconds = READY_PATIENCE.as_secs();
                Err(NotReady::Stuck(format!(
                    "Envoy was not ready after {seconds} seconds: {}",
                    self.missing()
                )))
            }),
        }
    }

    /// Looks until Envoy is ready, its listeners are up and their filters have a policy.
    async fn look(&self, address: &Path) -> Result<Ready, NotReady> {
        let admin = loop {
            match Admin::read(address) {
                Some(admin) if admin.is_ready().await => break admin,
                _ => sleep(LOOK_AGAIN).await,
            }
        };
        let listeners = loop {
            match admin.listeners().await {
                Ok(found) if self.all_listen(&found) => break found,
                _ => sleep(LOOK_AGAIN).await,
            }
        };
        while !self.all_watch() {
            sleep(LOOK_AGAIN).await;
        }
        Ok(self.ready(admin, &listeners))
    }

    fn all_listen(&self, listeners: &BTreeMap<String, SocketAddr>) -> bool {
        let mut names = self
            .config
            .resources
            .iter()
            .map(|it| listener_name(&it.name));
        names.all(|name| listeners.contains_key(&name))
    }

    /// Envoy runs a filter on its main thread and on each worker, and a session is refused by one
    /// without a policy.
    fn all_watch(&self) -> bool {
        let wanted = self.launch.concurrency.saturating_add(1);
        let mut resources = self.config.resources.iter();
        resources.all(|it| self.server.filters(&it.name) >= wanted)
    }

    fn missing(&self) -> String {
        let silent: Vec<&str> = self
            .config
            .resources
            .iter()
            .map(|it| it.name.as_str())
            .filter(|name| self.server.filters(name) == 0)
            .collect();
        match silent.is_empty() {
            true => "not every worker's filter asked for its policy".to_owned(),
            false => format!("no filter asked for the policy of {}", silent.join(", ")),
        }
    }

    fn ready(&self, admin: Admin, listeners: &BTreeMap<String, SocketAddr>) -> Ready {
        let resources = self.config.resources.iter().map(|it| ReadyResource {
            name: it.name.clone(),
            kind: it.kind.as_str(),
            listen: listeners
                .get(&listener_name(&it.name))
                .unwrap_or(&it.listen)
                .to_string(),
            address: it.address.to_string(),
            role: it.role.clone(),
            upstream: self.ways.get(&it.name).map_or("plaintext", Way::describe),
        });
        Ready {
            control_plane: serve::url(self.config, self.server.address()),
            admin: format!("http://{}", admin.0),
            dev_issuer: self.issuer.clone(),
            resources: resources.collect(),
        }
    }
}

/// As many workers as Envoy would take by itself, so that it is known how many there are.
fn cpus() -> u32 {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cpus).unwrap_or(1)
}

enum NotReady {
    Ended(ExitStatus),
    Stuck(String),
}

fn with_lines(reason: String, lines: &[String]) -> Failure {
    match lines.is_empty() {
        true => Failure::failed(reason),
        false => Failure::failed(format!("{reason}\nits last lines:\n{}", lines.join("\n"))),
    }
}

/// A taken port is told now, by the name of who wants it, and not by Envoy later.
async fn check_ports(config: &Config) -> Result<(), Failure> {
    let mut wanted: Vec<(String, SocketAddr)> = config
        .resources
        .iter()
        .map(|it| (format!("resource `{}`", it.name), it.listen))
        .collect();
    wanted.push(("`envoy.admin`".to_owned(), config.envoy.admin));
    let started = Instant::now();
    for (who, address) in wanted {
        // An Envoy whose `ostiary up` was killed may be on its way out still.
        while let Err(error) = TcpListener::bind(address) {
            if started.elapsed() > PORT_PATIENCE {
                return Err(Failure::failed(format!(
                    "{who} cannot listen on {address}: {error}"
                )));
            }
            sleep(LOOK_AGAIN).await;
        }
    }
    Ok(())
}

async fn start_issuer(config: &Config) -> Result<(Issuer, DevIssuer), Failure> {
    let mut problem = None;
    for configured in &config.identity.issuers {
        match dev::issuer_address(&configured.issuer) {
            Ok((address, path)) => {
                let state = config.state_dir.join("dev");
                let keys = Keys::open(&state, &configured.issuer)?;
                let issuer = Issuer::serve(dev::bind(address).await?, &path, &keys);
                output::say(dev::WARNING);
                let url = configured.issuer.clone();
                return Ok((issuer, DevIssuer { url, state }));
            }
            Err(error) => problem = Some(error),
        }
    }
    Err(match problem {
        Some(error) => error.into(),
        None => Failure::input("`identity.issuers` is empty"),
    })
}
