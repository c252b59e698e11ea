//! `ostiary dev`: tokens for trying Ostiary out.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Subcommand;
use serde_json::json;

use super::{Failure, failure::chain, signals::Signals};
use crate::{
    dev::{self, Claims, DevError, Issuer, Keys},
    output::{self, Printer},
};

/// Tokens for trying Ostiary out, on this machine alone
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a development OIDC issuer
    ///
    /// Serves its discovery document and public key on a loopback address, and refuses any other.
    /// `ostiary up --dev` runs one inside.
    #[command(after_help = "Examples:\n  ostiary dev issuer\n  \
                            ostiary dev issuer --listen 127.0.0.1:7801 --state ./dev")]
    Issuer {
        /// Where to listen; the issuer is http://ADDRESS
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7701")]
        listen: SocketAddr,
        #[command(flatten)]
        state: State,
    },
    /// Print a token signed with the development issuer's key
    ///
    /// The issuer need not be running, but must have run once with the same --state.
    #[command(after_help = "Examples:\n  \
        ostiary dev token --sub claude-17 --groups agents\n  \
        PGPASSWORD=$(ostiary dev token --sub claude-17 --groups agents) psql -h 127.0.0.1 -p 6432 shop\n  \
        export OSTIARY_TOKEN=$(ostiary dev token --sub rita --groups dba --ttl 8h)")]
    Token(Token),
}

/// Where the key is.
#[derive(Debug, clap::Args)]
pub(crate) struct State {
    /// Directory of the key; `ostiary up --dev` keeps it in `dev` under `state_dir`
    /// [default: $XDG_STATE_HOME/ostiary/dev]
    #[arg(long = "state", value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What a token says.
#[derive(Debug, clap::Args)]
pub(crate) struct Token {
    /// Who it is for
    #[arg(long, value_name = "SUBJECT")]
    sub: String,
    /// Their groups, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    groups: Vec<String>,
    /// How long it holds
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    ttl: Duration,
    /// For whom it is meant
    #[arg(long, value_name = "AUDIENCE", default_value = dev::AUDIENCE)]
    audience: String,
    /// The human behind the agent
    #[arg(long, value_name = "HUMAN")]
    act: Option<String>,
    #[command(flatten)]
    state: State,
}

pub(crate) async fn run(verb: Verb, printer: Printer) -> Result<(), Failure> {
    match verb {
        Verb::Issuer { listen, state } => {
            let dir = state.dir()?;
            let mut signals = Signals::new()?;
            let (issuer, url) = start(listen, &dir).await?;
            output::say(dev::WARNING);
            let state = dir.display();
            printer.line(&format!(
                "issuer {url} on {}, key in {state}",
                issuer.address()
            ))?;
            signals.next().await;
            Ok(())
        }
        Verb::Token(args) => {
            let keys = Keys::load(&args.state.dir()?)?;
            let claims = Claims {
                subject: args.sub,
                groups: args
                    .groups
                    .into_iter()
                    .filter(|it| !it.is_empty())
                    .collect(),
                audience: args.audience,
                act: args.act,
                ttl: args.ttl,
            };
            let token = dev::sign(&keys, &claims, output::now_us())?;
            match printer.is_json() {
                true => printer.document(&json!({"token": token, "issuer": keys.issuer()}))?,
                false => printer.line(&token)?,
            }
            Ok(())
        }
    }
}

/// Binds first: a port of 0 is part of the issuer's name only once it is known.
async fn start(listen: SocketAddr, dir: &Path) -> Result<(Issuer, String), Failure> {
    let bound = dev::bind(listen).await?;
    let url = format!("http://{}", bound.address());
    let keys = Keys::open(dir, &url)?;
    Ok((Issuer::serve(bound, "", &keys), url))
}

impl State {
    fn dir(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let state = set("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| Path::new(&home).join(".local/state")))
            .ok_or_else(|| Failure::input("no home directory: give --state"))?;
        Ok(state.join("ostiary").join("dev"))
    }
}

impl From<DevError> for Failure {
    fn from(error: DevError) -> Self {
        let failure = Self::input(chain(&error));
        match error {
            DevError::None(_) => failure.cure(
                "start one with `ostiary dev issuer` or `ostiary up --dev`, or give its --state",
            ),
            DevError::NotLoopback(_)
            | DevError::Issuer(_)
            | DevError::File { .. }
            | DevError::Key(_)
            | DevError::Listen { .. }
            | DevError::Crypto => failure,
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "give a duration such as 30s, 15m or 1h".to_owned())
}
