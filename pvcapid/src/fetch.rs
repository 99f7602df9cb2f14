//! Reading what a change is about, freshly and with the versions that guard it.

use std::collections::VecDeque;

use pvc_common::id::{NodeName, SriovName, VmUuid, Vni};
use pvc_common::model::{VfSettings, Vm};
use pvc_common::state::DomainState;
use pvc_common::zk::{Key, Seen, Text, key};
use pvc_zk::{Entry, TreeError};

use crate::change::{Condemnable, SettableVf, network};
use crate::store::Store;

/// Reads one key.
pub(crate) async fn one<T: Text>(store: &Store, key: &Key<T>) -> Result<Seen<T>, TreeError> {
    let entry = store.get(key.path()).await?;
    Ok(seen(entry.as_ref()))
}

/// Understands one entry.
pub(crate) fn seen<T: Text>(entry: Option<&Entry>) -> Seen<T> {
    Seen::read(entry.map(|entry| (entry.data.as_slice(), entry.version)))
}

/// Entries in the order in which they were asked for.
struct Answers(VecDeque<Option<Entry>>);

impl Answers {
    fn next<T: Text>(&mut self) -> Seen<T> {
        seen(self.0.pop_front().flatten().as_ref())
    }
}

/// Reads a VM, key by key; all absent if there is none.
///
/// What it needs of a node is not read: see its definition.
pub(crate) async fn vm(store: &Store, uuid: VmUuid) -> Result<Vm, TreeError> {
    let paths = [
        key::vm_name(uuid).into_path(),
        key::vm_state(uuid).into_path(),
        key::vm_node(uuid).into_path(),
        key::vm_last_node(uuid).into_path(),
        key::vm_claim(uuid).into_path(),
        key::vm_migrate_origin(uuid).into_path(),
        key::vm_displaced(uuid).into_path(),
        key::vm_failed_reason(uuid).into_path(),
        key::vm_autostart(uuid).into_path(),
        key::vm_migration_method(uuid).into_path(),
        key::vm_max_downtime(uuid).into_path(),
        key::vm_selector(uuid).into_path(),
        key::vm_node_limit(uuid).into_path(),
    ];
    let mut answers = Answers(store.get_many(&paths).await?.into());
    // In the order of the paths, which is the order in which these are evaluated.
    Ok(Vm {
        name: answers.next(),
        state: answers.next(),
        node: answers.next(),
        last_node: answers.next(),
        claim: answers.next(),
        migrate_origin: answers.next(),
        displaced: answers.next(),
        failed_reason: answers.next(),
        autostart: answers.next(),
        migration_method: answers.next(),
        max_downtime_ms: answers.next(),
        selector: answers.next(),
        node_limit: answers.next(),
        ..Vm::default()
    })
}

/// Reads whether a node takes VMs.
pub(crate) async fn domain_state(
    store: &Store,
    node: &NodeName,
) -> Result<Seen<DomainState>, TreeError> {
    one(store, &key::node_domain_state(node)).await
}

/// Reads what an order about a node's death depends on; `others` are the other coordinators.
pub(crate) async fn condemnable(
    store: &Store,
    node: &NodeName,
    others: &[NodeName],
) -> Result<Condemnable, TreeError> {
    let mut paths = vec![
        key::node_fence_order(node).into_path(),
        key::node_fence(node).into_path(),
        key::node_daemon_state(node).into_path(),
    ];
    paths.extend(others.iter().map(|other| key::node_daemon_state(other).into_path()));
    let mut answers = Answers(store.get_many(&paths).await?.into());
    // In the order of the paths, which is the order in which these are evaluated.
    Ok(Condemnable {
        order: answers.next(),
        fence: answers.next(),
        daemon_state: answers.next(),
        others: others.iter().map(|other| (other.clone(), answers.next())).collect(),
    })
}

/// Reads a network with all it holds; nothing of it is there if there is none.
pub(crate) async fn network(store: &Store, vni: Vni) -> Result<network::Found, TreeError> {
    let branch = store.branch(key::network(vni).path()).await?;
    Ok(network::Found::of(vni, branch))
}

/// Reads an SR-IOV function's settings; all absent if there is no such function.
pub(crate) async fn vf_settings(
    store: &Store,
    node: &NodeName,
    vf: &SriovName,
) -> Result<SettableVf, TreeError> {
    let paths = [
        key::sriov_vf(node, vf).into_path(),
        key::sriov_vf_vlan_id(node, vf).into_path(),
        key::sriov_vf_vlan_qos(node, vf).into_path(),
        key::sriov_vf_tx_rate_min(node, vf).into_path(),
        key::sriov_vf_tx_rate_max(node, vf).into_path(),
        key::sriov_vf_spoof_check(node, vf).into_path(),
        key::sriov_vf_link_state(node, vf).into_path(),
        key::sriov_vf_trust(node, vf).into_path(),
        key::sriov_vf_query_rss(node, vf).into_path(),
    ];
    let mut answers = Answers(store.get_many(&paths).await?.into());
    // In the order of the paths, which is the order in which these are evaluated.
    Ok(SettableVf {
        znode: answers.next(),
        settings: VfSettings {
            vlan_id: answers.next(),
            vlan_qos: answers.next(),
            tx_rate_min: answers.next(),
            tx_rate_max: answers.next(),
            spoof_check: answers.next(),
            link_state: answers.next(),
            trust: answers.next(),
            query_rss: answers.next(),
        },
    })
}
