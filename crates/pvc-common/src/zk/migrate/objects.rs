//! Where the objects of each kind are.

use super::draft::Draft;
use crate::zk::Schema;

/// Below which keys of which kind the objects of a kind are, and how deep.
struct Place {
    kind: &'static str,
    parents: &'static [(&'static str, &'static str)],
    depth: u32,
}

const fn place(
    kind: &'static str,
    parents: &'static [(&'static str, &'static str)],
    depth: u32,
) -> Place {
    Place { kind, parents, depth }
}

const PLACES: [Place; 22] = [
    place("logs", &[("base", "logs")], 1),
    place("faults", &[("base", "faults")], 1),
    place("past_fence", &[("base", "fences")], 1),
    place("task", &[("base", "tasks")], 1),
    place("benchmark", &[("base", "benchmarks")], 1),
    place("node", &[("base", "node")], 1),
    place("suspicion", &[("node", "suspicions")], 1),
    place("domain", &[("base", "domain")], 1),
    place("network", &[("base", "network")], 1),
    place("osd", &[("base", "osd")], 1),
    place("pool", &[("base", "pool")], 1),
    // By pool, and by pool and volume.
    place("volume", &[("base", "volume")], 2),
    place("snapshot", &[("base", "snapshot")], 3),
    place("monitoring_plugin", &[("node", "monitoring.data")], 1),
    place("sriov_pf", &[("node", "sriov.pf")], 1),
    place("sriov_vf", &[("node", "sriov.vf")], 1),
    place("tag", &[("domain", "meta.tags")], 1),
    place("domain_snapshot", &[("domain", "snapshots")], 1),
    place("reservation", &[("network", "reservation")], 1),
    place("lease", &[("network", "lease")], 1),
    place("lease6", &[("network", "lease6")], 1),
    place("rule", &[("network", "rule.in"), ("network", "rule.out")], 1),
];

/// The paths of all objects of a kind; for `base` the root, which is empty.
pub(super) fn objects(draft: &Draft<'_>, schema: &Schema, kind: &str) -> Vec<String> {
    let Some(place) = PLACES.iter().find(|place| place.kind == kind) else {
        return vec![String::new()];
    };
    let mut found = Vec::new();
    for (parent_kind, name) in place.parents {
        let Some(suffix) = schema.path(parent_kind, name) else { continue };
        for parent in objects(draft, schema, parent_kind) {
            let mut level = vec![format!("{parent}{suffix}")];
            for _ in 0..place.depth {
                level = level.iter().flat_map(|path| draft.children(path)).collect();
            }
            found.append(&mut level);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_every_version_has_its_place() {
        for version in 0..=crate::zk::schema::LATEST {
            for entry in Schema::of(version).unwrap().entries() {
                let placed = PLACES.iter().any(|place| place.kind == entry.kind);
                assert!(placed || entry.kind == "base", "{}", entry.kind);
            }
        }
    }
}
