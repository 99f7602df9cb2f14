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

#[cfg(test)]
mod tests {
    use pvc_common::zk::{Expected, Op};
    use pvc_ipmi::fake::{Condition, FakePower};
    use pvc_runtime::drain::{DrainTrigger, drain};
    use pvc_zk::FakeTree;
    use tokio::time::sleep;
    use tracing::subscriber::set_default;

    use super::*;
    use crate::told::Log;

    const SOON: Duration = Duration::from_secs(1);

    /// The watch of `hv1`, and what ends it.
    async fn watched(power: &FakePower, bmc: Bmc) -> (FakeTree, DrainTrigger) {
        let tree = FakeTree::new();
        let made = ["/nodes", "/nodes/hv1", "/nodes/hv1/monitoring_data"];
        tree.commit(made.map(|path| Op::put(path, "", Expected::Absent)).into()).await.unwrap();
        let me: NodeName = "hv1".parse().unwrap();
        let (trigger, drained) = drain();
        let health = Health::new(me.clone(), tree.clone());
        tokio::spawn(watch(health, me, power.clone(), bmc, drained));
        (tree, trigger)
    }

    async fn text(tree: &FakeTree, path: &str) -> String {
        let entry = tree.get(&format!("/nodes/hv1/{path}")).await.unwrap();
        String::from_utf8(entry.unwrap_or_else(|| panic!("no {path}")).data).unwrap()
    }

    /// The node's health, what the check says, and whether the tree says that it can be fenced.
    async fn found(tree: &FakeTree) -> (String, String, bool) {
        let fenceable = Fenceable::decode(&text(tree, "fenceable").await).unwrap();
        let message = text(tree, "monitoring_data/ipmi/message").await;
        (text(tree, "monitoring_health").await, message, fenceable.ok)
    }

    #[tokio::test(start_paused = true)]
    async fn a_bmc_that_answers_is_told_once_and_costs_no_health() {
        let (log, power) = (Log::default(), FakePower::new());
        let _logging = set_default(log.clone());
        let (tree, _trigger) = watched(&power, power.machine("hv1-lom")).await;
        sleep(Duration::from_secs(600)).await;
        let (health, message, ok) = found(&tree).await;
        assert_eq!((health.as_str(), ok), ("100", true));
        assert_eq!(message, "the BMC hv1-lom answers");
        assert_eq!(log.take(), ["this node can be fenced: the BMC hv1-lom answers"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bmc_that_would_fence_nobody_is_told_at_start_and_lowers_the_health() {
        for (condition, why) in [
            (Condition::Closed, "connection refused"),
            (Condition::Denying, "wrong user or password"),
            (Condition::Dead, "did not answer"),
        ] {
            let (log, power) = (Log::default(), FakePower::new());
            let _logging = set_default(log.clone());
            let bmc = power.machine("hv1-lom");
            power.condition("hv1-lom", condition);
            let (tree, _trigger) = watched(&power, bmc).await;
            sleep(Duration::from_secs(5)).await;
            let (health, message, ok) = found(&tree).await;
            assert_eq!((health.as_str(), ok), ("90", false), "{condition:?}");
            assert!(
                message.starts_with("cannot be fenced: ") && message.contains(why),
                "{message}"
            );
            let told = log.take();
            assert!(matches!(&told[..], [one] if one.contains("CANNOT be fenced")), "{told:?}");
            power.condition("hv1-lom", Condition::Well);
            sleep(EVERY + SOON).await;
            assert_eq!(found(&tree).await.0, "100");
            assert_eq!(log.take(), ["this node can be fenced: the BMC hv1-lom answers"]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_bmc_of_another_machine_is_noticed() {
        let power = FakePower::new();
        let bmc = power.machine("hv1-lom");
        power.off(&bmc).await.unwrap();
        let (tree, _trigger) = watched(&power, bmc).await;
        sleep(SOON).await;
        let (health, message, ok) = found(&tree).await;
        assert_eq!((health.as_str(), ok), ("90", false));
        assert!(message.contains("says that this running node is off"), "{message}");
    }
}
