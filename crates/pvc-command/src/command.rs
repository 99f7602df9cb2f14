//! A program to run, and the running of it.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin};

use crate::capture::{self, Captured};
use crate::error::CommandError;

/// Holds the listing of some ten thousand volumes; a program that writes more is in a loop.
const STDOUT_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// A few lines of explanation; it ends up in logs and answers.
const STDERR_LIMIT_BYTES: usize = 4 * 1024;

/// What a program that ended with status 0 wrote. Bytes that are not UTF-8 are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Its standard output.
    pub stdout: String,
    /// The end of its standard error.
    pub stderr: String,
}

/// A program to run: its arguments, its input and how long it may take.
///
/// It inherits the environment, except that `LC_ALL` is `C.UTF-8`, so that its messages can be
/// parsed. It has no standard input unless [`Command::stdin`] gives it one.
#[derive(Clone)]
pub struct Command {
    program: String,
    args: Vec<OsString>,
    env: Vec<(String, OsString)>,
    stdin: Option<Vec<u8>>,
    limit: Duration,
    stdout_limit_bytes: usize,
    secret: bool,
}

impl Command {
    /// A program, looked up in `PATH` unless it is a path, that is killed after `limit`.
    #[must_use]
    pub fn new(program: impl Into<String>, limit: Duration) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            stdin: None,
            limit,
            stdout_limit_bytes: STDOUT_LIMIT_BYTES,
            secret: false,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment. Its value is never logged: secrets go here or into
    /// [`Command::stdin`], for arguments are readable by every user of the machine.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Gives it bytes to read. They are never logged.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Allows it to write this much; more makes [`CommandError::TooMuchOutput`].
    #[must_use]
    pub const fn stdout_limit_bytes(mut self, limit_bytes: usize) -> Self {
        self.stdout_limit_bytes = limit_bytes;
        self
    }

    /// Keeps its arguments out of the log, for programs that take a secret no other way.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Runs it to its end.
    ///
    /// Dropping the future kills the program and everything it started in its process group.
    ///
    /// # Errors
    /// [`CommandError`]: not started, not done in time, any status but 0, too much output.
    pub async fn run(self) -> Result<Output, CommandError> {
        let began = Instant::now();
        let shown = self.to_string();
        let limit = self.limit;
        let program = self.program.clone();
        let done = match tokio::time::timeout(limit, self.run_unlimited()).await {
            Ok(done) => done,
            Err(_) => Err(CommandError::TimedOut { program, waited: limit }),
        };
        tracing::debug!(
            command = shown,
            took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            outcome = %done.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned()),
            "ran {shown}"
        );
        done
    }

    async fn run_unlimited(self) -> Result<Output, CommandError> {
        let mut child = self.spawn()?;
        // Declared after the child, so dropped before it: the group is killed while its leader
        // is not yet reaped, when its number cannot belong to anybody else.
        let group = Group::of(&child);
        let pipe_failed = |source| CommandError::Pipe { program: self.program.clone(), source };
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let (fed, out, err) = tokio::join!(
            feed(stdin, self.stdin.as_deref().unwrap_or_default()),
            capture::whole(stdout, self.stdout_limit_bytes),
            capture::tail(stderr, STDERR_LIMIT_BYTES),
        );
        fed.map_err(pipe_failed)?;
        let Captured::Whole(out) = out.map_err(pipe_failed)? else {
            return Err(CommandError::TooMuchOutput {
                program: self.program.clone(),
                limit_bytes: self.stdout_limit_bytes,
            });
        };
        let err = err.map_err(pipe_failed)?;
        let status = child.wait().await.map_err(pipe_failed)?;
        group.has_ended();
        let output = Output { stdout: text(&out), stderr: text(&err) };
        if status.success() {
            Ok(output)
        } else {
            Err(CommandError::Failed {
                program: self.program,
                code: status.code(),
                stdout: output.stdout,
                stderr: output.stderr,
            })
        }
    }

    fn spawn(&self) -> Result<Child, CommandError> {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        tokio::process::Command::new(&self.program)
            .args(&self.args)
            .env("LC_ALL", "C.UTF-8")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| CommandError::Spawn { program: self.program.clone(), source })
    }
}

/// The command line as it may be logged.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)?;
        if self.secret {
            return f.write_str(" ...");
        }
        for arg in &self.args {
            write!(f, " {}", arg.display())?;
        }
        Ok(())
    }
}

/// As [`fmt::Display`]: neither input nor environment may reach a log.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({self})")
    }
}

/// The process group of a program that has not been reaped; dropping it kills the group.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        Self(leader.map(Pid::from_raw))
    }

    /// The leader was reaped, so its number may belong to somebody else from now on.
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0
            && let Err(error) = killpg(leader, Signal::SIGKILL)
        {
            tracing::warn!(group = leader.as_raw(), %error, "could not kill process group {leader}");
        }
    }
}

/// Writes a program's input. One that does not care to read it all has not failed for that.
async fn feed(pipe: Option<ChildStdin>, bytes: &[u8]) -> io::Result<()> {
    let Some(mut pipe) = pipe else {
        return Ok(());
    };
    match pipe.write_all(bytes).await {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
