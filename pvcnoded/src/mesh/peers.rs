//! Whom to probe: by the tree, and until that is read by what was written down before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use pvc_common::id::NodeName;
use pvc_common::view::View;
use pvc_plan::mesh::{observed_by, observers};
use pvc_runtime::drain::Drain;
use tokio::sync::watch;

use super::{Ear, now};

/// Every other node that answers probes, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers(BTreeMap<NodeName, Vec<SocketAddr>>);

impl Peers {
    /// As the tree has them.
    #[must_use]
    pub fn of(view: &View) -> Self {
        let nodes = view.nodes.iter().filter_map(|(name, node)| {
            let mesh = &node.liveness.presence.get()?.mesh;
            (!mesh.is_empty()).then(|| (name.clone(), mesh.clone()))
        });
        Self(nodes.collect())
    }

    /// As they were written down: a line for each, its name and its addresses.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let peer = |line: &str| {
            let mut words = line.split_ascii_whitespace();
            let name = words.next()?.parse().ok()?;
            let addresses: Option<Vec<SocketAddr>> = words.map(|word| word.parse().ok()).collect();
            Some((name, addresses?))
        };
        Self(text.lines().filter_map(peer).collect())
    }

    /// As [`Peers::read`] reads them.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |(name, addresses): (&NodeName, &Vec<SocketAddr>)| {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!("{name} {}\n", addresses.join(" "))
        };
        self.0.iter().map(line).collect()
    }

    /// Tells an ear whom to probe and whose silence to tell.
    pub fn tell(&self, me: &NodeName, ear: &Ear) {
        let names: BTreeSet<NodeName> = self.0.keys().cloned().chain([me.clone()]).collect();
        let observed = observed_by(me, &names);
        let probed: BTreeSet<NodeName> =
            observed.iter().cloned().chain(observers(me, &names)).collect();
        let peers = self.0.iter().filter(|(name, _)| probed.contains(*name));
        let peers = peers.map(|(name, at)| (name.clone(), at.clone())).collect();
        let mut owners: HashMap<IpAddr, NodeName> = HashMap::new();
        for (name, at) in self.0.iter().filter(|(name, _)| *name != me) {
            owners.extend(at.iter().map(|at| (at.ip(), name.clone())));
        }
        ear.attend_to(peers, observed, owners, now());
    }
}

/// Follows the tree until drained, and writes down what it says.
pub async fn follow(
    me: NodeName,
    ear: Arc<Ear>,
    mut views: watch::Receiver<Option<Arc<View>>>,
    file: PathBuf,
    drain: Drain,
) {
    let mut before = Peers::default();
    let changes = async {
        loop {
            let peers = views.borrow_and_update().as_ref().map(|view| Peers::of(view));
            if let Some(peers) = peers.filter(|peers| *peers != before) {
                peers.tell(&me, &ear);
                if let Err(error) = super::write_whole(&file, &peers.text()).await {
                    tracing::warn!(%error, "the nodes of the mesh could not be written down");
                }
                before = peers;
            }
            if views.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = changes => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_down_reads_back() {
        let text = "hv2 10.255.0.2:7411 10.254.0.2:7411\nhv3 10.255.0.3:7411\n";
        assert_eq!(Peers::read(text).text(), text);
        assert_eq!(Peers::read("hv2 nonsense\n\nhv/3 10.0.0.1:1\n"), Peers::default());
    }
}
