//! Where each VM's VNC console listens, in the tree while the VM runs here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_common::observed::{ObservedVm, RunState};
use pvc_common::zk::key;
use pvc_domxml::describe;
use pvc_libvirt::Hypervisor;
use pvc_runtime::drain::Drain;
use pvc_zk::Tree;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::Instrument;

use crate::own_keys::OwnKeys;

/// How soon what could not be published is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Publishes the VNC addresses of the VMs that run here, until drained.
pub async fn run<T: Tree, H: Hypervisor>(
    tree: T,
    hypervisor: H,
    mut here: watch::Receiver<Arc<Vec<ObservedVm>>>,
    drain: Drain,
) {
    let mut publisher =
        Publisher { keys: OwnKeys::new(tree), hypervisor, published: BTreeMap::new() };
    let mut ticks = interval(AGAIN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let rounds = async {
        loop {
            let running = here.borrow_and_update().clone();
            publisher.round(&running).await;
            tokio::select! {
                changed = here.changed() => if changed.is_err() { return },
                _ = ticks.tick() => {}
            }
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(tracing::info_span!("vnc")) => {}
    }
}

struct Publisher<T, H> {
    keys: OwnKeys<T>,
    hypervisor: H,
    published: BTreeMap<VmUuid, String>,
}

impl<T: Tree, H: Hypervisor> Publisher<T, H> {
    async fn round(&mut self, here: &[ObservedVm]) {
        let running =
            |uuid: &VmUuid| here.iter().any(|vm| vm.uuid == *uuid && vm.run == RunState::Running);
        // Another node that runs it now writes its own; what remains here is forgotten.
        self.published.retain(|uuid, _| running(uuid));
        for vm in here.iter().filter(|vm| vm.run == RunState::Running) {
            if self.published.contains_key(&vm.uuid) {
                continue;
            }
            let Ok(xml) = self.hypervisor.live_xml(vm.uuid).await else { continue };
            let address = address(&xml);
            let path = key::vm_vnc(vm.uuid).into_path();
            self.keys.forget(&path);
            match self.keys.publish(&[(path, address.clone())]).await {
                Ok(_) => drop(self.published.insert(vm.uuid, address)),
                Err(error) => tracing::debug!(vm.uuid = %vm.uuid, %error, "not published"),
            }
        }
    }
}

/// `listen:port` of a live definition; nothing if it has no VNC or no port yet.
fn address(xml: &str) -> String {
    let vnc = describe(xml).ok().and_then(|description| description.vnc);
    match vnc.and_then(|vnc| Some((vnc.listen?, vnc.port?))) {
        Some((listen, port)) if port != "-1" => format!("{listen}:{port}"),
        Some(_) | None => String::new(),
    }
}
