//! QEMU processes and live migrations, as libvirt has them.

use std::time::Duration;

use pvc_common::observed::RunState;
use pvc_plan::vm::Outcome;

use crate::script::Net;
use crate::world::{HostId, VmId, Whose, World};

/// A QEMU process.
#[derive(Clone, Copy, Debug)]
pub struct Qemu {
    /// What it is doing.
    pub run: RunState,
    /// Tells it from any other.
    pub number: u64,
    /// Whether Ceph refuses it for good: it was there when its host was put on the blocklist.
    pub shut_out: bool,
}

/// A live migration under way.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// From where.
    pub from: HostId,
    to: HostId,
    number: u64,
    /// Whether it shall end without effect.
    aborted: bool,
}

/// Who wants to know how something ended: what a daemon waits for.
pub type Then = Box<dyn FnOnce(&mut World, Outcome) + Send>;

impl World {
    /// A new QEMU process.
    pub fn new_qemu(&mut self, id: HostId, vm: VmId, run: RunState) -> Qemu {
        let shut_out = self.blocklist.contains_key(&id);
        let qemu = Qemu { run, number: self.chance.number(), shut_out };
        self.hosts[id].qemus.insert(vm, qemu);
        self.dirty = true;
        qemu
    }

    /// Whether this QEMU can write to the VM's disks.
    #[must_use]
    pub fn can_write(&self, id: HostId, vm: VmId) -> bool {
        let Some(qemu) = self.hosts[id].qemus.get(&vm) else { return false };
        let fenced = !self.vms[vm].local && (qemu.shut_out || self.blocklist.contains_key(&id));
        qemu.run.may_execute() && self.up(id) && !fenced
    }

    /// Whether a host reaches the storage cluster: it and most of the monitors, which are on the
    /// coordinators, are connected.
    #[must_use]
    pub fn reaches_storage(&self, id: HostId) -> bool {
        let monitors = self.hosts.iter().filter(|host| host.coordinator).count();
        let reached = (0..self.hosts.len()).filter(|other| {
            self.hosts[*other].coordinator
                && self.up(*other)
                && self.network.talk(id, *other, Net::Storage)
        });
        self.up(id) && !self.network.is_cut(id, Net::Storage) && reached.count() * 2 > monitors
    }

    /// Starts a QEMU process. It comes up although the daemon that asked for it is gone.
    pub fn start_qemu(&mut self, id: HostId, vm: VmId, then: Then) {
        let boot = self.hosts[id].boot;
        let works = self.reaches_storage(id) && !self.blocklist.contains_key(&id);
        if !works && !self.vms[vm].local {
            return self.within(3_000, 6_000, Whose::Host(id, boot), move |world| {
                then(world, Outcome::Unclear("storage does not answer".to_owned()));
            });
        }
        self.within(300, 1_500, Whose::Host(id, boot), move |world| {
            if !world.hosts[id].qemus.contains_key(&vm) {
                world.new_qemu(id, vm, RunState::Running);
                world.told(id, vm, "vm-started", "started");
            }
            then(world, Outcome::Done);
        });
    }

    fn told(&mut self, id: HostId, vm: VmId, event: &str, text: &str) {
        let (now, node, vm) = (self.now, self.hosts[id].name.as_str(), self.vms[vm].name.as_str());
        let about = [("vm", vm), ("node", node)];
        self.story.event(now, event, &about, || format!("     {node}: {vm} {text}"));
    }

    /// Ends a QEMU process.
    pub fn destroy_qemu(&mut self, id: HostId, vm: VmId, then: Then) {
        let boot = self.hosts[id].boot;
        self.within(100, 400, Whose::Host(id, boot), move |world| {
            world.remove_qemu(id, vm);
            then(world, Outcome::Done);
        });
    }

    fn remove_qemu(&mut self, id: HostId, vm: VmId) {
        if let Some(qemu) = self.hosts[id].qemus.remove(&vm) {
            self.dirty = true;
            if qemu.run.may_execute() {
                self.told(id, vm, "vm-stopped", "stopped");
            }
            self.look_soon(id);
        }
    }

    /// Asks the guest to shut down: most do, after a while.
    pub fn ask_shutdown(&mut self, id: HostId, vm: VmId, then: Then) {
        let boot = self.hosts[id].boot;
        let Some(asked) = self.hosts[id].qemus.get(&vm).copied() else {
            return then(self, Outcome::Unclear("there is no such VM".to_owned()));
        };
        if !self.chance.happens(50) {
            self.within(1_500, 12_000, Whose::Host(id, boot), move |world| {
                let now = world.hosts[id].qemus.get(&vm).copied();
                if now.is_some_and(|q| q.number == asked.number && q.run.may_execute()) {
                    world.remove_qemu(id, vm);
                }
            });
        }
        then(self, Outcome::Done);
    }

    /// Sends a VM to another host, live.
    pub fn migrate_qemu(&mut self, from: HostId, vm: VmId, to: HostId, then: Then) {
        let boot = self.hosts[from].boot;
        let number = self.chance.number();
        if self.hosts[from].qemus.get(&vm).is_none_or(|qemu| !qemu.run.may_execute()) {
            return then(self, Outcome::Unclear("it does not run".to_owned()));
        }
        self.migrations.insert(vm, Migration { from, to, number, aborted: false });
        self.within(200, 600, Whose::Host(from, boot), move |world| {
            let possible = world.up(to)
                && world.network.talk(from, to, Net::Cluster)
                && !world.hosts[to].qemus.contains_key(&vm);
            if !possible {
                world.migrations.remove(&vm);
                return world.within(500, 3_000, Whose::Host(from, boot), move |world| {
                    then(world, Outcome::Unclear("its target does not answer".to_owned()));
                });
            }
            let incoming = world.new_qemu(to, vm, RunState::Incoming).number;
            world.watch_incoming(from, to, vm, incoming);
            world.within(2_000, 8_000, Whose::Host(from, boot), move |world| {
                world.arrive(vm, Migration { from, to, number, aborted: false }, incoming, then);
            });
        });
    }

    /// The target's libvirt lets go of what is not sent any more, a while after it noticed.
    fn watch_incoming(&mut self, from: HostId, to: HostId, vm: VmId, incoming: u64) {
        let boot = self.hosts[to].boot;
        self.within(5_000, 10_000, Whose::Host(to, boot), move |world| {
            let left = world.hosts[to].qemus.get(&vm).copied();
            if left.is_none_or(|q| q.number != incoming || q.run != RunState::Incoming) {
                return;
            }
            let linked = world.up(from) && world.network.talk(from, to, Net::Cluster);
            if linked && world.is_migrating(from, vm) {
                world.watch_incoming(from, to, vm, incoming);
            } else {
                world.remove_qemu(to, vm);
            }
        });
    }

    /// Ends a migration without effect, if it still goes on.
    pub fn abort_migration(&mut self, vm: VmId) {
        if let Some(migration) = self.migrations.get_mut(&vm) {
            migration.aborted = true;
        }
    }

    /// Whether libvirt is sending a VM elsewhere from here.
    #[must_use]
    pub fn is_migrating(&self, id: HostId, vm: VmId) -> bool {
        self.migrations.get(&vm).is_some_and(|migration| migration.from == id)
    }

    /// The memory has been sent: the guest goes on at its target, or stays.
    fn arrive(&mut self, vm: VmId, sent: Migration, incoming: u64, then: Then) {
        let Migration { from, to, number, .. } = sent;
        let boot = self.hosts[from].boot;
        let known = self.migrations.get(&vm).filter(|known| known.number == number);
        let wanted = known.is_some_and(|known| !known.aborted);
        if known.is_some() {
            self.migrations.remove(&vm);
        }
        let waits = self.hosts[to].qemus.get(&vm).is_some_and(|qemu| qemu.number == incoming);
        let runs = self.hosts[from].qemus.get(&vm).is_some_and(|qemu| qemu.run.may_execute());
        let linked = self.up(to) && self.network.talk(from, to, Net::Cluster);
        if wanted && waits && runs && linked && self.reaches_storage(to) {
            if let Some(qemu) = self.hosts[from].qemus.get_mut(&vm) {
                qemu.run = RunState::Outgone;
            }
            if let Some(qemu) = self.hosts[to].qemus.get_mut(&vm) {
                qemu.run = RunState::Running;
            }
            self.dirty = true;
            self.told(to, vm, "vm-migrated", "arrived");
            self.look_soon(to);
            // Now and then the source hears of it late.
            let late = if self.chance.happens(50) { 5_000 } else { 300 };
            return self.within(50, late, Whose::Host(from, boot), move |world| {
                world.remove_qemu(from, vm);
                then(world, Outcome::Done);
            });
        }
        let (target_boot, patience) = (self.hosts[to].boot, self.chance.between(500, 20_000));
        self.after(patience, Whose::Host(to, target_boot), move |world| {
            let left = world.hosts[to].qemus.get(&vm).copied();
            if left.is_some_and(|q| q.number == incoming && q.run == RunState::Incoming) {
                world.remove_qemu(to, vm);
            }
        });
        let why = Outcome::Unclear("it broke off".to_owned());
        self.after(Duration::from_millis(200), Whose::Host(from, boot), move |w| then(w, why));
    }
}
