//! Keepalives and figures; and how a daemon comes to say that it serves.

use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_common::state::DaemonState;
use pvc_common::unit::{Mib, Vcpus};
use pvc_common::view::View;
use pvc_common::zk::{Op, Seen, key};

use super::World;
use crate::ensemble::Outcome;
use crate::world::{HostId, VmId};

/// Who is suspected writes a keepalive so often.
const REBUTTAL: Duration = Duration::from_millis(500);

impl World {
    /// A keepalive, and the next one after the interval.
    pub(crate) fn beat_and_again(&mut self, id: HostId) {
        let interval = Duration::from_secs(self.config.keepalive_interval.max(1));
        self.after(interval, self.own(id), move |world| world.beat_and_again(id));
        self.beat(id);
    }

    fn beat(&mut self, id: HostId) {
        let now = self.now;
        if !self.daemon(id).recorded || !self.daemon(id).linked {
            return;
        }
        self.daemon(id).beaten = Some(now);
        let name = self.hosts[id].name.clone();
        let seconds = self.wall_ms(id) / 1_000;
        let mut ops = vec![self.rewrite(&key::node_keepalive(&name), &seconds)];
        ops.extend(self.figures(id));
        let sent = self.instant();
        self.commit(id, ops, move |world, outcome| {
            if outcome == Outcome::Done {
                world.daemon(id).kept = Some(sent);
                world.serve(id);
            }
        });
    }

    /// Says that it is there, at once, if it sees that it is suspected.
    pub(super) fn rebut(&mut self, id: HostId, view: &View) {
        let own = view.nodes.get(&self.hosts[id].name);
        let suspected = own.is_some_and(|own| !own.liveness.suspicions.is_empty());
        let quiet = self.daemon(id).beaten.is_none_or(|at| self.now >= at + REBUTTAL);
        if suspected && quiet {
            self.beat(id);
        }
    }

    /// What the host's daemon counts, in one transaction with what runs there.
    pub(crate) fn figures(&self, id: HostId) -> Vec<Op> {
        let host = &self.hosts[id];
        let name = &host.name;
        let there: Vec<VmId> = host
            .qemus
            .iter()
            .filter(|(_, qemu)| qemu.run.may_execute())
            .map(|(vm, _)| *vm)
            .collect();
        let used: u64 = there.iter().map(|vm| self.vms[*vm].memory_mib).sum();
        let vcpus = there.iter().map(|vm| self.vms[*vm].vcpus).sum();
        let uuids: Vec<VmUuid> = there.iter().map(|vm| self.vms[*vm].uuid).collect();
        let count = u32::try_from(uuids.len()).unwrap_or(u32::MAX);
        let free = host.memory_mib.saturating_sub(used);
        let changed = |op: Op| {
            let same = match &op {
                Op::Set { path, data, .. } => {
                    self.tree.get(path).is_some_and(|(there, _)| *there == **data)
                }
                Op::Create { .. }
                | Op::CreateEphemeral { .. }
                | Op::Delete { .. }
                | Op::Check { .. } => false,
            };
            (!same).then_some(op)
        };
        [
            self.rewrite(&key::node_mem_total(name), &Mib(host.memory_mib)),
            self.rewrite(&key::node_mem_used(name), &Mib(used)),
            self.rewrite(&key::node_mem_free(name), &Mib(free)),
            self.rewrite(&key::node_mem_alloc(name), &Mib(used)),
            self.rewrite(&key::node_vcpu_alloc(name), &Vcpus(vcpus)),
            self.rewrite(&key::node_domains_count(name), &count),
            self.rewrite(&key::node_running_domains(name), &uuids),
        ]
        .into_iter()
        .filter_map(changed)
        .collect()
    }

    /// A daemon that sends keepalives is serving, unless it is condemned: then it waits for its
    /// fate.
    fn serve(&mut self, id: HostId) {
        let name = self.hosts[id].name.clone();
        let state = self.read(&key::node_daemon_state(&name));
        // Also one that serves: its addresses may have been put there after its fence ended.
        if self.read(&key::node_fence(&name)) != Seen::Absent || !self.clean_up(id) {
            return;
        }
        match state.copied() {
            Some(DaemonState::Run | DaemonState::Shutdown | DaemonState::Stop) => return,
            Some(DaemonState::Init | DaemonState::Dead | DaemonState::Fenced) | None => {}
        }
        let op = key::node_daemon_state(&name).put(&state, &DaemonState::Run);
        self.commit(id, vec![op], move |world, outcome| {
            if outcome == Outcome::Done {
                world.tell(id, || "serves".to_owned());
            }
        });
    }

    /// Before it serves again after a fence: what Ceph has shut out can never write again, so it
    /// ends; only then the host's addresses leave the blocklist.
    fn clean_up(&mut self, id: HostId) -> bool {
        if !self.blocklist.contains_key(&id) {
            return true;
        }
        if self.daemon(id).unblocking || !self.reaches_storage(id) {
            return false;
        }
        let shut_out: Vec<VmId> = self.hosts[id]
            .qemus
            .iter()
            .filter(|(_, qemu)| qemu.shut_out)
            .map(|(vm, _)| *vm)
            .collect();
        self.daemon(id).unblocking = true;
        if shut_out.is_empty() {
            self.within(200, 600, self.own(id), move |world| {
                world.daemon(id).unblocking = false;
                let left = world.hosts[id].qemus.values().any(|qemu| qemu.shut_out);
                if !left && world.reaches_storage(id) {
                    world.blocklist.remove(&id);
                    world.dirty = true;
                    world.tell(id, || "takes itself off the blocklist".to_owned());
                    world.serve(id);
                }
            });
            return false;
        }
        for vm in shut_out {
            self.destroy_qemu(id, vm, Box::new(|_, _| ()));
        }
        self.within(500, 900, self.own(id), move |world| {
            world.daemon(id).unblocking = false;
            world.serve(id);
        });
        false
    }
}
