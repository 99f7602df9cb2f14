//! An FRR in memory.

use super::FakeHost;
use crate::{Frr, FrrError};

#[derive(Debug, Default)]
pub(super) struct Daemon {
    stored: Option<String>,
    /// Whether its bgpd is enabled.
    deaf: bool,
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
}
