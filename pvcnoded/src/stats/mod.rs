//! This node's figures and those of its VMs, published once per keepalive interval.
//!
//! Apart from the keepalive, so that nothing here can delay it: each source has its own
//! deadline, and one that does not answer leaves its old figures standing.

mod node;
mod vm;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::observed::ObservedVm;
use pvc_common::view::View;
use pvc_common::zk::key;
use pvc_libvirt::Hypervisor;
use pvc_runtime::drain::Drain;
use pvc_runtime::log::mark;
use pvc_zk::{CommitError, Tree};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::Instrument;

pub use node::HostFigures;

use crate::own_keys::{OwnKeys, PublishError};

/// VMs whose figures are published in one transaction: a kilobyte or two each, of the megabyte
/// that the server takes.
const TOGETHER: usize = 100;

/// Where the figures come from.
pub struct Sources<H> {
    /// The figures of the machine.
    pub host: Box<dyn Fn() -> std::io::Result<HostFigures> + Send + Sync>,
    /// The hypervisor; `None` on a node that runs no VMs.
    pub hypervisor: Option<H>,
    /// What runs here, as the VM keeper saw it last.
    pub here: watch::Receiver<Arc<Vec<ObservedVm>>>,
    /// The cluster.
    pub views: watch::Receiver<Option<Arc<View>>>,
    /// Where the kernel shows network devices, normally `/sys/class/net`.
    pub devices: PathBuf,
}

/// Publishes figures every `every` until drained.
pub async fn run<T: Tree, H: Hypervisor>(
    tree: T,
    me: NodeName,
    every: Duration,
    sources: Sources<H>,
    log_details: bool,
    drain: Drain,
) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut publisher = Publisher {
        node_keys: OwnKeys::new(tree.clone()),
        vm_keys: OwnKeys::new(tree),
        me,
        limit: every,
        sources,
        log_details,
        published: BTreeSet::new(),
    };
    let rounds = async {
        loop {
            ticks.tick().await;
            publisher.node_round().await;
            publisher.vm_round().await;
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(tracing::info_span!("statistics")) => {}
    }
}

struct Publisher<T, H> {
    node_keys: OwnKeys<T>,
    vm_keys: OwnKeys<T>,
    me: NodeName,
    limit: Duration,
    sources: Sources<H>,
    log_details: bool,
    published: BTreeSet<VmUuid>,
}

impl<T: Tree, H: Hypervisor> Publisher<T, H> {
    async fn node_round(&mut self) {
        let Some(view) = self.sources.views.borrow().clone() else { return };
        let here = self.sources.here.borrow().clone();
        let host = match (self.sources.host)() {
            Ok(host) => host,
            Err(error) => {
                tracing::warn!(%error, "cannot read the figures of this machine");
                return;
            }
        };
        // One transaction: free memory and the list of what runs belong together.
        let values = node::values(&self.me, &host, &here, &view);
        if let Err(error) = self.node_keys.publish(&values).await {
            tracing::warn!(%error, "figures of this node not published");
        }
        if self.log_details {
            tracing::info!(mark = mark::TICK, "{}", node::details(&host, &here, &view));
        }
    }

    async fn vm_round(&mut self) {
        let Some(hypervisor) = &self.sources.hypervisor else { return };
        let stats = match timeout(self.limit, hypervisor.stats()).await {
            Ok(Ok(stats)) => stats,
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot read the figures of the VMs");
                return;
            }
            Err(_) => {
                let waited_s = self.limit.as_secs();
                tracing::warn!(waited_s, "the figures of the VMs took too long");
                return;
            }
        };
        let known = self.sources.views.borrow().clone().unwrap_or_default();
        let mut values = Vec::new();
        let mut published = BTreeSet::new();
        for vm in stats.iter().filter(|vm| known.vms.contains_key(&vm.uuid)) {
            published.insert(vm.uuid);
            let text = vm::json(vm, &self.sources.devices).to_string();
            values.push((key::vm_stats(vm.uuid).into_path(), text));
        }
        for few in values.chunks(TOGETHER) {
            self.publish_vms(few).await;
        }
        for gone in self.published.difference(&published) {
            self.vm_keys.forget(key::vm_stats(*gone).path());
        }
        self.published = published;
    }

    /// Publishes figures of VMs in one transaction, if that is possible.
    async fn publish_vms(&mut self, values: &[(String, String)]) {
        match self.vm_keys.publish(values).await {
            Ok(_) => return,
            Err(PublishError::Write(
                error @ (CommitError::Refused { .. } | CommitError::Superseded { .. }),
            )) => tracing::debug!(%error, "figures of VMs not published together"),
            Err(error) => {
                tracing::debug!(%error, "figures of VMs not published");
                return;
            }
        }
        // Each by itself: a VM that is being removed must not hide the others.
        for value in values {
            if let Err(error) = self.vm_keys.publish(std::slice::from_ref(value)).await {
                tracing::debug!(path = value.0, %error, "figures of a VM not published");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pvc_common::unit::Mib;
    use pvc_common::zk::Op;
    use pvc_libvirt::fake::{FakeHypervisor, FakeRoom};
    use pvc_zk::FakeTree;
    use tracing::subscriber::set_default;

    use super::*;
    use crate::told::Log;

    fn publisher(tree: &FakeTree) -> Publisher<FakeTree, FakeHypervisor> {
        let sources = Sources {
            host: Box::new(|| Err(std::io::ErrorKind::Unsupported.into())),
            hypervisor: Some(FakeRoom::new().node("hv1")),
            here: watch::channel(Arc::default()).1,
            views: watch::channel(None).1,
            devices: PathBuf::new(),
        };
        Publisher {
            node_keys: OwnKeys::new(tree.clone()),
            vm_keys: OwnKeys::new(tree.clone()),
            me: "hv1".parse().unwrap(),
            limit: Duration::from_secs(5),
            sources,
            log_details: false,
            published: BTreeSet::new(),
        }
    }

    #[tokio::test]
    async fn a_vm_that_is_gone_does_not_hide_the_figures_of_the_others() {
        let tree = FakeTree::new();
        let made = ["/domains", "/domains/a", "/domains/c"];
        let made = made.map(|path| Op::Create { path: path.to_owned(), data: Vec::new() });
        tree.commit(made.into()).await.unwrap();
        let figures = ["a", "b", "c"].map(|vm| (format!("/domains/{vm}/stats"), vm.to_owned()));
        publisher(&tree).publish_vms(&figures).await;
        let paths = figures.map(|(path, _)| path);
        let found = tree.get_many(&paths).await.unwrap();
        let found = found.into_iter().map(|entry| entry.map(|entry| entry.data));
        assert!(found.eq([Some(b"a".to_vec()), None, Some(b"c".to_vec())]));
    }

    #[tokio::test]
    async fn the_figures_are_logged_where_that_is_wanted() {
        for wanted in [true, false] {
            let log = Log::default();
            let _logging = set_default(log.clone());
            let mut publisher = publisher(&FakeTree::new());
            publisher.log_details = wanted;
            publisher.sources.views = watch::channel(Some(Arc::default())).1;
            publisher.sources.host = Box::new(|| {
                Ok(HostFigures {
                    memory_total: Mib(64_000),
                    memory_used: Mib(4_000),
                    memory_available: Mib(60_000),
                    load: 0.5,
                })
            });
            publisher.node_round().await;
            let figures = "[Memory (MiB): 64000 total, 4000 used, 60000 free]";
            assert_eq!(log.take().iter().any(|line| line.contains(figures)), wanted);
        }
    }
}
