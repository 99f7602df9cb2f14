//! Which node takes a VM.
//!
//! A [`Ledger`] is opened on a view and counts what it places, so that a burst of placements
//! does not all go to the node that looked best before the first. Others place at the same time, on
//! views of their own: so whoever places writes the node's domain state anew, unchanged, at the version
//! that the accounts were opened with ([`Ledger::reserve`]). ZooKeeper refuses the second, which decides
//! anew with the first one's VM counted; and it refuses whoever places on a node that is being flushed.
//!
//! What was placed before and has not shown in a node's own figures yet is counted too: a node's
//! free memory and its list of running VMs are written in one transaction, so a VM that should run
//! there and is not in that list is not in that figure.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Node, Resources, Vm, VmFunction};
use pvc_common::state::{Selector, VmState};
use pvc_common::unit::{Mib, Vcpus};
use pvc_common::view::View;
use pvc_common::zk::{Op, Seen, Version, key};

use crate::sriov::{Lack, lack};

/// What is asked of a placement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The VM, if it exists already: what it uses now is not counted twice.
    pub vm: Option<VmUuid>,
    /// A node that is out of the question: the one the VM is leaving.
    pub except: Option<&'a NodeName>,
    /// The nodes it may run on; empty for any.
    pub limit: &'a [NodeName],
    /// The VM's own selector, before the cluster's.
    pub selector: Option<Selector>,
    /// What it needs; nothing is known to fit where this is not known.
    pub needs: Resources,
    /// The functions of cards that its definition names.
    pub functions: &'a [VmFunction],
}

/// Why a node does not take a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is the node the VM is leaving.
    Leaving,
    /// It is not among the nodes the VM is limited to.
    NotInLimit,
    /// It is not serving, or not in service.
    NotReady,
    /// It runs no VMs at all.
    WithoutVms,
    /// Too little free memory.
    Memory {
        /// What is free, counting what was placed there just now.
        free: Mib,
        /// What the VM needs.
        needed: Mib,
    },
    /// Fewer processors than the VM has virtual ones.
    Processors {
        /// What it has.
        present: u32,
        /// What the VM needs.
        needed: Vcpus,
    },
    /// It does not have the functions of cards that the VM needs, or not free.
    Functions(Lack),
    /// Its figures are missing or cannot be understood.
    FiguresUnreadable,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaving => f.write_str("the VM is leaving it"),
            Self::NotInLimit => f.write_str("not in the VM's node limit"),
            Self::NotReady => f.write_str("not ready"),
            Self::WithoutVms => f.write_str("it runs no VMs"),
            Self::Memory { free, needed } => {
                write!(f, "{free} MiB of memory free, {needed} MiB needed")
            }
            Self::Processors { present, needed } => {
                write!(f, "{present} processors, {needed} needed")
            }
            Self::Functions(lack) => write!(f, "{lack}"),
            Self::FiguresUnreadable => f.write_str("its figures cannot be read"),
        }
    }
}

/// No node takes the VM; each with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoNode {
    /// Every node of the cluster.
    pub refusals: BTreeMap<NodeName, Refusal>,
}

impl fmt::Display for NoNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refusals.is_empty() {
            return f.write_str("the cluster has no nodes");
        }
        f.write_str("no node can take it (")?;
        for (at, (node, refusal)) in self.refusals.iter().enumerate() {
            let comma = if at == 0 { "" } else { "; " };
            write!(f, "{comma}{node}: {refusal}")?;
        }
        f.write_str(")")
    }
}

/// The figures of one node, with everything counted that will be there soon.
#[derive(Clone, Debug)]
struct Account<'a> {
    node: &'a Node,
    /// Whether everything is kept away from it.
    excluded: bool,
    free: Mib,
    unpromised: Mib,
    vcpus: Vcpus,
    processors: u32,
    load: f64,
    vms: u32,
    /// How often this ledger has reserved there.
    reserved: i32,
    /// What VMs were placed there with, whose names the view does not show there yet.
    promised: Vec<VmFunction>,
}

/// The accounts of all nodes, in which placements are entered as they are made.
#[derive(Clone, Debug)]
pub struct Ledger<'a> {
    view: &'a View,
    accounts: BTreeMap<&'a NodeName, Account<'a>>,
}

impl<'a> Ledger<'a> {
    /// Opens the accounts as the view has them.
    #[must_use]
    pub fn open(view: &'a View) -> Self {
        let mut accounts: BTreeMap<_, _> =
            view.nodes.iter().filter_map(|(name, node)| Some((name, account(node)?))).collect();
        for (uuid, vm) in &view.vms {
            let Some(Some(on)) = vm.node.get() else { continue };
            let (Some(account), Some(node)) = (accounts.get_mut(on), view.nodes.get(on)) else {
                continue;
            };
            let needs = vm.resources.unwrap_or_default();
            account.unpromised = account.unpromised - needs.memory;
            if will_run(vm) && !runs_there(node, uuid) {
                account.enter_running(needs);
            }
        }
        Self { view, accounts }
    }

    /// Chooses a node and enters the VM there.
    ///
    /// # Errors
    /// When no node can take it, with the reason of each.
    pub fn place(&mut self, request: &Request<'_>) -> Result<NodeName, NoNode> {
        let fitting = self.accounts.iter().filter(|(name, account)| {
            refusal(self.view, name, account.node, Some(account), request).is_none()
        });
        let selector = request
            .selector
            .or_else(|| self.view.cluster.default_selector.copied().flatten())
            .unwrap_or(Selector::Mem);
        // Names break ties, so that every node that asks gets the same answer.
        let best = fitting
            .min_by(|(a_name, a), (b_name, b)| {
                a.rank(selector).total_cmp(&b.rank(selector)).then_with(|| a_name.cmp(b_name))
            })
            .map(|(name, _)| (*name).clone());
        let Some(best) = best else { return Err(self.refusals(request)) };
        self.enter(&best, request.needs);
        if let Some(account) = self.accounts.get_mut(&best) {
            account.promised.extend(request.functions.iter().cloned());
        }
        Ok(best)
    }

    /// What a transaction that has something placed on `node` run there has to contain, once and after
    /// the VMs' keys: it is refused if others have placed there since the view. A ledger's later
    /// reservations rest on its earlier ones. `None` where nothing could be placed.
    pub fn reserve(&mut self, node: &NodeName) -> Option<Op> {
        let account = self.accounts.get_mut(node)?;
        let Seen::Value { value, version } = &account.node.domain_state else { return None };
        let version = Version(version.0.wrapping_add(account.reserved));
        account.reserved = account.reserved.wrapping_add(1);
        Some(key::node_domain_state(node).put(&Seen::Value { value: *value, version }, value))
    }

    /// Keeps everything away from a node, whatever its figures say.
    pub fn exclude(&mut self, node: &NodeName) {
        if let Some(account) = self.accounts.get_mut(node) {
            account.excluded = true;
        }
    }

    /// Why each node does not take it.
    fn refusals(&self, request: &Request<'_>) -> NoNode {
        let nodes = self.view.nodes.iter();
        let refused = nodes
            .filter_map(|(name, node)| Some((name.clone(), self.refusal(name, node, request)?)));
        NoNode { refusals: refused.collect() }
    }

    /// Whether `node` could take the VM; `None` if so.
    #[must_use]
    pub fn refusal(&self, name: &NodeName, node: &Node, request: &Request<'_>) -> Option<Refusal> {
        refusal(self.view, name, node, self.accounts.get(name), request)
    }

    /// Enters a VM that was placed on `node` by another decision.
    pub fn enter(&mut self, node: &NodeName, needs: Resources) {
        if let Some(account) = self.accounts.get_mut(node) {
            account.unpromised = account.unpromised - needs.memory;
            account.enter_running(needs);
        }
    }
}

fn refusal(
    view: &View,
    name: &NodeName,
    node: &Node,
    account: Option<&Account<'_>>,
    request: &Request<'_>,
) -> Option<Refusal> {
    if request.except == Some(name) {
        return Some(Refusal::Leaving);
    }
    if !request.limit.is_empty() && !request.limit.contains(name) {
        return Some(Refusal::NotInLimit);
    }
    if node.is_without_vms() {
        return Some(Refusal::WithoutVms);
    }
    if !node.takes_vms() || account.is_some_and(|account| account.excluded) {
        return Some(Refusal::NotReady);
    }
    let Some(account) = account else {
        return Some(Refusal::FiguresUnreadable);
    };
    let fits = request.needs.memory <= account.free;
    if !fits && !request.vm.is_some_and(|uuid| runs_there(node, &uuid)) {
        return Some(Refusal::Memory { free: account.free, needed: request.needs.memory });
    }
    if request.needs.vcpus.0 > account.processors {
        let present = account.processors;
        return Some(Refusal::Processors { present, needed: request.needs.vcpus });
    }
    // Where there is none, as almost everywhere, nothing is looked for.
    let promised = account.promised.iter().find(|one| request.functions.contains(one));
    let lack = lack(view, name, request.vm, request.functions);
    lack.or_else(|| promised.map(Lack::promised)).map(Refusal::Functions)
}

impl Account<'_> {
    fn enter_running(&mut self, needs: Resources) {
        self.free = self.free - needs.memory;
        self.vcpus = self.vcpus + needs.vcpus;
        self.vms = self.vms.saturating_add(1);
        // A guess that only has to spread a burst: a new VM keeps one processor busy.
        self.load += 1.0;
    }

    /// The lower, the better.
    fn rank(&self, selector: Selector) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "only ranks; 2^53 MiB is 8 ZiB")]
        let mib = |amount: Mib| amount.0 as f64;
        match selector {
            Selector::Mem => -mib(self.free),
            Selector::MemProv => -mib(self.unpromised),
            Selector::Vcpus => f64::from(self.vcpus.0),
            Selector::Load => self.load,
            Selector::Vms => f64::from(self.vms),
        }
    }
}

fn account(node: &Node) -> Option<Account<'_>> {
    Some(Account {
        node,
        excluded: false,
        free: node.mem_free.copied()?,
        unpromised: node.mem_total.copied()?,
        vcpus: node.vcpu_alloc.copied()?,
        processors: node.static_data.get()?.cpu_count,
        load: node.cpu_load.copied()?,
        vms: node.domains_count.copied()?,
        reserved: 0,
        promised: Vec::new(),
    })
}

fn runs_there(node: &Node, uuid: &VmUuid) -> bool {
    node.running_domains.get().is_some_and(|running| running.contains(uuid))
}

fn will_run(vm: &Vm) -> bool {
    match vm.state.copied() {
        Some(
            VmState::Start
            | VmState::Restart
            | VmState::Migrate
            | VmState::MigrateLive
            | VmState::Unmigrate,
        ) => true,
        Some(
            VmState::Shutdown
            | VmState::Stop
            | VmState::Disable
            | VmState::Fail
            | VmState::Provision
            | VmState::Import
            | VmState::Restore
            | VmState::Mirror
            | VmState::Delete,
        )
        | None => false,
    }
}
