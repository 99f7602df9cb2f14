//! Locks that a former QEMU of this node has left on a VM's volumes.
//!
//! Ceph honours the lock of a client that died until it has been silent for half a minute: for so
//! long a VM that starts again on the same node could not write. Here nothing runs of it, so a lock
//! held from this node's own addresses is nobody's any more. Another node's is never taken: its
//! owner's death is for a fence to prove.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use pvc_ceph::{Ceph, CephError, Lock};
use pvc_common::id::{VmUuid, VolumeId};
use pvc_domxml::describe;
use pvc_libvirt::Hypervisor;

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

/// Takes the locks that former QEMUs of this node have left.
#[derive(Clone)]
pub struct OwnLocks {
    ceph: Arc<dyn Locks>,
    addresses: Arc<[IpAddr]>,
}

impl std::fmt::Debug for OwnLocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnLocks").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl OwnLocks {
    /// Takes locks held from the given addresses, which are this node's own.
    pub fn new(ceph: impl Ceph, addresses: Vec<IpAddr>) -> Self {
        Self { ceph: Arc::new(ceph), addresses: addresses.into() }
    }

    /// Takes them from the volumes of a VM that is about to start and does not run here.
    ///
    /// If Ceph does not do it the VM is started all the same: QEMU waits for the lock by itself.
    pub(super) async fn take_from<H: Hypervisor>(&self, vm: VmUuid, xml: &str, hypervisor: &H) {
        for volume in volumes(xml) {
            if let Err(error) = self.take(vm, &volume, hypervisor).await {
                tracing::warn!(%error, "not known whether {volume} is still locked from here");
                return;
            }
        }
    }

    async fn take<H: Hypervisor>(
        &self,
        vm: VmUuid,
        volume: &VolumeId,
        hypervisor: &H,
    ) -> Result<(), CephError> {
        let locks = match self.ceph.of(volume).await {
            // Libvirt says it better, when it starts the VM.
            Err(CephError::NoImage { .. } | CephError::NoPool { .. }) => return Ok(()),
            locks => locks?,
        };
        let own = |lock: &&Lock| self.addresses.contains(&lock.address.socket.ip());
        let left: Vec<&Lock> = locks.iter().filter(own).collect();
        if left.is_empty() || is_shared(vm, volume, hypervisor).await {
            return Ok(());
        }
        for lock in left {
            self.ceph.take(volume, lock).await?;
            tracing::info!("took the lock of {}, which runs no more, from {volume}", lock.locker);
        }
        Ok(())
    }
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
