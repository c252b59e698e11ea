//! The Envoy process: started, listened to, stopped.

use std::{
    collections::VecDeque,
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    task::JoinSet,
    time::timeout,
};

use super::Admin;
use crate::output::one_line;

/// Lines kept to explain an end.
const KEPT_LINES: usize = 30;
/// Between SIGTERM and SIGKILL.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// From the end of the process until its last lines have been read.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(1);

/// How to start Envoy.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) binary: PathBuf,
    /// The bootstrap.
    pub(crate) config: PathBuf,
    /// Envoy writes where its admin listener is into this file.
    pub(crate) admin_address: PathBuf,
    pub(crate) concurrency: u32,
    pub(crate) log_level: String,
}

/// A running Envoy; killed when dropped, and when this process dies.
pub(crate) struct Envoy {
    child: Child,
    admin_address: PathBuf,
    output: JoinSet<()>,
    last_lines: Arc<Mutex<VecDeque<String>>>,
}

impl Envoy {
    /// Starts it through `ostiary envoy exec`, which ties its life to ours.
    pub(crate) fn start(launch: &Launch, say: fn(&str)) -> io::Result<Self> {
        let _ = std::fs::remove_file(&launch.admin_address);
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["envoy", "exec", "--parent"])
            .arg(std::process::id().to_string())
            .arg("--")
            .arg(&launch.binary)
            .arg("--config-path")
            .arg(&launch.config)
            .arg("--admin-address-path")
            .arg(&launch.admin_address)
            .arg("--disable-hot-restart")
            .args(["--concurrency", &launch.concurrency.to_string()])
            .args(["--log-level", &launch.log_level])
            .args(["--log-format", "%l %n: %v"])
            .arg("--log-format-escaped");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal is for us; we stop Envoy in our own order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let last_lines = Arc::new(Mutex::new(VecDeque::new()));
        let mut output = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            output.spawn(relay_lines(stdout, last_lines.clone(), say));
        }
        if let Some(stderr) = child.stderr.take() {
            output.spawn(relay_lines(stderr, last_lines.clone(), say));
        }
        Ok(Self {
            child,
            admin_address: launch.admin_address.clone(),
            output,
            last_lines,
        })
    }

    /// Its admin listener, once it has said where that is.
    pub(crate) fn admin(&self) -> Option<Admin> {
        Admin::read(&self.admin_address)
    }

    /// The file it says that in.
    pub(crate) fn address_file(&self) -> PathBuf {
        self.admin_address.clone()
    }

    /// Waits for its end.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// What it said last, after its end.
    pub(crate) async fn last_lines(&mut self) -> Vec<String> {
        let read = async { while self.output.join_next().await.is_some() {} };
        let _ = timeout(OUTPUT_PATIENCE, read).await;
        let lines = self.last_lines.lock();
        let lines = lines.unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }

    /// Lets open sessions end for `grace`, then ends the process, with force if need be.
    pub(crate) async fn stop(&mut self, grace: Duration) {
        if let Some(admin) = self.admin().filter(|_| !grace.is_zero()) {
            admin.drain(grace).await;
        }
        self.terminate();
        if timeout(STOP_PATIENCE, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }

    fn terminate(&self) {
        // `id` is gone once the process has been waited for: no other process is hit.
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
}

/// Becomes Envoy, after asking the kernel to end it when the parent ends. Returns only if that
/// fails. The parent starts us from a thread that lives as long as it does: the kernel counts the
/// thread.
pub(crate) fn exec(parent: u32, program: &Path, arguments: &[std::ffi::OsString]) -> io::Error {
    #[cfg(target_os = "linux")]
    {
        let signal = rustix::process::Signal::TERM;
        if let Err(error) = rustix::process::set_parent_process_death_signal(Some(signal)) {
            return error.into();
        }
    }
    // The parent may have died before the kernel was asked.
    if std::os::unix::process::parent_id() != parent {
        return io::Error::other("the process that started Envoy has ended");
    }
    std::process::Command::new(program).args(arguments).exec()
}

async fn relay_lines(
    stream: impl AsyncRead + Unpin,
    kept: Arc<Mutex<VecDeque<String>>>,
    say: fn(&str),
) {
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = one_line(String::from_utf8_lossy(&line).trim_end());
        if line.is_empty() {
            continue;
        }
        say(&line);
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}
