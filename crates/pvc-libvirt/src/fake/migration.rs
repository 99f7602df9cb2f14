//! A migration from one node of the room to another.
//!
//! As with libvirt, it is carried on by the room, whoever asked for it: a task of its own
//! brings it to an end even if nobody waits any more.

use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_common::observed::RunState;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::room::FakeRoom;
use super::script::MigrationEnd;
use super::state::{Condition, Departure, FakeVm, State, What};
use crate::hypervisor::{Destination, HypervisorError, Progress};

/// One migration: who goes where.
#[derive(Clone, Debug)]
pub(super) struct Way {
    room: FakeRoom,
    uuid: VmUuid,
    from: String,
    to: String,
    /// The QEMU process at the source, and the one at the target.
    processes: [u64; 2],
    departure: Arc<Departure>,
}

impl Way {
    /// Prepares the target, as libvirt does before it sends anything.
    pub(super) fn begin(
        room: &FakeRoom,
        uuid: VmUuid,
        from: &str,
        destination: &Destination,
    ) -> Result<Self, HypervisorError> {
        let mut state = room.state();
        let to = target(&state, &destination.peer_uri)?;
        let arriving_process = state.next_process();
        let guest = state.guest(uuid);
        let source = state.vm(from, uuid).ok_or(HypervisorError::NoSuchVm { uuid })?;
        if source.departure.is_some() || !source.run.may_execute() {
            return Err(refused("another job of the VM is active"));
        }
        if state.vm(&to, uuid).is_some() {
            return Err(refused(&format!("{to} has this VM already")));
        }
        let departure = Arc::new(Departure {
            to: to.clone(),
            began: Instant::now(),
            guest,
            give_up: Notify::new(),
        });
        let processes = [source.process, arriving_process];
        let arriving = FakeVm {
            process: arriving_process,
            name: source.name.clone(),
            memory: source.memory,
            vcpus: source.vcpus,
            xml: Arc::clone(&source.xml),
            devices: Arc::clone(&source.devices),
            run: RunState::Incoming,
            since: Instant::now(),
            departure: None,
            // Its QEMU sees its disks as they are.
            grown: source.grown.clone(),
        };
        state.insert(&to, uuid, arriving);
        if let Some(source) = state.vm_mut(from, uuid) {
            source.departure = Some(Arc::clone(&departure));
        }
        state.happened(from, uuid, What::Departed);
        drop(state);
        let from = from.to_owned();
        Ok(Self { room: room.clone(), uuid, from, to, processes, departure })
    }

    /// Brings it to an end.
    pub(super) async fn carry(self, limit: Duration) -> Result<(), HypervisorError> {
        let guest = &self.departure.guest;
        let transfer = async {
            sleep(guest.migrates_in).await;
            match &guest.migration_end {
                MigrationEnd::Succeeds => Ok(()),
                MigrationEnd::Fails(why) => Err(refused(why)),
                MigrationEnd::Never => std::future::pending().await,
            }
        };
        let outcome = timeout(limit, async {
            tokio::select! {
                biased;
                () = self.departure.give_up.notified() => Err(refused("the migration was aborted")),
                outcome = transfer => outcome,
            }
        })
        .await
        .unwrap_or(Err(HypervisorError::MigrationTooLong { limit }));
        match outcome.and_then(|()| self.switch_over()) {
            Ok(()) => {
                sleep(guest.lingers).await;
                self.leave();
                Ok(())
            }
            Err(error) => {
                self.stay();
                Err(error)
            }
        }
    }

    /// The source has stopped for good, and the target goes on.
    fn switch_over(&self) -> Result<(), HypervisorError> {
        let mut state = self.room.state();
        let [source, target] = self.processes;
        if !state.has_process(&self.from, self.uuid, source) {
            return Err(refused("the VM ended while it was sent"));
        }
        if !state.has_process(&self.to, self.uuid, target) {
            return Err(refused("the target lost the VM while it was sent"));
        }
        if let Some(vm) = state.vm_mut(&self.from, self.uuid) {
            vm.run = RunState::Outgone;
        }
        if let Some(vm) = state.vm_mut(&self.to, self.uuid) {
            vm.run = RunState::Running;
            vm.since = Instant::now();
        }
        state.happened(&self.to, self.uuid, What::Arrived);
        Ok(())
    }

    fn leave(&self) {
        let mut state = self.room.state();
        if state.has_process(&self.from, self.uuid, self.processes[0]) {
            state.remove(&self.from, self.uuid);
            state.happened(&self.from, self.uuid, What::Left);
        }
    }

    fn stay(&self) {
        let mut state = self.room.state();
        let [source, target] = self.processes;
        if state.has_process(&self.to, self.uuid, target) {
            state.remove(&self.to, self.uuid);
        }
        if state.has_process(&self.from, self.uuid, source)
            && let Some(vm) = state.vm_mut(&self.from, self.uuid)
        {
            vm.departure = None;
            state.happened(&self.from, self.uuid, What::Stayed);
        }
    }
}

impl Departure {
    pub(super) fn progress(&self, memory_bytes: u64) -> Progress {
        let takes = self.guest.migrates_in.as_millis().max(1);
        let left = takes.saturating_sub(self.began.elapsed().as_millis());
        let remaining = u128::from(memory_bytes) * left / takes;
        let remaining_bytes = u64::try_from(remaining).unwrap_or(memory_bytes);
        Progress { total_bytes: memory_bytes, remaining_bytes }
    }
}

/// The node that a connection URI names: `hv2` of `qemu+tcp://hv2.pvc.local/system`.
fn target(state: &State, uri: &str) -> Result<String, HypervisorError> {
    let host = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let name = host.split(['.', '/', ':']).next().unwrap_or_default();
    match state.nodes.get(name) {
        Some(node) if *node.condition.borrow() == Condition::Answers => Ok(name.to_owned()),
        Some(_) | None => Err(refused(&format!("unable to connect to server at `{name}`"))),
    }
}

pub(super) fn refused(message: &str) -> HypervisorError {
    HypervisorError::Refused { message: message.to_owned() }
}
