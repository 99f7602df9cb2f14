//! A tree that upstream's daemons wrote opens unchanged.

use std::sync::Arc;

use crate::trees;
use pvc_common::model::Json;
use pvc_common::state::{DaemonState, NetworkType, VmState};
use pvc_common::view::{Builder, Scope, View};
use pvc_common::zk::migrate::{TreeImage, migrate, validate};
use pvc_common::zk::schema::LATEST;

fn opened(tree: &TreeImage, scope: Scope) -> Arc<View> {
    let mut builder = Builder::new(scope);
    for (path, znode) in tree {
        if builder.wants(path) {
            builder.set(path, Some((&znode.data, znode.version)));
        }
    }
    builder.snapshot()
}

#[test]
fn it_opens_without_a_fault() {
    for scope in [Scope::States, Scope::Decisions, Scope::Full] {
        let view = opened(&trees::upstream(), scope);
        assert!(view.faults.is_empty(), "{:#?}", view.faults);
        assert_eq!((view.nodes.len(), view.vms.len()), (2, 2));
    }
}

#[test]
fn it_is_sound_and_stays_so_at_our_version() {
    let mut tree = trees::upstream();
    assert_eq!(validate(&tree, 15), Ok(vec![]));
    for transaction in migrate(&tree, LATEST).unwrap() {
        trees::commit(&mut tree, &transaction);
    }
    assert_eq!(validate(&tree, LATEST), Ok(vec![]));
    let view = opened(&tree, Scope::Full);
    assert!(view.faults.is_empty(), "{:#?}", view.faults);
    let claims = view.vms.values().filter_map(|vm| vm.claim.get());
    assert_eq!(claims.map(|claim| claim.holder.as_str()).collect::<Vec<_>>(), ["hv1"]);
}

#[test]
fn what_it_says_is_understood() {
    let view = opened(&trees::upstream(), Scope::Full);
    let cluster = &view.cluster;
    assert_eq!(cluster.schema_version.copied(), Some(15));
    assert_eq!(cluster.name.get().map(String::as_str), Some("pvc1"));
    let hv1 = &view.nodes[&"hv1".parse().unwrap()];
    assert_eq!(hv1.daemon_state.copied(), Some(DaemonState::Run));
    assert_eq!(hv1.static_data.get().unwrap().cpu_count, 16);
    assert_eq!(hv1.details.as_ref().unwrap().results.len(), 1);
    assert!(hv1.takes_vms());
}

#[test]
fn its_vms_keep_their_tags_and_snapshots() {
    let view = opened(&trees::upstream(), Scope::Full);
    let vm = view.vms.values().find(|vm| vm.state.copied() == Some(VmState::Start)).unwrap();
    assert_eq!(vm.node_limit.get().unwrap().len(), 2);
    assert_eq!(vm.last_node.get(), Some(&None));
    let details = vm.details.as_ref().unwrap();
    let quirk = &details.tags[&"quirk".parse().unwrap()];
    assert_eq!(quirk.protected.copied(), Some(false), "a flag that was never set");
    let snapshot = &details.snapshots[&"before".parse().unwrap()];
    assert_eq!(snapshot.timestamp.copied().unwrap().to_string(), "1700000000.1234567");
    assert_eq!(snapshot.volumes.get().unwrap()[0].to_string(), "vms/web1_sda@before");
}

#[test]
fn its_networks_storage_and_faults_are_there() {
    let view = opened(&trees::upstream(), Scope::Full);
    let office = &view.networks[&"1001".parse().unwrap()];
    assert_eq!(office.kind.copied(), Some(NetworkType::Managed));
    assert_eq!(office.mtu.copied(), Some(Some(1450)));
    assert_eq!((office.reservations.len(), office.leases.len(), office.rules_in.len()), (1, 1, 1));
    let campus = &view.networks[&"20".parse().unwrap()];
    assert_eq!((campus.mtu.copied(), campus.domain.get()), (Some(None), Some(&None)));
    assert_eq!((view.osds.len(), view.pools.len()), (2, 1));
    assert_eq!((view.volumes.len(), view.snapshots.len()), (2, 1));
    assert!(view.storage.health.get().map(Json::text).unwrap().contains("HEALTH_OK"));
    let (id, fault) = view.reported.first_key_value().unwrap();
    assert_eq!(id.as_str(), "NODE_PLUGIN_DPKG_HV2");
    assert!(fault.first_time.copied() < fault.last_time.copied());
}
