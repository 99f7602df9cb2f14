//! Whether this node could be fenced by its BMC: asked before it matters, and told loudly.

use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::model::Fenceable;
use pvc_common::zk::{Text, key};
use pvc_ipmi::{Bmc, Power, PowerState};
use pvc_runtime::drain::Drain;
use pvc_zk::Tree;
use tokio::time::{MissedTickBehavior, interval};
use tracing::Instrument;

use crate::health::{Finding, Health};

/// A BMC has few sessions, and frees one that was not closed after a minute.
const EVERY: Duration = Duration::from_secs(60);

/// Percent by which a node that cannot be fenced lowers its health.
const DELTA: u32 = 10;

/// The name of this check among a node's health checks.
const CHECK: &str = "ipmi";

/// Asks this node's own BMC at once and every minute until drained, and publishes what it says.
pub async fn watch<T: Tree, P: Power>(
    health: Health<T>,
    me: NodeName,
    power: P,
    bmc: Bmc,
    drain: Drain,
) {
    let mut before: Option<Fenceable> = None;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let rounds = async {
        loop {
            ticks.tick().await;
            let found = ask(&power, &bmc).await;
            tell(&me, before.as_ref(), &found);
            let fact = (key::node_fenceable(&me).into_path(), found.encode());
            match health.publish(CHECK, finding(&found), vec![fact]).await {
                Ok(()) => before = Some(found),
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

/// What it is for the node's health.
fn finding(found: &Fenceable) -> Finding {
    let message = &found.message;
    if found.ok {
        Finding { delta: 0, message: message.clone() }
    } else {
        Finding { delta: DELTA, message: format!("cannot be fenced: {message}") }
    }
}
