//! Runs other programs with a deadline and tells failures with the program's own words.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::say;

/// How long a program may take when nobody says otherwise.
const DEFAULT_LIMIT: Duration = Duration::from_secs(30);

/// How long output may still trickle in after the program itself has ended.
///
/// A grandchild that outlives it holds the pipe open; it must not hold us.
const AFTERMATH: Duration = Duration::from_millis(500);

/// A program about to run.
pub(crate) struct Run {
    command: Command,
    shown: Option<String>,
    limit: Duration,
    input: Input,
    output: Output,
}

/// Where a program's standard input comes from.
enum Input {
    Nothing,
    Text(String),
    File(File),
}

/// Where a program's standard output and error go.
enum Output {
    Kept,
    /// A file that is told of when the program fails.
    Log(PathBuf),
    File(File),
}

/// A program that has ended.
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// What it wrote to its standard output; empty when it went to a log.
    pub(crate) stdout: String,
    /// What it wrote to its standard error; empty when it went to a log.
    pub(crate) stderr: String,
}

impl Run {
    /// A run of `argv`, whose first word is the program.
    pub(crate) fn new<S: AsRef<OsStr>>(argv: impl IntoIterator<Item = S>) -> Self {
        let mut words = argv.into_iter();
        let program = words.next().map_or_else(OsString::new, |word| word.as_ref().to_owned());
        let mut command = Command::new(program);
        command.args(words);
        Self::of(command)
    }

    /// A run of a command made elsewhere.
    pub(crate) fn of(command: Command) -> Self {
        Self {
            command,
            shown: None,
            limit: DEFAULT_LIMIT,
            input: Input::Nothing,
            output: Output::Kept,
        }
    }

    /// One more argument.
    pub(crate) fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.command.arg(word);
        self
    }

    /// More arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.command.args(words);
        self
    }

    /// How messages name this run; its whole command line unless said.
    pub(crate) fn shown_as(mut self, text: impl Into<String>) -> Self {
        self.shown = Some(text.into());
        self
    }

    /// Kills the program when it takes longer than this; 30 s unless said.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What the program reads from its standard input; nothing unless said.
    pub(crate) fn input(mut self, text: impl Into<String>) -> Self {
        self.input = Input::Text(text.into());
        self
    }

    /// The file the program reads as its standard input.
    pub(crate) fn input_file(mut self, file: File) -> Self {
        self.input = Input::File(file);
        self
    }

    /// Adds to the program's environment.
    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Sends all output to this file instead of keeping it; for programs that talk much.
    pub(crate) fn log(mut self, file: impl Into<PathBuf>) -> Self {
        self.output = Output::Log(file.into());
        self
    }

    /// Sends all output to this open file.
    pub(crate) fn into_file(mut self, file: File) -> Self {
        self.output = Output::File(file);
        self
    }

    /// Runs it and returns its standard output.
    ///
    /// # Errors
    /// When it cannot start, takes too long or ends with anything but success.
    pub(crate) fn done(self) -> Result<String> {
        let shown = self.shown();
        let log = match &self.output {
            Output::Log(path) => Some(path.clone()),
            Output::Kept | Output::File(_) => None,
        };
        let ended = self.finish()?;
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        let said = match log {
            Some(file) => format!("the end of {}:\n{}", file.display(), tail(&file, 12)),
            // Some programs explain themselves on their output and only complain on their error.
            None => format!("{}\n{}", last(&ended.stdout, 6), last(&ended.stderr, 12)),
        };
        bail!("`{shown}`: {}: {}", ended.status, said.trim())
    }

    /// Runs it and tells whether it succeeded.
    ///
    /// # Errors
    /// When it cannot start or takes too long.
    pub(crate) fn succeeds(self) -> Result<bool> {
        Ok(self.finish()?.status.success())
    }

    /// Runs it to its end, whatever end that is.
    ///
    /// # Errors
    /// When it cannot start or takes too long.
    pub(crate) fn finish(mut self) -> Result<Finished> {
        let shown = self.shown();
        let text = self.connect()?;
        let mut child = self.command.spawn().with_context(|| format!("cannot start `{shown}`"))?;
        let pid = i32::try_from(child.id()).context("a process id that is none")?;
        feed(child.stdin.take(), text);
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let (ended, end) = mpsc::channel();
        thread::spawn(move || ended.send(child.wait()));
        let Ok(status) = end.recv_timeout(self.limit) else {
            kill(Pid::from_raw(pid), Signal::SIGKILL)
                .with_context(|| format!("cannot kill `{shown}`"))?;
            bail!("`{shown}` did not end within {}", say::seconds(self.limit));
        };
        Ok(Finished {
            status: status.with_context(|| format!("cannot wait for `{shown}`"))?,
            stdout: stdout.recv_timeout(AFTERMATH).unwrap_or_default(),
            stderr: stderr.recv_timeout(AFTERMATH).unwrap_or_default(),
        })
    }

    /// Connects input and outputs. Returns what is to be written to the program's input.
    fn connect(&mut self) -> Result<Option<String>> {
        let (stdin, text) = match mem::replace(&mut self.input, Input::Nothing) {
            Input::Nothing => (Stdio::null(), None),
            Input::Text(text) => (Stdio::piped(), Some(text)),
            Input::File(file) => (Stdio::from(file), None),
        };
        self.command.stdin(stdin);
        let output = match mem::replace(&mut self.output, Output::Kept) {
            Output::Kept => None,
            Output::File(file) => Some(file),
            Output::Log(path) => {
                let file = File::create(&path);
                Some(file.with_context(|| format!("cannot write {}", path.display()))?)
            }
        };
        match output {
            None => self.command.stdout(Stdio::piped()).stderr(Stdio::piped()),
            Some(file) => self.command.stdout(file.try_clone()?).stderr(file),
        };
        Ok(text)
    }

    fn shown(&self) -> String {
        if let Some(shown) = &self.shown {
            return shown.clone();
        }
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let mut text = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
        if text.chars().count() > 200 {
            text = text.chars().take(200).chain("...".chars()).collect();
        }
        text
    }
}

/// Writes `input` from a thread of its own: a program may talk before it has listened.
fn feed(stdin: Option<std::process::ChildStdin>, input: Option<String>) {
    if let (Some(mut stdin), Some(input)) = (stdin, input) {
        // A program that ends without reading its input says so by its exit status.
        thread::spawn(move || stdin.write_all(input.as_bytes()).is_ok());
    }
}

fn collect(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (text, collected) = mpsc::channel();
    if let Some(mut stream) = stream {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read before an error is still worth showing.
            let _read_to_end = stream.read_to_end(&mut bytes).is_ok();
            text.send(String::from_utf8_lossy(&bytes).into_owned())
        });
    }
    collected
}

/// The last `lines` lines of a file; empty when it cannot be read.
pub(crate) fn tail(file: &Path, lines: usize) -> String {
    let text = std::fs::read(file).unwrap_or_default();
    last(&String::from_utf8_lossy(&text), lines)
}

fn last(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_takes_too_long_is_killed_and_named() {
        let run = Run::new(["sleep", "60"]).limit(Duration::from_millis(50));
        let message = run.done().unwrap_err().to_string();
        assert_eq!(message, "`sleep 60` did not end within 0.1 s");
    }

    #[test]
    fn a_failure_carries_what_the_program_said() {
        let message =
            Run::new(["sh", "-c", "echo no such luck >&2; exit 3"]).done().unwrap_err().to_string();
        assert!(message.ends_with("exit status: 3: no such luck"), "{message}");
    }

    #[test]
    fn input_reaches_the_program() {
        assert_eq!(Run::new(["cat"]).input("abc").done().unwrap(), "abc");
    }

    #[test]
    fn a_grandchild_that_holds_the_pipe_does_not_hold_us() {
        let started = std::time::Instant::now();
        Run::new(["sh", "-c", "sleep 5 & echo $!"]).done().unwrap();
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}
