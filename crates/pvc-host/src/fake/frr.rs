//! An FRR in memory.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use pvc_command::CommandError;

use super::FakeHost;
use crate::{Frr, FrrError};

#[derive(Debug, Default)]
pub(super) struct Daemon {
    stored: Option<String>,
    /// Whether its bgpd is enabled.
    deaf: bool,
    stopped: bool,
    /// Those that it has no session with.
    unheard: BTreeSet<Ipv4Addr>,
    configured: u64,
}

impl FakeHost {
    /// Installs an FRR that starts with this; `None` for nothing.
    pub fn install_frr(&self, stored: Option<&str>) {
        let stored = stored.map(str::to_owned);
        self.machine().frr = Some(Daemon { stored, ..Daemon::default() });
    }

    /// From now on it takes nothing, or everything again.
    pub fn deafen_frr(&self, deaf: bool) {
        self.machine().frr.get_or_insert_default().deaf = deaf;
    }

    /// Has its daemons end, or start with what is stored.
    pub fn stop_frr(&self, stopped: bool) {
        self.machine().frr.get_or_insert_default().stopped = stopped;
    }

    /// From now on it hears nothing of a peer, or hears of it again.
    pub fn part_frr_from(&self, peer: Ipv4Addr, parted: bool) {
        let mut machine = self.machine();
        let unheard = &mut machine.frr.get_or_insert_default().unheard;
        if parted {
            unheard.insert(peer)
        } else {
            unheard.remove(&peer)
        };
    }

    /// What FRR starts with.
    #[must_use]
    pub fn frr_stored(&self) -> Option<String> {
        self.machine().frr.as_ref()?.stored.clone()
    }

    /// How often FRR was configured.
    #[must_use]
    pub fn frr_configured(&self) -> u64 {
        self.machine().frr.as_ref().map_or(0, |daemon| daemon.configured)
    }
}

impl Frr for FakeHost {
    async fn stored(&self) -> Result<Option<String>, FrrError> {
        self.machine().frr.as_ref().map(|daemon| daemon.stored.clone()).ok_or(FrrError::Absent)
    }

    async fn configure(&self, text: &str) -> Result<(), FrrError> {
        let mut machine = self.machine();
        let daemon = machine.frr.as_mut().ok_or(FrrError::Absent)?;
        if daemon.deaf {
            return Err(FrrError::NotTaken { line: "router bgp 65500".to_owned() });
        }
        daemon.stored = Some(text.to_owned());
        daemon.configured += 1;
        Ok(())
    }

    async fn heard(&self) -> Result<BTreeSet<Ipv4Addr>, FrrError> {
        let machine = self.machine();
        let daemon = machine.frr.as_ref().filter(|daemon| !daemon.stopped);
        let daemon = daemon.ok_or_else(|| FrrError::Silent {
            source: CommandError::Failed {
                program: "vtysh".to_owned(),
                code: Some(1),
                stdout: String::new(),
                stderr: "bgpd is not running".to_owned(),
            },
        })?;
        let peers = daemon.stored.iter().flat_map(|stored| stored.lines()).filter_map(|line| {
            let (address, _) = line.trim().strip_prefix("neighbor ")?.split_once(' ')?;
            address.parse::<Ipv4Addr>().ok()
        });
        Ok(peers.filter(|peer| !daemon.unheard.contains(peer)).collect())
    }
}
