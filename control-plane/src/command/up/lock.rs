//! One `ostiary up` for a state directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use crate::command::{Code, Failure};

/// Held for as long as it lives; the kernel lets go of it when the process dies, however it does.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it, or says who has it.
    pub(super) fn take(state_dir: &Path) -> Result<Self, Failure> {
        let path = state_dir.join("up.lock");
        let failed = |error: std::io::Error| {
            Failure::failed(format!("cannot use `{}`: {error}", path.display()))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Only for the message.
                let _ = file.read_to_string(&mut pid);
                let state_dir = state_dir.display();
                return Err(Failure::new(
                    Code::Conflict,
                    format!(
                        "`ostiary up` already runs with `{state_dir}` (process {})",
                        pid.trim()
                    ),
                )
                .cure("stop it first, or give this one a `state_dir` of its own"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;
    use crate::command::Code;

    #[test]
    fn a_state_directory_serves_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        let refused = Lock::take(dir.path()).unwrap_err();
        assert_eq!(refused.code(), Code::Conflict);
        let pid = format!("(process {})", std::process::id());
        assert!(refused.message().ends_with(&pid), "{refused}");
        drop(first);
        Lock::take(dir.path()).unwrap();
    }
}
