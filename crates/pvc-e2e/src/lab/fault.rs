//! What a test does to hosts, their networks and BMCs, and how all of it is undone.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{COMMAND, Lab, Program, until};

/// How long an ensemble may take to have a leader.
const ELECTION: Duration = Duration::from_secs(30);

/// The lab as it tells of itself, as far as a test asks.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Status {
    /// What all hosts share, as this machine sees it.
    pub(super) shared: std::path::PathBuf,
    pub(super) hosts: Vec<Host>,
    /// Whether the hosts have a Ceph.
    pub(super) ceph: bool,
}

/// A host.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) storage: String,
    power: String,
    frozen: bool,
    bmc_reachable: bool,
    bmc_manner: String,
    partitioned: Vec<String>,
    deaf_to: Vec<String>,
    loss_percent: u8,
}

impl Status {
    /// Asks the lab.
    pub(super) fn of(program: &Program) -> Result<Self> {
        let said = program.run(COMMAND, &["status", "--json"])?.ok()?;
        serde_json::from_str(&said).with_context(|| format!("not understood: {said}"))
    }
}

impl Host {
    /// The lab's commands that undo what was done to it.
    fn mending(&self) -> Vec<Vec<&str>> {
        let name = self.name.as_str();
        let mut commands = Vec::new();
        if !self.bmc_reachable || self.bmc_manner != "honest" {
            commands.push(vec!["bmc", name, "up"]);
        }
        if !self.partitioned.is_empty() || !self.deaf_to.is_empty() || self.loss_percent > 0 {
            commands.push(vec!["heal", name]);
        }
        if self.frozen {
            commands.push(vec!["thaw", name]);
        }
        if self.power == "off" {
            commands.push(vec!["power", name, "on", "--wait"]);
        }
        commands
    }
}

impl Lab {
    /// Does something to the lab, in the words of `cargo xtask lab`.
    ///
    /// # Panics
    /// When it is refused.
    #[track_caller]
    pub fn fault(&self, words: &[&str]) {
        let said = self.program.run(COMMAND, words).and_then(super::Said::ok);
        said.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Cuts a host's power, and that of its BMC with it.
    ///
    /// # Panics
    /// When it is refused.
    #[track_caller]
    pub fn cut(&self, host: &str) {
        self.fault(&["bmc", host, "down"]);
        self.fault(&["power", host, "cut"]);
    }

    /// Lets a frozen host go on, unless it was reset or switched off meanwhile.
    ///
    /// # Panics
    /// When the lab cannot be seen.
    #[track_caller]
    pub fn thaw(&self, host: &str) {
        let said = self.program.run(COMMAND, &["thaw", host]);
        said.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Kills a unit's main process on a host, without warning.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn kill(&self, host: &str, unit: &str) {
        self.on(host, &["systemctl", "kill", "--kill-whom=main", "--signal=KILL", unit]);
    }

    /// Undoes all faults of all hosts; those without power boot.
    ///
    /// # Panics
    /// When a host does not come back.
    #[track_caller]
    pub fn mend(&self) {
        self.try_mend().unwrap_or_else(|error| panic!("{error:#}"));
    }

    pub(super) fn try_mend(&self) -> Result<()> {
        for host in Status::of(&self.program)?.hosts {
            for command in host.mending() {
                self.program.run(Duration::from_secs(120), &command)?.ok()?;
            }
        }
        Ok(())
    }

    /// Whether a host has power.
    ///
    /// # Panics
    /// When the lab does not say.
    #[must_use]
    #[track_caller]
    pub fn is_on(&self, host: &str) -> bool {
        let status = Status::of(&self.program).unwrap_or_else(|error| panic!("{error:#}"));
        status.hosts.iter().any(|one| one.name == host && one.power == "on")
    }

    /// The host whose ZooKeeper leads the ensemble.
    ///
    /// # Panics
    /// When none does within half a minute.
    #[must_use]
    #[track_caller]
    pub fn zookeeper_leader(&self) -> String {
        until("a leader of ZooKeeper", ELECTION, || {
            let leads = |host: &&String| {
                let ask = format!("echo srvr | nc -w2 {host} 2181");
                self.try_on(host, &["sh", "-c", &ask]).out.contains("Mode: leader")
            };
            self.hosts().iter().find(leads).cloned().ok_or_else(|| "none".to_owned())
        })
    }

    /// A node that is neither the primary coordinator nor leads ZooKeeper.
    ///
    /// # Panics
    /// When there is no such node.
    #[must_use]
    #[track_caller]
    pub fn plain_node(&self) -> String {
        let others = [self.primary(), self.zookeeper_leader()];
        let plain = self.hosts().iter().find(|host| !others.contains(host));
        plain.expect("three nodes have two such parts at most").clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(edit: impl Fn(&mut Host)) -> Host {
        let mut host = Host {
            name: "hv1".to_owned(),
            storage: "10.254.0.1".to_owned(),
            power: "on".to_owned(),
            frozen: false,
            bmc_reachable: true,
            bmc_manner: "honest".to_owned(),
            partitioned: Vec::new(),
            deaf_to: Vec::new(),
            loss_percent: 0,
        };
        edit(&mut host);
        host
    }

    #[test]
    fn a_host_that_is_well_is_left_alone() {
        assert!(host(|_| {}).mending().is_empty());
    }

    #[test]
    fn whatever_was_done_is_undone() {
        let undone = host(|host| host.bmc_manner = "lying".to_owned());
        assert_eq!(undone.mending(), [["bmc", "hv1", "up"]]);
        let undone = host(|host| host.loss_percent = 5);
        assert_eq!(undone.mending(), [["heal", "hv1"]]);
        let undone = host(|host| host.frozen = true);
        assert_eq!(undone.mending(), [["thaw", "hv1"]]);
        let undone = host(|host| host.power = "off".to_owned());
        assert_eq!(undone.mending(), [["power", "hv1", "on", "--wait"]]);
    }
}
