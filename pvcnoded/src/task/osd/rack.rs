//! What OSDs of this node are made of and kept by: its disks, their programs, and the cluster.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use pvc_ceph::{Ceph, CephError, DiskError, Disks, Osds};
use pvc_common::id::{DevicePath, Disk, OsdId};
use pvc_common::observed::{Machine, OsdMap, Safety};
use pvc_host::{UnitError, UnitState, Units};
use pvc_plan::osd::{DB_GROUP, Failure, Own, Step};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Started;

type Answer<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// All that a task about OSDs is judged by, but for the tree.
pub struct Sight {
    /// The OSDs in the cluster.
    pub map: OsdMap,
    /// The machine's disks.
    pub machine: Machine,
    /// Whether those at stake are safe to destroy.
    pub safety: Safety,
}

/// That nobody else works on this node's OSDs.
pub struct Turn(#[expect(dead_code, reason = "it counts until it is dropped")] OwnedMutexGuard<()>);

/// The OSDs of this node, behind a pointer.
pub trait Rack: Send + Sync + 'static {
    /// The disk that is meant, or why there is none.
    fn find<'a>(&'a self, disk: &'a Disk) -> Answer<'a, DevicePath, String>;

    /// Looks at all, among it these disks; or why not all can be seen.
    fn look<'a>(
        &'a self,
        disks: &'a [DevicePath],
        at_stake: &'a [OsdId],
    ) -> Answer<'a, Sight, String>;

    /// The OSDs on this machine's own disks; `None` where each is started with the machine. Asks nobody
    /// else.
    fn own(&self) -> Answer<'_, Option<Own>, String>;

    /// Keeps others from working on the OSDs until the answer is dropped.
    fn alone(&self) -> Pin<Box<dyn Future<Output = Turn> + Send + '_>>;

    /// Does a step that is not about the tree.
    fn act<'a>(&'a self, step: &'a Step) -> Answer<'a, (), Failure>;
}

/// The programs of this node's OSDs.
pub trait Programs: Send + Sync + 'static {
    /// Which of these run.
    fn running(
        &self,
        osds: &BTreeSet<OsdId>,
    ) -> impl Future<Output = Result<BTreeSet<OsdId>, UnitError>> + Send;

    /// Has an OSD's program running.
    fn start(&self, osd: OsdId) -> impl Future<Output = Result<(), UnitError>> + Send;

    /// Has an OSD's program not running.
    fn stop(&self, osd: OsdId) -> impl Future<Output = Result<(), UnitError>> + Send;
}

/// The programs as units of systemd.
#[derive(Clone, Copy, Debug)]
pub struct OsdUnits<U>(pub U);

fn unit(osd: OsdId) -> String {
    format!("ceph-osd@{osd}.service")
}

impl<U: Units> Programs for OsdUnits<U> {
    async fn running(&self, osds: &BTreeSet<OsdId>) -> Result<BTreeSet<OsdId>, UnitError> {
        let mut running = BTreeSet::new();
        for osd in osds {
            match self.0.state(&unit(*osd)).await? {
                UnitState::Absent | UnitState::Inactive | UnitState::Failed => {}
                // Also one that may run again any moment.
                UnitState::Starting
                | UnitState::Active
                | UnitState::Stopping
                | UnitState::Restarting => {
                    running.insert(*osd);
                }
            }
        }
        Ok(running)
    }

    async fn start(&self, osd: OsdId) -> Result<(), UnitError> {
        self.0.start(&unit(osd)).await
    }

    async fn stop(&self, osd: OsdId) -> Result<(), UnitError> {
        self.0.stop(&unit(osd)).await
    }
}

/// A rack by its parts.
#[derive(Clone, Debug)]
pub struct Parts<C, D, P> {
    /// The cluster.
    pub ceph: C,
    /// This machine's disks.
    pub disks: D,
    /// Its OSDs' programs.
    pub programs: P,
    /// Names this boot of the machine.
    pub boot: String,
    /// The OSDs that were started in it.
    pub started: Started,
    /// Who works on them.
    pub turn: Arc<Mutex<()>>,
}

/// Why something was not done.
enum Trouble {
    Ceph(CephError),
    Disk(DiskError),
    Unit(UnitError),
}

impl From<CephError> for Trouble {
    fn from(error: CephError) -> Self {
        Self::Ceph(error)
    }
}

impl From<DiskError> for Trouble {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<UnitError> for Trouble {
    fn from(error: UnitError) -> Self {
        Self::Unit(error)
    }
}

impl Trouble {
    fn text(&self) -> String {
        match self {
            Self::Ceph(error) => error.to_string(),
            Self::Disk(error) => error.to_string(),
            Self::Unit(error) => error.to_string(),
        }
    }

    /// Whether it may have been done all the same.
    fn is_unknown(&self) -> bool {
        matches!(
            self,
            Self::Ceph(CephError::NoAnswer { .. })
                | Self::Disk(DiskError::NoAnswer { .. } | DiskError::Busy { .. })
        )
    }
}

impl<C: Ceph + Osds, D: Disks, P: Programs> Parts<C, D, P> {
    async fn see_own(&self) -> Result<Option<Own>, Trouble> {
        if self.disks.lvm() {
            return Ok(None);
        }
        let found = self.disks.osds().await?;
        let running = self.programs.running(&found.iter().map(|osd| osd.id).collect()).await?;
        let started = found.iter().map(|osd| osd.fsid).filter(|fsid| self.started.has(*fsid));
        Ok(Some(Own { started: started.collect(), running, found }))
    }

    async fn see(&self, disks: &[DevicePath], at_stake: &[OsdId]) -> Result<Sight, Trouble> {
        let map = self.ceph.osd_map().await?;
        let safety = match at_stake {
            [] => Safety::Safe,
            osds => self.ceph.safe_to_destroy(osds).await?,
        };
        let mut machine = Machine {
            osds: self.disks.osds().await?,
            lvm: self.disks.lvm(),
            boot: self.boot.clone(),
            ..Machine::default()
        };
        for disk in disks {
            machine.devices.insert(disk.clone(), self.disks.device(disk).await?);
        }
        if machine.lvm {
            machine.db_group = self.disks.volume_group(DB_GROUP).await?;
        }
        let known = machine.osds.iter().map(|osd| osd.id).chain(at_stake.iter().copied());
        machine.running = self.programs.running(&known.collect()).await?;
        Ok(Sight { map, machine, safety })
    }

    async fn do_it(&self, step: &Step) -> Result<(), Trouble> {
        match step {
            Step::TakeOut(osd) => self.ceph.set_in(*osd, false).await?,
            Step::PutIn(osd) => self.ceph.set_in(*osd, true).await?,
            Step::Stop(osd) => self.programs.stop(*osd).await?,
            Step::MarkDown(osd) => self.ceph.set_down(*osd).await?,
            Step::Destroy { osd, force } => self.ceph.destroy_osd(*osd, *force).await?,
            Step::Purge { osd, force } => self.ceph.purge_osd(*osd, *force).await?,
            Step::Place { osd, host, weight } => self.ceph.place_osd(*osd, host, *weight).await?,
            Step::Zap(disk) => self.disks.zap(disk).await?,
            Step::RemoveVolume(volume) => self.disks.remove_volume(volume).await?,
            Step::Prepare(osds) => self.disks.prepare(osds).await?,
            Step::AddDb { osd, volume, size } => self.disks.add_db(osd, volume, *size).await?,
            Step::Activate(osd) => {
                self.disks.activate(osd).await?;
                self.programs.start(osd.id).await?;
                self.started.add(osd.fsid);
            }
            Step::Partition(disk) => self.disks.partition(disk).await?,
            Step::CreateDbGroup { partition } => {
                self.disks.create_group(DB_GROUP, partition).await?;
            }
            Step::Remember(_) | Step::Record { .. } | Step::Forget { .. } => {
                debug_assert!(false, "{step:?} is about the tree");
            }
        }
        Ok(())
    }
}

impl<C: Ceph + Osds, D: Disks, P: Programs> Rack for Parts<C, D, P> {
    fn find<'a>(&'a self, disk: &'a Disk) -> Answer<'a, DevicePath, String> {
        Box::pin(async { self.disks.find(disk).await.map_err(|error| error.to_string()) })
    }

    fn look<'a>(
        &'a self,
        disks: &'a [DevicePath],
        at_stake: &'a [OsdId],
    ) -> Answer<'a, Sight, String> {
        Box::pin(async { self.see(disks, at_stake).await.map_err(|trouble| trouble.text()) })
    }

    fn own(&self) -> Answer<'_, Option<Own>, String> {
        Box::pin(async { self.see_own().await.map_err(|trouble| trouble.text()) })
    }

    fn alone(&self) -> Pin<Box<dyn Future<Output = Turn> + Send + '_>> {
        Box::pin(async { Turn(Arc::clone(&self.turn).lock_owned().await) })
    }

    fn act<'a>(&'a self, step: &'a Step) -> Answer<'a, (), Failure> {
        Box::pin(async {
            self.do_it(step).await.map_err(|trouble| {
                let text = trouble.text();
                if trouble.is_unknown() { Failure::Unknown(text) } else { Failure::Refused(text) }
            })
        })
    }
}
