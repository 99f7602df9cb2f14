//! Locks that QEMUs which are no more have left on a VM's volumes.
//!
//! Ceph honours the lock of a client that died until it has been silent for half a minute: for so
//! long a VM that starts again on the same node could not write. Here nothing runs of it, so a lock
//! held from this node's own addresses is nobody's any more, and goes before the VM starts.
//!
//! Another node's is never taken, unless a fence has proved that node's death and shut it out
//! ([`pvc_plan::lock`]). QEMU would break such a lock by itself as soon as it writes; so it is taken while
//! QEMU starts, which waits neither for that nor for a Ceph that is slow.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pvc_ceph::{Ceph, CephError, Lock};
use pvc_common::id::{NodeName, VmUuid, VolumeId};
use pvc_common::model::Fence;
use pvc_common::zk::{Seen, key};
use pvc_domxml::describe;
use pvc_libvirt::Hypervisor;
use pvc_plan::lock::{Holder, Owners, Record, holder, is_left};
use pvc_zk::{Entry, Tree, TreeError};
use tokio::time::timeout;

/// How long dead nodes' locks are seen to while the VM starts. QEMU takes less to break one, and others
/// wait for this VM's turn to end.
const DEAD_LIMIT: Duration = Duration::from_secs(2);

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, CephError>> + Send + 'a>>;

/// The part of [`Ceph`] that is needed here, usable behind a pointer.
trait Locks: Send + Sync {
    fn of<'a>(&'a self, volume: &'a VolumeId) -> Answer<'a, Vec<Lock>>;
    fn take<'a>(&'a self, volume: &'a VolumeId, lock: &'a Lock) -> Answer<'a, ()>;
}

impl<C: Ceph> Locks for C {
    fn of<'a>(&'a self, volume: &'a VolumeId) -> Answer<'a, Vec<Lock>> {
        Box::pin(self.locks(volume))
    }

    fn take<'a>(&'a self, volume: &'a VolumeId, lock: &'a Lock) -> Answer<'a, ()> {
        Box::pin(self.remove_lock(volume, lock))
    }
}

/// Takes the locks that QEMUs have left which are no more.
#[derive(Clone)]
pub struct LeftLocks {
    ceph: Arc<dyn Locks>,
    own: Arc<[IpAddr]>,
}

/// A lock that is held from another node's address.
pub(super) struct Foreign {
    volume: VolumeId,
    lock: Lock,
    of: NodeName,
}

impl std::fmt::Debug for LeftLocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeftLocks").field("own", &self.own).finish_non_exhaustive()
    }
}

impl LeftLocks {
    /// For the node whose storage clients talk from these addresses.
    pub fn new(ceph: impl Ceph, own: Vec<IpAddr>) -> Self {
        Self { ceph: Arc::new(ceph), own: own.into() }
    }

    /// Takes this node's own locks from the volumes of a VM that is about to start and does not run
    /// here; tells which are other nodes'.
    ///
    /// If Ceph does not do it the VM is started all the same: QEMU waits for the lock by itself.
    pub(super) async fn take_own<H: Hypervisor>(
        &self,
        vm: VmUuid,
        xml: &str,
        owners: &Owners,
        hypervisor: &H,
    ) -> Vec<Foreign> {
        let mut foreign = Vec::new();
        for volume in volumes(xml) {
            let taken = self.take_own_from(vm, &volume, owners, hypervisor, &mut foreign).await;
            if let Err(error) = taken {
                tracing::warn!(%error, "not known whether {volume} is still locked from here");
                break;
            }
        }
        foreign
    }

    /// Takes this node's own locks from a volume; adds other nodes' to `foreign`.
    async fn take_own_from<H: Hypervisor>(
        &self,
        vm: VmUuid,
        volume: &VolumeId,
        owners: &Owners,
        hypervisor: &H,
        foreign: &mut Vec<Foreign>,
    ) -> Result<(), CephError> {
        let locks = match self.ceph.of(volume).await {
            // Libvirt says it better, when it starts the VM.
            Err(CephError::NoImage { .. } | CephError::NoPool { .. }) => return Ok(()),
            locks => locks?,
        };
        let mut own = Vec::new();
        for lock in locks {
            match holder(lock.address.socket.ip(), &self.own, owners) {
                Holder::Own => own.push(lock),
                Holder::Node(of) => foreign.push(Foreign { volume: volume.clone(), lock, of }),
                Holder::Stranger => {}
            }
        }
        if own.is_empty() || is_shared(vm, volume, hypervisor).await {
            return Ok(());
        }
        for lock in own {
            self.ceph.take(volume, &lock).await?;
            tracing::info!("took the lock of {}, which runs no more, from {volume}", lock.locker);
        }
        Ok(())
    }

    /// Takes those of other nodes' locks that dead nodes have left, as the tree says by now.
    pub(super) async fn take_left<T: Tree>(&self, foreign: Vec<Foreign>, tree: &T) {
        let taking = async {
            for Foreign { volume, lock, of } in foreign {
                if let Err(why) = self.take_if_left(&volume, &lock, &of, tree).await {
                    tracing::warn!("the lock of {of} on {volume} is left to QEMU: {why}");
                }
            }
        };
        if timeout(DEAD_LIMIT, taking).await.is_err() {
            tracing::warn!("locks of a dead node are left to QEMU: Ceph is slow");
        }
    }

    async fn take_if_left<T: Tree>(
        &self,
        volume: &VolumeId,
        lock: &Lock,
        of: &NodeName,
        tree: &T,
    ) -> Result<(), String> {
        let record = record(tree, of).await.map_err(|error| error.to_string())?;
        if !is_left(&record, lock.address.socket.ip()) {
            return Ok(());
        }
        self.ceph.take(volume, lock).await.map_err(|error| error.to_string())?;
        tracing::info!("took the lock of {}, which died with {of}, from {volume}", lock.locker);
        Ok(())
    }
}

/// What the tree says of a node by now.
async fn record<T: Tree>(tree: &T, node: &NodeName) -> Result<Record, TreeError> {
    let (presence, shut_out) = (key::node_presence(node), key::node_shut_out(node));
    let paths = [presence.into_path(), shut_out.into_path(), key::node_fence(node).into_path()];
    let entries = tree.get_many(&paths).await?;
    let at = |at: usize| entries.get(at).and_then(Option::as_ref).map(data);
    let mut record = Record {
        presence: Seen::read(at(0)),
        shut_out: Seen::read(at(1)),
        fence: Seen::read(at(2)),
    };
    let by = record.shut_out.get().and_then(|mark| Fence::shuts_out(mark));
    if let Some(by) = by
        && record.fence.get().is_none_or(|fence| fence.id != by)
    {
        // It is over, and in the history.
        let past = tree.get(key::past_fence(&by).path()).await?;
        record.fence = Seen::read(past.as_ref().map(data));
    }
    Ok(record)
}

fn data(entry: &Entry) -> (&[u8], pvc_common::zk::Version) {
    (&entry.data, entry.version)
}

/// Whether another VM that runs here may be using the volume; so it is if that is not known.
async fn is_shared<H: Hypervisor>(vm: VmUuid, volume: &VolumeId, hypervisor: &H) -> bool {
    let Ok(here) = hypervisor.vms().await else { return true };
    for other in here.into_iter().filter(|other| other.uuid != vm) {
        match hypervisor.live_xml(other.uuid).await {
            Ok(xml) if volumes(&xml).contains(volume) => return true,
            Ok(_) | Err(pvc_libvirt::HypervisorError::NoSuchVm { .. }) => {}
            Err(_) => return true,
        }
    }
    false
}

/// The RBD volumes of a definition, but for those whose names PVC could not have given.
fn volumes(xml: &str) -> Vec<VolumeId> {
    let described = describe(xml).unwrap_or_default();
    described.rbd_images().iter().filter_map(|image| image.parse().ok()).collect()
}
