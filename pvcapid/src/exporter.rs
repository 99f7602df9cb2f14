//! Metrics that others tell, passed on: of Ceph's active manager, and of the primary's ZooKeeper.
//!
//! Anybody may ask for them, so that one is asked at a time, for no longer than a deadline, and no
//! more is taken of it than a page may have.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use pvc_common::id::NodeName;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::image::View;

/// How long whoever exports may take, the turns of others included: shorter than Prometheus waits.
const LIMIT: Duration = Duration::from_secs(5);
/// Ten times what a cluster of a thousand OSDs tells.
const PAGE_LIMIT: usize = 64 << 20;

/// Who tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exporter {
    /// The module `prometheus` of Ceph's active manager.
    Ceph,
    /// A `zookeeper-exporter` on the primary.
    ZooKeeper,
}

/// Where the exporters listen on their nodes.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// That of Ceph's managers.
    pub ceph: u16,
    /// That of ZooKeeper.
    pub zookeeper: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { ceph: 9283, zookeeper: 9141 }
    }
}

/// The exporters of the cluster.
#[derive(Debug, Default)]
pub(crate) struct Exporters {
    ports: Ports,
    ceph: Mutex<()>,
    zookeeper: Mutex<()>,
}

impl Exporters {
    pub(crate) fn new(ports: Ports) -> Self {
        Self { ports, ..Self::default() }
    }

    /// What one tells, or why it does not.
    pub(crate) async fn page(&self, exporter: Exporter, view: &View) -> Result<String, String> {
        let (turn, port) = match exporter {
            Exporter::Ceph => (&self.ceph, self.ports.ceph),
            Exporter::ZooKeeper => (&self.zookeeper, self.ports.zookeeper),
        };
        let addresses = addresses(exporter, view)?;
        let addresses: Vec<_> = addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        let asking = async {
            let _turn = turn.lock().await;
            ask(&addresses).await
        };
        let text = timeout(LIMIT, asking)
            .await
            .map_err(|_| format!("{addresses:?} did not answer within {} s", LIMIT.as_secs()))??;
        Ok(match exporter {
            // Another page may follow.
            Exporter::Ceph if text.ends_with('\n') => text,
            Exporter::Ceph => text + "\n",
            Exporter::ZooKeeper => by_name(&text),
        })
    }
}

/// The addresses of the node that exports, by what the cluster knows.
fn addresses(exporter: Exporter, view: &View) -> Result<Vec<IpAddr>, String> {
    let node = match exporter {
        Exporter::Ceph => {
            let status = view.storage.status.get().map_or("", AsRef::as_ref);
            active_manager(status).ok_or("Ceph tells of no active manager")?
        }
        Exporter::ZooKeeper => {
            let primary = view.cluster.primary_node.get().cloned().flatten();
            primary.ok_or("there is no primary at the moment")?
        }
    };
    let found = view.nodes.get(&node).and_then(|node| node.liveness.presence.get());
    let addresses = found.map(|presence| presence.addresses.clone()).unwrap_or_default();
    if addresses.is_empty() {
        Err(format!("no address of node {node} is known"))
    } else {
        Ok(addresses)
    }
}

/// The node of the manager that `ceph status` calls active: `mgr: hv1(active, since 3d), standbys:
/// hv2`. Some give their managers names like `hv1.ymjzmp`.
fn active_manager(status: &str) -> Option<NodeName> {
    let line = status.lines().find_map(|line| line.trim().strip_prefix("mgr:"))?;
    let (name, _) = line.split_once("(active")?;
    name.trim().split('.').next()?.parse().ok()
}

/// ZooKeeper's metrics with the name of their server, not with its port; sorted, as its exporter
/// tells them in another order each time. What explains a metric stays before it.
fn by_name(text: &str) -> String {
    let text = text.replace(":2181", "");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

/// Asks whoever listens at the first of the addresses that can be reached.
async fn ask(addresses: &[SocketAddr]) -> Result<String, String> {
    let at = || format!("{addresses:?}");
    let stream =
        TcpStream::connect(addresses).await.map_err(|error| format!("{}: {error}", at()))?;
    let failed = |error: hyper::Error| format!("{}: {error}", at());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Ends with the sender.
    let connection = tokio::spawn(connection);
    let request = Request::get("/metrics")
        .header(header::HOST, addresses.first().map(ToString::to_string).unwrap_or_default())
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let answer = sender.send_request(request).await.map_err(failed)?;
    if answer.status() != StatusCode::OK {
        return Err(format!("{}: answered {}", at(), answer.status()));
    }
    let body = Limited::new(answer.into_body(), PAGE_LIMIT).collect().await;
    connection.abort();
    let body = body.map_err(|error| format!("{}: {error}", at()))?.to_bytes();
    String::from_utf8(body.into()).map_err(|_| format!("{}: the answer is no text", at()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_active_manager_is_found_in_what_ceph_tells() {
        for (line, found) in [
            ("mgr: hv1(active, since 3d)", Some("hv1")),
            ("mgr: hv2(active, since 3d), standbys: hv1, hv3", Some("hv2")),
            ("mgr: hv1.ymjzmp(active, starting, since 2s)", Some("hv1")),
            ("mgr: no daemons active (since 4m)", None),
            ("mon: 3 daemons", None),
        ] {
            let status = format!("  cluster:\n    id: x\n\n  services:\n    mon: a\n    {line}\n");
            let wanted = found.map(|name| name.parse::<NodeName>().unwrap());
            assert_eq!(active_manager(&status), wanted, "{line}");
        }
    }

    #[test]
    fn the_metrics_of_zookeeper_are_the_same_in_any_order() {
        let text =
            "zk_b{zk_host=\"hv1:2181\"} 1\n# TYPE zk_b gauge\nzk_a{zk_host=\"hv1:2181\"} 2\n";
        let sorted = "# TYPE zk_b gauge\nzk_a{zk_host=\"hv1\"} 2\nzk_b{zk_host=\"hv1\"} 1\n";
        assert_eq!(by_name(text), sorted);
    }
}
