//! What a primary has on this machine: the floating addresses and the API daemon.

use std::sync::Arc;

use ipnet::Ipv4Net;
use pvc_host::{Announcement, Announcer, LinkStep, Links, UnitState, Units};
use tokio::task::JoinSet;

use crate::primary::{Held, Outfit, OutfitError};

/// A floating address and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floating {
    /// The device that carries it while this node is primary.
    pub device: String,
    /// The address with its prefix.
    pub address: Ipv4Net,
    /// Whether there are neighbours to be told.
    pub announced: bool,
}

/// The outfit of a real machine.
pub struct HostOutfit<L, A, U> {
    /// Its network devices.
    pub links: L,
    /// How its neighbours are told.
    pub announcer: Arc<A>,
    /// Its services.
    pub units: U,
    /// The addresses of the primary.
    pub addresses: Vec<Floating>,
    /// The services of the primary.
    pub services: Vec<String>,
}

impl<L: Links, A: Announcer, U: Units> HostOutfit<L, A, U> {
    async fn services_held(&self) -> Result<bool, OutfitError> {
        for unit in &self.services {
            let state = self.units.state(unit).await.map_err(failure)?;
            // A unit that is not installed can be neither missed nor started.
            let runs = match state {
                UnitState::Active | UnitState::Starting | UnitState::Absent => true,
                UnitState::Inactive | UnitState::Stopping | UnitState::Failed => false,
            };
            if !runs {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn any_service(&self) -> Result<bool, OutfitError> {
        for unit in &self.services {
            match self.units.state(unit).await.map_err(failure)? {
                UnitState::Active | UnitState::Starting | UnitState::Stopping => return Ok(true),
                UnitState::Inactive | UnitState::Absent | UnitState::Failed => {}
            }
        }
        Ok(false)
    }

    /// The neighbours have to learn all addresses at once: one after the other would keep the
    /// last one unreachable for as long as the others take.
    async fn announce(&self) -> Result<(), OutfitError> {
        let mut telling = JoinSet::new();
        for floating in self.addresses.iter().filter(|floating| floating.announced) {
            let announcement = Announcement::new(&floating.device, floating.address.addr());
            let announcer = Arc::clone(&self.announcer);
            telling.spawn(async move { announcer.announce(&announcement).await });
        }
        while let Some(told) = telling.join_next().await {
            told.map_err(failure)?.map_err(failure)?;
        }
        Ok(())
    }
}

impl<L: Links, A: Announcer, U: Units> Outfit for HostOutfit<L, A, U> {
    async fn held(&self) -> Result<Held, OutfitError> {
        let table = self.links.observe().await.map_err(failure)?;
        let has = |floating: &Floating| {
            let link = table.links.get(&floating.device);
            link.is_some_and(|link| link.addresses.contains(&floating.address))
        };
        Ok(Held {
            some_addresses: self.addresses.iter().any(has),
            all_addresses: self.addresses.iter().all(has),
            all_services: self.services_held().await?,
            some_services: self.any_service().await?,
        })
    }

    async fn acquire_addresses(&self) -> Result<(), OutfitError> {
        for Floating { device, address, .. } in &self.addresses {
            let step = LinkStep::AddAddress { device: device.clone(), address: *address };
            self.links.apply(&step).await.map_err(failure)?;
        }
        self.announce().await
    }

    async fn drop_addresses(&self) -> Result<(), OutfitError> {
        for Floating { device, address, .. } in &self.addresses {
            let step = LinkStep::RemoveAddress { device: device.clone(), address: *address };
            self.links.apply(&step).await.map_err(failure)?;
        }
        Ok(())
    }

    async fn start_services(&self) -> Result<(), OutfitError> {
        for unit in &self.services {
            if self.units.state(unit).await.map_err(failure)? != UnitState::Absent {
                self.units.start(unit).await.map_err(failure)?;
            }
        }
        Ok(())
    }

    async fn stop_services(&self) -> Result<(), OutfitError> {
        for unit in &self.services {
            if self.units.state(unit).await.map_err(failure)? != UnitState::Absent {
                self.units.stop(unit).await.map_err(failure)?;
            }
        }
        Ok(())
    }
}

/// The whole chain, for it is shown to people without it.
fn failure(error: impl std::error::Error) -> OutfitError {
    let mut what = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        what = format!("{what}: {cause}");
        source = cause.source();
    }
    OutfitError { what }
}
