//! Metrics that others tell, passed on: of Ceph's active manager, and of the primary's ZooKeeper.
//!
//! Anybody may ask for them, so that one is asked at a time, for no longer than a deadline, and no
//! more is taken of it than a page may have.
//!
//! Which of Ceph's managers is active is known as of the last look at Ceph. One that has become a standby
//! meanwhile tells nothing, an error, or of another place, depending on how its module is set. So all managers
//! are asked at once, and the one that tells something is the active one.

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
use tokio::task::JoinSet;
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
        let asked = places(exporter, view, port)?;
        let late = format!("{asked:?} did not answer within {} s", LIMIT.as_secs());
        let asking = async {
            let _turn = turn.lock().await;
            ask_all(asked).await
        };
        let text = timeout(LIMIT, asking).await.map_err(|_| late)??;
        Ok(match exporter {
            // Another page may follow.
            Exporter::Ceph if text.ends_with('\n') => text,
            Exporter::Ceph => text + "\n",
            Exporter::ZooKeeper => by_name(&text),
        })
    }
}

/// Where the exporters of each node that may export listen, by what the cluster knows.
fn places(exporter: Exporter, view: &View, port: u16) -> Result<Vec<Vec<SocketAddr>>, String> {
    let nodes = match exporter {
        Exporter::Ceph => {
            let status = view.storage.status.get().map_or("", AsRef::as_ref);
            let managers = managers(status);
            if managers.is_empty() {
                return Err("Ceph tells of no active manager".to_owned());
            }
            managers
        }
        Exporter::ZooKeeper => {
            let primary = view.cluster.primary_node.get().cloned().flatten();
            vec![primary.ok_or("there is no primary at the moment")?]
        }
    };
    let of = |node: &NodeName| {
        let presence = view.nodes.get(node)?.liveness.presence.get()?;
        let at = |ip: &IpAddr| SocketAddr::new(*ip, port);
        Some(presence.addresses.iter().map(at).collect::<Vec<_>>())
    };
    let places = nodes.iter().filter_map(of).filter(|addresses| !addresses.is_empty());
    let places: Vec<_> = places.collect();
    if places.is_empty() {
        let nodes: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
        return Err(format!("no address of node {} is known", nodes.join(", ")));
    }
    Ok(places)
}

/// The nodes of the managers, if `ceph status` calls one active: `mgr: hv1(active, since 3d), standbys: hv2,
/// hv3`. Some give their managers names like `hv1.ymjzmp`.
fn managers(status: &str) -> Vec<NodeName> {
    let line = status.lines().find_map(|line| line.trim().strip_prefix("mgr:"));
    let Some((active, rest)) = line.and_then(|line| line.split_once("(active")) else {
        return Vec::new();
    };
    let standbys = rest.split_once("standbys:").map_or("", |(_, names)| names);
    let names = [active].into_iter().chain(standbys.split(','));
    names.filter_map(|name| name.trim().split('.').next()?.parse().ok()).collect()
}

/// ZooKeeper's metrics with the name of their server, not with its port; sorted, as its exporter
/// tells them in another order each time. What explains a metric stays before it.
fn by_name(text: &str) -> String {
    let text = text.replace(":2181", "");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

/// Asks in all places at once; the first page that holds anything, or what each had to say.
async fn ask_all(places: Vec<Vec<SocketAddr>>) -> Result<String, String> {
    let mut asking = JoinSet::new();
    for addresses in places {
        asking.spawn(async move { ask(&addresses).await });
    }
    let mut why = Vec::new();
    while let Some(told) = asking.join_next().await {
        match told {
            Ok(Ok(text)) => return Ok(text),
            Ok(Err(error)) => why.push(error),
            Err(error) => why.push(error.to_string()),
        }
    }
    Err(why.join("; "))
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
    let text = String::from_utf8(body.into());
    let text = text.map_err(|_| format!("{}: the answer is no text", at()))?;
    if text.trim().is_empty() { Err(format!("{}: told nothing", at())) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_managers_are_found_in_what_ceph_tells() {
        for (line, found) in [
            ("mgr: hv1(active, since 3d)", &["hv1"][..]),
            ("mgr: hv2(active, since 3d), standbys: hv1, hv3", &["hv2", "hv1", "hv3"]),
            ("mgr: hv1.ymjzmp(active, starting, since 2s), standbys: hv2.abc", &["hv1", "hv2"]),
            ("mgr: no daemons active (since 4m)", &[]),
            ("mon: 3 daemons", &[]),
        ] {
            let status = format!("  cluster:\n    id: x\n\n  services:\n    mon: a\n    {line}\n");
            let wanted: Vec<NodeName> = found.iter().map(|name| name.parse().unwrap()).collect();
            assert_eq!(managers(&status), wanted, "{line}");
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
