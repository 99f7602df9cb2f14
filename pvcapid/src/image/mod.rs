//! The cluster as requests see it: the typed view, with the JSON of each VM, volume and snapshot
//! made once.

mod arrivals;
mod catalogue;
mod concern;
mod fence;
mod network;
mod node;
mod shown;
mod snapshot;
mod sriov;
mod stats;
mod storage;
mod vm;

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use pvc_common::id::VmUuid;
use pvc_common::model::{Snapshot, Volume};
use pvc_common::view;
use pvc_common::zk::{Seen, Version, key};
use pvc_zk::Image;

use crate::change::network::Others;

pub use arrivals::Arrivals;
pub(crate) use catalogue::{Catalogue, Rendered};
pub(crate) use concern::{Concern, checks, concern, of_node, storage as storage_concerns};
pub(crate) use fence::fences;
pub(crate) use network::{leases, network, rules};
pub(crate) use node::{health, node};
pub(crate) use shown::Shown;
pub(crate) use sriov::{pfs, vf, vfs};
pub(crate) use storage::{osd, osd_state, pools, volume_counts};
pub(crate) use vm::{meta, runs_in, shown_xml, tags, without_snapshots};

/// The branches that requests need. Logs are read when they are asked for.
pub(crate) const ROOTS: [&str; 9] = [
    key::SCHEMA,
    key::CONFIG,
    key::FAULTS,
    key::FENCES,
    key::TASKS,
    key::NODES,
    key::DOMAINS,
    key::NETWORKS,
    key::CEPH,
];

/// The cluster at one moment. What the tree holds is reached as of the typed view.
#[derive(Debug, Default)]
pub struct View {
    generation: u64,
    cluster: Arc<view::View>,
    /// What was decided about networks among each other, up to which change; see [`key::networks`].
    networks: Seen<()>,
    /// Every VM, by UUID.
    vms: Vec<Arc<Shown>>,
    by_name: OnceLock<Vec<Arc<Shown>>>,
    volumes: Arc<Catalogue<Volume>>,
    snapshots: Arc<Catalogue<Snapshot>>,
}

impl Deref for View {
    type Target = view::View;

    fn deref(&self) -> &view::View {
        &self.cluster
    }
}

impl View {
    /// Whether this is a cluster that was just made.
    pub(crate) fn is_new(&self) -> bool {
        self.cluster.cluster.schema_version.get().is_some()
            && self.nodes.is_empty()
            && self.vms.is_empty()
    }

    /// What a decision about networks among each other is made on.
    pub(crate) fn among_networks(&self) -> Others<'_> {
        Others { view: &self.cluster, guard: &self.networks }
    }

    /// Counts the views.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Every VM, sorted by name.
    pub(crate) fn vms_by_name(&self) -> &[Arc<Shown>] {
        self.by_name.get_or_init(|| {
            let mut sorted = self.vms.clone();
            sorted.sort_unstable_by(|a, b| a.name().cmp(b.name()));
            sorted
        })
    }

    /// Every VM, by UUID.
    pub(crate) fn vms_by_uuid(&self) -> &[Arc<Shown>] {
        &self.vms
    }

    /// The VM of this UUID.
    pub(crate) fn vm(&self, uuid: VmUuid) -> Option<&Arc<Shown>> {
        let at = self.vms.binary_search_by_key(&uuid, |shown| shown.uuid()).ok()?;
        self.vms.get(at)
    }

    /// The VM of this UUID or name.
    pub(crate) fn find_vm(&self, text: &str) -> Option<&Arc<Shown>> {
        let by_uuid = text.parse().ok().and_then(|uuid| self.vm(uuid));
        by_uuid.or_else(|| self.vms.iter().find(|shown| shown.name() == text))
    }

    /// Every volume, with its JSON.
    pub(crate) fn shown_volumes(&self) -> &Catalogue<Volume> {
        &self.volumes
    }

    /// Every snapshot of a volume, with its JSON.
    pub(crate) fn shown_snapshots(&self) -> &Catalogue<Snapshot> {
        &self.snapshots
    }
}

/// Builds views from what the mirror reads.
pub(crate) struct ApiImage {
    builder: view::Builder,
    arrivals: Arrivals,
    networks: Seen<()>,
    latest: Arc<View>,
}

impl ApiImage {
    pub(crate) fn new(arrivals: Arrivals) -> Self {
        Self { builder: builder(), arrivals, networks: Seen::Absent, latest: Arc::default() }
    }
}

fn builder() -> view::Builder {
    view::Builder::full()
}

/// Whether requests need what is at `path`.
pub(crate) fn wants(path: &str) -> bool {
    static FILTER: OnceLock<view::Builder> = OnceLock::new();
    FILTER.get_or_init(builder).wants(path)
}

impl Image for ApiImage {
    type View = View;

    fn wants(&self, path: &str) -> bool {
        self.builder.wants(path)
    }

    fn clear(&mut self, root: &str) {
        self.builder.clear(root);
    }

    fn set(&mut self, path: &str, data: Option<(&[u8], Version)>) {
        self.builder.set(path, data);
        if path == key::NETWORKS {
            self.networks = Seen::read(data);
        }
        self.arrivals.saw(path, data.map(|(_, version)| version));
    }

    fn snapshot(&mut self) -> Arc<View> {
        let generation = self.latest.generation + 1;
        let cluster = self.builder.snapshot();
        let mut known = self.latest.vms.iter().peekable();
        let vms = cluster.vms.iter().map(|(uuid, vm)| {
            while known.next_if(|shown| shown.uuid() < *uuid).is_some() {}
            // What is the same object is the same text too.
            let unchanged = known.next_if(|shown| shown.uuid() == *uuid && shown.shows(vm));
            unchanged.map_or_else(|| Arc::new(Shown::new(*uuid, Arc::clone(vm))), Arc::clone)
        });
        self.latest = Arc::new(View {
            generation,
            networks: self.networks.clone(),
            vms: vms.collect(),
            by_name: OnceLock::new(),
            volumes: self.latest.volumes.of(&cluster.volumes),
            snapshots: self.latest.snapshots.of(&cluster.snapshots),
            cluster,
        });
        self.arrivals.published(generation);
        Arc::clone(&self.latest)
    }
}
