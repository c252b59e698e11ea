//! `ostiary policy`: check, apply and fetch bundles.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use ostiary_control_plane::policy_files;
use ostiary_policy::{Bundle, Files};
use ostiary_proto::{
    ApplyRequest, GetPolicyRequest, GetPolicyResponse, policy_client::PolicyClient,
};
use serde_json::{Value, json};

use super::{Code, Failure, client::Connection, failure::chain};
use crate::output::{self, Paint, Printer, block, count, one_line};

/// Check, apply and fetch the policy bundle
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Find every problem in a bundle, offline
    ///
    /// Needs no control plane. Exits with 1 if there is any problem.
    #[command(after_help = "Examples:\n  ostiary policy check ./policy\n  \
                            ostiary policy check ./policy --output json | jq '.problems[].file'")]
    Check {
        /// The directory of the bundle
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Make a bundle the running policy
    ///
    /// It is refused whole if anything in it is wrong; the running policy then stays. A change
    /// reaches open sessions within a second. Needs the operator role `admin`.
    #[command(after_help = "Examples:\n  ostiary policy apply ./policy")]
    Apply {
        /// The directory of the bundle
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
    /// Fetch the running bundle, or an older version
    ///
    /// Prints its files, or writes them to a directory. Needs the operator role `auditor`.
    #[command(after_help = "Examples:\n  ostiary policy get\n  \
                            ostiary policy get --version 3 -o ./policy-3\n  \
                            diff -r ./policy ./policy-3")]
    Get {
        /// A version; the running one by default
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        version: u64,
        /// Write the files into this directory, which is made; an existing file is not replaced
        #[arg(short, long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(crate) async fn run(verb: Verb, printer: Printer) -> Result<(), Failure> {
    match verb {
        Verb::Check { dir } => check(&dir, printer),
        Verb::Apply { dir, connection } => apply(&dir, &connection, printer).await,
        Verb::Get {
            version,
            out,
            connection,
        } => {
            let mut client = PolicyClient::new(connection.open().await?);
            let bundle = client.get(GetPolicyRequest { version }).await?.into_inner();
            match out {
                Some(dir) => write(&dir, &bundle, printer),
                None => show(&bundle, printer),
            }
        }
    }
}

fn check(dir: &Path, printer: Printer) -> Result<(), Failure> {
    let files = read(dir)?;
    match Bundle::parse(&files) {
        Ok(bundle) if printer.is_json() => {
            Ok(printer.document(&json!({"problems": [], "hash": bundle.hash()}))?)
        }
        Ok(bundle) => {
            let files = count(files.len(), "file");
            Ok(printer.line(&format!("ok: {files}, hash {}", bundle.hash()))?)
        }
        Err(invalid) => {
            let problems = invalid
                .into_iter()
                .map(|it| (it.file, it.line.to_string(), it.message))
                .collect();
            refuse(dir, problems, printer)
        }
    }
}

async fn apply(dir: &Path, connection: &Connection, printer: Printer) -> Result<(), Failure> {
    let files = read(dir)?.into_iter().collect();
    let mut client = PolicyClient::new(connection.open().await?);
    let answer = client.apply(ApplyRequest { files }).await?.into_inner();
    if !answer.problems.is_empty() {
        let problems = answer
            .problems
            .into_iter()
            .map(|it| (it.file, it.line.to_string(), it.message))
            .collect();
        return refuse(dir, problems, printer);
    }
    if printer.is_json() {
        return Ok(printer.document(&json!({
            "problems": [],
            "version": answer.version,
            "hash": answer.hash,
            "changed": answer.changed,
        }))?);
    }
    let what = match answer.changed {
        true => "applied",
        false => "unchanged",
    };
    let line = format!("{what}: version {}, hash {}", answer.version, answer.hash);
    Ok(printer.line(&one_line(&line))?)
}

/// Lists what is wrong; the failure adds only the exit code.
fn refuse(
    dir: &Path,
    problems: Vec<(String, String, String)>,
    printer: Printer,
) -> Result<(), Failure> {
    if printer.is_json() {
        let problems: Vec<Value> = problems
            .iter()
            .map(|(file, line, message)| {
                json!({"file": file, "line": line.parse::<u64>().ok(), "message": message})
            })
            .collect();
        printer.document(&json!({ "problems": problems }))?;
        return Err(Failure::said(Code::No));
    }
    for (file, line, message) in &problems {
        let place = dir.join(file);
        let place = one_line(&place.display().to_string());
        let message = block(message, "  ");
        printer.line(&match line.as_str() {
            "0" => format!("{place}: {}", message.trim_start()),
            line => format!("{place}:{line}: {}", message.trim_start()),
        })?;
    }
    let total = count(problems.len(), "problem");
    printer.line(&printer.paint(Paint::Bad, &format!("refused: {total}")))?;
    Err(Failure::said(Code::No))
}

fn read(dir: &Path) -> Result<Files, Failure> {
    policy_files(dir).map_err(|error| Failure::input(chain(&error)))
}

fn show(bundle: &GetPolicyResponse, printer: Printer) -> Result<(), Failure> {
    let files: BTreeMap<_, _> = bundle.files.iter().collect();
    if printer.is_json() {
        return Ok(printer.document(&json!({
            "version": bundle.version,
            "hash": bundle.hash,
            "applied": output::instant(bundle.applied_us),
            "applied_by": bundle.applied_by,
            "files": files,
        }))?);
    }
    printer.line(&summary(bundle))?;
    for (name, text) in files {
        let heading = format!("--- {}", one_line(name));
        printer.line(&format!("\n{}", printer.paint(Paint::Dim, &heading)))?;
        printer.line(&block(text.trim_end(), ""))?;
    }
    Ok(())
}

fn write(dir: &Path, bundle: &GetPolicyResponse, printer: Printer) -> Result<(), Failure> {
    use std::io::Write as _;
    let failed = |path: &Path, error: std::io::Error| {
        Failure::failed(format!("cannot write `{}`: {error}", path.display()))
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    for (name, text) in &bundle.files {
        if !is_plain(name) {
            let name = one_line(name);
            return Err(Failure::failed(format!(
                "the bundle has a file named `{name}`"
            )));
        }
        let path = dir.join(name);
        let mut file = std::fs::File::create_new(&path).map_err(|error| failed(&path, error))?;
        file.write_all(text.as_bytes())
            .map_err(|error| failed(&path, error))?;
    }
    let files = count(bundle.files.len(), "file");
    let line = format!("{}: {files} in {}", summary(bundle), dir.display());
    Ok(printer.line(&one_line(&line))?)
}

/// A name that stays inside its directory.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

fn summary(bundle: &GetPolicyResponse) -> String {
    one_line(&format!(
        "version {}, hash {}, applied {} by {}",
        bundle.version,
        bundle.hash,
        output::local(bundle.applied_us),
        bundle.applied_by
    ))
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn a_file_of_a_bundle_stays_inside_its_directory() {
        let cases = [
            ("reads.cedar", true),
            ("labels.yaml", true),
            ("../evil", false),
            ("/etc/passwd", false),
            ("a/b", false),
            (".ssh", false),
            ("", false),
        ];
        for (name, plain) in cases {
            assert_eq!(is_plain(name), plain, "{name}");
        }
    }
}
