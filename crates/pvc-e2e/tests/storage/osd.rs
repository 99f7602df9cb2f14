//! `pvc storage osd`: what it shows is what Ceph says.

use std::collections::BTreeSet;
use std::time::Duration;

use pvc_common::api::Osd;
use pvc_e2e::lab::{Lab, until};

/// How long the next publication of figures may take to come.
const FIGURES: Duration = Duration::from_secs(30);

pub(crate) fn osds(lab: &Lab) -> Vec<Osd> {
    lab.list(&["storage", "osd", "list"]).unwrap()
}

#[test]
fn every_osd_is_listed_on_its_node_with_ceph_s_figures() {
    let lab = Lab::take();
    lab.await_storage();
    let dump = lab.ceph(&lab.hosts()[0], &["ceph", "osd", "dump"]);
    until("the figures of all OSDs", FIGURES, || {
        let osds = osds(&lab);
        let up = osds.iter().filter(|osd| osd.stats.get("up") == Some(&1.into()));
        if up.count() == lab.hosts().len() { Ok(()) } else { Err(format!("{osds:?}")) }
    });
    let osds = osds(&lab);
    let nodes: BTreeSet<&String> = osds.iter().map(|osd| &osd.node).collect();
    assert_eq!(nodes, lab.hosts().iter().collect());
    for osd in &osds {
        let all = dump["osds"].as_array().unwrap();
        let real = all.iter().find(|one| one["osd"].as_u64() == osd.id.parse().ok()).unwrap();
        assert_eq!(osd.stats["uuid"], real["uuid"]);
        assert_eq!(real["uuid"], osd.fsid.as_str());
        assert!(osd.stats["kb"].as_u64() > Some(0), "{osd:?}");
        assert_eq!(osd.stats["node"], osd.node.as_str(), "by `ceph osd status`");
    }
}
