//! The traffic of this node's network devices, in the tree once per keepalive interval.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::zk::key;
use pvc_host::fact::{Counters, LinkInfo, Rates, Traffic};
use pvc_runtime::drain::Drain;
use pvc_zk::Tree;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::Instrument;

use crate::own_keys::OwnKeys;

/// How often the counters are read. Rates are means, so a burst between two readings counts.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// What a node that does not watch its devices shows.
const NOTHING: &str = "{}";

/// Where the figures come from.
pub struct Source {
    /// The counters of the devices that matter.
    pub counters: Box<dyn Fn() -> io::Result<BTreeMap<String, Counters>> + Send + Sync>,
    /// What else is known of a device.
    pub info: Box<dyn Fn(&str) -> LinkInfo + Send + Sync>,
}

/// Publishes the traffic every `every` until drained, and then that there is nothing to show.
pub async fn run<T: Tree>(tree: T, me: NodeName, every: Duration, source: Source, drain: Drain) {
    let path = key::node_network_stats(&me).into_path();
    let mut keys = OwnKeys::new(tree);
    let rounds = async {
        let mut traffic = Traffic::new(every);
        let mut ticks = interval(SAMPLE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut published = Instant::now();
        loop {
            ticks.tick().await;
            match (source.counters)() {
                Ok(counters) => traffic.sample(Instant::now().into_std(), counters),
                Err(error) => tracing::debug!(%error, "cannot read the devices' counters"),
            }
            if published.elapsed() >= every {
                published = Instant::now();
                publish(&mut keys, &path, render(&traffic.rates(), &source.info)).await;
            }
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(tracing::info_span!("traffic")) => {}
    }
    publish(&mut keys, &path, NOTHING.to_owned()).await;
}

async fn publish<T: Tree>(keys: &mut OwnKeys<T>, path: &str, text: String) {
    if let Err(error) = keys.publish(&[(path.to_owned(), text)]).await {
        tracing::debug!(%error, "the traffic of this node's devices is not published");
    }
}

/// As upstream has it, except that packets are counted as packets.
fn render(rates: &BTreeMap<String, Rates>, info: impl Fn(&str) -> LinkInfo) -> String {
    let device = |(name, rates): (&String, &Rates)| {
        let LinkInfo { speed_bps, state } = info(name);
        let figures = json!({
            "rx_bps": rates.rx_bps,
            "rx_pps": rates.rx_pps,
            "tx_bps": rates.tx_bps,
            "tx_pps": rates.tx_pps,
            "total_bps": rates.rx_bps.saturating_add(rates.tx_bps),
            "total_pps": rates.rx_pps.saturating_add(rates.tx_pps),
            "link_speed": speed_bps,
            "state": state,
        });
        (name.clone(), figures)
    };
    Value::Object(rates.iter().map(device).collect()).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use pvc_common::zk::{Expected, Op};
    use pvc_runtime::drain::drain;
    use pvc_zk::FakeTree;
    use tokio::time::sleep;

    use super::*;

    /// One device that receives 1,000 bytes in 2 packets from each reading to the next.
    fn steady() -> Source {
        let readings = AtomicU64::new(0);
        let counters = move || {
            let n = readings.fetch_add(1, Ordering::Relaxed);
            let counters =
                Counters { rx_bytes: n * 1_000, rx_packets: n * 2, ..Counters::default() };
            Ok(BTreeMap::from([("ens4".to_owned(), counters)]))
        };
        let info = |_: &str| LinkInfo { speed_bps: 1_000_000_000, state: "up".to_owned() };
        Source { counters: Box::new(counters), info: Box::new(info) }
    }

    async fn shown(tree: &FakeTree) -> Value {
        let entry = tree.get("/nodes/hv1/network_stats").await.unwrap().unwrap();
        serde_json::from_slice(&entry.data).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn rates_are_shown_while_the_daemon_serves_and_not_after() {
        let tree = FakeTree::new();
        let parents = ["/nodes", "/nodes/hv1"].map(|path| Op::put(path, "", Expected::Absent));
        tree.commit(parents.into()).await.unwrap();
        let (trigger, held) = drain();
        let every = Duration::from_secs(5);
        let me = "hv1".parse().unwrap();
        let task = tokio::spawn(run(tree.clone(), me, every, steady(), held));
        sleep(Duration::from_secs(12)).await;
        let figures = &shown(&tree).await["ens4"];
        assert_eq!(figures["rx_bps"], 8_000);
        assert_eq!(figures["rx_pps"], 2);
        assert_eq!(figures["total_bps"], 8_000);
        assert_eq!(figures["link_speed"], 1_000_000_000);
        assert_eq!(figures["state"], "up");
        trigger.drain();
        task.await.unwrap();
        assert_eq!(shown(&tree).await, json!({}));
    }
}
