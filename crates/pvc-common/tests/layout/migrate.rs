//! Migrations of whole trees, between all versions.

use std::collections::BTreeMap;

use crate::trees::{commit, golden, upstream};
use pvc_common::zk::migrate::{
    CannotMigrate, TreeImage, initialise, migrate, repair, steps, validate,
};
use pvc_common::zk::schema::{LATEST, UnknownVersion};
use pvc_common::zk::{Op, Version};

fn migrated(mut tree: TreeImage, to: u32) -> TreeImage {
    for transaction in migrate(&tree, to).unwrap() {
        commit(&mut tree, &transaction);
    }
    tree
}

/// What a tree holds, as text, whatever the versions of its data.
fn contents(tree: &TreeImage) -> BTreeMap<&str, &str> {
    let text = |data| std::str::from_utf8(data).unwrap();
    tree.iter().map(|(path, znode)| (path.as_str(), text(&znode.data))).collect()
}

#[track_caller]
fn assert_same(found: &TreeImage, expected: &TreeImage, what: &str) {
    let (found, expected) = (contents(found), contents(expected));
    let differing: Vec<_> = expected
        .keys()
        .chain(found.keys())
        .filter(|path| found.get(*path) != expected.get(*path))
        .map(|path| format!("{path}: {:?}, not {:?}", found.get(path), expected.get(path)))
        .collect();
    assert!(differing.is_empty(), "{what}: {differing:#?}");
}

#[test]
fn every_version_leads_to_every_other() {
    for from in 0..=LATEST {
        for to in 0..=LATEST {
            let what = format!("{from} to {to}");
            assert_same(&migrated(golden(from), to), &golden(to), &what);
        }
    }
}

#[test]
fn up_and_down_again_leaves_everything_as_it_was() {
    for from in 0..LATEST {
        let there = migrated(golden(from), LATEST);
        assert_same(&migrated(there, from), &golden(from), &format!("from {from}"));
    }
    let back = migrated(migrated(upstream(), LATEST), 15);
    assert_same(&back, &upstream(), "upstream");
}

#[test]
fn down_takes_away_all_that_an_older_program_does_not_know() {
    let down = migrated(upstream(), 0);
    for kind in ["/faults", "/logs", "/tags", "/snapshots/before/", "/sriov", "/monitoring"] {
        let left = down.keys().find(|path| path.starts_with(kind) || path.contains(kind));
        // Snapshots of volumes are older than those of VMs.
        let left = left.filter(|path| !path.starts_with("/ceph/snapshots"));
        assert_eq!(left, None, "{kind}");
    }
    assert_eq!(validate(&down, 0), Ok(vec![]));
    assert_eq!(validate(&migrated(down, LATEST), LATEST), Ok(vec![]));
}

#[test]
fn a_migrated_tree_is_sound_and_has_no_junk_at_its_root() {
    for version in 0..=LATEST {
        let tree = migrated(golden(0), version);
        assert_eq!(validate(&tree, version), Ok(vec![]), "{version}");
        let root: Vec<_> = tree.keys().filter(|path| path.rfind('/') == Some(0)).collect();
        let expected = golden(version);
        let expected: Vec<_> = expected.keys().filter(|path| path.rfind('/') == Some(0)).collect();
        assert_eq!(root, expected, "{version}");
    }
}

#[test]
fn the_version_is_written_last_and_guards_all_that_came_before() {
    let mut tree = golden(0);
    for n in 0..8_000 {
        for (suffix, znode) in trees_of_one_vm() {
            tree.insert(format!("/domains/00000000-0000-4000-8000-{n:012}{suffix}"), znode);
        }
    }
    let transactions = migrate(&tree, LATEST).unwrap();
    assert!(transactions.len() > 2);
    let (last, before) = transactions.split_last().unwrap();
    let guard = Op::Check { path: "/schema/version".to_owned(), version: Version(0) };
    assert!(before.iter().all(|ops| ops[0] == guard));
    assert!(matches!(last.last(), Some(Op::Set { path, .. }) if path == "/schema/version"));
}

fn trees_of_one_vm() -> Vec<(String, pvc_common::zk::migrate::Znode)> {
    let of = "/domains/0d9b8f52-3c1e-4a77-8e21-5f60c7d1a2b3";
    let vm = golden(0).into_iter();
    vm.filter_map(|(path, znode)| Some((path.strip_prefix(of)?.to_owned(), znode))).collect()
}

#[test]
fn a_migration_that_was_cut_off_is_finished_by_the_next() {
    let mut tree = golden(0);
    let [all] = &migrate(&tree, LATEST).unwrap()[..] else { panic!("one transaction") };
    // As if the transaction had been several, and only the first of them came through.
    commit(&mut tree, &all[..all.len() / 2]);
    assert_same(&migrated(tree, LATEST), &golden(LATEST), "second attempt");
}

#[test]
fn nothing_is_written_where_there_is_nothing_to_do() {
    assert_eq!(migrate(&golden(7), 7), Ok(vec![]));
    assert_eq!(steps(7, 7), Ok(vec![]));
}

#[test]
fn a_tree_that_cannot_be_understood_is_left_alone() {
    assert_eq!(migrate(&TreeImage::new(), LATEST), Err(CannotMigrate::NotInitialised));
    let mut tree = golden(15);
    tree.get_mut("/schema/version").unwrap().data = b"newest".to_vec();
    assert!(matches!(migrate(&tree, LATEST), Err(CannotMigrate::Unreadable(_))));
    tree.get_mut("/schema/version").unwrap().data = b"99".to_vec();
    let unknown = CannotMigrate::Unknown(UnknownVersion(99));
    assert_eq!(migrate(&tree, LATEST), Err(unknown.clone()));
    assert_eq!(migrate(&golden(15), 99), Err(unknown));
}

#[test]
fn what_is_missing_is_found_and_made() {
    let mut tree = upstream();
    for path in [
        "/config/maintenance",
        "/networks/1001/mtu",
        "/networks/1001/dhcp4_reservations/52:54:00:00:00:01/hostname",
        "/networks/1001/firewall_rules/in/ssh/order",
        "/ceph/osds/0/is_split",
        "/ceph/pools/vms/tier",
        "/ceph/volumes/vms/web1_sda/stats",
        "/ceph/snapshots/vms/web1_sda/before/stats",
        "/nodes/hv1/sriov/pf/ens1/vfcount",
    ] {
        tree.remove(path).unwrap();
    }
    let missing = validate(&tree, 15).unwrap();
    let found: Vec<_> = missing.iter().map(|it| (it.path.as_str(), it.data.as_str())).collect();
    assert_eq!(
        found,
        [
            ("/ceph/osds/0/is_split", "False"),
            ("/ceph/pools/vms/tier", "default"),
            ("/ceph/snapshots/vms/web1_sda/before/stats", ""),
            ("/ceph/volumes/vms/web1_sda/stats", ""),
            ("/config/maintenance", ""),
            ("/networks/1001/dhcp4_reservations/52:54:00:00:00:01/hostname", ""),
            ("/networks/1001/firewall_rules/in/ssh/order", ""),
            ("/networks/1001/mtu", ""),
        ],
        "a node looks after its own devices"
    );
    for transaction in repair(missing) {
        commit(&mut tree, &transaction);
    }
    assert_eq!(validate(&tree, 15), Ok(vec![]));
}

#[test]
fn a_new_cluster_is_sound_and_of_the_latest_version() {
    let mut tree = TreeImage::new();
    commit(&mut tree, &initialise());
    assert_eq!(validate(&tree, LATEST), Ok(vec![]));
    let written: Vec<_> =
        contents(&tree).into_iter().filter(|(_, data)| !data.is_empty()).collect();
    assert_eq!(written, [("/schema/version", "19")]);
    assert_eq!(tree.len(), 24);
}
