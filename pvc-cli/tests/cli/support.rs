//! Runs `pvc` in surroundings of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pvc_client::fake::FakeApi;
use tempfile::TempDir;

/// A person's machine: a store of connections, and an API named `lab` in it.
pub(crate) struct Desk {
    pub(crate) api: FakeApi,
    home: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    /// A machine that knows the API `lab` with the key `secret`.
    pub(crate) fn new() -> Self {
        let desk = Self::empty();
        let port = desk.api.port().to_string();
        let add = format!("connection add lab -a 127.0.0.1 -p {port} -k secret");
        assert_eq!(desk.run(&add).code, Some(0));
        desk
    }

    /// A machine that knows no connection.
    pub(crate) fn empty() -> Self {
        Self {
            api: FakeApi::start(),
            home: TempDir::new().expect("a temporary directory can be made"),
        }
    }

    /// A path in the person's home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file into the person's home and returns its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("the home can be written");
        path.to_string_lossy().into_owned()
    }

    /// The command, not yet run.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_pvc")));
        command
            .args(arguments.split_whitespace())
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("PVC_CONFIG_FILE", self.path("no-such-file"))
            .env("PVC_CLIENT_DIR", self.path("store"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `pvc` with these arguments, separated by blanks.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        end(self.command(arguments), "")
    }

    /// The same, at the connection `lab`.
    pub(crate) fn lab(&self, arguments: &str) -> Ended {
        self.run(&format!("-c lab {arguments}"))
    }

    /// The same, with something on standard input.
    pub(crate) fn lab_told(&self, arguments: &str, input: &str) -> Ended {
        end(self.command(&format!("-c lab {arguments}")), input)
    }

    /// The requests so far, without the API's prefix.
    pub(crate) fn asked(&self) -> Vec<String> {
        let received = self.api.received().into_iter();
        received.map(|request| request.line.replacen("/api/v1", "", 1)).collect()
    }
}

/// Runs a command to its end.
pub(crate) fn end(mut command: Command, input: &str) -> Ended {
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().expect("pvc was built");
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).expect("pvc reads its input");
    }
    let output = child.wait_with_output().expect("pvc ends");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A recorded answer of the API.
pub(crate) fn fixture(name: &str) -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let text = std::fs::read_to_string(path).expect("the fixture exists");
    serde_json::from_str(&text).expect("the fixture is JSON")
}
