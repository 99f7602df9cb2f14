//! Whom this node hears, for people: JSON in the tree, once per keepalive interval.

use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::zk::key;
use pvc_runtime::drain::Drain;
use pvc_zk::Tree;
use serde_json::{Map, Value, json};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::Instrument;

use super::{Ear, Port, now};
use crate::own_keys::OwnKeys;

/// Publishes whom this node hears every `every`, until drained.
pub async fn publish<T: Tree>(
    tree: T,
    me: NodeName,
    ear: Arc<Ear>,
    networks: Vec<Port>,
    every: Duration,
    drain: Drain,
) {
    let mut keys = OwnKeys::new(tree);
    let path = key::node_hears(&me).into_path();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let rounds = async {
        loop {
            ticks.tick().await;
            let text = describe(&ear, &networks).to_string();
            match timeout(every, keys.publish(&[(path.clone(), text)])).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::debug!(%error, "whom this node hears is not published"),
                Err(_) => tracing::debug!("whom this node hears is not published in time"),
            }
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(tracing::info_span!("hears")) => {}
    }
}

/// `{"hv2": {"heard": true, "networks": {"cluster": {"rtt_us": 180, "silent_ms": 40}, ...}}, ...}`
fn describe(ear: &Ear, networks: &[Port]) -> Value {
    let now = now();
    let suspects = ear.suspects(now);
    let peers = ear.lines().into_iter().map(|(peer, lines)| {
        let lines = lines.into_iter().filter_map(|(index, line)| {
            let silent = now.saturating_duration_since(line.heard);
            let line = json!({
                "rtt_us": u64::try_from(line.round_trip.as_micros()).unwrap_or(u64::MAX),
                "silent_ms": u64::try_from(silent.as_millis()).unwrap_or(u64::MAX),
            });
            Some((networks.get(index)?.network.to_owned(), line))
        });
        let lines: Map<String, Value> = lines.collect();
        let heard = !suspects.contains_key(&peer) && !lines.is_empty();
        (peer.to_string(), json!({ "heard": heard, "networks": lines }))
    });
    Value::Object(peers.collect())
}
