//! What a test sees: the cluster through the client, the hosts through their own tools.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use pvc_common::api;
use serde::de::DeserializeOwned;

use super::{COMMAND, Lab, until};

/// How long a VM may take to start, on a busy machine under emulation.
pub(super) const START: Duration = Duration::from_secs(60);

impl Lab {
    /// The cluster's nodes.
    ///
    /// # Errors
    /// When the API does not answer.
    pub fn try_nodes(&self) -> Result<Vec<api::Node>> {
        self.list(&["node", "list"])
    }

    /// The cluster's VMs.
    ///
    /// # Errors
    /// When the API does not answer.
    pub fn try_vms(&self) -> Result<Vec<api::Vm>> {
        self.list(&["vm", "list"])
    }

    /// What the client lists.
    ///
    /// # Errors
    /// When the API does not answer.
    pub fn list<T: DeserializeOwned>(&self, words: &[&str]) -> Result<Vec<T>> {
        let all: Vec<&str> = ["pvc", "--", "--quiet"]
            .iter()
            .chain(words)
            .chain(&["--format", "json"])
            .copied()
            .collect();
        let out = self.program.run(COMMAND, &all)?.ok()?;
        serde_json::from_str(&out).with_context(|| format!("not understood: {out}"))
    }

    /// One node.
    ///
    /// # Panics
    /// When the API does not answer or does not know it.
    #[must_use]
    #[track_caller]
    pub fn node(&self, name: &str) -> api::Node {
        let nodes = self.try_nodes().unwrap_or_else(|error| panic!("{error:#}"));
        nodes.into_iter().find(|node| node.name == name).expect("the node is there")
    }

    /// One VM, if the API answers and knows it.
    ///
    /// # Errors
    /// Why it cannot be seen, for people.
    pub fn try_vm(&self, name: &str) -> Result<api::Vm, String> {
        let vms = self.try_vms().map_err(|error| format!("{error:#}"))?;
        vms.into_iter().find(|vm| vm.name == name).ok_or_else(|| format!("there is no {name}"))
    }

    /// One VM.
    ///
    /// # Panics
    /// When the API does not answer or does not know it.
    #[must_use]
    #[track_caller]
    pub fn vm(&self, name: &str) -> api::Vm {
        self.try_vm(name).unwrap_or_else(|seen| panic!("{seen}"))
    }

    /// Waits until the VM is in this state, and returns it.
    ///
    /// # Panics
    /// When it is not within a minute.
    #[track_caller]
    pub fn await_state(&self, vm: &str, state: &str) -> api::Vm {
        until(&format!("{vm} to be in state {state}"), START, || {
            let seen = self.try_vm(vm)?;
            if seen.state == state { Ok(seen) } else { Err(standing(&seen)) }
        })
    }

    /// Waits until the VM rests in state start and runs on the node that the cluster says,
    /// and nowhere else; returns that node.
    ///
    /// # Panics
    /// When it does not within a minute.
    #[track_caller]
    pub fn await_running(&self, vm: &str) -> String {
        until(&format!("{vm} to run"), START, || {
            let seen = self.try_vm(vm)?;
            let on = self.hosts_running(vm).map_err(|error| format!("{error:#}"))?;
            if seen.state == "start" && on == [seen.node.clone()] {
                return Ok(seen.node);
            }
            Err(format!("{}; running on {on:?}", standing(&seen)))
        })
    }

    /// Waits until the VM rests in state start and runs on another node than `lost`, which may be
    /// one that nobody can ask; returns where it runs.
    ///
    /// # Panics
    /// When it does not within a minute.
    #[track_caller]
    pub fn await_running_elsewhere(&self, vm: &str, lost: &str) -> String {
        until(&format!("{vm} to run elsewhere than on {lost}"), START, || {
            let seen = self.try_vm(vm)?;
            if seen.state != "start" || seen.node == lost {
                return Err(standing(&seen));
            }
            let on = running_on(&self.program, &seen.node).map_err(|error| format!("{error:#}"))?;
            if on.contains(vm) { Ok(seen.node) } else { Err(standing(&seen)) }
        })
    }

    /// Waits until a node's daemon is in state run.
    ///
    /// # Panics
    /// When it is not within `limit`.
    #[track_caller]
    pub fn await_node(&self, node: &str, limit: Duration) {
        until(&format!("{node} to run"), limit, || {
            let nodes = self.try_nodes().map_err(|error| format!("{error:#}"))?;
            let seen = nodes.into_iter().find(|seen| seen.name == node).ok_or("it is gone")?;
            if seen.daemon_state == "run" { Ok(()) } else { Err(seen.daemon_state) }
        });
    }

    /// The hosts on which libvirt says that the VM runs.
    ///
    /// # Errors
    /// When a host's libvirt does not answer.
    pub fn hosts_running(&self, vm: &str) -> Result<Vec<String>> {
        let mut on = Vec::new();
        for host in self.hosts() {
            if running_on(&self.program, host)?.contains(vm) {
                on.push(host.clone());
            }
        }
        Ok(on)
    }

    /// The VMs that libvirt runs on a host.
    ///
    /// # Panics
    /// When libvirt does not answer.
    #[must_use]
    #[track_caller]
    pub fn running_on(&self, host: &str) -> BTreeSet<String> {
        running_on(&self.program, host).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// The process of the VM's QEMU on a host.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn qemu(&self, host: &str, vm: &str) -> String {
        self.on(host, &["cat", &format!("/run/libvirt/qemu/{vm}.pid")]).trim().to_owned()
    }

    /// The node that is the primary coordinator.
    ///
    /// # Panics
    /// When there is none within half a minute.
    #[must_use]
    #[track_caller]
    pub fn primary(&self) -> String {
        until("a primary coordinator", COMMAND, || {
            let nodes = self.try_nodes().map_err(|error| format!("{error:#}"))?;
            let primary = nodes.into_iter().find(|node| node.coordinator_state == "primary");
            primary.map(|node| node.name).ok_or_else(|| "none".to_owned())
        })
    }
}

/// The VMs that libvirt runs on a host; those that are paused or still arriving are not.
pub(super) fn running_on(program: &super::Program, host: &str) -> Result<BTreeSet<String>> {
    let virsh = ["exec", host, "virsh", "-q", "-c", "qemu:///system", "list"];
    let words: Vec<&str> = virsh.iter().chain(&["--name", "--state-running"]).copied().collect();
    let names = program.run(COMMAND, &words)?.ok()?;
    Ok(names.split_whitespace().map(str::to_owned).collect())
}

/// Where a VM stands, for people.
#[must_use]
pub(super) fn standing(vm: &api::Vm) -> String {
    let mut text = format!("{} is in state {} on {}", vm.name, vm.state, vm.node);
    if !vm.failed_reason.is_empty() {
        text += &format!(" ({})", vm.failed_reason);
    }
    text
}
