//! A Ceph cluster in memory, on tokio's clock.
//!
//! Honest where it matters: entries end, taking a lock from its holder shuts that client out, and
//! an answer that does not come says nothing about what was done. Clones are the same cluster.

mod disks;
mod figures;
mod osds;
mod pools;
mod uploads;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pvc_common::id::{OsdId, PoolName, SnapshotName, VolumeId};
use pvc_common::observed::MappedOsd;
use pvc_common::state::{OsdFlag, OsdLoss};
use pvc_common::unit::Bytes;
use tokio::time::Instant;

pub use disks::FakeDisks;

use crate::{Blocked, BlocklistEntry, Ceph, CephError, ClientAddress, Epoch, Lock, NewPool};

/// How long a command waits for a cluster that hangs.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a client is shut out that a lock was taken from.
const AFTER_LOCK: Duration = Duration::from_secs(3600);

/// The commands that change nothing.
const QUESTIONS: [&str; 9] = [
    "ceph osd dump",
    "ceph osd ok-to-stop",
    "ceph osd pool ls",
    "ceph osd safe-to-destroy",
    "qemu-img info",
    "rbd info",
    "rbd lock ls",
    "rbd ls",
    "rbd snap ls",
];

/// How a cluster answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// At once.
    #[default]
    Well,
    /// Never, and it does nothing.
    Hangs,
    /// Never, but it does what it is asked.
    Deafens,
    /// At once when it is asked a question; else never, but it does what it is asked.
    TellsOnly,
    /// It refuses all.
    Refuses,
    /// Its programs are not installed.
    Absent,
}

/// A Ceph cluster in memory.
#[derive(Clone, Debug)]
pub struct FakeCeph(Arc<Mutex<Cluster>>);

#[derive(Debug)]
struct Cluster {
    began: Instant,
    mood: Mood,
    /// How it answers to single commands, if otherwise.
    moods: BTreeMap<&'static str, Mood>,
    epoch: Epoch,
    blocklist: BTreeMap<Blocked, Instant>,
    pools: BTreeMap<PoolName, NewPool>,
    images: BTreeMap<VolumeId, FakeImage>,
    /// The files that were received for volumes.
    received: BTreeMap<VolumeId, Vec<u8>>,
    /// How many images were ever made.
    made: u64,
    down: BTreeMap<OsdId, OsdLoss>,
    osds: BTreeMap<OsdId, MappedOsd>,
    flags: BTreeSet<OsdFlag>,
    /// How many OSDs were ever announced.
    announced: u64,
    /// Whether data stays on OSDs that are out.
    keeps_data: bool,
}

/// An image in memory.
#[derive(Clone, Debug, Default)]
struct FakeImage {
    id: String,
    size: Bytes,
    /// What was written into it from a file; the rest is zeros.
    content: Vec<u8>,
    locks: Vec<Lock>,
    snapshots: BTreeMap<SnapshotName, Bytes>,
}

impl Default for FakeCeph {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeCeph {
    /// A cluster without images, where nobody is shut out and every OSD is up.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Cluster {
            began: Instant::now(),
            mood: Mood::Well,
            moods: BTreeMap::new(),
            epoch: Epoch(1),
            blocklist: BTreeMap::new(),
            pools: BTreeMap::new(),
            images: BTreeMap::new(),
            received: BTreeMap::new(),
            made: 0,
            down: BTreeMap::new(),
            osds: osds::first(),
            flags: BTreeSet::new(),
            announced: 0,
            keeps_data: false,
        })))
    }

    /// Changes how it answers from now on.
    pub fn set_mood(&self, mood: Mood) {
        self.cluster().mood = mood;
    }

    /// Changes how it answers to one command, such as `rbd import`, from now on; [`Mood::Well`]
    /// has it answer as to the others again.
    pub fn set_mood_at(&self, command: &'static str, mood: Mood) {
        self.cluster().moods.insert(command, mood);
    }

    /// Makes an image of 64 MiB, without locks, and its pool; nothing if there is one.
    pub fn create_image(&self, image: VolumeId) {
        self.cluster().make(&image, Bytes(64 << 20));
    }

    /// Has a client lock an image, which is made if there is none. Only one holds a lock: another
    /// one's is gone after.
    ///
    /// `false` if the client is shut out, and got nothing.
    pub fn lock(&self, image: VolumeId, lock: Lock) -> bool {
        let mut cluster = self.cluster();
        let may = !cluster.shuts_out(lock.address);
        if may {
            cluster.make(&image, Bytes(64 << 20)).locks = vec![lock];
        }
        may
    }

    /// Whether a client gets nothing but errors at present.
    #[must_use]
    pub fn shuts_out(&self, client: ClientAddress) -> bool {
        self.cluster().shuts_out(client)
    }

    /// The OSDs that were marked down and did not come back, and as what they are counted.
    #[must_use]
    pub fn down(&self) -> BTreeMap<OsdId, OsdLoss> {
        self.cluster().down.clone()
    }

    /// An OSD comes back, as one that lives does.
    pub fn osd_comes_up(&self, osd: OsdId) {
        let mut cluster = self.cluster();
        if cluster.down.remove(&osd).is_some() {
            cluster.epoch.0 += 1;
        }
    }

    /// The map's present number.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.cluster().epoch
    }

    /// Does something in the present mood.
    async fn ask<T>(
        &self,
        command: &str,
        act: impl FnOnce(&mut Cluster) -> Result<T, CephError>,
    ) -> Result<T, CephError> {
        let command = command.to_owned();
        let mood = {
            let cluster = self.cluster();
            let special = cluster.moods.get(command.as_str()).copied();
            special.filter(|mood| *mood != Mood::Well).unwrap_or(cluster.mood)
        };
        match mood {
            Mood::Well => return act(&mut self.cluster()),
            Mood::Refuses => {
                return Err(CephError::Refused { command, why: "access denied".to_owned() });
            }
            Mood::Absent => return Err(CephError::Absent { program: "ceph" }),
            Mood::TellsOnly if QUESTIONS.contains(&command.as_str()) => {
                return act(&mut self.cluster());
            }
            Mood::Deafens | Mood::TellsOnly => drop(act(&mut self.cluster())),
            Mood::Hangs => {}
        }
        tokio::time::sleep(PATIENCE).await;
        Err(CephError::NoAnswer { command, waited: PATIENCE })
    }

    fn cluster(&self) -> MutexGuard<'_, Cluster> {
        // Every change is complete before the guard goes, so a panic elsewhere harms nothing.
        let mut cluster = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cluster.forget_ended();
        cluster
    }
}

impl Cluster {
    fn forget_ended(&mut self) {
        let (before, now) = (self.blocklist.len(), Instant::now());
        self.blocklist.retain(|_, until| *until > now);
        self.epoch.0 += u64::from(self.blocklist.len() < before);
    }

    fn block(&mut self, who: Blocked, until: Instant) {
        let present = self.blocklist.entry(who).or_insert(until);
        *present = (*present).max(until);
        self.epoch.0 += 1;
    }

    fn shuts_out(&self, client: ClientAddress) -> bool {
        self.blocklist.keys().any(|who| who.covers(client))
    }

    /// The image, which is made if it is not there, as is its pool.
    fn make(&mut self, image: &VolumeId, size: Bytes) -> &mut FakeImage {
        let pool = || pools::any(&image.pool);
        self.pools.entry(image.pool.clone()).or_insert_with(pool);
        let made = &mut self.made;
        self.images.entry(image.clone()).or_insert_with(|| {
            *made += 1;
            FakeImage { id: format!("{made:x}"), size, ..FakeImage::default() }
        })
    }

    fn image(&mut self, image: &VolumeId) -> Result<&mut FakeImage, CephError> {
        self.images.get_mut(image).ok_or_else(|| CephError::NoImage { image: image.clone() })
    }
}

impl Ceph for FakeCeph {
    async fn blocklist(&self, addresses: &[IpAddr], expire: Duration) -> Result<Epoch, CephError> {
        self.ask("ceph osd blocklist add", |cluster| {
            let until = Instant::now() + expire.max(Duration::from_secs(1));
            for address in addresses {
                cluster.block(Blocked::Address(*address), until);
            }
            Ok(cluster.epoch)
        })
        .await
    }

    async fn blocklisted(&self) -> Result<Vec<BlocklistEntry>, CephError> {
        self.ask("ceph osd dump", |cluster| {
            let entry = |(who, until): (&Blocked, &Instant)| {
                let until_s = (*until - cluster.began).as_secs();
                BlocklistEntry { who: *who, until_s: i64::try_from(until_s).unwrap_or(i64::MAX) }
            };
            Ok(cluster.blocklist.iter().map(entry).collect())
        })
        .await
    }

    async fn unblocklist(&self, addresses: &[IpAddr]) -> Result<(), CephError> {
        self.ask("ceph osd blocklist rm", |cluster| {
            for address in addresses {
                let removed = cluster.blocklist.remove(&Blocked::Address(*address));
                cluster.epoch.0 += u64::from(removed.is_some());
            }
            Ok(())
        })
        .await
    }

    async fn mark_down(&self, osds: &[OsdId], loss: OsdLoss) -> Result<(), CephError> {
        self.ask("ceph osd down", |cluster| {
            let before = cluster.down.clone();
            for osd in osds {
                let known = cluster.down.entry(*osd).or_insert(loss);
                *known = loss.max(*known);
            }
            cluster.epoch.0 += u64::from(cluster.down != before);
            Ok(())
        })
        .await
    }

    async fn locks(&self, image: &VolumeId) -> Result<Vec<Lock>, CephError> {
        self.ask("rbd lock ls", |cluster| cluster.image(image).map(|image| image.locks.clone()))
            .await
    }

    async fn remove_lock(&self, image: &VolumeId, lock: &Lock) -> Result<(), CephError> {
        self.ask("rbd lock rm", |cluster| {
            let locks = &mut cluster.image(image)?.locks;
            let before = locks.len();
            locks.retain(|held| (&held.id, &held.locker) != (&lock.id, &lock.locker));
            if locks.len() < before {
                cluster.block(Blocked::Client(lock.address), Instant::now() + AFTER_LOCK);
            }
            Ok(())
        })
        .await
    }
}
