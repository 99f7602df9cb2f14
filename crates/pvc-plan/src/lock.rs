//! Whose locks on a volume are nobody's any more.
//!
//! A QEMU that died leaves its lock. The next one breaks it by itself, but only once Ceph has not heard
//! of the dead one for half a minute, or knows it for shut out. Two kinds of locks may be taken by a node
//! that is about to start the VM: those of its own former QEMUs, and those of a node that was proved dead
//! and is shut out of Ceph. Nobody else's: a lock is a client's word that it writes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pvc_common::id::NodeName;
use pvc_common::model::{Fence, Presence};
use pvc_common::state::{EvidenceKind, FencePhase};
use pvc_common::view::View;
use pvc_common::zk::Seen;

/// Which node's storage clients talk from which address.
pub type Owners = BTreeMap<IpAddr, NodeName>;

/// An address that two nodes tell is nobody's.
#[must_use]
pub fn owners(view: &View) -> Owners {
    let mut told: BTreeMap<IpAddr, Option<&NodeName>> = BTreeMap::new();
    for (name, node) in &view.nodes {
        for address in node.liveness.presence.get().iter().flat_map(|it| &it.addresses) {
            let owner = told.entry(*address).or_insert(Some(name));
            *owner = owner.filter(|owner| *owner == name);
        }
    }
    told.into_iter().filter_map(|(address, name)| Some((address, name?.clone()))).collect()
}

/// Who holds a lock, as far as this node's start of a VM is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A QEMU of this node, on which the VM does not run: it is no more.
    Own,
    /// A client of another node: it may be left, see [`is_left`].
    Node(NodeName),
    /// Somebody of whom nothing is known.
    Stranger,
}

/// Who holds a lock from `address`, by this node's `own` addresses and those of all nodes.
#[must_use]
pub fn holder(address: IpAddr, own: &[IpAddr], owners: &Owners) -> Holder {
    if own.contains(&address) {
        return Holder::Own;
    }
    owners.get(&address).map_or(Holder::Stranger, |node| Holder::Node(node.clone()))
}

/// What the tree says of a node, read just before its locks are taken.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The boot and the addresses that it told of.
    pub presence: Seen<Presence>,
    /// Why it is shut out; it takes that away once it is let in.
    pub shut_out: Seen<String>,
    /// The fence that [`Record::shut_out`] names: under way, or over.
    pub fence: Seen<Fence>,
}

/// Whether the locks of this node's clients at `address` are nobody's: its death is proved, its clients
/// at that address are shut out of Ceph, which was confirmed, and it has not been let in since.
#[must_use]
pub fn is_left(record: &Record, address: IpAddr) -> bool {
    let (Some(presence), Some(why), Some(fence)) =
        (record.presence.get(), record.shut_out.get(), record.fence.get())
    else {
        return false;
    };
    let dead = match fence.phase {
        FencePhase::Recovering | FencePhase::Finished => true,
        FencePhase::Proving | FencePhase::Withdrawn => false,
    };
    let by_this = Fence::shuts_out(why).as_ref() == Some(&fence.id);
    // The addresses that were shut out are those of the boot that was condemned.
    let same_boot = !fence.boot.is_empty() && presence.boot == fence.boot;
    dead && by_this
        && same_boot
        && fence.proved_by(EvidenceKind::Storage)
        && presence.addresses.contains(&address)
}

#[cfg(test)]
mod tests {
    use pvc_common::model::Evidence;
    use pvc_common::state::Verdict;
    use pvc_common::view::{Builder, Scope};
    use pvc_common::zk::{Text, Version, key};

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn seen<T>(value: T) -> Seen<T> {
        Seen::Value { value, version: Version(0) }
    }

    fn presence(boot: &str, addresses: &[&str]) -> Presence {
        let addresses = addresses.iter().map(|text| address(text)).collect();
        Presence { boot: boot.to_owned(), addresses, ..Presence::default() }
    }

    fn evidence(kind: EvidenceKind, verdict: Verdict) -> Evidence {
        Evidence { kind, verdict, detail: String::new(), at_ms: 0 }
    }

    fn fence(phase: FencePhase, evidence: Vec<Evidence>) -> Fence {
        Fence {
            id: "hv3-1".parse().unwrap(),
            node: "hv3".parse().unwrap(),
            by: "hv1".parse().unwrap(),
            phase,
            why: String::new(),
            boot: "first".to_owned(),
            power_cut: false,
            suspected_ms: 0,
            condemned_ms: 0,
            proved_ms: None,
            finished_ms: None,
            evidence,
            moved: vec![],
            waiting: vec![],
        }
    }

    /// hv3 is dead, shut out, and that was confirmed; but for one thing.
    fn check(but: &str, change: impl FnOnce(&mut Record), expected: bool) {
        let shut_out = evidence(EvidenceKind::Storage, Verdict::Proved);
        let mut record = Record {
            presence: seen(presence("first", &["10.0.0.3", "10.1.0.3"])),
            shut_out: seen("fence hv3-1".to_owned()),
            fence: seen(fence(FencePhase::Recovering, vec![shut_out])),
        };
        change(&mut record);
        assert_eq!(is_left(&record, address("10.1.0.3")), expected, "{but}");
    }

    fn change_fence(record: &mut Record, change: impl FnOnce(&mut Fence)) {
        let mut fence = record.fence.get().unwrap().clone();
        change(&mut fence);
        record.fence = seen(fence);
    }

    #[test]
    fn the_locks_of_a_node_that_is_proved_dead_and_shut_out_are_left() {
        check("nothing", |_| {}, true);
        check("its VMs are settled", |r| change_fence(r, |f| f.phase = FencePhase::Finished), true);
        check(
            "its BMC says so, too",
            |r| {
                change_fence(r, |f| f.record(evidence(EvidenceKind::Ipmi, Verdict::Proved)));
            },
            true,
        );
    }

    #[test]
    fn without_each_part_of_the_proof_a_lock_is_its_holders() {
        use EvidenceKind::{Ipmi, Storage};
        type Change = fn(&mut Record);

        let no: [(&str, Change); 11] = [
            ("its death is not proved yet", |r| {
                change_fence(r, |f| f.phase = FencePhase::Proving);
            }),
            ("it lived after all", |r| change_fence(r, |f| f.phase = FencePhase::Withdrawn)),
            ("it is off, but not shut out", |r| {
                change_fence(r, |f| f.evidence = vec![evidence(Ipmi, Verdict::Proved)]);
            }),
            ("shutting it out failed", |r| {
                change_fence(r, |f| f.evidence = vec![evidence(Storage, Verdict::Failed)]);
            }),
            ("it was let in", |r| r.shut_out = Seen::Absent),
            ("another fence shuts it out", |r| r.shut_out = seen("fence hv3-2".to_owned())),
            ("no fence shuts it out", |r| r.shut_out = seen("it is on a list".to_owned())),
            ("no fence is known", |r| r.fence = Seen::Absent),
            ("its host has booted again", |r| r.presence = seen(presence("second", &["10.1.0.3"]))),
            ("it never told a boot", |r| {
                r.presence = seen(presence("", &["10.1.0.3"]));
                change_fence(r, |f| f.boot.clear());
            }),
            ("it has not that address", |r| r.presence = seen(presence("first", &["10.0.0.3"]))),
        ];
        for (but, change) in no {
            check(but, change, false);
        }
    }

    #[test]
    fn a_lock_is_this_nodes_another_nodes_or_a_strangers() {
        let mut builder = Builder::new(Scope::Decisions);
        let told = [
            ("hv1", presence("b", &["10.0.0.1", "10.0.0.9"])),
            ("hv2", presence("b", &["10.0.0.2", "10.0.0.9", "10.0.0.2"])),
            ("hv3", presence("b", &["10.0.0.9"])),
        ];
        for (node, presence) in told {
            let node = node.parse().unwrap();
            for (path, data) in [
                (key::node(&node).into_path(), "hypervisor".to_owned()),
                (key::node_presence(&node).into_path(), presence.encode()),
            ] {
                builder.set(&path, Some((data.as_bytes(), Version(0))));
            }
        }
        let owners = owners(&builder.snapshot());
        let shown: Vec<_> = owners.iter().map(|(at, who)| format!("{at} {who}")).collect();
        assert_eq!(shown, ["10.0.0.1 hv1", "10.0.0.2 hv2"]);
        let node = |name: &str| Holder::Node(name.parse().unwrap());
        for (at, holds) in [
            ("10.0.0.1", Holder::Own),
            ("10.1.0.1", Holder::Own),
            ("10.0.0.2", node("hv2")),
            ("10.0.0.9", Holder::Stranger),
            ("10.0.0.4", Holder::Stranger),
        ] {
            let own = ["10.0.0.1", "10.1.0.1"].map(address);
            assert_eq!(holder(address(at), &own, &owners), holds, "{at}");
        }
    }
}
