//! A node as clients are shown it.

use std::collections::BTreeMap;

use pvc_common::api;
use pvc_common::id::NodeName;
use pvc_common::model::{Node, NodeDetails};
use pvc_common::state::Word;
use pvc_common::unit::Mib;
use pvc_common::zk::{Seen, Text};
use serde_json::Value;

use super::concern::of_node;
use super::{View, fence};

/// A node with everything that is shown of it.
pub(crate) fn node(name: &NodeName, node: &Node, view: &View) -> api::Node {
    let details = node.details.as_deref();
    let facts = node.static_data.get();
    let fact = |pick: fn(&pvc_common::model::StaticData) -> &String| {
        facts.map_or_else(|| "N/A".to_owned(), |facts| pick(facts).clone())
    };
    let cpu_count = facts.map_or(0, |facts| facts.cpu_count);
    let running = node.running_domains.get().map(Vec::as_slice).unwrap_or_default();
    let running_domains = running.iter().map(|uuid| {
        let vm = view.vm(*uuid)?;
        Some(vm.name().to_owned())
    });
    api::Node {
        name: name.to_string(),
        daemon_state: word(&node.daemon_state),
        coordinator_state: word(&node.coordinator_state),
        domain_state: word(&node.domain_state),
        pvc_version: node.pvc_version.get().cloned(),
        cpu_count,
        kernel: fact(|facts| &facts.kernel),
        os: fact(|facts| &facts.os),
        arch: fact(|facts| &facts.arch),
        health: health(view, name, node),
        health_plugins: details.map(plugins).unwrap_or_default(),
        health_details: results(view, name, node),
        load: node.cpu_load.copied().unwrap_or_default(),
        domains_count: node.domains_count.copied().unwrap_or_default(),
        running_domains: running_domains.collect(),
        vcpu: api::NodeVcpus {
            total: cpu_count,
            allocated: node.vcpu_alloc.copied().unwrap_or_default().0,
        },
        memory: api::NodeMemory {
            total: mib(&node.mem_total),
            allocated: mib(&node.mem_alloc),
            provisioned: mib(&node.mem_prov),
            used: mib(&node.mem_used),
            free: mib(&node.mem_free),
        },
        interfaces: details.map(interfaces).unwrap_or_default(),
        fence: node.liveness.fence.get().map(|one| fence::fence(one, view)),
        fence_order: node.liveness.order.get().map(Text::encode),
        shut_out: node.liveness.shut_out.get().cloned(),
        fenceable: node.liveness.fenceable.get().map(fence::fenceable),
        lease: node.liveness.lease.get().and_then(Option::as_ref).map(fence::lease),
        suspected_by: node.liveness.suspicions.keys().map(ToString::to_string).collect(),
        hears: details.map(fence::hears).unwrap_or_default(),
    }
}

fn word<W: Word>(seen: &Seen<W>) -> String {
    seen.copied().map_or("", Word::text).to_owned()
}

fn mib(seen: &Seen<Mib>) -> u64 {
    seen.copied().unwrap_or_default().0
}

/// Health in percent, less what concerns the node now; or that nobody has checked.
pub(crate) fn health(view: &View, name: &NodeName, node: &Node) -> api::Health {
    let percent: Option<i64> = node.health.get().and_then(|text| text.parse().ok());
    let lost: i64 = of_node(view, name, node).map(|(_, concern)| i64::from(concern.delta)).sum();
    percent.map_or(api::Health::Unknown, |percent| api::Health::Percent((percent - lost).max(0)))
}

fn plugins(details: &NodeDetails) -> Vec<String> {
    let plugins = details.plugins.get().map(Vec::as_slice).unwrap_or_default();
    plugins.iter().map(ToString::to_string).collect()
}

/// The results of its checks, and what concerns it now as if that were some of them.
fn results(view: &View, name: &NodeName, node: &Node) -> Vec<api::PluginHealth> {
    let results = node.details.iter().flat_map(|details| &details.results);
    let results = results.map(|(check, result)| api::PluginHealth {
        name: check.to_string(),
        last_run: seconds(&result.last_run),
        health_delta: result.health_delta.copied().unwrap_or_default().into(),
        message: result.message.get().cloned().unwrap_or_default(),
        data: result
            .data
            .get()
            .and_then(|json| serde_json::from_str(json.text()).ok())
            .unwrap_or_else(|| Value::Object(serde_json::Map::new())),
    });
    let concerns = of_node(view, name, node).map(|(check, concern)| api::PluginHealth {
        name: check.to_owned(),
        last_run: seconds(&node.keepalive),
        health_delta: concern.delta.into(),
        message: concern.text,
        data: Value::Object(serde_json::Map::new()),
    });
    results.chain(concerns).collect()
}

fn seconds(seen: &Seen<u64>) -> i64 {
    seen.copied().and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or_default()
}

/// Traffic by interface; one that is described oddly is left out.
fn interfaces(details: &NodeDetails) -> BTreeMap<String, api::NodeInterface> {
    let json = details.network_stats.get().map_or("", |json| json.text());
    let all: BTreeMap<String, Value> = serde_json::from_str(json).unwrap_or_default();
    let understood = all
        .into_iter()
        .filter_map(|(name, value)| Some((name, serde_json::from_value(value).ok()?)));
    understood.collect()
}
