//! A program to run, and the running of it.

use std::ffi::OsString;
use std::fmt;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::io::AsyncRead;
use tokio::process::{Child, ChildStderr, ChildStdout};

use crate::capture::{self, Captured};
use crate::error::CommandError;
use crate::feed::{self, Pumped};
use crate::group::Group;

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
        let (began, shown, limit) = (Instant::now(), self.to_string(), self.limit);
        let late = self.late();
        let done = tokio::time::timeout(limit, self.run_unlimited()).await;
        tell(&shown, began, done.unwrap_or(Err(late)))
    }

    /// Runs it to its end with what comes from `input`, of which little is held at a time.
    ///
    /// Its limit is on standing still, for how long the input is nobody knows: it is killed if for
    /// that long no byte comes, or none is taken, and if it is not done that long after the end of
    /// its input. An input that fails is no end: the program is killed before it could take it for
    /// one.
    ///
    /// Dropping the future kills the program and everything it started in its process group.
    ///
    /// # Errors
    /// As [`Command::run`], and [`CommandError::Input`] if the input failed or stood still.
    pub async fn run_on(
        self,
        input: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<Output, CommandError> {
        let (began, shown) = (Instant::now(), self.to_string());
        tell(&shown, began, self.run_fed(input).await)
    }

    async fn run_unlimited(self) -> Result<Output, CommandError> {
        let mut child = self.spawn(self.stdin.is_some())?;
        // Declared after the child, so dropped before it: the group is killed while its leader
        // is not yet reaped, when its number cannot belong to anybody else.
        let group = Group::of(&child);
        let stdin = child.stdin.take();
        let pipes = pipes(&mut child);
        let (fed, ended) = tokio::join!(
            feed::whole(stdin, self.stdin.as_deref().unwrap_or_default()),
            self.end(&mut child, pipes),
        );
        fed.map_err(|source| self.pipe_failed(source))?;
        let ended = ended?;
        group.has_ended();
        self.judge(ended)
    }

    async fn run_fed(
        self,
        input: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<Output, CommandError> {
        let mut child = self.spawn(true)?;
        let mut stdin = child.stdin.take();
        let pipes = pipes(&mut child);
        // Dropped before the input's pipe, whose end it would otherwise live to see.
        let group = Group::of(&child);
        let ended = self.end(&mut child, pipes);
        tokio::pin!(ended);
        let ended = tokio::select! {
            pumped = feed::pump(&mut stdin, input, self.limit) => match pumped {
                Pumped::All => tokio::time::timeout(self.limit, ended).await,
                Pumped::NotTaken => return Err(self.late()),
                Pumped::PipeFailed(source) => return Err(self.pipe_failed(source)),
                Pumped::InputFailed(source) => {
                    return Err(CommandError::Input { program: self.program.clone(), source });
                }
            },
            // It wants no more of its input.
            ended = &mut ended => Ok(ended),
        };
        let ended = ended.map_err(|_| self.late())??;
        group.has_ended();
        self.judge(ended)
    }

    /// How the program ended and what it wrote, once it has.
    async fn end(
        &self,
        child: &mut Child,
        (stdout, stderr): (ChildStdout, ChildStderr),
    ) -> Result<(ExitStatus, Output), CommandError> {
        let (out, err) = tokio::join!(
            capture::whole(stdout, self.stdout_limit_bytes),
            capture::tail(stderr, STDERR_LIMIT_BYTES),
        );
        let Captured::Whole(out) = out.map_err(|source| self.pipe_failed(source))? else {
            return Err(CommandError::TooMuchOutput {
                program: self.program.clone(),
                limit_bytes: self.stdout_limit_bytes,
            });
        };
        let err = err.map_err(|source| self.pipe_failed(source))?;
        let status = child.wait().await.map_err(|source| self.pipe_failed(source))?;
        Ok((status, Output { stdout: text(&out), stderr: text(&err) }))
    }

    fn judge(&self, (status, output): (ExitStatus, Output)) -> Result<Output, CommandError> {
        if status.success() {
            return Ok(output);
        }
        Err(CommandError::Failed {
            program: self.program.clone(),
            code: status.code(),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }

    fn late(&self) -> CommandError {
        CommandError::TimedOut { program: self.program.clone(), waited: self.limit }
    }

    fn pipe_failed(&self, source: std::io::Error) -> CommandError {
        CommandError::Pipe { program: self.program.clone(), source }
    }

    fn spawn(&self, has_input: bool) -> Result<Child, CommandError> {
        let stdin = if has_input { Stdio::piped() } else { Stdio::null() };
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

/// Where a program writes.
fn pipes(child: &mut Child) -> (ChildStdout, ChildStderr) {
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    (stdout, stderr)
}

/// Logs how a program ended.
fn tell(
    shown: &str,
    began: Instant,
    done: Result<Output, CommandError>,
) -> Result<Output, CommandError> {
    tracing::debug!(
        command = shown,
        took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        outcome = %done.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned()),
        "ran {shown}"
    );
    done
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
