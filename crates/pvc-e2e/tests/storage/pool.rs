//! `pvc storage pool`: each verb once, read back from Ceph.

use std::time::Duration;

use pvc_common::api::Pool;
use pvc_e2e::lab::{Lab, until};

/// How long Ceph may take to move from one number of placement groups to another.
const PGS: Duration = Duration::from_secs(120);

/// How long the next publication of figures may take to come.
const FIGURES: Duration = Duration::from_secs(30);

fn pool(lab: &Lab, name: &str) -> Option<Pool> {
    let pools: Vec<Pool> = lab.list(&["storage", "pool", "list"]).unwrap();
    pools.into_iter().find(|pool| pool.name == name)
}

#[test]
fn a_pool_is_made_with_its_copies_gets_more_pgs_and_is_removed_with_its_volumes() {
    let lab = Lab::take();
    let host = lab.hosts()[0].clone();
    let name = "e2e-pool";
    let setting = |setting: &str| {
        lab.ceph(&host, &["ceph", "osd", "pool", "get", name, setting])[setting].clone()
    };
    lab.pvc(&["storage", "pool", "add", "--replcfg", "copies=2,mincopies=1", name, "4"]);
    assert_eq!((setting("size"), setting("min_size")), (2.into(), 1.into()));
    assert_eq!(setting("pg_num"), 4);
    let uses = lab.ceph(&host, &["ceph", "osd", "pool", "application", "get", name]);
    assert!(uses.get("rbd").is_some(), "{uses}");
    let shown = pool(&lab, name).expect("it is listed");
    assert_eq!((shown.pgs.as_str(), shown.tier.as_str()), ("4", "default"));
    until("the pool's figures", FIGURES, || {
        let stats = pool(&lab, name).expect("it is listed").stats;
        if stats.contains_key("free_bytes") { Ok(()) } else { Err(format!("{stats:?}")) }
    });

    lab.pvc(&["storage", "pool", "set-pgs", name, "8"]);
    assert_eq!(pool(&lab, name).expect("it is listed").pgs, "8");
    until("all placement groups", PGS, || match (setting("pg_num"), setting("pgp_num")) {
        (pgs, placed) if pgs == 8 && placed == 8 => Ok(()),
        other => Err(format!("{other:?}")),
    });

    lab.pvc(&["storage", "volume", "add", name, "e2e-inside", "16M"]);
    assert_eq!(pool(&lab, name).expect("it is listed").volume_count, 1);
    lab.pvc(&["storage", "pool", "remove", name]);
    assert!(pool(&lab, name).is_none());
    let left = lab.ceph(&host, &["ceph", "osd", "pool", "ls"]);
    assert!(!left.as_array().unwrap().contains(&name.into()), "{left}");
}
