//! Which OSDs have to be started because the machine was.
//!
//! With LVM a unit does it that `ceph-volume` enables. Without, nothing does.

use std::collections::BTreeSet;

use pvc_common::id::{Fsid, NodeName, OsdId};
use pvc_common::model::Osd;
use pvc_common::observed::FoundOsd;
use pvc_common::view::Shared;

/// The OSDs on a machine's disks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// All of them.
    pub found: Vec<FoundOsd>,
    /// Those whose programs run.
    pub running: BTreeSet<OsdId>,
    /// Those that were started in this run of the machine.
    pub started: BTreeSet<Fsid>,
}

/// The OSDs of this node that ran before the machine was started anew, and have not run since.
///
/// One that was started and does not run was stopped by somebody, or fails; it is left alone. So is one
/// that the tree does not know as this node's by its identity: it was replaced, removed in part, or
/// belongs elsewhere.
#[must_use]
pub fn asleep<'a>(me: &NodeName, osds: &Shared<OsdId, Osd>, own: &'a Own) -> Vec<&'a FoundOsd> {
    let is_known = |found: &FoundOsd| {
        let record = osds.get(&found.id);
        record.is_some_and(|record| {
            let is_here = record.node.get().and_then(Option::as_ref) == Some(me);
            let is = |told: Option<&String>, fsid: Fsid| {
                told.and_then(|told| told.parse().ok()) == Some(fsid)
            };
            is_here
                && is(record.fsid.get(), found.fsid)
                && is(record.cluster_fsid.get(), found.cluster)
        })
    };
    let found = own.found.iter().filter(|osd| osd.whole && is_known(osd));
    found.filter(|osd| !own.running.contains(&osd.id) && !own.started.contains(&osd.fsid)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pvc_common::unit::Bytes;
    use pvc_common::zk::{Seen, Version};

    use super::*;

    fn fsid(n: u32) -> Fsid {
        format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
    }

    fn me() -> NodeName {
        "hv1".parse().unwrap()
    }

    fn found(edit: impl Fn(&mut FoundOsd)) -> FoundOsd {
        let mut osd = FoundOsd {
            id: OsdId(3),
            fsid: fsid(3),
            cluster: fsid(0),
            device: "/dev/sdb".parse().unwrap(),
            volume: None,
            db: None,
            size: Bytes(1 << 30),
            whole: true,
        };
        edit(&mut osd);
        osd
    }

    fn known() -> Shared<OsdId, Osd> {
        fn seen<T>(value: T) -> Seen<T> {
            Seen::Value { value, version: Version(0) }
        }
        let osd = Osd {
            node: seen(Some(me())),
            fsid: seen(fsid(3).to_string()),
            cluster_fsid: seen(fsid(0).to_string()),
            ..Osd::default()
        };
        let mut osds = Shared::default();
        osds.insert(OsdId(3), Arc::new(osd));
        osds
    }

    #[test]
    fn an_osd_of_this_node_is_started_once_in_a_run_of_the_machine() {
        let mut own = Own { found: vec![found(|_| {})], ..Own::default() };
        assert_eq!(asleep(&me(), &known(), &own), [&found(|_| {})]);
        own.running.insert(OsdId(3));
        assert!(asleep(&me(), &known(), &own).is_empty(), "it runs");
        own.running.clear();
        own.started.insert(fsid(3));
        assert!(asleep(&me(), &known(), &own).is_empty(), "it was stopped by somebody");
    }

    #[test]
    fn what_the_tree_does_not_know_as_this_nodes_is_left_alone() {
        for (what, osd) in [
            ("half made", found(|osd| osd.whole = false)),
            ("replaced", found(|osd| osd.fsid = fsid(4))),
            ("of another cluster", found(|osd| osd.cluster = fsid(9))),
            ("forgotten", found(|osd| osd.id = OsdId(7))),
        ] {
            let own = Own { found: vec![osd], ..Own::default() };
            assert!(asleep(&me(), &known(), &own).is_empty(), "{what}");
        }
        let own = Own { found: vec![found(|_| {})], ..Own::default() };
        assert!(asleep(&"hv2".parse().unwrap(), &known(), &own).is_empty(), "another node's");
    }
}
