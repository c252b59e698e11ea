//! A call to a control plane: where, with which token, over which transport.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use tonic::{
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Uri},
};

use super::{Code, Failure, failure::chain};

/// A connection that presents the caller's token with every call.
pub(crate) type Service = InterceptedService<Channel, Bearer>;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest token file read: a token is at most a few KiB.
const MAX_TOKEN: usize = 64 << 10;

/// Where the control plane is and who asks.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Control plane")]
pub(crate) struct Connection {
    /// Address of the control plane; `https://` unless it is on this machine
    #[arg(
        long,
        value_name = "URL",
        env = "OSTIARY_ADDRESS",
        hide_env_values = true,
        default_value = "http://127.0.0.1:7700"
    )]
    address: String,
    /// OIDC token; other users of this machine can see it in the list of processes
    #[arg(
        long,
        value_name = "JWT",
        env = "OSTIARY_TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
    /// File that holds the token, read by its owner alone [default: ~/.config/ostiary/token]
    #[arg(long, value_name = "PATH", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// Authorities of the control plane's certificate, PEM [default: the system's]
    #[arg(long, value_name = "PATH", env = "OSTIARY_CA", hide_env_values = true)]
    ca: Option<PathBuf>,
}

/// Adds the token to a call.
#[derive(Clone)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(
        &mut self,
        mut request: tonic::Request<()>,
    ) -> Result<tonic::Request<()>, tonic::Status> {
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.0.clone());
        Ok(request)
    }
}

impl Connection {
    /// Connects; says where it tried to when that fails.
    pub(crate) async fn open(&self) -> Result<Service, Failure> {
        let uri = endpoint_uri(&self.address)?;
        let bearer = self.bearer()?;
        let channel = self.channel(&uri).await?;
        Ok(InterceptedService::new(channel, bearer))
    }

    async fn channel(&self, uri: &Uri) -> Result<Channel, Failure> {
        let mut endpoint = Endpoint::from(uri.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10))
            .user_agent(concat!("ostiary/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| Failure::input(chain(&error)))?;
        if uri.scheme_str() == Some("https") {
            let tls = match &self.ca {
                Some(path) => ClientTlsConfig::new().ca_certificate(pem(path)?),
                None => ClientTlsConfig::new().with_native_roots(),
            };
            endpoint = endpoint
                .tls_config(tls)
                .map_err(|error| Failure::input(chain(&error)))?;
        }
        endpoint.connect().await.map_err(|error| {
            let reason = chain(&error);
            let failure = Failure::new(
                Code::Unreachable,
                format!("cannot reach the control plane at {uri}: {reason}"),
            );
            match reason.contains("certificate") {
                true => failure.cure("name the authority of its certificate with --ca"),
                false => failure.cure(
                    "start it with `ostiary up -f ostiary.yaml`, or name another with --address \
                     or OSTIARY_ADDRESS",
                ),
            }
        })
    }

    fn bearer(&self) -> Result<Bearer, Failure> {
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => token.trim().to_owned(),
            (None, Some(path)) => read_token(path)?.ok_or_else(|| {
                Failure::input(format!("token file `{}` does not exist", path.display()))
            })?,
            (None, None) => match default_token_file() {
                Some(path) => read_token(&path)?.ok_or_else(|| no_token(Some(&path)))?,
                None => return Err(no_token(None)),
            },
        };
        if token.is_empty() {
            return Err(no_token(None));
        }
        let mut value = MetadataValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Failure::input("the token holds characters that no token has"))?;
        value.set_sensitive(true);
        Ok(Bearer(value))
    }
}

fn no_token(path: Option<&Path>) -> Failure {
    let failure = Failure::new(Code::NotAllowed, "no token to present to the control plane");
    match path {
        Some(path) => failure.cure(format!(
            "set OSTIARY_TOKEN, pass --token-file, or write one to `{}`",
            path.display()
        )),
        None => failure.cure("set OSTIARY_TOKEN or pass --token-file"),
    }
}

/// `$XDG_CONFIG_HOME/ostiary/token`.
fn default_token_file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let config = set("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".config")))?;
    Some(config.join("ostiary").join("token"))
}

/// `None` if there is no such file; an error if others may read it.
fn read_token(path: &Path) -> Result<Option<String>, Failure> {
    use std::io::Read as _;
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Failure::input(format!("cannot read token file `{shown}`: {error}"))
    };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
            return Err(
                Failure::input(format!("token file `{shown}` can be read by others"))
                    .cure(format!("chmod 600 {shown}")),
            );
        }
    }
    let mut token = String::new();
    let limit = u64::try_from(MAX_TOKEN).unwrap_or(u64::MAX);
    let mut bounded = file.take(limit);
    bounded.read_to_string(&mut token).map_err(unreadable)?;
    Ok(Some(token.trim().to_owned()))
}

fn pem(path: &Path) -> Result<Certificate, Failure> {
    std::fs::read(path)
        .map(Certificate::from_pem)
        .map_err(|error| Failure::input(format!("cannot read `{}`: {error}", path.display())))
}

/// A whole URL; a token never goes over plaintext to another machine.
fn endpoint_uri(address: &str) -> Result<Uri, Failure> {
    let invalid = || {
        Failure::input(format!("address `{address}` is not a URL"))
            .cure("write it like https://ostiary.example.com:7700")
    };
    let text = match address.contains("://") {
        true => address.to_owned(),
        false => {
            let bare: Uri = format!("http://{address}").parse().map_err(|_| invalid())?;
            match is_loopback(&bare) {
                true => format!("http://{address}"),
                false => format!("https://{address}"),
            }
        }
    };
    let uri: Uri = text.parse().map_err(|_| invalid())?;
    if uri.host().is_none_or(str::is_empty) {
        return Err(invalid());
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_loopback(&uri) => Ok(uri),
        Some("http") => Err(Failure::input(format!(
            "a token is not sent in plaintext to another machine: `{address}`"
        ))
        .cure("use https://")),
        _ => Err(invalid()),
    }
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::endpoint_uri;

    #[test]
    fn a_token_never_goes_in_plaintext_to_another_machine() {
        let cases = [
            ("http://127.0.0.1:7700", Some("http://127.0.0.1:7700/")),
            ("127.0.0.1:7700", Some("http://127.0.0.1:7700/")),
            ("localhost:7700", Some("http://localhost:7700/")),
            ("http://[::1]:7700", Some("http://[::1]:7700/")),
            ("gate.example:7700", Some("https://gate.example:7700/")),
            ("https://gate.example", Some("https://gate.example/")),
            ("http://gate.example:7700", None),
            ("http://127.0.0.1.example:7700", None),
            ("http://user@gate.example", None),
            ("ftp://127.0.0.1", None),
            ("http://", None),
            ("", None),
            ("not a url", None),
        ];
        for (address, expected) in cases {
            let found = endpoint_uri(address).ok().map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{address}");
        }
    }
}
