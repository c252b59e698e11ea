//! Child processes that never outlive the process that started them.

use std::{
    fs::File,
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio},
    sync::{LazyLock, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process, kill_process_group};

use crate::{Context as _, Result, bail, wait};

/// A shell that learns of every child and folder, and clears them away when this process ends, in
/// whatever way it ends: it reads a pipe that closes then.
static REAPER: LazyLock<Mutex<ChildStdin>> = LazyLock::new(|| Mutex::new(reaper()));

#[expect(clippy::zombie_processes, reason = "it outlives this process")]
fn reaper() -> ChildStdin {
    // `-s`: dash takes no `--` after `-INT`.
    let script = r#"
        trap '' INT TERM HUP
        pids=" " dirs=""
        while read -r verb what; do
            case $verb in
                pid) pids="$pids$what " ;;
                gone) pids=$(printf '%s' "$pids" | sed "s/ $what / /") ;;
                dir) dirs="$dirs $what" ;;
                keep) dirs=$(printf '%s' "$dirs" | sed "s# $what\b##") ;;
            esac
        done
        for pid in $pids; do kill -s INT -- "-$pid" 2>/dev/null; done
        left=50
        while [ $left -gt 0 ]; do
            alive=0
            for pid in $pids; do kill -s 0 -- "-$pid" 2>/dev/null && alive=1; done
            [ $alive = 0 ] && break
            sleep 0.1
            left=$((left - 1))
        done
        for pid in $pids; do kill -s KILL -- "-$pid" 2>/dev/null; done
        [ -z "$dirs" ] || rm -rf $dirs
    "#;
    let mut child = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sh can be started");
    child.stdin.take().expect("its input is a pipe")
}

fn tell_reaper(line: &str) {
    let mut reaper = REAPER
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    // A reaper that is gone can clear nothing away; the tests go on.
    let _ = writeln!(reaper, "{line}");
}

/// A folder that is gone when this process is, unless kept.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A fresh one under the system's folder for temporary files; other users can look inside.
    pub fn new(name: &str) -> Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        let path = tempfile::Builder::new()
            .prefix(&format!("ostiary-{name}-"))
            .tempdir()?
            .keep();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o711))?;
        tell_reaper(&format!("dir {}", path.display()));
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it where it is, for someone to look into.
    pub fn keep(&self) {
        tell_reaper(&format!("keep {}", self.path.display()));
    }
}

/// A running child; stopped when dropped.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: PathBuf,
    stop: Signal,
}

impl Running {
    /// Starts `command` in a process group of its own, both outputs going to `log`.
    pub fn start(name: &str, mut command: Command, log: &Path, stop: Signal) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log)?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}: {command:?}"))?;
        tell_reaper(&format!("pid {}", child.id()));
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
            stop,
        })
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Fails, with the end of its log, if it has ended.
    pub fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "{} ended with {status}:\n{}",
                self.name,
                tail(&self.log(), 40)
            );
        }
        Ok(())
    }

    /// Waits for `condition` while the process runs.
    pub fn until(&mut self, what: &str, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
        let waited = wait::until_true(what, wait::START, || {
            self.check()?;
            condition()
        });
        waited.with_context(|| format!("{} said last:\n{}", self.name, tail(&self.log(), 40)))
    }

    /// Sends a signal to the process alone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(pid(self.child.id())?, signal)?;
        Ok(())
    }

    /// Waits for its end.
    pub fn wait(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let name = format!("the end of {}", self.name);
        let status = wait::until(&name, deadline, || Ok(self.child.try_wait()?))?;
        tell_reaper(&format!("gone {}", self.child.id()));
        Ok(status)
    }

    /// Stops it and waits for its end.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        if self.child.try_wait()?.is_none() {
            self.signal(self.stop)?;
        }
        self.wait(Duration::from_secs(20))
    }

    /// Kills it, giving it no chance to clean up.
    pub fn kill(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            self.signal(Signal::KILL)?;
        }
        self.wait(Duration::from_secs(20))?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop();
        // Whatever it left in its group.
        if let Ok(pid) = pid(self.child.id()) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
        tell_reaper(&format!("gone {}", self.child.id()));
    }
}

fn pid(id: u32) -> Result<Pid> {
    i32::try_from(id)
        .ok()
        .and_then(Pid::from_raw)
        .context("a process id")
}

/// Kills a process that is not a child of this one.
pub fn kill(id: u32, signal: Signal) -> Result<()> {
    kill_process(pid(id)?, signal)?;
    Ok(())
}

/// Whether a process is there and not a zombie.
pub fn is_alive(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .trim_start()
            .starts_with('Z')
    })
}

/// The descendants of a process whose program is named so.
pub fn descendants(of: u32, program: &str) -> Vec<u32> {
    let stat = |id: u32| std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let parent = |id: u32| -> Option<u32> {
        stat(id)
            .rsplit(')')
            .next()?
            .split_whitespace()
            .nth(1)?
            .parse()
            .ok()
    };
    let named = |id: u32| {
        std::fs::read_link(format!("/proc/{id}/exe"))
            .is_ok_and(|path| path.file_name().is_some_and(|name| name == program))
    };
    let mut found = Vec::new();
    for id in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = id
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let mut up = Some(id);
        while let Some(next) = up.and_then(parent) {
            if next == of {
                if named(id) {
                    found.push(id);
                }
                break;
            }
            up = (next > 1).then_some(next);
        }
    }
    found
}

/// The last lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// What a program that ran to its end said.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its exit code; 128 + signal if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Fails unless the exit code is 0.
    pub fn ok(self) -> Result<Self> {
        self.exits(0)
    }

    /// Fails unless the exit code is `code`.
    pub fn exits(self, code: i32) -> Result<Self> {
        if self.code != code {
            bail!(
                "exit code {} instead of {code}\n{}\n{}",
                self.code,
                self.out,
                self.err
            );
        }
        Ok(self)
    }

    /// Both outputs.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// A program that is running to its end.
#[derive(Debug)]
pub struct Started {
    child: Option<Child>,
    what: String,
}

impl Started {
    /// Starts a program; `input` is all it reads.
    pub fn new(mut command: Command, input: &str) -> Result<Self> {
        let what = format!("{command:?}");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {what}"))?;
        tell_reaper(&format!("pid {}", child.id()));
        let mut stdin = child.stdin.take().context("its input")?;
        let input = input.to_owned();
        std::thread::spawn(move || {
            // A program may end without reading its input.
            let _ = stdin.write_all(input.as_bytes());
        });
        Ok(Self {
            child: Some(child),
            what,
        })
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// True once it has ended.
    pub fn has_ended(&mut self) -> Result<bool> {
        match &mut self.child {
            Some(child) => Ok(child.try_wait()?.is_some()),
            None => Ok(true),
        }
    }

    /// What it said, once it has ended; killed at the deadline.
    pub fn finish(mut self, deadline: Duration) -> Result<Ran> {
        let mut child = self.child.take().context("not finished twice")?;
        let id = child.id();
        let out = reading(child.stdout.take());
        let err = reading(child.stderr.take());
        let start = Instant::now();
        let ended = wait::until(&self.what, deadline, || Ok(child.try_wait()?));
        if ended.is_err() {
            let _ = kill_process_group(pid(id)?, Signal::KILL);
            let _ = child.wait();
        }
        tell_reaper(&format!("gone {id}"));
        let out = out.join().unwrap_or_default();
        let err = err.join().unwrap_or_default();
        let status = ended.with_context(|| {
            format!(
                "killed after {} s; it said:\n{out}\n{err}",
                start.elapsed().as_secs()
            )
        })?;
        Ok(Ran {
            code: code(status),
            out,
            err,
        })
    }
}

fn reading(source: Option<impl std::io::Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut source) = source {
            // What came before a broken pipe counts.
            let _ = source.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            if let Ok(pid) = pid(child.id()) {
                let _ = kill_process_group(pid, Signal::KILL);
            }
            let _ = child.wait();
            tell_reaper(&format!("gone {}", child.id()));
        }
    }
}

/// Runs a program to its end.
pub fn run(command: Command, input: &str, deadline: Duration) -> Result<Ran> {
    Started::new(command, input)?.finish(deadline)
}

/// Runs a helper program that must succeed.
pub fn must(mut command: Command) -> Result<Output> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} ended with {}:\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(output)
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn the_reaper_ends_what_is_left() -> Result<()> {
        let folder = tempfile::tempdir()?.keep();
        let mut child = Command::new("tail")
            .args(["-f", "/dev/null"])
            .process_group(0)
            .spawn()?;
        let mut reaper = reaper();
        writeln!(reaper, "pid {}\ndir {}", child.id(), folder.display())?;
        drop(reaper);
        let status = wait::until("its end", wait::START, || Ok(child.try_wait()?))?;
        assert_eq!(status.signal(), Some(Signal::INT.as_raw()));
        wait::until_true("its folder to go", wait::START, || Ok(!folder.exists()))
    }
}
