//! Where proof of a node's death comes from: BMCs and Ceph's blocklist.

use std::time::Duration;

use pvc_common::state::Verdict;

use crate::guard::Guard;
use crate::script::{Bmc, Net};
use crate::world::{HostId, Whose, World};

/// How long a fencer waits for a BMC, and for Ceph.
const PATIENCE_MS: u64 = 8_000;

/// How evidence ended.
pub type Finding = (Verdict, &'static str);

/// Who wants to know it.
pub type Then = Box<dyn FnOnce(&mut World, Finding) + Send>;

impl World {
    /// Lets a fencer tell a BMC to switch its host off, and look twice whether it is.
    pub fn ask_bmc(&mut self, by: HostId, life: u32, target: HostId, then: Then) {
        let me = Whose::Daemon(by, life);
        let no_answer: Finding = (Verdict::Failed, "its BMC does not answer");
        let answer_ms = match self.hosts[target].bmc {
            _ if self.network.is_cut(by, Net::Upstream) => None,
            Bmc::Ok | Bmc::Lying => Some(100),
            Bmc::Dead => None,
            Bmc::Slow(ms) => Some(ms),
        };
        let Some(answer_ms) = answer_ms else {
            return self.after(Duration::from_millis(PATIENCE_MS), me, move |world| {
                then(world, world.verdict(no_answer));
            });
        };
        // The command takes effect although nobody waits for it any more.
        self.within(answer_ms, answer_ms + 50, Whose::Nobody, move |world| {
            if world.hosts[target].bmc == Bmc::Lying {
                world.hosts[target].said_off = true;
            } else if world.hosts[target].powered {
                world.tell(target, || "is switched off by its BMC".to_owned());
                world.power_cut(target);
            }
        });
        let took = Duration::from_millis((answer_ms * 3 + 100).min(PATIENCE_MS));
        self.after(took, me, move |world| {
            let says_off = !world.hosts[target].powered || world.hosts[target].said_off;
            let finding = match answer_ms * 3 < PATIENCE_MS && says_off {
                true => (Verdict::Proved, "its BMC says twice that it is off"),
                false => no_answer,
            };
            then(world, world.verdict(finding));
        });
    }

    /// Lets a fencer switch a host on by its BMC.
    pub fn bmc_on(&mut self, by: HostId, target: HostId) {
        let answers = match self.hosts[target].bmc {
            Bmc::Ok | Bmc::Slow(_) => !self.network.is_cut(by, Net::Upstream),
            Bmc::Dead | Bmc::Lying => false,
        };
        if answers {
            self.within(200, 500, Whose::Nobody, move |world| {
                if !world.hosts[target].powered {
                    world.tell(target, || "is switched on by its BMC".to_owned());
                    world.power_on(target);
                }
            });
        }
    }

    /// Lets a fencer put a host's addresses on Ceph's blocklist.
    pub fn ask_storage(&mut self, by: HostId, life: u32, target: HostId, then: Then) {
        let me = Whose::Daemon(by, life);
        if !self.reaches_storage(by) {
            return self.after(Duration::from_millis(PATIENCE_MS), me, move |world| {
                then(world, world.verdict((Verdict::Failed, "Ceph does not answer")));
            });
        }
        let early = self.without == Some(Guard::Blocklist);
        let (from, to) = if early { (5_000, 20_000) } else { (150, 800) };
        let applied = self.chance.between(from, to);
        self.after(applied, Whose::Nobody, move |world| {
            world.block(target);
        });
        let known =
            if early { Duration::from_millis(1) } else { applied + Duration::from_millis(100) };
        self.after(known, me, move |world| {
            then(world, (Verdict::Proved, "its addresses are on the blocklist"));
        });
    }

    fn block(&mut self, target: HostId) {
        let host = &mut self.hosts[target];
        self.blocklist.insert(target, host.boot);
        host.qemus.values_mut().for_each(|qemu| qemu.shut_out = true);
        self.dirty = true;
        self.tell(target, || "is kept from its storage".to_owned());
    }

    /// A failure counts as proof where that guard is taken away.
    fn verdict(&self, finding: Finding) -> Finding {
        match self.without {
            Some(Guard::Proof) => (Verdict::Proved, finding.1),
            Some(
                Guard::Agreement | Guard::Claim | Guard::Version | Guard::Lease | Guard::Blocklist,
            )
            | None => finding,
        }
    }
}
