//! What a script commands, done to the world.

use std::time::Duration;

use crate::script::{Command, NETS};
use crate::world::{HostId, Whose, World};

impl World {
    /// Does what a command says. Names that are not there were refused before.
    pub fn enact(&mut self, command: &Command) {
        let now = self.now;
        if *command != Command::End {
            self.story.tell(now, || format!("scenario: {command}"));
        }
        match command {
            Command::PowerCut(node) => self.on(node, Self::power_cut),
            Command::PowerOn(node) => self.on(node, Self::power_on),
            Command::Bmc(node, bmc) => {
                self.on(node, |world, id| {
                    world.hosts[id].bmc = *bmc;
                    world.hosts[id].said_off = false;
                });
            }
            Command::Cut(node, nets) => self.on(node, |world, id| {
                nets.iter().for_each(|net| world.network.cut(id, *net));
                world.refresh();
            }),
            Command::Heal(node) => self.on(node, |world, id| {
                world.network.heal(id);
                world.refresh();
            }),
            Command::OneWay(from, to, cut) => self.on(from, |world, from| {
                if let Some(to) = world.host(to) {
                    world.network.one_way(from, to, *cut);
                    world.refresh();
                }
            }),
            Command::Loss(node, percent) => self.on(node, |world, id| {
                world.network.lose(id, *percent);
                world.refresh();
            }),
            Command::Mesh(node, cut) => self.on(node, |world, id| {
                world.network.wall(id, *cut);
                world.refresh();
            }),
            Command::Freeze(node) => self.on(node, Self::freeze),
            Command::Thaw(node) => self.on(node, Self::thaw),
            Command::Clock(node, by) => self.on(node, |world, id| world.hosts[id].clock_s += by),
            Command::ZooKeeper(node, up) => self.on(node, |world, id| {
                world.hosts[id].zookeeper = *up;
                world.refresh();
            }),
            Command::Daemon(node, true) => self.on(node, Self::start_daemon),
            Command::Daemon(node, false) => self.on(node, Self::crash_daemon),
            Command::Vm(..) | Command::Node(..) | Command::Maintenance(_) => {
                self.wish(command.clone(), 0);
            }
            Command::End => self.end(),
        }
    }

    fn on(&mut self, node: &str, deed: impl FnOnce(&mut Self, HostId)) {
        if let Some(id) = self.host(node) {
            deed(self, id);
        }
    }

    /// A person's wish waits until ZooKeeper takes it, for a while.
    fn wish(&mut self, command: Command, tries: u32) {
        let done = self.ensemble.leader.is_some() && self.grant(&command);
        if !done && tries < 120 {
            self.after(Duration::from_millis(500), Whose::Nobody, move |world| {
                world.wish(command, tries + 1);
            });
        }
    }

    fn end(&mut self) {
        self.over = true;
    }

    /// Ends every fault: what is off gets power, what stands still goes on.
    pub fn heal_everything(&mut self) {
        let now = self.now;
        self.story.tell(now, || "scenario: every fault ends".to_owned());
        self.network.mend();
        for id in 0..self.hosts.len() {
            self.hosts[id].bmc = crate::script::Bmc::Ok;
            self.hosts[id].said_off = false;
            self.hosts[id].zookeeper = true;
            self.thaw(id);
            self.power_on(id);
            if self.hosts[id].booted && self.hosts[id].daemon.is_none() {
                self.start_daemon(id);
            }
        }
        debug_assert!(NETS.iter().all(|net| !self.network.is_cut(0, *net)));
        self.refresh();
    }
}
