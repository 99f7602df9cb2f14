//! Leaving the cluster as it was, and showing what happened where a test failed.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::look::{running_on, standing};
use super::{COMMAND, Lab, PREFIX, until};

/// How long the cluster may take to come to rest after whatever a test did to it.
const REST: Duration = Duration::from_secs(120);

/// How many lines of each host's daemons are shown.
const LINES: &str = "80";

/// How long a command of the client may take.
const LIMIT: Duration = Duration::from_secs(15);

impl Lab {
    /// Ends all faults and maintenance, restores settings, removes every VM of the tests and has every
    /// node in service. A fence that goes on meanwhile may switch hosts off once more.
    pub(super) fn clean(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let seen = self.clean_once();
            if seen.is_ok() || begun.elapsed() > REST {
                return seen;
            }
        }
    }

    /// Asks for what is left to ask for; an error as long as there is something left.
    fn clean_once(&self) -> Result<()> {
        self.try_mend()?;
        // Only hosts that are on and can be reached have their settings restored.
        self.restore_settings()?;
        self.program
            .run(LIMIT, &["pvc", "--", "--quiet", "cluster", "maintenance", "off"])?
            .ok()?;
        let undefine = |vm: &str| {
            self.program.run(LIMIT, &["pvc", "--", "--unsafe", "--quiet", "vm", "undefine", vm])
        };
        let ready = |node: &str| {
            self.program.run(LIMIT, &["pvc", "--", "--quiet", "node", "ready", "--wait", node])
        };
        let vms: Vec<_> = self.try_vms()?;
        for vm in vms.iter().filter(|vm| vm.name.starts_with(PREFIX)) {
            undefine(&vm.name)?.ok()?;
            self.forget(&vm.name)?;
        }
        if self.has_storage {
            self.clean_storage()?;
        }
        for node in self.try_nodes()? {
            ensure!(node.daemon_state == "run", "{} is in state {}", node.name, node.daemon_state);
            if node.domain_state != "ready" {
                ready(&node.name)?.ok()?;
            }
        }
        for host in self.hosts() {
            let left = running_on(&self.program, host)?;
            let left: Vec<_> = left.iter().filter(|vm| vm.starts_with(PREFIX)).collect();
            ensure!(left.is_empty(), "{host} still runs {left:?}");
        }
        Ok(())
    }

    /// Waits until all nodes serve and are in service and exactly one of them is primary.
    ///
    /// # Panics
    /// When they do not come to that.
    #[track_caller]
    pub fn await_rest(&self) {
        until("the nodes to be at rest", REST, || {
            let nodes = self.try_nodes().map_err(|error| format!("{error:#}"))?;
            let rests = nodes.iter().all(|node| {
                let states = (node.daemon_state.as_str(), node.domain_state.as_str());
                let role = node.coordinator_state.as_str();
                states == ("run", "ready") && matches!(role, "primary" | "secondary" | "client")
            });
            let primaries = nodes.iter().filter(|node| node.coordinator_state == "primary").count();
            if rests && primaries == 1 {
                return Ok(());
            }
            let seen: Vec<String> = nodes
                .iter()
                .map(|node| {
                    let (daemon, domain) = (&node.daemon_state, &node.domain_state);
                    format!("{}: {daemon}, {}, {domain}", node.name, node.coordinator_state)
                })
                .collect();
            Err(seen.join("; "))
        });
    }

    /// Shows what a person would look at first.
    pub(super) fn show(&self) {
        for host in self.hosts() {
            let since = format!("--since=@{}", self.since.as_secs());
            let journal = ["exec", host, "journalctl", "--no-pager", "--output=short-precise"];
            let which = [since.as_str(), "-n", LINES, "-u", "pvcnoded", "-u", "pvcapid"];
            let words: Vec<&str> = journal.iter().chain(&which).copied().collect();
            let said = self.program.run(COMMAND, &words);
            let text = said.map_or_else(|error| format!("{error:#}"), |said| said.out + &said.err);
            say(&format!("--- the daemons of {host}\n{text}"));
        }
        if self.has_storage {
            self.show_storage();
        }
        match self.try_vms() {
            Ok(vms) => vms.iter().for_each(|vm| say(&standing(vm))),
            Err(error) => say(&format!("the VMs cannot be seen: {error:#}")),
        }
    }
}

/// Tells whoever reads the test's output.
#[expect(clippy::print_stderr, reason = "what a failed test shows is for people")]
pub(super) fn say(text: &str) {
    eprintln!("{text}");
}
