//! Disks that have grown: a guest that runs on a volume is told when that became larger.
//!
//! Whoever makes a volume larger records its size in the tree; the node on which a VM runs looks
//! how large its guest sees its disks, and has it see the rest. It looks when the tree tells of a
//! volume, when other VMs run here, and from time to time: what was missed or failed is done then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::{VmName, VmUuid, VolumeId};
use pvc_common::observed::ObservedVm;
use pvc_common::unit::Bytes;
use pvc_common::zk::key;
use pvc_libvirt::{Hypervisor, VmStats};
use pvc_runtime::drain::Drain;
use pvc_zk::{Change, Tree};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tracing::Instrument;

/// How soon what was missed is seen, and what failed is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// Has guests see how large their disks are, until drained.
pub async fn run<T: Tree, H: Hypervisor>(
    tree: T,
    hypervisor: H,
    mut here: watch::Receiver<Arc<Vec<ObservedVm>>>,
    drain: Drain,
) {
    let mut changes = tree.watch(key::VOLUMES);
    let mut ticks = interval(AGAIN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut grower = Grower { tree, hypervisor, volumes: BTreeSet::new(), failed: BTreeSet::new() };
    let rounds = async {
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                changed = here.changed() => if changed.is_err() { return },
                () = concerning(&mut changes, &grower.volumes) => {}
            }
            if !here.borrow_and_update().is_empty() {
                grower.round().await;
            }
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(tracing::info_span!("disks")) => {}
    }
}

/// Returns when something became of one of these volumes, or may have.
async fn concerning(changes: &mut mpsc::Receiver<Change>, volumes: &BTreeSet<VolumeId>) {
    let paths: BTreeSet<String> =
        volumes.iter().map(|volume| key::volume_stats(volume).into_path()).collect();
    while let Some(change) = changes.recv().await {
        match change {
            Change::Touched(path) if !paths.contains(&path) => {}
            Change::Touched(_) | Change::Resync => return,
        }
    }
    // The tree was closed: then there is nothing to be told any more.
    std::future::pending().await
}

/// A disk that is larger than its guest knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Growth {
    vm: VmUuid,
    name: VmName,
    dev: String,
    to: Bytes,
}

struct Grower<T, H> {
    tree: T,
    hypervisor: H,
    /// The volumes that are used here, as of the last look.
    volumes: BTreeSet<VolumeId>,
    /// What could not be done, so that it is logged once.
    failed: BTreeSet<Growth>,
}

impl<T: Tree, H: Hypervisor> Grower<T, H> {
    async fn round(&mut self) {
        let stats = match self.hypervisor.stats().await {
            Ok(stats) => stats,
            Err(error) => {
                tracing::debug!(%error, "not known how large the guests see their disks");
                return;
            }
        };
        self.volumes = stats.iter().flat_map(volumes).map(|(_, volume)| volume).collect();
        let recorded = match self.recorded().await {
            Ok(recorded) => recorded,
            Err(error) => {
                tracing::debug!(%error, "not known how large the volumes are");
                return;
            }
        };
        let wanted = growths(&stats, &recorded);
        self.failed.retain(|growth| wanted.contains(growth));
        for growth in wanted {
            self.grow(growth).await;
        }
    }

    /// The sizes of the volumes that are used here.
    async fn recorded(&self) -> Result<BTreeMap<VolumeId, Bytes>, pvc_zk::TreeError> {
        let path = |volume| key::volume_stats(volume).into_path();
        let paths: Vec<String> = self.volumes.iter().map(path).collect();
        let found = self.tree.get_many(&paths).await?;
        let sizes = self.volumes.iter().zip(&found);
        Ok(sizes
            .filter_map(|(volume, entry)| Some((volume.clone(), size(&entry.as_ref()?.data)?)))
            .collect())
    }

    async fn grow(&mut self, growth: Growth) {
        let Growth { vm, name, dev, to } = &growth;
        match self.hypervisor.grow_disk(*vm, dev, *to).await {
            Ok(()) => {
                tracing::info!(vm.name = %name, vm.uuid = %vm, "VM {name}: disk {dev} is {to} large now")
            }
            Err(error) if self.failed.contains(&growth) => {
                tracing::debug!(%error, "VM {name}: disk {dev} still does not grow");
            }
            Err(error) => {
                tracing::warn!(%error, vm.name = %name, vm.uuid = %vm, "VM {name}: its guest does not see that disk {dev} is {to} large");
                self.failed.insert(growth);
            }
        }
    }
}

/// The disks of a VM that may lie on volumes.
fn volumes(vm: &VmStats) -> impl Iterator<Item = (&pvc_libvirt::DiskStats, VolumeId)> {
    vm.disks.iter().filter_map(|disk| Some((disk, disk.name.parse().ok()?)))
}

/// The size of a volume that Ceph has told of.
fn size(recorded: &[u8]) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Stats {
        id: serde_json::Value,
        size: u64,
    }
    let stats: Stats = serde_json::from_slice(recorded).ok()?;
    (!stats.id.is_null()).then_some(Bytes(stats.size))
}

/// The disks that are larger than their guests know. None ever becomes smaller.
fn growths(stats: &[VmStats], recorded: &BTreeMap<VolumeId, Bytes>) -> Vec<Growth> {
    let grown = |vm: &VmStats| {
        let disks = volumes(vm).filter_map(|(disk, volume)| {
            let to = *recorded.get(&volume)?;
            let is_larger = disk.capacity.is_some_and(|known| known < to);
            let (dev, name) = (disk.dev.clone(), vm.name.clone());
            is_larger.then_some(Growth { vm: vm.uuid, name, dev, to })
        });
        disks.collect::<Vec<_>>()
    };
    stats.iter().flat_map(grown).collect()
}

#[cfg(test)]
mod tests {
    use pvc_libvirt::DiskStats;

    use super::*;

    fn disk(name: &str, dev: &str, capacity: Option<u64>) -> DiskStats {
        let capacity = capacity.map(Bytes);
        DiskStats { name: name.to_owned(), dev: dev.to_owned(), capacity, ..DiskStats::default() }
    }

    fn vm(disks: Vec<DiskStats>) -> VmStats {
        VmStats {
            uuid: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
            name: "web1".parse().unwrap(),
            max_mem_kib: 0,
            live_mem_kib: 0,
            vcpus: 1,
            cpu_time_ns: [0; 3],
            memory: vec![],
            disks,
            nets: vec![],
        }
    }

    #[test]
    fn a_disk_grows_to_what_its_volume_has_and_never_shrinks() {
        let recorded = [("vms/a", 20), ("vms/b", 30), ("vms/c", 40)];
        let recorded = recorded.map(|(name, size)| (name.parse().unwrap(), Bytes(size)));
        let recorded = BTreeMap::from(recorded);
        for (disk, grows) in [
            (disk("vms/a", "sda", Some(10)), Some(20)),
            (disk("vms/a", "sda", Some(20)), None),
            (disk("vms/b", "sdb", Some(31)), None),
            (disk("vms/c", "sdc", None), None),
            (disk("vms/unknown", "sdd", Some(1)), None),
            (disk("/var/lib/a.img", "sde", Some(1)), None),
            (disk("", "sdf", Some(1)), None),
        ] {
            let seen = growths(&[vm(vec![disk.clone()])], &recorded);
            let seen: Vec<_> = seen.iter().map(|growth| (growth.dev.as_str(), growth.to)).collect();
            let wanted: Vec<_> =
                grows.map(|to| (disk.dev.as_str(), Bytes(to))).into_iter().collect();
            assert_eq!(seen, wanted, "{disk:?}");
        }
    }

    #[test]
    fn only_what_ceph_has_told_of_has_a_size() {
        let told = |text: &str| size(text.as_bytes());
        assert_eq!(told(r#"{"id":"101c","size":7}"#), Some(Bytes(7)));
        for none in ["", "{}", r#"{"size":7}"#, r#"{"id":"x"}"#, r#"{"id":"x","size":-1}"#] {
            assert_eq!(told(none), None, "{none}");
        }
    }
}
