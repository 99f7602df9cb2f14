//! FRR by way of its own programs.
//!
//! `frr-reload.py` compares a file with what runs, and changes only what differs. It says that all is well
//! even if a daemon of FRR's does not run that should take a part of it; so what runs is read afterwards.
//! The file that FRR starts with is replaced last: whoever finds it with this content knows that FRR has
//! taken it, wherever this process ended. For that it must be us who replaces it: `frr-reload.py` has FRR
//! write it, without our mark, unless what it is given is the `frr.conf` of the directory that it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pvc_command::Command;
use serde::Deserialize;

use crate::{Frr, FrrError};

/// It starts a dozen processes, one after the other, which takes 2 s on an idle machine.
const RELOAD_LIMIT: Duration = Duration::from_secs(60);
const QUESTION_LIMIT: Duration = Duration::from_secs(10);

const FILE: &str = "frr.conf";
const RELOAD: &str = "/usr/lib/frr/frr-reload.py";
const SHELL: &str = "/usr/bin/vtysh";
const SUMMARY: &str = "show bgp l2vpn evpn summary json";

/// The FRR of this machine.
#[derive(Clone, Debug)]
pub struct FrrReload {
    directory: PathBuf,
}

impl Default for FrrReload {
    fn default() -> Self {
        Self { directory: "/etc/frr".into() }
    }
}

impl FrrReload {
    fn file(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// Where what FRR has not taken yet is.
    fn beside(&self) -> PathBuf {
        self.directory.join("pvcnoded")
    }

    async fn running(&self) -> Result<String, FrrError> {
        let question = Command::new(SHELL, QUESTION_LIMIT).args(["-c", "show running-config"]);
        Ok(question.run().await.map_err(|source| FrrError::Failed { source })?.stdout)
    }
}

impl Frr for FrrReload {
    async fn stored(&self) -> Result<Option<String>, FrrError> {
        if !Path::new(RELOAD).exists() || !Path::new(SHELL).exists() {
            return Err(FrrError::Absent);
        }
        let path = self.file();
        match tokio::fs::read_to_string(&path).await {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file(&path, error)),
        }
    }

    async fn configure(&self, text: &str) -> Result<(), FrrError> {
        if !Path::new(RELOAD).exists() || !Path::new(SHELL).exists() {
            return Err(FrrError::Absent);
        }
        let (path, directory) = (self.file(), self.beside());
        let beside = directory.join(FILE);
        let owner = if path.exists() { &path } else { &self.directory }.clone();
        let (to, text_to_take) = (beside.clone(), text.to_owned());
        let written = on_disk(move || write(&owner, &to, &text_to_take)).await;
        written.map_err(|error| file(&beside, error))?;
        let reload = Command::new(RELOAD, RELOAD_LIMIT).args(["--reload", "--confdir"]);
        let reload = reload.arg(directory.as_os_str()).arg(beside.as_os_str());
        reload.run().await.map_err(|source| FrrError::Failed { source })?;
        if let Some(line) = missing(text, &self.running().await?) {
            return Err(FrrError::NotTaken { line: line.to_owned() });
        }
        let (to, directory) = (path.clone(), self.directory.clone());
        let renamed = on_disk(move || {
            fs::rename(&beside, &to)?;
            File::open(&directory)?.sync_all()
        });
        renamed.await.map_err(|error| file(&path, error))
    }

    async fn heard(&self) -> Result<BTreeSet<Ipv4Addr>, FrrError> {
        let question = Command::new(SHELL, QUESTION_LIMIT).args(["-c", SUMMARY]);
        let summary = question.run().await.map_err(|source| FrrError::Silent { source })?;
        established(&summary.stdout).map_err(|source| FrrError::Answer { source })
    }
}

#[derive(Deserialize)]
struct Summary {
    /// By address. None where nothing is configured.
    #[serde(default)]
    peers: BTreeMap<String, Peer>,
}

#[derive(Deserialize)]
struct Peer {
    state: String,
}

/// The peers in a summary whose sessions are established. Others' peers may be no IPv4 addresses.
fn established(summary: &str) -> Result<BTreeSet<Ipv4Addr>, serde_json::Error> {
    let Summary { peers } = serde_json::from_str(summary)?;
    let heard = peers.iter().filter(|(_, peer)| peer.state == "Established");
    Ok(heard.filter_map(|(address, _)| address.parse().ok()).collect())
}

/// Does what waits for a disk, which must keep nobody else waiting.
async fn on_disk(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn file(path: &Path, source: io::Error) -> FrrError {
    FrrError::File { path: path.display().to_string(), source }
}

/// Writes a file that belongs to whom `owner` belongs to, and that nobody else may read, as Debian's
/// package does it.
fn write(owner: &Path, path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = File::create(path)?;
    let owner = fs::metadata(owner)?;
    chown(path, Some(owner.uid()), Some(owner.gid()))?;
    file.set_permissions(Permissions::from_mode(0o640))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The first line of a configuration that what runs does not have.
fn missing<'a>(text: &'a str, running: &str) -> Option<&'a str> {
    let has = |line: &str| running.lines().any(|other| other.trim() == line);
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('!')).find(|line| !has(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frr_did_not_take_is_named() {
        let running = "Building configuration...\n\nCurrent configuration:\n!\nfrr version 8.4.4\n\
                       hostname hv1\nlog syslog informational\n!\nrouter bgp 65500\n \
                       bgp router-id 10.255.0.1\nexit\n!\nend\n";
        let text =
            "! a comment\nlog syslog informational\nrouter bgp 65500\n bgp router-id 10.255.0.1\n";
        assert_eq!(missing(text, running), None);
        let without_bgpd = "log syslog informational\n!\nend\n";
        assert_eq!(missing(text, without_bgpd), Some("router bgp 65500"));
    }

    #[test]
    fn only_established_sessions_count() {
        // Of FRR 8.4.4, shortened.
        let summary = r#"{"routerId":"10.255.0.1","as":65500,"peerCount":3,"peers":{
            "10.255.0.2":{"remoteAs":65500,"pfxRcd":4,"state":"Established","peerState":"OK"},
            "10.255.0.3":{"remoteAs":65500,"pfxRcd":0,"state":"Active","peerState":"OK"},
            "fd00::4":{"remoteAs":65500,"pfxRcd":4,"state":"Established","peerState":"OK"}
            },"failedPeers":1,"totalPeers":3}"#;
        assert_eq!(established(summary).unwrap(), [Ipv4Addr::new(10, 255, 0, 2)].into());
        assert!(established("{}\n").unwrap().is_empty(), "a bgpd that was told nothing");
        assert!(established("% BGP instance not found\n").is_err());
    }

    #[test]
    fn a_file_is_written_whole_and_for_frr_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pvcnoded/frr.conf");
        write(directory.path(), &path, "router bgp 65500\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "router bgp 65500\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
