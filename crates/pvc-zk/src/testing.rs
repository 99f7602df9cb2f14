//! A real ZooKeeper server for tests: a child process on a free loopback port, with its data in
//! a temporary folder, and with the accidents a server can have.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// Where Debian's package `zookeeper` (by `libzookeeper-java`) puts the server; its manifest
/// names what it needs beside itself.
const JAR: &str = "/usr/share/java/zookeeper.jar";
/// How long a server may take to serve: half a second on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at a server that starts.
const LOOK: Duration = Duration::from_millis(50);
/// Somebody else may take a free port before the server does.
const PORTS_TRIED: usize = 3;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The machine lacks what it takes.
    #[error(
        "no ZooKeeper server: {missing} is missing; install Debian's packages `zookeeper` and \
         `default-jre-headless`, or set PVC_TEST_NO_SERVICES=1 to do without such tests"
    )]
    NotInstalled {
        /// What was not found.
        missing: String,
    },
    /// Its files or its process could not be made.
    #[error("could not set up a ZooKeeper server")]
    Setup(#[from] io::Error),
    /// It ended before it served.
    #[error("the ZooKeeper server ended at once ({status}):\n{output}")]
    Died {
        /// How.
        status: ExitStatus,
        /// What it printed.
        output: String,
    },
    /// It does not serve.
    #[error("the ZooKeeper server does not serve after {} s:\n{output}", waited.as_secs())]
    Silent {
        /// How long it was waited for.
        waited: Duration,
        /// What it printed.
        output: String,
    },
}

/// Whether tests shall do without real services: `PVC_TEST_NO_SERVICES=1`.
#[must_use]
pub fn services_are_unwanted() -> bool {
    std::env::var_os("PVC_TEST_NO_SERVICES").is_some_and(|value| value == "1")
}

/// A standalone server. Dropping it ends the process and deletes its data.
#[derive(Debug)]
pub struct ZooKeeperServer {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
    paused: bool,
}

impl ZooKeeperServer {
    /// Starts a server with an empty tree, and returns once it serves.
    ///
    /// It grants session timeouts from 1 s to 60 s and answers all four-letter words. Its writes
    /// survive its process, not the machine.
    ///
    /// # Errors
    /// [`StartError::NotInstalled`] says what to install.
    pub async fn start() -> Result<Self, StartError> {
        let java = java().ok_or_else(|| not_installed("java"))?;
        if !Path::new(JAR).exists() {
            return Err(not_installed(JAR));
        }
        let mut tried = 0;
        loop {
            tried += 1;
            let mut server = Self {
                folder: tempfile::Builder::new().prefix("zookeeper-").tempdir()?,
                port: free_port()?,
                child: None,
                paused: false,
            };
            server.write_config()?;
            match server.spawn(&java).await {
                Ok(()) => return Ok(server),
                Err(StartError::Died { .. }) if tried < PORTS_TRIED => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The port on loopback, the same after [`ZooKeeperServer::restart`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a client connects to.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// The folder with its data, configuration and output; gone when the server is dropped.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the process as a power cut would, if it runs; what was written stays.
    pub fn kill9(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        self.paused = false;
        // Killing fails only if it has ended, and then it can be waited for all the same.
        if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
            tracing::warn!("the ZooKeeper server could not be ended: {error}");
        }
    }

    /// Starts it again on what it had written, after ending it if it runs.
    ///
    /// # Errors
    /// As [`ZooKeeperServer::start`].
    pub async fn restart(&mut self) -> Result<(), StartError> {
        self.kill9();
        let java = java().ok_or_else(|| not_installed("java"))?;
        self.spawn(&java).await
    }

    /// Stops the process without ending it: connections stay open and silent.
    ///
    /// Returns once nothing of it runs any more; until then it might still answer. No effect if
    /// it is paused.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pause(&mut self) -> io::Result<()> {
        let pid = self.pid()?;
        // The kernel reports each stop once: to wait for a second would be to wait for ever.
        if self.paused {
            return Ok(());
        }
        kill(pid, Signal::SIGSTOP)?;
        match waitpid(pid, Some(WaitPidFlag::WUNTRACED))? {
            WaitStatus::Stopped(..) => {
                self.paused = true;
                Ok(())
            }
            ended => Err(io::Error::other(format!("the server has ended: {ended:?}"))),
        }
    }

    /// Lets a paused process go on.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resume(&mut self) -> io::Result<()> {
        kill(self.pid()?, Signal::SIGCONT)?;
        self.paused = false;
        Ok(())
    }

    /// The answer to a four-letter word such as `mntr`.
    ///
    /// # Errors
    /// When it cannot be reached, or does not answer within a second.
    pub async fn ask(&self, word: &str) -> io::Result<String> {
        let asking = async {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
            stream.write_all(word.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok(answer)
        };
        timeout(Duration::from_secs(1), asking).await?
    }

    fn write_config(&self) -> io::Result<()> {
        let config = format!(
            "tickTime=500\n\
             dataDir={data}\n\
             clientPort={port}\n\
             clientPortAddress=127.0.0.1\n\
             maxClientCnxns=0\n\
             minSessionTimeout=1000\n\
             maxSessionTimeout=60000\n\
             admin.enableServer=false\n\
             4lw.commands.whitelist=*\n\
             forceSync=no\n",
            data = self.folder().join("data").display(),
            port = self.port,
        );
        std::fs::write(self.config(), config)
    }

    fn config(&self) -> PathBuf {
        self.folder().join("zoo.cfg")
    }

    fn output(&self) -> PathBuf {
        self.folder().join("output")
    }

    async fn spawn(&mut self, java: &Path) -> Result<(), StartError> {
        let output = File::create(self.output())?;
        let child = Command::new(java)
            // Starts in half the time, and is small beside what it serves.
            .args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .args(["-cp", JAR, "org.apache.zookeeper.server.ZooKeeperServerMain"])
            .arg(self.config())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        self.child = Some(child);
        self.wait_until_it_serves().await
    }

    async fn wait_until_it_serves(&mut self) -> Result<(), StartError> {
        let since = Instant::now();
        while since.elapsed() < START_LIMIT {
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                let output = self.printed();
                return Err(StartError::Died { status, output });
            }
            if let Ok(answer) = self.ask("srvr").await
                && answer.contains("Mode:")
            {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(StartError::Silent { waited: since.elapsed(), output: self.printed() })
    }

    fn printed(&self) -> String {
        std::fs::read_to_string(self.output()).unwrap_or_else(|error| error.to_string())
    }

    fn pid(&self) -> io::Result<Pid> {
        let child = self.child.as_ref().ok_or(io::ErrorKind::NotFound)?;
        i32::try_from(child.id()).map(Pid::from_raw).map_err(io::Error::other)
    }
}

impl Drop for ZooKeeperServer {
    fn drop(&mut self) {
        self.kill9();
    }
}

fn not_installed(missing: &str) -> StartError {
    StartError::NotInstalled { missing: missing.to_owned() }
}

fn java() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let mut candidates = std::env::split_paths(&folders).map(|folder| folder.join("java"));
    candidates.find(|java| java.exists())
}

fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
