//! The units and their folders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::Vni;
use pvc_common::model::Network;
use pvc_common::view::{Shared, View};
use pvc_host::{LinkTable, Links, UnitState, Units};
use pvc_plan::dhcp::{Files, Found, Places, Served, Steps, files, plan, records, served};
use pvc_plan::dns::Owners;
use pvc_plan::gateway::bridge;
use tokio::time::Instant;

use super::lease::Astray;
use super::{Dhcp, unit};
use crate::outfit::failure;

/// Between two looks at units and bridges although nothing changed.
const LOOK: Duration = Duration::from_secs(5);
/// How soon it is looked again for a bridge that is about to be made.
const SOON: Duration = Duration::from_millis(200);
/// For how long after a change of what is served a bridge is about to be made.
const ABOUT: Duration = Duration::from_secs(10);

/// For how long a dnsmasq has to run on until it is taken to do so: one that ends whenever it was
/// started runs now and then.
const STEADY: Duration = Duration::from_secs(30);

/// What came of an activation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tended {
    pub(super) changed: usize,
    pub(super) again: Option<Instant>,
}

/// Has a unit running for each network that has something to be served.
pub(super) struct Keep<U, L> {
    dhcp: Dhcp<U>,
    links: L,
    /// Whose names are whose.
    owners: Arc<Owners>,
    /// The networks as they were last seen.
    networks: Option<Shared<Vni, Network>>,
    /// What is served in them.
    served: BTreeMap<Vni, Served>,
    /// When units and bridges have to be looked at again if the same is served.
    look_at: Option<Instant>,
    /// When something else began to be served.
    changed: Option<Instant>,
    /// Networks whose dnsmasq has to read its leases anew.
    astray: Astray,
    /// Networks whose dnsmasq ended by itself, and when that was seen last.
    ended: BTreeMap<Vni, Instant>,
    /// What was told of networks that cannot be served as they are, so that it is told once.
    told: BTreeSet<String>,
}

impl<U: Units, L: Links> Keep<U, L> {
    pub(super) fn new(dhcp: Dhcp<U>, links: L) -> Self {
        Self {
            dhcp,
            links,
            owners: Arc::default(),
            networks: None,
            served: BTreeMap::new(),
            look_at: None,
            changed: None,
            astray: Astray::new(),
            ended: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    /// Looks anew when it is its turn again.
    pub(super) fn forget(&mut self) {
        self.networks = None;
        self.served.clear();
        self.look_at = None;
        self.ended.clear();
    }

    /// Names belong to others now.
    pub(super) fn rename(&mut self, owners: Arc<Owners>) {
        self.owners = owners;
        self.networks = None;
    }

    /// The networks whose dnsmasq ends again and again, in sentences for people.
    pub(super) fn crashing(&self) -> impl Iterator<Item = String> {
        let lately = self.ended.iter().filter(|(_, at)| at.elapsed() < STEADY);
        lately.map(|(vni, _)| {
            let unit = unit(*vni);
            format!("network {vni}: its dnsmasq ends by itself and is started again: see {unit}")
        })
    }

    /// Brings units and folders to what the networks need.
    ///
    /// What only the dnsmasqs of the networks in `missed` know is not to be lost.
    pub(super) async fn tend(
        &mut self,
        view: &View,
        astray: Astray,
        missed: &BTreeSet<Vni>,
    ) -> Result<Tended, String> {
        self.astray.extend(astray);
        if self.reckon(view) {
            self.changed = Some(Instant::now());
            self.look_at = None;
        }
        if let Some(at) = self.look_at
            && Instant::now() < at
            && self.astray.is_empty()
        {
            return Ok(Tended { changed: 0, again: Some(at) });
        }
        // Whatever fails is begun anew.
        self.look_at = None;
        let table = self.links.observe().await.map_err(|error| failure(error).what)?;
        let (wanted, missing) = self.wanted(&table);
        let found = self.found().await?;
        let mut steps = plan(&wanted, &found);
        restart(&mut steps, &self.astray, &found);
        steps.spare(missed);
        let spared: Astray = self.astray.intersection(missed).copied().collect();
        let changed = self.run(&steps, &wanted, view).await;
        self.astray.extend(spared);
        let changed = changed?;
        let about = self.changed.is_some_and(|at| at.elapsed() < ABOUT);
        let again = Instant::now() + if missing && about { SOON } else { LOOK };
        self.look_at = Some(again);
        Ok(Tended { changed, again: Some(again) })
    }

    /// Reckons what is served by this view; whether that is something else than before.
    ///
    /// Leases are written at any time, and are none of it.
    fn reckon(&mut self, view: &View) -> bool {
        if self.networks.as_ref().is_some_and(|networks| view.networks.is(networks)) {
            return false;
        }
        self.networks = Some(view.networks.clone());
        let (mut all, mut trouble) = (BTreeMap::new(), BTreeSet::new());
        for (vni, network) in &view.networks {
            let (served, why) = served(*vni, network, &self.owners);
            trouble.extend(why.into_iter().map(|why| format!("network {vni}: {why}")));
            all.extend(served.map(|served| (*vni, served)));
        }
        for why in trouble.difference(&self.told) {
            tracing::warn!("dhcp: {why}");
        }
        self.told = trouble;
        let differs = all != self.served;
        self.served = all;
        differs
    }

    /// The files of every network that has something to be served, and a bridge to do it on;
    /// whether there is one without.
    fn wanted(&self, table: &LinkTable) -> (BTreeMap<Vni, Files>, bool) {
        let (mut wanted, mut missing) = (BTreeMap::new(), false);
        for (vni, served) in &self.served {
            let Some(link) = table.links.get(&bridge(*vni)) else {
                missing = true;
                continue;
            };
            let places = Places {
                names: self.dhcp.places.names,
                helper: self.dhcp.places.helper.display().to_string(),
                folder: self.dhcp.folders.of(*vni).display().to_string(),
            };
            wanted.insert(*vni, files(served, &places, Some(link.mtu)));
        }
        (wanted, missing)
    }

    /// What there is of each network's dnsmasq.
    async fn found(&mut self) -> Result<BTreeMap<Vni, Found>, String> {
        let all: Vec<Vni> =
            self.dhcp.folders.all().map_err(|e| failure(e).what)?.into_iter().collect();
        let units: Vec<String> = all.iter().map(|vni| unit(*vni)).collect();
        let states = self.dhcp.units.states(&units).await.map_err(|error| failure(error).what)?;
        let now = Instant::now();
        self.ended.retain(|vni, at| all.contains(vni) && now.duration_since(*at) < STEADY);
        let mut found = BTreeMap::new();
        for (vni, state) in all.into_iter().zip(states) {
            let running = match state {
                UnitState::Restarting => {
                    self.ended.insert(vni, now);
                    true
                }
                UnitState::Starting | UnitState::Active | UnitState::Stopping => true,
                UnitState::Absent | UnitState::Inactive | UnitState::Failed => false,
            };
            found.insert(vni, Found { files: self.dhcp.folders.files(vni), running });
        }
        Ok(found)
    }

    /// Runs steps; how many units were changed. What fails for one network does for no other.
    async fn run(
        &mut self,
        steps: &Steps,
        wanted: &BTreeMap<Vni, Files>,
        view: &View,
    ) -> Result<usize, String> {
        let folders = &self.dhcp.folders;
        let late = self.dhcp.stop(&steps.stop).await?;
        let mut steps = steps.clone();
        steps.leave_out(&late);
        // No other that knew other leases runs any more, whatever becomes of the rest.
        self.astray.retain(|vni| late.contains(vni));
        let mut trouble = match late.first() {
            None => Ok(()),
            Some(vni) => Err(format!("network {vni}: its dnsmasq takes long to stop")),
        };
        for vni in &steps.forget {
            trouble = folders.forget(*vni).map_err(|error| failure(error).what).and(trouble);
        }
        for vni in &steps.write {
            let Some(files) = wanted.get(vni) else { continue };
            // A dnsmasq that is not told its leases does not start.
            let leases = view.networks.get(vni).map(|network| records(*vni, network, &self.owners));
            let written = folders
                .write_leases(*vni, &leases.unwrap_or_default())
                .and_then(|()| folders.write(*vni, files));
            trouble = written.map_err(|error| failure(error).what).and(trouble);
        }
        for vni in &steps.start {
            tracing::info!("dhcp: network {vni} is served");
        }
        let start: Vec<String> = steps.start.iter().map(|vni| unit(*vni)).collect();
        let started = self.dhcp.units.start_all(&start).await;
        started.map_err(|error| failure(error).what).and(trouble)?;
        Ok(steps.stop.len() + start.len())
    }
}

/// Has a dnsmasq that knows other leases than there are read them anew.
fn restart(steps: &mut Steps, astray: &Astray, found: &BTreeMap<Vni, Found>) {
    let is_up = |vni: &&Vni| found.get(vni).is_some_and(|found| found.running);
    for vni in astray.iter().filter(is_up) {
        if !steps.stop.contains(vni) {
            steps.stop.push(*vni);
            steps.start.push(*vni);
        }
    }
}
