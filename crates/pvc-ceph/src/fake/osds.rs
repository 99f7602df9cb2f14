//! OSDs in memory: as the cluster knows them.

use std::collections::BTreeMap;

use pvc_common::id::{Fsid, NodeName, OsdId};
use pvc_common::observed::{MappedOsd, OsdMap, Safety};
use pvc_common::state::{OsdFlag, OsdLoss};
use pvc_common::unit::Weight;

use super::{Cluster, FakeCeph};
use crate::{CephError, Osds};

/// The cluster's identity.
const CLUSTER: &str = "49948298-480f-42bf-82d8-2e38b7a4bdb9";

/// An OSD that serves, on no machine that any test knows.
pub(super) fn first() -> BTreeMap<OsdId, MappedOsd> {
    let osd = MappedOsd { new: false, up: true, ..announced(identity(0)) };
    BTreeMap::from([(OsdId(0), MappedOsd { weight: weight("1"), ..osd })])
}

fn weight(text: &str) -> Weight {
    text.parse().expect("it is a number")
}

/// The identity of the n-th OSD that was ever made.
pub(super) fn identity(number: u64) -> Fsid {
    format!("c0ffee00-0000-4000-8000-{number:012x}").parse().expect("it is a UUID")
}

fn announced(fsid: Fsid) -> MappedOsd {
    let weight = weight("0");
    MappedOsd { fsid: Some(fsid), up: false, is_in: true, new: true, host: None, weight }
}

fn refused(command: &str, why: String) -> CephError {
    CephError::Refused { command: command.to_owned(), why }
}

impl Cluster {
    /// The OSDs as they are told of.
    pub(super) fn mapped(&self) -> BTreeMap<OsdId, MappedOsd> {
        let told = |(id, osd): (&OsdId, &MappedOsd)| {
            (*id, MappedOsd { up: osd.up && !self.down.contains_key(id), ..osd.clone() })
        };
        self.osds.iter().map(told).collect()
    }

    /// Data is at risk without an OSD that is in, if it ever served; it moves away from one that is
    /// out at once, unless it is held.
    fn safety(&self, osds: &[OsdId]) -> Safety {
        let holds = |id: &&OsdId| {
            let osd = self.osds.get(id);
            osd.is_some_and(|osd| !osd.new && !osd.is_destroyed() && (osd.is_in || self.keeps_data))
        };
        osds.iter().find(holds).map_or(Safety::Safe, |id| Safety::AtRisk {
            why: format!("OSD {id} still serves data"),
        })
    }

    fn end_osd(
        &mut self,
        osd: OsdId,
        force: bool,
        act: impl FnOnce(&mut Self),
    ) -> Result<(), CephError> {
        let Some(present) = self.mapped().remove(&osd) else { return Ok(()) };
        if present.up {
            return Err(refused("ceph osd destroy", format!("osd.{osd} is not `down`.")));
        }
        if let (Safety::AtRisk { why }, false) = (self.safety(&[osd]), force) {
            return Err(refused("ceph osd destroy", why));
        }
        act(self);
        self.epoch.0 += 1;
        Ok(())
    }
}

impl FakeCeph {
    /// Announces an OSD, as `ceph osd new` does: with the number of one that was destroyed, or the
    /// lowest that is free.
    ///
    /// # Errors
    /// [`CephError`]: that number is not one of a destroyed OSD.
    pub fn announce_osd(&self, wanted: Option<OsdId>) -> Result<(OsdId, Fsid), CephError> {
        let mut cluster = self.cluster();
        let free = || (0..).map(OsdId).find(|id| !cluster.osds.contains_key(id));
        let id = wanted.or_else(free).expect("numbers do not run out");
        if wanted.is_some() && !cluster.osds.get(&id).is_some_and(MappedOsd::is_destroyed) {
            return Err(refused("ceph osd new", format!("the osd ID {id} is already in use")));
        }
        cluster.announced += 1;
        let fsid = identity(cluster.announced);
        let place = cluster.osds.get(&id).map(|osd| (osd.host.clone(), osd.weight));
        let mut osd = announced(fsid);
        (osd.host, osd.weight) = place.unwrap_or((None, osd.weight));
        cluster.osds.insert(id, osd);
        cluster.epoch.0 += 1;
        Ok((id, fsid))
    }

    /// An OSD's program tells that it runs, or ends.
    pub fn osd_runs(&self, osd: OsdId, fsid: Fsid, runs: bool) {
        let mut cluster = self.cluster();
        if let Some(known) = cluster.osds.get_mut(&osd).filter(|it| it.fsid == Some(fsid)) {
            (known.up, known.is_in) = (runs, known.is_in || (known.new && runs));
            known.new &= !runs;
            cluster.down.remove(&osd);
            cluster.epoch.0 += 1;
        }
    }

    /// Whether data stays on OSDs that are out.
    pub fn set_keeps_data(&self, keeps: bool) {
        self.cluster().keeps_data = keeps;
    }

    /// The cluster's identity.
    #[must_use]
    pub fn identity(&self) -> Fsid {
        CLUSTER.parse().expect("it is a UUID")
    }
}

impl Osds for FakeCeph {
    async fn osd_map(&self) -> Result<OsdMap, CephError> {
        let identity = self.identity();
        self.ask("ceph osd dump", |cluster| {
            let (flags, osds) = (cluster.flags.clone(), cluster.mapped());
            Ok(OsdMap { cluster: identity, flags, osds })
        })
        .await
    }

    async fn set_flag(&self, flag: OsdFlag, wanted: bool) -> Result<(), CephError> {
        self.ask("ceph osd set", |cluster| {
            if wanted {
                cluster.flags.insert(flag);
            } else {
                cluster.flags.remove(&flag);
            }
            Ok(())
        })
        .await
    }

    async fn set_in(&self, osd: OsdId, wanted: bool) -> Result<(), CephError> {
        self.ask("ceph osd in", |cluster| {
            let known = cluster.osds.get_mut(&osd).ok_or(CephError::NoOsd { osd })?;
            known.is_in = wanted;
            Ok(())
        })
        .await
    }

    async fn set_down(&self, osd: OsdId) -> Result<(), CephError> {
        self.ask("ceph osd down", |cluster| {
            // One that runs comes back before anybody can notice.
            let lives = cluster.osds.get(&osd).is_some_and(|osd| osd.up);
            if !lives {
                cluster.down.insert(osd, OsdLoss::Down);
            }
            Ok(())
        })
        .await
    }

    async fn safe_to_destroy(&self, osds: &[OsdId]) -> Result<Safety, CephError> {
        self.ask("ceph osd safe-to-destroy", |cluster| Ok(cluster.safety(osds))).await
    }

    async fn ok_to_stop(&self, osds: &[OsdId]) -> Result<Safety, CephError> {
        self.ask("ceph osd ok-to-stop", |cluster| Ok(cluster.safety(osds))).await
    }

    async fn destroy_osd(&self, osd: OsdId, force: bool) -> Result<(), CephError> {
        self.ask("ceph osd destroy", |cluster| {
            cluster.end_osd(osd, force, |cluster| {
                if let Some(known) = cluster.osds.get_mut(&osd) {
                    known.fsid = None;
                }
            })
        })
        .await
    }

    async fn purge_osd(&self, osd: OsdId, force: bool) -> Result<(), CephError> {
        self.ask("ceph osd purge", |cluster| {
            cluster.end_osd(osd, force, |cluster| {
                cluster.osds.remove(&osd);
            })
        })
        .await
    }

    async fn place_osd(
        &self,
        osd: OsdId,
        host: &NodeName,
        weight: Weight,
    ) -> Result<(), CephError> {
        self.ask("ceph osd crush set", |cluster| {
            let known = cluster.osds.get_mut(&osd).ok_or(CephError::NoOsd { osd })?;
            (known.host, known.weight) = (Some(host.to_string()), weight);
            Ok(())
        })
        .await
    }
}
