//! The cluster as the node daemon sees it: the tree followed into a [`View`].

use std::sync::Arc;

use pvc_common::view::{Builder, Scope, View};
use pvc_common::zk::{Version, key};
use pvc_zk::Image;

/// What of the tree a node daemon reads, in the form its plans read.
///
/// Definitions are read for what they say of memory and processors, and not kept.
pub struct ClusterImage(Builder);

impl ClusterImage {
    /// The branches it is made of.
    pub const ROOTS: &'static [&'static str] =
        &[key::SCHEMA, key::CONFIG, key::NODES, key::DOMAINS, key::NETWORKS, key::TASKS];

    /// An image of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Builder::new(Scope::Decisions))
    }
}

impl Default for ClusterImage {
    fn default() -> Self {
        Self::new()
    }
}

impl Image for ClusterImage {
    type View = View;

    fn wants(&self, path: &str) -> bool {
        self.0.wants(path)
    }

    fn clear(&mut self, root: &str) {
        self.0.clear(root);
    }

    fn set(&mut self, path: &str, data: Option<(&[u8], Version)>) {
        self.0.set(path, data);
    }

    fn snapshot(&mut self) -> Arc<View> {
        self.0.snapshot()
    }
}
