//! What Ceph tells of itself, published by the primary once per keepalive interval.
//!
//! Apart from everything else: a Ceph that hangs delays nothing but this, and its old figures stay.

use std::sync::Arc;
use std::time::Duration;

use pvc_ceph::{CephError, Figures, Statistics};
use pvc_common::id::{NodeName, OsdId, PoolName};
use pvc_common::state::CoordinatorState;
use pvc_common::view::View;
use pvc_common::zk::key;
use pvc_runtime::drain::Drain;
use pvc_runtime::log::mark;
use pvc_zk::{Tree, TreeError};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::Instrument;

use crate::own_keys::OwnKeys;

/// How figures are published.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This node.
    pub node: NodeName,
    /// Time between two publications.
    pub every: Duration,
    /// Whether each is logged.
    pub log: bool,
}

/// Publishes Ceph's figures while this node is primary, until drained.
pub async fn run<T: Tree, C: Statistics>(
    tree: T,
    settings: Settings,
    ceph: C,
    views: watch::Receiver<Option<Arc<View>>>,
    drain: Drain,
) {
    let mut ticks = interval(settings.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let keys = OwnKeys::new(tree.clone());
    let mut publisher = Publisher { tree, settings, ceph, views, keys, trouble: None };
    let rounds = async {
        loop {
            ticks.tick().await;
            publisher.round().await;
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(tracing::info_span!("storage")) => {}
    }
}

struct Publisher<T, C> {
    tree: T,
    settings: Settings,
    ceph: C,
    views: watch::Receiver<Option<Arc<View>>>,
    keys: OwnKeys<T>,
    /// What was logged last, so that it is not logged again.
    trouble: Option<String>,
}

impl<T: Tree, C: Statistics> Publisher<T, C> {
    async fn round(&mut self) {
        if !self.is_primary() {
            // Another primary writes them now.
            self.keys.forget(key::CEPH);
            return;
        }
        match self.ceph.figures().await {
            Ok(figures) => {
                self.tell(None);
                if self.settings.log {
                    tracing::info!(mark = mark::TICK, "{}", details(&figures));
                }
                self.publish(&figures).await;
            }
            // A primary of a cluster that has its storage elsewhere.
            Err(CephError::Absent { program }) => {
                tracing::debug!("no figures of the storage: `{program}` is not installed");
            }
            Err(error) => self.tell(Some(error.to_string())),
        }
    }

    fn is_primary(&self) -> bool {
        let view = self.views.borrow();
        let own = view.as_ref().and_then(|view| view.nodes.get(&self.settings.node));
        own.and_then(|own| own.coordinator_state.copied()) == Some(CoordinatorState::Primary)
    }

    /// One line when it changes.
    fn tell(&mut self, trouble: Option<String>) {
        if self.trouble == trouble {
            return;
        }
        match &trouble {
            Some(why) => tracing::warn!("figures of the storage stay as they are: {why}"),
            None => tracing::info!("figures of the storage are published"),
        }
        self.trouble = trouble;
    }

    async fn publish(&mut self, figures: &Figures) {
        let values = match self.values(figures).await {
            Ok(values) => values,
            Err(error) => {
                tracing::debug!(%error, "not known which OSDs and pools there are");
                return;
            }
        };
        let Err(error) = self.keys.publish(&values).await else { return };
        tracing::debug!(%error, "figures of the storage not published together");
        // Each by itself: one that is being removed must not hide the others.
        for value in &values {
            if let Err(error) = self.keys.publish(std::slice::from_ref(value)).await {
                tracing::debug!(path = value.0, %error, "figures of the storage not published");
            }
        }
    }

    /// The keys that show the figures: of the cluster, and of the OSDs and pools that PVC knows.
    async fn values(&self, figures: &Figures) -> Result<Vec<(String, String)>, TreeError> {
        let mut values = vec![
            (key::storage_status().into_path(), figures.status.clone()),
            (key::storage_util().into_path(), figures.usage.clone()),
            (key::storage_health().into_path(), figures.health.text().to_owned()),
        ];
        for name in self.tree.children(key::OSDS).await?.unwrap_or_default() {
            let Ok(id) = name.parse::<OsdId>() else { continue };
            let stats = figures.osds.get(&id);
            values.extend(stats.map(|it| (key::osd_stats(id).into_path(), it.text().to_owned())));
        }
        for name in self.tree.children(key::POOLS).await?.unwrap_or_default() {
            let Ok(name) = name.parse::<PoolName>() else { continue };
            let stats = figures.pools.get(&name);
            let path = key::pool_stats(&name).into_path();
            values.extend(stats.map(|it| (path, it.text().to_owned())));
        }
        Ok(values)
    }
}

/// One line for people.
fn details(figures: &Figures) -> String {
    let health: serde_json::Value = serde_json::from_str(figures.health.text()).unwrap_or_default();
    let health = health["status"].as_str().unwrap_or("health unknown");
    let up = figures.osds.values().filter(|osd| osd.text().contains("\"up\":1")).count();
    let (osds, pools) = (figures.osds.len(), figures.pools.len());
    format!("storage: {health}, {up} of {osds} OSDs up, {pools} pools")
}

#[cfg(test)]
mod tests {
    use pvc_ceph::fake::FakeCeph;
    use pvc_common::model::Node;
    use pvc_common::zk::{Seen, Version};
    use pvc_zk::FakeTree;
    use tracing::subscriber::set_default;

    use super::*;
    use crate::told::Log;

    #[tokio::test]
    async fn the_figures_are_logged_where_that_is_wanted() {
        let state = CoordinatorState::Primary;
        let primary = Seen::Value { value: state, version: Version(0) };
        let mut view = View::default();
        let node = Node { coordinator_state: primary, ..Node::default() };
        view.nodes.insert("hv1".parse().unwrap(), Arc::new(node));
        let view = Arc::new(view);
        for wanted in [true, false] {
            let log = Log::default();
            let _logging = set_default(log.clone());
            let tree = FakeTree::new();
            let every = Duration::from_secs(5);
            let settings = Settings { node: "hv1".parse().unwrap(), every, log: wanted };
            let mut publisher = Publisher {
                keys: OwnKeys::new(tree.clone()),
                tree,
                settings,
                ceph: FakeCeph::default(),
                views: watch::channel(Some(Arc::clone(&view))).1,
                trouble: None,
            };
            publisher.round().await;
            let told = log.take();
            let figures = |line: &String| line.contains("storage: ") && line.contains("OSDs up");
            assert_eq!(told.iter().any(figures), wanted, "{told:?}");
        }
    }
}
