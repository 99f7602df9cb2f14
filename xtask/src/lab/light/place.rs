//! Where the light lab's files are, and which ports it has.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::super::host::Host;
use super::super::layout::Lab;
use super::{account, home};
use crate::wait;

/// Below the home of an ordinary user.
const IN_HOME: &str = ".local/share/pvc-lab-light";

/// Root's home is closed to the account that the lab runs as.
const OF_ROOT: &str = "/var/lib/pvc-lab-light";

/// The path of a socket has 107 bytes at most. Below the lab's directory libvirt needs 44 of them,
/// and those of a VM's name, of which this leaves 17.
const LONGEST_DIR: usize = 46;

/// Of a build, at most, that whoever came first waits for.
const LOCK: Duration = Duration::from_secs(20 * 60);

/// A word is answered from memory.
const ANSWER: Duration = Duration::from_secs(1);

/// The ports of the services that there is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ports {
    /// ZooKeeper's.
    pub(crate) zookeeper: u16,
    /// The API's.
    pub(crate) api: u16,
}

/// The directory unless somebody says otherwise.
///
/// # Errors
/// When the environment names no home.
pub(crate) fn default_dir() -> Result<PathBuf> {
    if account::is_root() {
        return Ok(OF_ROOT.into());
    }
    let home = env::var_os("HOME").context("HOME is not set")?;
    Ok(Path::new(&home).join(IN_HOME))
}

/// The lab's copy of a program of ours: a build replaces the original while the lab is up.
pub(crate) fn program(lab: &Lab, name: &str) -> PathBuf {
    lab.dir().join("bin").join(name)
}

/// Where the guests' disks are.
pub(crate) fn guests(lab: &Lab) -> PathBuf {
    lab.dir().join("guests")
}

/// Where the guests' consoles are written: all nodes' in one place, for they are one machine.
pub(crate) fn console(lab: &Lab) -> PathBuf {
    lab.dir().join("console")
}

/// The homes of all processes a lab may have.
pub(crate) fn homes(lab: &Lab) -> Vec<PathBuf> {
    let nodes = Host::first(Host::MOST).into_iter().map(|host| host.to_string());
    let others = ["zookeeper", "api"].map(str::to_owned);
    others.into_iter().chain(nodes).map(|of| home(lab, &of)).collect()
}

/// Everything of the lab.
pub(crate) fn parts(lab: &Lab) -> Vec<PathBuf> {
    let mut parts = homes(lab);
    parts.extend([lab.dir().join("bin"), guests(lab), console(lab), lab.shared()]);
    parts.extend([lab.client(), lab.logs(), lab.run()]);
    parts
}

/// A node's address: any of loopback's is this machine's.
pub(crate) fn address(node: Host) -> Ipv4Addr {
    Ipv4Addr::new(127, 77, 0, node.id())
}

/// Makes the lab's directory, open to the account that it runs as, and sees that only one process
/// at a time changes the lab.
///
/// # Errors
/// When the directory cannot be made or is too deep, or another process is at it for 20 min.
pub(crate) fn lock(lab: &Lab) -> Result<File> {
    let dir = lab.dir();
    let shown = dir.display();
    ensure!(
        dir.as_os_str().len() <= LONGEST_DIR,
        "{shown} is too long for the sockets in it: PVC_LAB_DIR can name a directory of up to \
         {LONGEST_DIR} letters"
    );
    let what = "whoever brings the light lab up or down";
    wait::until(what, LOCK, Duration::from_millis(20), || {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {shown}"))?;
        let file = File::open(dir).with_context(|| format!("cannot open {shown}"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Whoever had it may have taken the lab down, and the directory with it.
        let (held, there) = (file.metadata()?, fs::metadata(dir)?);
        let is_there = (held.dev(), held.ino()) == (there.dev(), there.ino());
        Ok(is_there.then_some(file))
    })
}

/// The lab's ports: free ones when it comes up, then always the same.
///
/// # Errors
/// When there are none, or what was recorded is not understood.
pub(crate) fn ports(lab: &Lab) -> Result<Ports> {
    let file = lab.run().join("ports.json");
    if file.exists() {
        let text = fs::read_to_string(&file)?;
        return serde_json::from_str(&text)
            .with_context(|| format!("{} is not understood", file.display()));
    }
    // Both are held until both are known, lest they be the same.
    let (zookeeper, api) = (free()?, free()?);
    let ports = Ports { zookeeper: zookeeper.local_addr()?.port(), api: api.local_addr()?.port() };
    fs::write(&file, serde_json::to_string(&ports)?).context("cannot record the ports")?;
    Ok(ports)
}

/// Asks ZooKeeper one of its four-letter words.
///
/// # Errors
/// When it does not answer within a second or two.
pub(crate) fn ask(port: u16, word: &str) -> Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.write_all(word.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn free() -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_too_deep_for_sockets_is_refused_before_it_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let lab = Lab::light_at(dir.path().join("a".repeat(60))).unwrap();
        let message = lock(&lab).unwrap_err().to_string();
        assert!(message.contains("PVC_LAB_DIR can name"), "{message}");
        assert!(!lab.dir().exists());
    }

    #[test]
    fn the_ports_stay_as_they_were_chosen() {
        let dir = tempfile::tempdir().unwrap();
        let lab = Lab::light_at(dir.path().join("lab")).unwrap();
        fs::create_dir_all(lab.run()).unwrap();
        let chosen = ports(&lab).unwrap();
        assert_ne!(chosen.zookeeper, chosen.api);
        assert_eq!(ports(&lab).unwrap(), chosen);
    }
}
