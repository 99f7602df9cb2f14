//! A host: its power, its clock, its BMC, its watchdog, and what runs on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_plan::lease::To;

use crate::daemon::Daemon;
use crate::daemon::mesh::Around;
use crate::qemu::Qemu;
use crate::script::Bmc;
use crate::world::{Event, HostId, VmId, Whose, World};

/// A host.
pub struct Host {
    /// The node it is.
    pub name: NodeName,
    /// Whether it is a coordinator.
    pub coordinator: bool,
    /// Its memory.
    pub memory_mib: u64,
    /// Its processors.
    pub vcpus: u32,
    /// How long it boots.
    pub boot_time: Duration,
    /// Whether it has a watchdog device.
    pub watchdog: bool,
    /// Whether it has power.
    pub powered: bool,
    /// Whether it has booted.
    pub booted: bool,
    /// Which boot it is: counts power, too.
    pub boot: u32,
    /// Whether everything on it stands still.
    pub frozen: bool,
    /// When it thawed.
    pub thawed: Option<Duration>,
    /// What waits for it to thaw.
    pub deferred: Vec<Event>,
    /// By how many seconds its wall clock is wrong.
    pub clock_s: i64,
    /// What its BMC does.
    pub bmc: Bmc,
    /// Whether its lying BMC says that the host is off.
    pub said_off: bool,
    /// Whether its ZooKeeper server runs when the host does.
    pub zookeeper: bool,
    /// Its daemon, while that runs.
    pub daemon: Option<Box<Daemon>>,
    /// How many daemons there were.
    pub lives: u32,
    /// Whether it holds the floating addresses.
    pub addresses: bool,
    /// Whether it leads what is replicated.
    pub leads: bool,
    /// Whether it runs the primary's services.
    pub services: bool,
    /// What its daemon promised, all that anybody may be reading: kept on the host until it boots,
    /// so that the next daemon keeps the promise of the last.
    pub promised: Vec<To>,
    /// The starts that libvirt was asked for and has not answered, kept likewise.
    pub starts: BTreeSet<VmId>,
    /// Whom its daemon accuses, kept like the promise; nothing if that is lost.
    pub accused: Option<BTreeSet<NodeName>>,
    /// Whom it probes, once that was reckoned.
    pub(crate) around: Option<Arc<Around>>,
    /// When its armed watchdog device switches it off and on.
    pub bites_at: Option<Duration>,
    /// The QEMU processes on it.
    pub qemus: BTreeMap<VmId, Qemu>,
}

impl Host {
    /// Whether its daemon is the one of this life.
    #[must_use]
    pub fn lives(&self, life: u32) -> bool {
        self.daemon.as_ref().is_some_and(|daemon| daemon.life == life)
    }

    /// Names this boot.
    #[must_use]
    pub fn boot_name(&self) -> String {
        format!("{}-boot-{}", self.name, self.boot)
    }

    fn lose_everything(&mut self) {
        self.boot += 1;
        self.booted = false;
        self.frozen = false;
        self.deferred.clear();
        self.daemon = None;
        self.addresses = false;
        self.leads = false;
        self.services = false;
        self.bites_at = None;
        self.promised.clear();
        self.starts.clear();
        self.accused = None;
        self.qemus.clear();
    }
}

impl World {
    /// The host loses its power, and all that was on it.
    pub fn power_cut(&mut self, id: HostId) {
        let session = self.hosts[id].daemon.as_ref().and_then(|daemon| daemon.session);
        self.lose(session);
        self.migrations.retain(|_, migration| migration.from != id);
        self.hosts[id].lose_everything();
        self.hosts[id].powered = false;
        self.refresh();
    }

    /// The host gets power, and boots.
    pub fn power_on(&mut self, id: HostId) {
        if self.hosts[id].powered {
            return;
        }
        let host = &mut self.hosts[id];
        host.powered = true;
        host.said_off = false;
        host.boot += 1;
        let (boot, time) = (host.boot, host.boot_time);
        self.after(time, Whose::Host(id, boot), move |world| {
            world.hosts[id].booted = true;
            world.tell(id, || "has booted".to_owned());
            world.refresh();
            world.within(200, 600, Whose::Host(id, boot), move |world| world.start_daemon(id));
        });
        self.refresh();
    }

    /// Everything on the host stops.
    pub fn freeze(&mut self, id: HostId) {
        if self.hosts[id].powered {
            self.hosts[id].frozen = true;
            self.refresh();
        }
    }

    /// Everything on the host goes on where it stopped.
    pub fn thaw(&mut self, id: HostId) {
        if self.hosts[id].frozen {
            self.hosts[id].frozen = false;
            self.hosts[id].thawed = Some(self.now);
            self.resume(id);
            self.refresh();
        }
    }

    /// The watchdog device is fed: it bites after `patience`, unless it is fed again. It counts
    /// in hardware, whatever the host does.
    pub fn feed(&mut self, id: HostId, patience: Duration) {
        let at = self.now + patience;
        let waits = self.hosts[id].bites_at.replace(at).is_some();
        if !waits {
            let boot = self.hosts[id].boot;
            self.after(patience, Whose::Nobody, move |world| world.bite(id, boot));
        }
    }

    fn bite(&mut self, id: HostId, boot: u32) {
        let (true, Some(at)) = (self.hosts[id].boot == boot, self.hosts[id].bites_at) else {
            return;
        };
        if at > self.now {
            let wait = at.saturating_sub(self.now);
            return self.after(wait, Whose::Nobody, move |world| world.bite(id, boot));
        }
        self.tell(id, || "its watchdog switches it off and on".to_owned());
        self.judge_reset(id);
        self.power_cut(id);
        self.power_on(id);
    }

    /// The daemon crashes: what it had in mind is lost, what it began goes on without it.
    pub fn crash_daemon(&mut self, id: HostId) {
        let Some(daemon) = self.hosts[id].daemon.take() else { return };
        self.lose(daemon.session);
        self.refresh();
    }

    /// The daemon crashes between two of its steps; its supervisor starts it again.
    pub fn stumble(&mut self, id: HostId) {
        self.tell(id, || "its daemon crashes".to_owned());
        self.crash_daemon(id);
        let boot = self.hosts[id].boot;
        self.within(300, 1_500, Whose::Host(id, boot), move |world| world.start_daemon(id));
    }
}
