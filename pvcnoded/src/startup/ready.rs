//! This machine made ready to join, and what was missing made good later.

use std::time::Duration;

use pvc_host::{Links, Sysctl, Units};
use pvc_runtime::drain::Drain;
use pvc_runtime::log::mark;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::host::{Configured, apply_settings, configure_networks, services, start_services};
use crate::config::{Config, Networks};

/// How often networks are tried that could not be had at start.
const MEND_EVERY: Duration = Duration::from_secs(30);

/// What of this machine is made ready.
pub struct Machine<'a, L, S, U> {
    /// Its network devices.
    pub links: &'a L,
    /// Its kernel's settings.
    pub settings: &'a S,
    /// Its services.
    pub units: &'a U,
}

/// The networks that this daemon configures.
#[must_use]
pub fn own_networks(config: &Config) -> Option<&Networks> {
    config.networks.as_ref().filter(|_| config.functions.networking)
}

impl<L: Links, S: Sysctl, U: Units> Machine<'_, L, S, U> {
    /// Networks, kernel settings, services. `true` if the networks are as they are configured.
    ///
    /// Done `again` it changes only what is not in order, and is silent of the rest.
    pub async fn make_ready(&self, config: &Config, again: bool) -> bool {
        let mut in_order = true;
        if let Some(networks) = own_networks(config) {
            let Configured { changes, failures } = configure_networks(self.links, networks).await;
            in_order = failures.is_empty();
            failures.iter().for_each(|failure| tracing::error!("{failure}"));
            match changes {
                0 if again || !in_order => tracing::debug!("no network was changed"),
                0 => tracing::info!(mark = mark::OK, "networks are in order"),
                changes => tracing::info!(mark = mark::OK, changes, "networks are configured"),
            }
            apply_settings(self.settings, networks).await;
        }
        let networking = config.functions.networking;
        start_services(self.units, &services(config), networking, again).await;
        in_order
    }
}

/// Tries on to configure networks that could not be had at start, until they are in order or the daemon
/// ends: a card may be late. Afterwards nothing is changed any more that a person changes.
///
/// A failure is told once, until it is another one.
pub async fn mend_networks(
    links: &impl Links,
    settings: &impl Sysctl,
    networks: &Networks,
    drain: Drain,
) {
    let rounds = async {
        let mut ticks = interval_at(Instant::now() + MEND_EVERY, MEND_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = Vec::new();
        loop {
            ticks.tick().await;
            let Configured { failures, .. } = configure_networks(links, networks).await;
            if failures.is_empty() {
                apply_settings(settings, networks).await;
                tracing::info!(mark = mark::OK, "the networks of this node are in order now");
                return;
            }
            if failures != told {
                let all = failures.join("; ");
                let every_s = MEND_EVERY.as_secs();
                tracing::error!(every_s, "networks still cannot be configured; trying on: {all}");
                told = failures;
            }
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds => {}
    }
}

#[cfg(test)]
mod tests {
    use pvc_host::fake::FakeHost;
    use pvc_runtime::drain::drain;
    use tokio::time::{sleep, timeout};

    use super::*;

    const MANUAL: &str = include_str!("../../tests/manual.yaml");

    fn config() -> Config {
        let text = MANUAL.replacen(" device: ens4", " device: late0", 1);
        Config::check(&text).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    #[tokio::test]
    async fn a_host_that_is_in_order_is_not_touched_again() {
        let (config, host) = (config(), FakeHost::new());
        for device in ["late0", "ens4"] {
            host.plug_in(device);
        }
        services(&config).iter().for_each(|unit| host.install_unit(unit));
        let machine = Machine { links: &host, settings: &host, units: &host };
        assert!(machine.make_ready(&config, false).await);
        let before = host.changes();
        assert!(machine.make_ready(&config, true).await);
        assert_eq!(host.changes(), before);
    }

    #[tokio::test]
    async fn a_node_without_networking_leaves_networks_and_their_services_alone() {
        let text = MANUAL.replace("enable_networking: True", "enable_networking: False");
        let config = Config::check(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
        let host = FakeHost::new();
        host.plug_in("ens4");
        let services = ["dnsmasq.service", "frr.service", "patroni.service", "zookeeper.service"];
        services.iter().for_each(|unit| host.install_unit(unit));
        host.start("dnsmasq.service").await.unwrap();
        let before = host.changes();
        let machine = Machine { links: &host, settings: &host, units: &host };
        assert!(machine.make_ready(&config, false).await);
        assert_eq!(host.running_units(), ["dnsmasq.service", "zookeeper.service"]);
        assert_eq!(host.changes() - before, 1, "nothing else was changed");
        assert_eq!(host.setting("net/ipv4/ip_forward"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_card_that_comes_after_the_daemon_serves_is_configured() {
        let (config, host) = (config(), FakeHost::new());
        host.plug_in("ens4");
        let networks = own_networks(&config).unwrap();
        assert!(!configure_networks(&host, networks).await.failures.is_empty());
        let (trigger, drained) = drain();
        let mending = tokio::spawn({
            let (host, networks) = (host.clone(), networks.clone());
            async move { mend_networks(&host, &host, &networks, drained).await }
        });
        sleep(Duration::from_secs(3_600)).await;
        assert!(!mending.is_finished());
        host.plug_in("late0");
        timeout(MEND_EVERY, mending).await.unwrap().unwrap();
        assert_eq!(configure_networks(&host, networks).await, Configured::default());
        drop(trigger);
    }

    #[tokio::test(start_paused = true)]
    async fn a_daemon_that_ends_waits_for_no_card() {
        let (config, host) = (config(), FakeHost::new());
        let (trigger, drained) = drain();
        trigger.drain();
        let networks = own_networks(&config).unwrap();
        timeout(Duration::ZERO, mend_networks(&host, &host, networks, drained)).await.unwrap();
    }
}
