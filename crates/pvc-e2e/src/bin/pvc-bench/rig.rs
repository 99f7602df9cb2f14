//! A ZooKeeper server with a synthetic cluster, and the release daemons on it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use pvc_zk::testing::ZooKeeperServer;

use crate::cluster::Size;
use crate::daemon::{Daemon, SERVES};
use crate::figure::progress;
use crate::http::Connection;
use crate::{config, seed};

/// How long the API may take to serve the whole cluster.
const API_LIMIT: Duration = Duration::from_secs(120);
/// Between two questions whether it does.
const ASK_EVERY: Duration = Duration::from_millis(1);

/// What is measured on. Dropping it ends the server and deletes its data.
pub(crate) struct Rig {
    /// The server.
    pub(crate) zookeeper: ZooKeeperServer,
}

/// A serving API daemon.
pub(crate) struct Api {
    /// Its process.
    pub(crate) daemon: Daemon,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// When it first answered with the whole cluster.
    pub(crate) ready: Instant,
}

impl Rig {
    /// With a cluster of so many VMs.
    pub(crate) async fn with(vms: usize) -> Result<Self> {
        Self::of(Size::of_vms(vms)).await
    }

    /// With a cluster of this size.
    pub(crate) async fn of(size: Size) -> Result<Self> {
        let zookeeper = ZooKeeperServer::start().await?;
        let Size { nodes, vms, volumes } = size;
        progress(&format!("a cluster of {nodes} nodes, {vms} VMs and {volumes} volumes ..."));
        seed::fill(&zookeeper.address(), size).await?;
        Ok(Self { zookeeper })
    }

    /// Starts the node daemon; does not wait for it.
    pub(crate) fn noded(&self) -> Result<Daemon> {
        self.noded_by(&config::noded(&self.zookeeper.address(), self.folder()))
    }

    /// Starts the node daemon by this configuration; does not wait for it.
    pub(crate) fn noded_by(&self, text: &str) -> Result<Daemon> {
        let mut command = Command::new(program("pvcnoded")?);
        command.env("PVCD_CONFIG_FILE", self.file("pvcnoded.yaml", text)?);
        Daemon::start(command, &self.folder().join("pvcnoded.log"))
    }

    /// Starts the node daemon and waits until it serves.
    pub(crate) fn serving_noded(&self) -> Result<Daemon> {
        let daemon = self.noded()?;
        daemon.said(SERVES)?;
        Ok(daemon)
    }

    /// Starts the API daemon and waits until it serves.
    pub(crate) async fn api(&self) -> Result<Api> {
        // Free at this moment, on an address that nobody else is likely to want.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let text = config::apid(&self.zookeeper.address(), address);
        let mut command = Command::new(program("pvcapid")?);
        command.env("PVC_CONFIG_FILE", self.file("pvcapid.yaml", &text)?);
        let daemon = Daemon::start(command, &self.folder().join("pvcapid.log"))?;
        let deadline = Instant::now() + API_LIMIT;
        while Instant::now() < deadline {
            // One node is enough of an answer: before the view is complete there is none.
            if let Ok(mut connection) = Connection::open(address)
                && let Ok(answer) = connection.get("/api/v1/node/hv1")
                && answer.status == 200
            {
                return Ok(Api { daemon, address, ready: Instant::now() });
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        bail!("pvcapid does not serve:\n{}", daemon.last_words())
    }

    /// Where files of a measurement go.
    pub(crate) fn folder(&self) -> &Path {
        self.zookeeper.folder()
    }

    fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

/// A program of the build that this one is of.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    let path = me.parent().context("a program is in a folder")?.join(name);
    if !path.exists() {
        bail!("{} is missing: run `cargo xtask bench`, which builds it", path.display());
    }
    Ok(path)
}
