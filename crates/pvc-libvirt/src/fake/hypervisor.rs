//! The hypervisor of one node of the room.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_common::observed::{ObservedVm, RunState};
use pvc_common::unit::Bytes;
use pvc_domxml::edit::{add_device, remove_device};
use pvc_domxml::{describe, validate_definition};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::migration::{Way, refused};
use super::room::FakeRoom;
use super::script::OnShutdown;
use super::state::{Condition, FakeVm, What};
use super::stats::stats;
use crate::hypervisor::{Destination, Hypervisor, HypervisorError, Progress, VmStats};

/// How long a call waits for a libvirt that hangs.
const LIMIT: Duration = Duration::from_secs(5);

/// The hypervisor of one node of a [`FakeRoom`].
#[derive(Clone, Debug)]
pub struct FakeHypervisor {
    room: FakeRoom,
    node: String,
    condition: watch::Receiver<Condition>,
    changes: watch::Sender<u64>,
}

impl FakeHypervisor {
    pub(super) fn new(
        room: FakeRoom,
        node: &str,
        condition: watch::Receiver<Condition>,
        changes: watch::Sender<u64>,
    ) -> Self {
        Self { room, node: node.to_owned(), condition, changes }
    }

    /// The room this node stands in.
    #[must_use]
    pub const fn room(&self) -> &FakeRoom {
        &self.room
    }

    fn uri(&self) -> String {
        format!("fake:{}", self.node)
    }

    /// Waits until this node's libvirt answers.
    async fn answers(&self) -> Result<(), HypervisorError> {
        self.room.asked_once_more(&self.node);
        let mut condition = self.condition.clone();
        let settled = condition.wait_for(|condition| *condition != Condition::Hangs);
        let no_answer = || HypervisorError::NoAnswer { uri: self.uri(), waited: LIMIT };
        let settled = timeout(LIMIT, settled).await.map_err(|_| no_answer())?;
        match settled.map(|condition| *condition) {
            Ok(Condition::Answers) => Ok(()),
            Ok(Condition::Hangs | Condition::Off) | Err(_) => Err(HypervisorError::Unreachable {
                uri: self.uri(),
                message: "the node has no power".to_owned(),
            }),
        }
    }

    /// Removes a VM's devices or adds some.
    async fn change_devices(
        &self,
        uuid: VmUuid,
        device: &str,
        edit: fn(&str, &str) -> Result<String, pvc_domxml::edit::EditError>,
    ) -> Result<(), HypervisorError> {
        self.answers().await?;
        let mut state = self.room.state();
        let vm = state.vm_mut(&self.node, uuid).ok_or(HypervisorError::NoSuchVm { uuid })?;
        let xml = edit(&vm.xml, device).map_err(|error| refused(&error.to_string()))?;
        let devices = describe(&xml).map_err(|error| refused(&error.to_string()))?;
        vm.devices = Arc::new(devices);
        vm.xml = xml.into();
        Ok(())
    }

    /// Puts a VM on this node, in its time and unless the node loses its power.
    async fn put_on_in_time(self, uuid: VmUuid, xml: String) -> Result<(), HypervisorError> {
        let takes = self.room.state().guest(uuid).starts_in;
        let mut condition = self.condition.clone();
        tokio::select! {
            biased;
            _ = condition.wait_for(|condition| *condition == Condition::Off) => {
                Err(HypervisorError::Unreachable {
                    uri: self.uri(),
                    message: "the node has lost its power".to_owned(),
                })
            }
            () = sleep(takes) => self.put_on(uuid, &xml),
        }
    }

    fn put_on(&self, uuid: VmUuid, xml: &str) -> Result<(), HypervisorError> {
        let definition =
            validate_definition(xml).map_err(|error| refused(&format!("XML error: {error}")))?;
        if definition.uuid != uuid {
            return Err(refused(&format!("the definition is of VM {}", definition.uuid)));
        }
        let mut state = self.room.state();
        let guest = state.guest(uuid);
        if state.vm(&self.node, uuid).is_some() {
            return Ok(());
        }
        if let Some(why) = guest.refuses_start {
            return Err(HypervisorError::Refused { message: why });
        }
        let vm = FakeVm {
            process: state.next_process(),
            name: definition.name,
            memory: definition.memory,
            vcpus: definition.vcpus,
            xml: xml.into(),
            devices: Arc::new(definition.description),
            run: RunState::Running,
            since: Instant::now(),
            departure: None,
            grown: BTreeMap::new(),
        };
        state.insert(&self.node, uuid, vm);
        state.happened(&self.node, uuid, What::Started);
        Ok(())
    }
}

impl Hypervisor for FakeHypervisor {
    async fn vms(&self) -> Result<Vec<ObservedVm>, HypervisorError> {
        self.answers().await?;
        let state = self.room.state();
        let vms = state.nodes.get(&self.node).into_iter().flat_map(|node| &node.vms);
        Ok(vms
            .map(|(uuid, vm)| ObservedVm {
                uuid: *uuid,
                name: vm.name.clone(),
                run: vm.run,
                memory: vm.memory,
                vcpus: vm.vcpus,
            })
            .collect())
    }

    fn events(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn start(&self, uuid: VmUuid, xml: &str) -> Result<(), HypervisorError> {
        self.answers().await?;
        // libvirt goes on with it although nobody waits, and shows nothing until QEMU is there.
        let starting = tokio::spawn(self.clone().put_on_in_time(uuid, xml.to_owned()));
        starting.await.unwrap_or_else(|error| Err(refused(&error.to_string())))
    }

    async fn shutdown(&self, uuid: VmUuid) -> Result<(), HypervisorError> {
        self.answers().await?;
        let mut state = self.room.state();
        let process = match state.vm(&self.node, uuid) {
            Some(vm) => vm.process,
            None => return Err(HypervisorError::NoSuchVm { uuid }),
        };
        state.happened(&self.node, uuid, What::AskedToShutDown);
        match state.guest(uuid).on_shutdown {
            OnShutdown::Ignores => {}
            OnShutdown::PowersOff { after } => {
                let (room, node) = (self.room.clone(), self.node.clone());
                tokio::spawn(async move {
                    sleep(after).await;
                    let mut state = room.state();
                    if state.has_process(&node, uuid, process) {
                        state.remove(&node, uuid);
                        state.happened(&node, uuid, What::Ended);
                    }
                });
            }
        }
        Ok(())
    }

    async fn destroy(&self, uuid: VmUuid) -> Result<(), HypervisorError> {
        self.answers().await?;
        let mut state = self.room.state();
        if state.remove(&self.node, uuid).is_some() {
            state.happened(&self.node, uuid, What::Destroyed);
        }
        Ok(())
    }

    async fn migrate(&self, uuid: VmUuid, to: &Destination) -> Result<(), HypervisorError> {
        self.answers().await?;
        let way = Way::begin(&self.room, uuid, &self.node, to)?;
        let carried = tokio::spawn(way.carry(to.limit));
        carried.await.unwrap_or_else(|error| Err(refused(&error.to_string())))
    }

    async fn migration(&self, uuid: VmUuid) -> Result<Option<Progress>, HypervisorError> {
        self.answers().await?;
        let state = self.room.state();
        let vm = state.vm(&self.node, uuid);
        Ok(vm.and_then(|vm| {
            let memory_bytes = vm.memory.0 * 1024 * 1024;
            vm.departure.as_ref().map(|departure| departure.progress(memory_bytes))
        }))
    }

    async fn abort_migration(&self, uuid: VmUuid) -> Result<(), HypervisorError> {
        self.answers().await?;
        let state = self.room.state();
        if let Some(departure) = state.vm(&self.node, uuid).and_then(|vm| vm.departure.as_ref()) {
            departure.give_up.notify_one();
        }
        Ok(())
    }

    async fn stats(&self) -> Result<Vec<VmStats>, HypervisorError> {
        self.answers().await?;
        let state = self.room.state();
        let vms = state.nodes.get(&self.node).into_iter().flat_map(|node| &node.vms);
        let executing = vms.filter(|(_, vm)| vm.run == RunState::Running);
        Ok(executing.map(|(uuid, vm)| stats(*uuid, vm)).collect())
    }

    async fn live_xml(&self, uuid: VmUuid) -> Result<String, HypervisorError> {
        self.answers().await?;
        let state = self.room.state();
        let vm = state.vm(&self.node, uuid).ok_or(HypervisorError::NoSuchVm { uuid })?;
        Ok(vm.xml.to_string())
    }

    async fn attach_device(&self, uuid: VmUuid, xml: &str) -> Result<(), HypervisorError> {
        self.change_devices(uuid, xml, add_device).await
    }

    async fn detach_device(&self, uuid: VmUuid, xml: &str) -> Result<(), HypervisorError> {
        self.change_devices(uuid, xml, remove_device).await
    }

    async fn grow_disk(&self, uuid: VmUuid, dev: &str, size: Bytes) -> Result<(), HypervisorError> {
        self.answers().await?;
        let mut state = self.room.state();
        let vm = state.vm_mut(&self.node, uuid).ok_or(HypervisorError::NoSuchVm { uuid })?;
        if !vm.devices.disks.iter().any(|disk| disk.dev == dev) {
            return Err(refused(&format!("it has no disk '{dev}'")));
        }
        vm.grown.insert(dev.to_owned(), size);
        Ok(())
    }
}
