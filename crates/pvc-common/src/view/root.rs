//! The branches of the tree, from its root.

use std::sync::Arc;

use super::branch::{Branch, Found, Taken, below, member};
use super::{Cluster, Scope, View};
use crate::zk::key;

impl Branch for View {
    fn take(&mut self, path: &str, found: Found<'_>) -> Taken {
        let (decides, full) = (found.scope >= Scope::Decisions, found.scope == Scope::Full);
        if let Some(rest) = below(path, key::DOMAINS) {
            member(&mut self.vms, rest, found)
        } else if let Some(rest) = below(path, key::NODES) {
            member(&mut self.nodes, rest, found)
        } else if below(path, key::CONFIG).or(below(path, key::SCHEMA)).is_some() {
            Arc::make_mut(&mut self.cluster).take(path, found)
        } else if let Some(rest) = below(path, key::NETWORKS).filter(|_| decides) {
            member(&mut self.networks, rest, found)
        } else if let Some(rest) = below(path, key::FAULTS).filter(|_| full) {
            member(&mut self.reported, rest, found)
        } else if let Some(rest) = below(path, key::FENCES).filter(|_| full) {
            member(&mut self.fences, rest, found)
        } else if let Some(rest) = below(path, key::TASKS).filter(|_| decides) {
            member(&mut self.tasks, rest, found)
        } else if below(path, key::CEPH).is_some() && full {
            self.take_storage(path, found)
        } else {
            Taken::Unwanted
        }
    }
}

impl View {
    fn take_storage(&mut self, path: &str, found: Found<'_>) -> Taken {
        if let Some(rest) = below(path, key::VOLUMES) {
            member(&mut self.volumes, rest, found)
        } else if let Some(rest) = below(path, key::SNAPSHOTS) {
            member(&mut self.snapshots, rest, found)
        } else if let Some(rest) = below(path, key::OSDS) {
            member(&mut self.osds, rest, found)
        } else if let Some(rest) = below(path, key::BENCHMARKS) {
            member(&mut self.benchmarks, rest, found)
        } else if let Some(rest) = below(path, key::POOLS) {
            member(&mut self.pools, rest, found)
        } else {
            Arc::make_mut(&mut self.storage).take(path, found)
        }
    }

    /// Forgets everything at and below `root`.
    pub(super) fn clear(&mut self, root: &str) {
        match root {
            key::SCHEMA => {
                Arc::make_mut(&mut self.cluster).schema_version = Default::default();
            }
            key::CONFIG => {
                let schema_version = self.cluster.schema_version.clone();
                self.cluster = Arc::new(Cluster { schema_version, ..Cluster::default() });
            }
            key::NODES => self.nodes = Default::default(),
            key::DOMAINS => self.vms = Default::default(),
            key::NETWORKS => self.networks = Default::default(),
            key::FAULTS => self.reported = Default::default(),
            key::FENCES => self.fences = Default::default(),
            key::TASKS => self.tasks = Default::default(),
            key::CEPH => {
                self.storage = Default::default();
                self.osds = Default::default();
                self.pools = Default::default();
                self.volumes = Default::default();
                self.snapshots = Default::default();
                self.benchmarks = Default::default();
            }
            unknown => debug_assert!(false, "{unknown} is no branch of a view"),
        }
    }
}
