//! What has to change in the kernel, network by network.

use std::collections::{BTreeMap, BTreeSet};

use pvc_common::id::Vni;
use pvc_common::observed::FirewallTable;

use super::render::{Base, ENTERING, LEAVING, REACHING, Rendered, WITHIN, Wanted, command};

/// One thing that has to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The network whose chains it is about; `None` for the table itself, which comes first.
    pub network: Option<Vni>,
    /// The commands for nft that do it. Those of several changes may follow each other.
    pub commands: String,
}

/// What belongs to one network: its chains, and by map and key where these lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Share {
    chains: BTreeMap<String, Option<usize>>,
    ways: BTreeMap<(&'static str, String), String>,
}

/// What has to change so that the kernel holds the `wanted` chains and no others. Chains that are
/// as they shall be are not touched; nor is anything outside our table. A chain that has more or fewer
/// rules than were put into it is filled anew.
#[must_use]
pub fn changes(base: &Base, wanted: &Wanted, seen: Option<&FirewallTable>) -> Vec<Change> {
    let mut changes = Vec::new();
    let shares = seen.and_then(|seen| shares(base, seen)).unwrap_or_else(|| {
        changes.push(Change { network: None, commands: base.make() });
        BTreeMap::new()
    });
    let nothing = Share::default();
    let networks: BTreeSet<&Vni> = wanted.keys().chain(shares.keys()).collect();
    for vni in networks {
        let rendered = wanted.get(vni).map(|rendered| &**rendered);
        let share = shares.get(vni).unwrap_or(&nothing);
        let commands = change(*vni, rendered, share, base);
        if !commands.is_empty() {
            changes.push(Change { network: Some(*vni), commands });
        }
    }
    changes
}

/// The table once all is as it is wanted.
#[must_use]
pub fn table(base: &Base, wanted: &Wanted) -> FirewallTable {
    let mut table = base.table();
    for (vni, rendered) in wanted {
        let Share { chains, ways } = share(*vni, rendered, base);
        table.chains.extend(chains);
        for ((map, key), verdict) in ways {
            table.maps.entry(map.to_owned()).or_default().insert(key, verdict);
        }
    }
    table
}

fn bridge(vni: Vni) -> String {
    format!("vmbr{vni}")
}

fn share(vni: Vni, rendered: &Rendered, base: &Base) -> Share {
    let bridge = bridge(vni);
    let (entering, leaving) = (&rendered.entering, &rendered.leaving);
    let ways = [
        ((WITHIN, format!("{bridge} . {bridge}")), "return".to_owned()),
        ((ENTERING, bridge.clone()), format!("jump {}", entering.name)),
        ((LEAVING, bridge.clone()), format!("jump {}", leaving.name)),
        ((REACHING, bridge), base.reaching()),
    ];
    Share { chains: [entering.listed(), leaving.listed()].into(), ways: ways.into() }
}

/// What each network has in the kernel; `None` if the table is not laid out as ours is, or holds
/// what no network accounts for, or others' rules where ours decide which way packets go: then it is
/// made anew.
fn shares(base: &Base, seen: &FirewallTable) -> Option<BTreeMap<Vni, Share>> {
    let own = base.table();
    let mut shares: BTreeMap<Vni, Share> = BTreeMap::new();
    let is_there = |(name, rules): (&String, &Option<usize>)| {
        seen.chains.get(name).is_some_and(|seen| agrees(*seen, *rules))
    };
    if !own.chains.iter().all(is_there) || !own.maps.keys().eq(seen.maps.keys()) {
        return None;
    }
    for (chain, rules) in seen.chains.iter().filter(|(chain, _)| !own.chains.contains_key(*chain)) {
        shares.entry(owner(chain)?).or_default().chains.insert(chain.clone(), *rules);
    }
    for map in [WITHIN, ENTERING, LEAVING, REACHING] {
        for (key, verdict) in &seen.maps[map] {
            let first = key.split(" . ").next().unwrap_or_default();
            let vni = first.strip_prefix("vmbr")?.parse().ok()?;
            shares.entry(vni).or_default().ways.insert((map, key.clone()), verdict.clone());
        }
    }
    Some(shares)
}

/// Whether as many rules were seen as there shall be, as far as anybody looked.
fn agrees(seen: Option<usize>, wanted: Option<usize>) -> bool {
    seen.is_none() || seen == wanted
}

/// Whose chain it is, by its name.
fn owner(chain: &str) -> Option<Vni> {
    let (vni, _) = chain.strip_prefix("vxlan")?.split_once('-')?;
    vni.parse().ok()
}

/// The commands for one network: what is new, then the ways to it, then away with what is old.
fn change(vni: Vni, rendered: Option<&Rendered>, seen: &Share, base: &Base) -> String {
    let table = FirewallTable::NAME;
    let wanted = rendered.map(|rendered| share(vni, rendered, base)).unwrap_or_default();
    let mut out = String::new();
    let chains = rendered.into_iter().flat_map(|rendered| [&rendered.entering, &rendered.leaving]);
    for chain in chains {
        let (name, rules) = chain.listed();
        match seen.chains.get(&name) {
            None => chain.make(&mut out),
            Some(seen) if agrees(*seen, rules) => {}
            Some(_) => chain.refill(&mut out),
        }
    }
    for (way @ (map, key), _) in differing(&seen.ways, &wanted.ways) {
        debug_assert!(seen.ways.contains_key(way), "only what is there is removed");
        command(&mut out, format_args!("delete element inet {table} {map} {{ {} }}", quoted(key)));
    }
    for ((map, key), verdict) in differing(&wanted.ways, &seen.ways) {
        let key = quoted(key);
        command(&mut out, format_args!("add element inet {table} {map} {{ {key} : {verdict} }}"));
    }
    for chain in seen.chains.keys().filter(|chain| !wanted.chains.contains_key(*chain)) {
        for verb in ["flush", "delete"] {
            command(&mut out, format_args!("{verb} chain inet {table} {chain}"));
        }
    }
    out
}

type Ways = BTreeMap<(&'static str, String), String>;

/// What is in `these` but not the same in `those`.
fn differing<'a>(
    these: &'a Ways,
    those: &'a Ways,
) -> impl Iterator<Item = (&'a (&'static str, String), &'a String)> {
    these.iter().filter(|(way, verdict)| those.get(*way) != Some(*verdict))
}

/// A key as nft reads it.
fn quoted(key: &str) -> String {
    let names: Vec<String> = key.split(" . ").map(|name| format!("\"{name}\"")).collect();
    names.join(" . ")
}
