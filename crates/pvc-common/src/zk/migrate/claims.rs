//! Version 16 knows who may be running a VM; a tree from before only says where it should run.
//!
//! What the nodes last reported as running weighs more than where a VM should be: in the middle
//! of a migration these differ. A VM that may be running and gets no claim could be started a
//! second time, so one that should run is claimed for its node even if nobody reported it; a
//! node that finds itself with the claim of a VM it does not have starts or releases it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use super::draft::Draft;
use crate::id::{NodeName, VmUuid};
use crate::model::Claim;
use crate::state::VmState;
use crate::zk::{Key, Text, key};

/// The version that begins to know.
pub(super) const VERSION: u32 = 16;

/// Claims every VM that may be running.
pub(super) fn infer(draft: &mut Draft<'_>) {
    let nodes = names::<NodeName>(draft, key::NODES);
    let mut reported: BTreeMap<VmUuid, Vec<&NodeName>> = BTreeMap::new();
    for node in &nodes {
        for vm in value(draft, &key::node_running_domains(node)).unwrap_or_default() {
            reported.entry(vm).or_default().push(node);
        }
    }
    for vm in names::<VmUuid>(draft, key::DOMAINS) {
        let claim = key::vm_claim(vm);
        let reported = reported.get(&vm).map(Vec::as_slice).unwrap_or_default();
        if let Some(holder) = holder(draft, vm, reported, &nodes)
            && !draft.has(claim.path())
        {
            let holder = Claim::of(holder.clone());
            draft.create(claim.path(), holder.encode());
        }
    }
}

/// The node that may be running a VM, if any.
fn holder<'a>(
    draft: &Draft<'_>,
    vm: VmUuid,
    reported: &[&'a NodeName],
    nodes: &'a [NodeName],
) -> Option<&'a NodeName> {
    let assigned = value(draft, &key::vm_node(vm)).flatten();
    let assigned = nodes.iter().find(|node| Some(*node) == assigned.as_ref());
    match (reported, assigned) {
        // A report of where it was, not yet renewed, beside one of where it is.
        (_, Some(assigned)) if reported.contains(&assigned) => Some(assigned),
        ([first, ..], _) => Some(first),
        ([], assigned) => {
            let state = value(draft, &key::vm_state(vm))?;
            assigned.filter(|_| may_run(state))
        }
    }
}

const fn may_run(state: VmState) -> bool {
    match state {
        VmState::Start
        | VmState::Restart
        | VmState::Shutdown
        | VmState::Migrate
        | VmState::MigrateLive
        | VmState::Unmigrate => true,
        VmState::Stop
        | VmState::Disable
        | VmState::Fail
        | VmState::Provision
        | VmState::Import
        | VmState::Restore
        | VmState::Mirror
        | VmState::Delete => false,
    }
}

/// The objects below `parent` whose names can be understood, and whose keys are there.
fn names<T: FromStr + Display>(draft: &Draft<'_>, parent: &str) -> Vec<T> {
    let name = |path: &String| {
        let text = &path[parent.len() + 1..];
        text.parse::<T>().ok().filter(|name| name.to_string() == text)
    };
    draft.children(parent).iter().filter_map(name).collect()
}

/// What a key holds, if it can be understood.
fn value<T: Text>(draft: &Draft<'_>, key: &Key<T>) -> Option<T> {
    T::decode(draft.text(key.path())?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{TreeImage, Znode};
    use super::*;
    use crate::zk::Version;

    const VM: &str = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10";

    /// Who holds the VM if it should be in `state` on `node`, and these nodes report it.
    fn holder_of(state: &str, node: &str, reported: &[&str]) -> Option<String> {
        let mut tree = TreeImage::new();
        let mut put = |path: String, text: &str| {
            tree.insert(path, Znode { data: text.into(), version: Version(0) });
        };
        for node in ["hv1", "hv2", "hv3"] {
            put(format!("/nodes/{node}"), "");
            let vms = if reported.contains(&node) { VM } else { "0" };
            put(format!("/nodes/{node}/runningdomains"), vms);
        }
        put(format!("/domains/{VM}"), "web1");
        put(format!("/domains/{VM}/state"), state);
        put(format!("/domains/{VM}/node"), node);
        let mut draft = Draft::new(&tree);
        infer(&mut draft);
        draft.text(&format!("/domains/{VM}/claim")).map(str::to_owned)
    }

    #[test]
    fn a_vm_that_should_run_is_claimed_for_its_node() {
        assert_eq!(holder_of("start", "hv1", &[]).as_deref(), Some("hv1"));
        assert_eq!(holder_of("restart", "hv1", &["hv1"]).as_deref(), Some("hv1"));
    }

    #[test]
    fn a_vm_on_its_way_is_claimed_for_where_it_was_seen() {
        assert_eq!(holder_of("migrate", "hv2", &["hv1"]).as_deref(), Some("hv1"));
        assert_eq!(holder_of("migrate", "hv2", &["hv1", "hv2"]).as_deref(), Some("hv2"));
    }

    #[test]
    fn a_vm_that_still_runs_against_its_state_is_claimed_too() {
        assert_eq!(holder_of("stop", "hv1", &["hv3"]).as_deref(), Some("hv3"));
    }

    #[test]
    fn a_vm_that_runs_nowhere_is_not_claimed() {
        for state in ["stop", "disable", "fail", "mirror", "nonsense"] {
            assert_eq!(holder_of(state, "hv1", &[]), None, "{state}");
        }
        assert_eq!(holder_of("start", "removed", &[]), None, "nobody could release it");
    }
}
