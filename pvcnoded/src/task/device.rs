//! Devices of VMs that run.

use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_domxml::edit::{EditError, remove_device};
use pvc_libvirt::{Hypervisor, HypervisorError};
use pvc_zk::Tree;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::hands::{Done, Stop};
use super::tracker::Tracker;

/// How long a guest may take to let go of a device.
const LET_GO: Duration = Duration::from_secs(30);

/// How often a guest is looked at that has not let go, should libvirt not tell.
const LOOK: Duration = Duration::from_secs(1);

/// Plugs a device in. One that is there because a former attempt did it is a success.
pub(super) async fn attach<H: Hypervisor>(
    hypervisor: &H,
    vm: VmUuid,
    xml: &str,
    was_begun: bool,
) -> Done {
    if was_begun {
        match has(hypervisor, vm, xml).await? {
            Some(true) => return Ok(("Attached device to VM".to_owned(), json!({}))),
            Some(false) => {}
            None => {
                let why = "It was broken off, and this kind of device cannot be told from others: \
                           look whether the VM has it.";
                return Err(Stop::Failed(why.to_owned()));
            }
        }
    }
    hypervisor.attach_device(vm, xml).await.map_err(failed)?;
    Ok(("Attached device to VM".to_owned(), json!({})))
}

/// Unplugs a device, and waits until the guest has let go of it.
pub(super) async fn detach<T: Tree, H: Hypervisor>(
    hypervisor: &H,
    vm: VmUuid,
    xml: &str,
    tracker: &mut Tracker<T>,
) -> Done {
    let mut events = hypervisor.events();
    events.mark_unchanged();
    if has(hypervisor, vm, xml).await? != Some(false) {
        hypervisor.detach_device(vm, xml).await.map_err(failed)?;
        tracker.tell(0, "Waiting until the guest lets go of the device".to_owned()).await?;
    }
    let until = Instant::now() + LET_GO;
    // A kind of device that cannot be told from others is gone as far as anybody knows.
    while has(hypervisor, vm, xml).await? == Some(true) {
        if Instant::now() >= until {
            let limit_s = LET_GO.as_secs();
            let why = format!("The guest has not let go of the device within {limit_s} s.");
            return Err(Stop::Failed(why));
        }
        // Whether it told or not: look again.
        let _ = timeout(LOOK, events.changed()).await;
    }
    Ok(("Detached device from VM".to_owned(), json!({})))
}

/// Whether the VM has a device now; `None` if such devices cannot be told from each other.
async fn has<H: Hypervisor>(hypervisor: &H, vm: VmUuid, xml: &str) -> Result<Option<bool>, Stop> {
    let live = hypervisor.live_xml(vm).await.map_err(failed)?;
    match remove_device(&live, xml) {
        Ok(_) => Ok(Some(true)),
        Err(EditError::NotThere { .. }) => Ok(Some(false)),
        Err(EditError::Nameless { .. }) => Ok(None),
        Err(error) => Err(Stop::Failed(format!("{error}."))),
    }
}

fn failed(error: HypervisorError) -> Stop {
    match error {
        HypervisorError::NoSuchVm { .. } => Stop::Failed("The VM does not run here.".to_owned()),
        error => Stop::Failed(format!("{error}.")),
    }
}
