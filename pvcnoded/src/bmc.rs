//! Whether this node could be fenced by its BMC: asked before it matters, and told loudly.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pvc_common::id::NodeName;
use pvc_common::model::Fenceable;
use pvc_common::zk::Text;
use pvc_common::zk::key::{self, node_suffix, plugin_suffix};
use pvc_ipmi::{Bmc, Power, PowerState};
use pvc_runtime::drain::Drain;
use pvc_zk::Tree;
use tokio::time::{MissedTickBehavior, interval};
use tracing::Instrument;

use crate::own_keys::OwnKeys;

/// A BMC has few sessions, and frees one that was not closed after a minute.
const EVERY: Duration = Duration::from_secs(60);

/// Percent by which a node that cannot be fenced lowers its health.
const DELTA: u32 = 10;

/// The name of this check among a node's health checks.
const CHECK: &str = "ipmi";

/// Asks this node's own BMC at once and every minute until drained, and publishes what it says.
pub async fn watch<T: Tree, P: Power>(tree: T, me: NodeName, power: P, bmc: Bmc, drain: Drain) {
    let mut keys = OwnKeys::new(tree);
    let mut before: Option<Fenceable> = None;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let rounds = async {
        loop {
            ticks.tick().await;
            let found = ask(&power, &bmc).await;
            tell(&me, before.as_ref(), &found);
            let values = values(&me, &found);
            match keys.publish(&values).await {
                Ok(_) => before = Some(found),
                Err(error) => tracing::debug!(%error, "what the BMC says is not published yet"),
            }
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(tracing::info_span!("bmc")) => {}
    }
}

/// What the BMC says.
async fn ask<P: Power>(power: &P, bmc: &Bmc) -> Fenceable {
    match power.status(bmc).await {
        Ok(PowerState::On) => {
            Fenceable { ok: true, message: format!("the BMC {} answers", bmc.host) }
        }
        Ok(PowerState::Off) => Fenceable {
            ok: false,
            message: format!("the BMC {} says that this running node is off", bmc.host),
        },
        Err(error) => Fenceable { ok: false, message: error.to_string() },
    }
}

/// One line when it changes.
fn tell(me: &NodeName, before: Option<&Fenceable>, found: &Fenceable) {
    if before == Some(found) {
        return;
    }
    if found.ok {
        tracing::info!(node.name = %me, "this node can be fenced: {}", found.message);
    } else {
        tracing::error!(
            node.name = %me,
            "this node CANNOT be fenced by its BMC: {}. If it dies, its VMs wait for another proof",
            found.message
        );
    }
}

/// The keys that show it: the fact, and a health check as all others.
fn values(me: &NodeName, found: &Fenceable) -> Vec<(String, String)> {
    let check = CHECK.parse().expect("a word is the name of a check");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (delta, health) = if found.ok { (0, 100) } else { (DELTA, 100 - DELTA) };
    let at = |suffix: &str| format!("{}{suffix}", key::plugin(me, &check).path());
    let message = if found.ok {
        found.message.clone()
    } else {
        format!("cannot be fenced: {}", found.message)
    };
    vec![
        (key::node_fenceable(me).into_path(), found.encode()),
        (format!("{}{}", key::node(me).path(), node_suffix::MONITORING_PLUGINS), CHECK.to_owned()),
        (key::plugin(me, &check).into_path(), String::new()),
        (at(plugin_suffix::LAST_RUN), now.to_string()),
        (at(plugin_suffix::HEALTH_DELTA), delta.to_string()),
        (at(plugin_suffix::MESSAGE), message),
        (at(plugin_suffix::DATA), "{}".to_owned()),
        (at(plugin_suffix::RUNTIME), "0".to_owned()),
        (key::node_health(me).into_path(), health.to_string()),
    ]
}
