//! A network as it was read just now, key by key, with what guards a change of it.

use pvc_common::id::Vni;
use pvc_common::model::Network;
use pvc_common::state::NetworkType;
use pvc_common::view::Builder;
use pvc_common::zk::{Key, Op, Seen, Text};
use pvc_zk::subtree::Branch;

use super::refuse;
use crate::api::ApiError;
use crate::change::unreadable;

/// A network as it was read just now.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Which.
    pub(crate) vni: Vni,
    /// What was understood of it; nothing if there is none.
    pub(super) network: Network,
    branch: Branch,
}

impl Found {
    /// Understands what is at the network's key and below it.
    pub(crate) fn of(vni: Vni, branch: Branch) -> Self {
        let mut builder = Builder::full();
        for (path, entry) in branch.znodes() {
            builder.set(path, Some((&entry.data, entry.version)));
        }
        let view = builder.snapshot();
        let network = view.networks.get(&vni).map(|network| Network::clone(network));
        Self { vni, network: network.unwrap_or_default(), branch }
    }

    /// Whether there is such a network.
    pub(super) fn is_there(&self) -> bool {
        self.network.description != Seen::Absent
    }

    /// The same, if there is such a network.
    pub(super) fn existing(&self) -> Result<&Self, ApiError> {
        if self.is_there() { Ok(self) } else { Err(no_such_network(&self.vni.to_string())) }
    }

    /// Its name for people; its number if it has none.
    pub(super) fn name(&self) -> String {
        let name = self.network.description.get().filter(|name| !name.is_empty());
        name.cloned().unwrap_or_else(|| self.vni.to_string())
    }

    /// How it is carried.
    pub(super) fn kind(&self) -> Result<NetworkType, ApiError> {
        self.network.kind.copied().ok_or_else(|| unreadable("The network's type"))
    }

    /// Refuses what a bridged network cannot have.
    pub(super) fn managed(&self, what: &str) -> Result<(), ApiError> {
        match self.kind()? {
            NetworkType::Managed => Ok(()),
            NetworkType::Bridged => not_managed(&self.name(), what),
        }
    }

    /// What was read of a key.
    pub(super) fn seen<T: Text>(&self, key: &Key<T>) -> Seen<T> {
        let mut znodes = self.branch.znodes().iter();
        let entry = znodes.find(|(path, _)| path == key.path()).map(|(_, entry)| entry);
        Seen::read(entry.map(|entry| (entry.data.as_slice(), entry.version)))
    }

    /// Whether there was such a key.
    pub(super) fn has<T>(&self, key: &Key<T>) -> bool {
        self.branch.znodes().iter().any(|(path, _)| path == key.path())
    }

    /// Deletes everything that was read at and below a key, children first.
    pub(super) fn deletes<T>(&self, key: &Key<T>) -> Vec<Op> {
        let below = format!("{}/", key.path());
        let mut ops = self.branch.deletes();
        ops.retain(|op| op.path() == key.path() || op.path().starts_with(&below));
        ops
    }
}

/// Refuses what a bridged network cannot have.
pub(super) fn not_managed<T>(network: &str, what: &str) -> Result<T, ApiError> {
    let why = format!(
        "Network '{network}' is bridged: {what} the surrounding network's, not the cluster's."
    );
    refuse("not-managed", why)
}

/// Nobody knows a network of this number or description.
pub(super) fn no_such_network(text: &str) -> ApiError {
    let message = format!("ERROR: Could not find network '{text}' in the cluster!");
    ApiError::refused("no-such-network", message)
}
