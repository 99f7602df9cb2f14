//! Locks on the volumes of a VM that runs nowhere.

use pvc_ceph::{Ceph, CephError, Lock};
use pvc_common::id::{VmUuid, VolumeId};
use pvc_common::model::Claim;
use pvc_common::state::{VmState, Word};
use pvc_common::zk::{Key, Seen, Text, key};
use pvc_zk::{Tree, TreeError};
use serde_json::json;

use super::hands::{Done, Stop};
use super::tracker::Tracker;

/// Takes every lock from the volumes of a VM that neither runs nor shall.
///
/// Whoever is found to hold a lock is looked up before the claim is: a QEMU that has started since
/// then has a lock of its own, which is not taken.
pub(super) async fn flush<T: Tree, C: Ceph>(
    tree: &T,
    ceph: &C,
    vm: VmUuid,
    tracker: &mut Tracker<T>,
) -> Done {
    let volumes: Vec<VolumeId> = match read(tree, &key::vm_rbd_list(vm)).await? {
        Seen::Value { value, .. } => value,
        Seen::Absent => return Err(Stop::Failed("There is no such VM any more.".to_owned())),
        Seen::Bad { why, .. } => {
            return Err(Stop::Failed(format!("The list of its volumes cannot be read: {why}.")));
        }
    };
    let total = u32::try_from(volumes.len()).unwrap_or(u32::MAX);
    tracker.set_total(total.max(1));
    let mut taken = 0;
    for (done, volume) in (0..).zip(&volumes) {
        tracker.tell(done, format!("Taking the locks of {volume}")).await?;
        let locks = locks(ceph, volume).await?;
        rests(tree, vm).await?;
        for lock in &locks {
            ceph.remove_lock(volume, lock).await.map_err(|error| failed(&error))?;
            tracing::warn!(volume = %volume, "took the lock of {} at {}", lock.locker, lock.address);
            taken += 1;
        }
    }
    Ok((format!("Took {taken} locks from {total} volumes"), json!({ "locks": taken })))
}

/// The locks of a volume; none if there is no such volume.
async fn locks<C: Ceph>(ceph: &C, volume: &VolumeId) -> Result<Vec<Lock>, Stop> {
    match ceph.locks(volume).await {
        Err(CephError::NoImage { .. } | CephError::NoPool { .. }) => Ok(Vec::new()),
        found => found.map_err(|error| failed(&error)),
    }
}

/// Fails if the VM runs, or shall.
async fn rests<T: Tree>(tree: &T, vm: VmUuid) -> Result<(), Stop> {
    let state = read(tree, &key::vm_state(vm)).await?;
    match state.copied() {
        Some(VmState::Stop | VmState::Disable | VmState::Fail | VmState::Mirror) => {}
        Some(state) => {
            let why = format!("The VM is in state {}: stop it first.", state.text());
            return Err(Stop::Failed(why));
        }
        None => return Err(Stop::Failed("The state of the VM is not known.".to_owned())),
    }
    match read::<T, Claim>(tree, &key::vm_claim(vm)).await? {
        Seen::Absent => Ok(()),
        Seen::Value { value, .. } => {
            Err(Stop::Failed(format!("Node {} may be running the VM.", value.holder)))
        }
        Seen::Bad { why, .. } => {
            Err(Stop::Failed(format!("It is not known who may be running the VM: {why}.")))
        }
    }
}

async fn read<T: Tree, V: Text>(tree: &T, key: &Key<V>) -> Result<Seen<V>, Stop> {
    let entry = tree.get(key.path()).await.map_err(|error: TreeError| {
        Stop::Failed(format!("The cluster's database does not answer: {error}."))
    })?;
    Ok(Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version))))
}

fn failed(error: &CephError) -> Stop {
    Stop::Failed(format!("{error}."))
}
