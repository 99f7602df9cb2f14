//! Running the lab's commands as people do, each with a deadline.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Where `cargo xtask test` names itself.
const VARIABLE: &str = "PVC_XTASK";

/// `cargo xtask lab`, ready to run.
#[derive(Clone, Debug)]
pub struct Program(PathBuf);

/// How a command ended and what it said.
#[derive(Clone, Debug)]
pub struct Said {
    /// The command, for people.
    pub command: String,
    /// The exit code; 124 when its time was up.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Program {
    /// The program that `PVC_XTASK` names.
    ///
    /// # Errors
    /// When it names none: these tests need a lab that somebody has brought up.
    pub fn from_env() -> Result<Self> {
        let path = env::var_os(VARIABLE).with_context(|| {
            format!("{VARIABLE} is not set: `cargo xtask test --tier lab` runs these tests")
        })?;
        Ok(Self(path.into()))
    }

    /// Runs one command of the lab for at most `limit`.
    ///
    /// # Errors
    /// When it cannot be started; how it ends is in the answer.
    pub fn run<S: AsRef<OsStr>>(&self, limit: Duration, words: &[S]) -> Result<Said> {
        let mut timeout = Command::new("timeout");
        timeout.arg("--kill-after=2").arg(limit.as_secs_f64().to_string());
        timeout.arg(&self.0).arg("lab").args(words).stdin(Stdio::null());
        let output = timeout.output().context("cannot run `timeout`")?;
        let shown: Vec<_> = words.iter().map(|word| word.as_ref().to_string_lossy()).collect();
        Ok(Said {
            command: format!("lab {}", shown.join(" ")),
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Starts a command of the lab that goes on until it is killed; its output is in a pipe.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, words: &[&str]) -> Result<Child> {
        let mut command = Command::new(&self.0);
        command.arg("lab").args(words).stdin(Stdio::null()).stderr(Stdio::null());
        command.stdout(Stdio::piped()).spawn().context("cannot run the lab's program")
    }
}

impl Said {
    /// Its standard output, if it ended well.
    ///
    /// # Errors
    /// With its own words, if it did not.
    pub fn ok(self) -> Result<String> {
        if self.code != 0 {
            bail!("`{}` ended with {}: {}{}", self.command, self.code, self.out, self.err);
        }
        Ok(self.out)
    }
}
