//! `ostiary envoy`: the configuration, and the process.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use ostiary_control_plane::config::{Config, HostPort};

use super::{Failure, serve::ConfigFile};
use crate::{
    envoy::{self, ControlPlane, Guarded, HttpTarget, Peer, Plan, Upstream},
    output::Printer,
    private,
};

/// Print the configuration for an Envoy of your own
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Print the Envoy configuration of a configuration file
    ///
    /// It is JSON, which Envoy reads as it reads YAML. It holds the gateway token: whoever has it
    /// can act as a filter. The control plane must have run once, since it makes the token.
    ///
    /// Envoy goes to each PostgreSQL directly and in plaintext; a server that answers SSLRequest with
    /// `S` needs `ostiary up`, whose relay speaks TLS for it, or a sidecar. To HTTP targets Envoy
    /// speaks TLS itself, with files of this machine.
    #[command(
        after_help = "Examples:\n  ostiary envoy render -f ostiary.yaml -o envoy.json\n  \
                            envoy --mode validate -c envoy.json"
    )]
    Render(Render),
    /// Become Envoy, and end when the parent does
    #[command(hide = true)]
    Exec(Exec),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Render {
    #[command(flatten)]
    config: ConfigFile,
    /// Write to this file (mode 0600) instead of standard output
    #[arg(short, long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Path of ostiary_filter.wasm where that Envoy runs
    #[arg(long, value_name = "PATH")]
    filter: Option<PathBuf>,
    /// Where that Envoy reaches the control plane [default: its listen address]
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port)]
    control_plane: Option<HostPort>,
    /// Print a placeholder in place of the gateway token
    #[arg(long)]
    without_token: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    #[arg(long)]
    parent: u32,
    program: PathBuf,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn exec(args: &Exec) -> Failure {
    let error = envoy::exec(args.parent, &args.program, &args.arguments);
    Failure::failed(format!("cannot run `{}`: {error}", args.program.display()))
}

pub(crate) async fn run(verb: Verb, printer: Printer) -> Result<(), Failure> {
    match verb {
        Verb::Render(args) => render(&args, printer),
        Verb::Exec(args) => Err(exec(&args)),
    }
}

fn render(args: &Render, printer: Printer) -> Result<(), Failure> {
    let config = args.config.load()?;
    let filter = match &args.filter {
        Some(path) => path.clone(),
        None => envoy::find_filter(config.envoy.filter.as_deref()).map_err(Failure::input)?,
    };
    let gateway_token = match args.without_token {
        true => "GATEWAY_TOKEN".to_owned(),
        false => gateway_token(&config)?,
    };
    let listen = config.control_plane.listen;
    let plan = Plan {
        admin: config.envoy.admin,
        control_plane: ControlPlane {
            address: args
                .control_plane
                .clone()
                .unwrap_or_else(|| envoy::reachable(listen)),
            tls: peer(&config)?,
        },
        gateway_token,
        filter,
        resources: config
            .resources
            .iter()
            .map(|it| Guarded {
                name: it.name.clone(),
                listen: it.listen,
                role: it.role.clone(),
                upstream: Upstream::Direct(it.address.clone()),
                http: it.kind.is_http().then(|| HttpTarget::of(it)),
            })
            .collect(),
    };
    let text = format!("{:#}", envoy::render(&plan));
    match &args.out {
        Some(path) => private::write(path, format!("{text}\n").as_bytes()).map_err(|error| {
            Failure::failed(format!("cannot write `{}`: {error}", path.display()))
        }),
        None => Ok(printer.line(&text)?),
    }
}

fn gateway_token(config: &Config) -> Result<String, Failure> {
    let path = config.state_dir.join("gateway-token");
    match std::fs::read_to_string(&path) {
        Ok(token) => Ok(token.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = path.display();
            Err(
                Failure::input(format!("there is no gateway token yet in `{path}`"))
                    .cure("start the control plane once (`ostiary serve`), or use --without-token"),
            )
        }
        Err(error) => Err(Failure::input(format!(
            "cannot read `{}`: {error}",
            path.display()
        ))),
    }
}

/// What Envoy pins: the certificate this control plane serves.
pub(crate) fn peer(config: &Config) -> Result<Option<Peer>, Failure> {
    let Some(tls) = &config.control_plane.tls else {
        return Ok(None);
    };
    certificate_sha256(&tls.cert)
        .map(|certificate_sha256| Some(Peer { certificate_sha256 }))
        .map_err(|error| Failure::input(format!("cannot use `{}`: {error}", tls.cert.display())))
}

/// The first certificate of a chain is the server's own.
fn certificate_sha256(path: &Path) -> Result<String, String> {
    use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let der = CertificateDer::from_pem_file(path).map_err(|error| error.to_string())?;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    Ok(crate::output::hex(hash.as_ref()))
}

fn host_port(text: &str) -> Result<HostPort, String> {
    let invalid = || "write it like ostiary.example.com:7700".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    match port.parse() {
        Ok(port) if port != 0 && !host.is_empty() => Ok(HostPort { host, port }),
        _ => Err(invalid()),
    }
}
