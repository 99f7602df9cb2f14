//! Faults in the networks: silence that looks like silence, with the carrier still up.
//!
//! The switch carries one ruleset whose named sets say who is silenced. A fault adds an element,
//! its end removes it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::host::{Host, Network};
use super::layout::Lab;
use super::{cgroup::Group, loss, switch};
use crate::wait;

const RULES: &str = include_str!("../../lab/switch.nft");

/// A named set of the ruleset.
#[derive(Clone, Copy)]
enum Silenced {
    /// Ports cut by a partition; they stay cut when the host restarts.
    Partitioned,
    /// Pairs of ports of which the second does not hear the first; they stay cut likewise.
    OneWay,
    /// Ports of hosts that hang as a whole; a power cut ends that.
    Hung,
    /// Addresses of unreachable BMCs.
    Bmc,
}

impl Silenced {
    /// Family, table and name as `nft` wants them.
    fn path(self) -> [&'static str; 3] {
        match self {
            Self::Partitioned => ["bridge", "cut", "partitioned"],
            Self::OneWay => ["bridge", "cut", "oneway"],
            Self::Hung => ["bridge", "cut", "hung"],
            Self::Bmc => ["inet", "bmc", "down"],
        }
    }

    /// An element as `nft` wants it: names of ports in quotes, addresses not.
    fn element(self, name: &str) -> String {
        match self {
            Self::Partitioned | Self::Hung => format!("\"{name}\""),
            Self::OneWay => {
                let ports: Vec<String> =
                    name.split(PAIR).map(|port| format!("\"{port}\"")).collect();
                ports.join(PAIR)
            }
            Self::Bmc => name.to_owned(),
        }
    }
}

/// Between the two ports of a pair.
const PAIR: &str = " . ";

/// Loads the ruleset, with nobody silenced.
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(crate) fn make_rules(lab: &Lab) -> Result<()> {
    nft(lab, RULES).context("cannot load the switch's rules")
}

/// Silences a host on these networks; on all when none is named.
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(crate) fn partition(lab: &Lab, host: Host, networks: &[Network]) -> Result<()> {
    let networks = if networks.is_empty() { &Network::ALL[..] } else { networks };
    add(lab, Silenced::Partitioned, ports(host, networks))
}

/// Lets `to` no longer hear anything from `from`, on any network; `from` still hears `to`.
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(crate) fn cut_one_way(lab: &Lab, from: Host, to: Host) -> Result<()> {
    add(lab, Silenced::OneWay, pairs(from, to))
}

/// Lets it hear again.
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(crate) fn heal_one_way(lab: &Lab, from: Host, to: Host) -> Result<()> {
    remove(lab, Silenced::OneWay, pairs(from, to))
}

/// The hosts that a host does not hear although they are not partitioned.
///
/// # Errors
/// When `nft` cannot say.
pub(crate) fn deaf_to(lab: &Lab, host: Host) -> Result<Vec<Host>> {
    let cut = elements(lab, Silenced::OneWay)?;
    let is_cut = |from: &Host| pairs(*from, host).iter().any(|pair| cut.contains(pair));
    Ok(lab.hosts()?.into_iter().filter(is_cut).collect())
}

/// Ends every partition, one-way cut and loss of a host.
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(crate) fn heal(lab: &Lab, host: Host) -> Result<()> {
    remove(lab, Silenced::Partitioned, ports(host, &Network::ALL))?;
    let both = |other: Host| [pairs(host, other), pairs(other, host)].concat();
    remove(lab, Silenced::OneWay, lab.hosts()?.into_iter().flat_map(both).collect())?;
    loss::set(lab, host, 0)
}

/// The networks a host is partitioned from.
///
/// # Errors
/// When `nft` cannot say.
pub(crate) fn partitions(lab: &Lab, host: Host) -> Result<Vec<Network>> {
    let cut = elements(lab, Silenced::Partitioned)?;
    let is_cut = |network: &Network| cut.contains(&network.port(host));
    Ok(Network::ALL.into_iter().filter(is_cut).collect())
}

/// Stops every process of a host. Its kernel lives on and answers pings.
///
/// `silently`, its network falls silent too: so a locked-up machine looks from outside.
///
/// # Errors
/// When the host is off, or the kernel refuses.
pub(crate) fn freeze(lab: &Lab, host: Host, silently: bool) -> Result<()> {
    if silently {
        hang(lab, host)?;
    }
    Group::of_host(lab, host).freeze()
}

/// Silences a host on all networks in one instant, until [`unhang`].
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(crate) fn hang(lab: &Lab, host: Host) -> Result<()> {
    add(lab, Silenced::Hung, ports(host, &Network::ALL))
}

/// Lets a frozen host go on as if nothing had been.
///
/// # Errors
/// When the host is off, or the kernel refuses.
pub(crate) fn thaw(lab: &Lab, host: Host) -> Result<()> {
    unhang(lab, host)?;
    Group::of_host(lab, host).thaw()
}

/// Stops every process of a host for this long: a pause as by a busy machine or its hypervisor.
///
/// # Errors
/// When the host is off, or the kernel refuses.
pub(crate) fn pause(lab: &Lab, host: Host, span: Duration) -> Result<()> {
    let group = Group::of_host(lab, host);
    group.freeze()?;
    let frozen = Instant::now();
    wait::pass(span.saturating_sub(frozen.elapsed()));
    // Unless its power was cut meanwhile.
    if group.is_frozen() { group.thaw() } else { Ok(()) }
}

/// Ends the silence of a hung host, whose power was cut.
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(crate) fn unhang(lab: &Lab, host: Host) -> Result<()> {
    remove(lab, Silenced::Hung, ports(host, &Network::ALL))
}

/// Makes a host's BMC unreachable.
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(crate) fn bmc_down(lab: &Lab, host: Host) -> Result<()> {
    add(lab, Silenced::Bmc, vec![host.bmc().to_string()])
}

/// Makes it reachable again.
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(crate) fn bmc_up(lab: &Lab, host: Host) -> Result<()> {
    remove(lab, Silenced::Bmc, vec![host.bmc().to_string()])
}

/// Whether a host's BMC is reachable.
///
/// # Errors
/// When `nft` cannot say.
pub(crate) fn bmc_is_up(lab: &Lab, host: Host) -> Result<bool> {
    Ok(!elements(lab, Silenced::Bmc)?.contains(&host.bmc().to_string()))
}

fn ports(host: Host, networks: &[Network]) -> Vec<String> {
    networks.iter().map(|network| network.port(host)).collect()
}

fn pairs(from: Host, to: Host) -> Vec<String> {
    let pair = |network: &Network| [network.port(from), network.port(to)].join(PAIR);
    Network::ALL.iter().map(pair).collect()
}

fn add(lab: &Lab, to: Silenced, names: Vec<String>) -> Result<()> {
    change(lab, "add", to, &names)
}

/// Only what is in the set can be removed from it.
fn remove(lab: &Lab, from: Silenced, names: Vec<String>) -> Result<()> {
    let present = elements(lab, from)?;
    let (gone, _) = names.into_iter().partition::<Vec<_>, _>(|name| present.contains(name));
    change(lab, "delete", from, &gone)
}

fn change(lab: &Lab, verb: &str, set: Silenced, names: &[String]) -> Result<()> {
    let path = set.path().join(" ");
    let line = |name: &String| format!("{verb} element {path} {{ {} }}\n", set.element(name));
    let command: String = names.iter().map(line).collect();
    nft(lab, &command).context("cannot change the switch's rules")
}

/// Changes the switch's ruleset, all of it or nothing.
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(super) fn nft(lab: &Lab, commands: &str) -> Result<()> {
    switch::on_switch(lab, ["nft", "-f", "-"]).input(commands).done().map(drop)
}

fn elements(lab: &Lab, set: Silenced) -> Result<BTreeSet<String>> {
    let answer = switch::on_switch(lab, ["nft", "-j", "list", "set"]).args(set.path()).done()?;
    parse(&answer)
}

/// The elements of the one set in an answer of `nft -j list set`.
fn parse(answer: &str) -> Result<BTreeSet<String>> {
    let answer: Value = serde_json::from_str(answer).context("nft answered no JSON")?;
    let items = answer["nftables"].as_array().into_iter().flatten();
    Ok(items.filter_map(|item| item["set"]["elem"].as_array()).flatten().filter_map(name).collect())
}

/// The name of an element: a string, or the strings of a pair.
fn name(element: &Value) -> Option<String> {
    let Some(pair) = element["concat"].as_array() else {
        return element.as_str().map(str::to_owned);
    };
    let ports: Vec<&str> = pair.iter().filter_map(Value::as_str).collect();
    Some(ports.join(PAIR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_elements_are_read_from_a_real_answer() {
        let answer = r#"{"nftables": [{"metainfo": {"version": "1.0.6"}},
            {"set": {"family": "bridge", "name": "partitioned", "table": "cut", "type": "ifname",
             "handle": 1, "elem": ["hv1-cluster", "hv2-storage"]}}]}"#;
        let elements = parse(answer).unwrap();
        assert!(elements.into_iter().eq(["hv1-cluster", "hv2-storage"]));
    }

    #[test]
    fn a_pair_is_read_as_it_is_written() {
        let answer = r#"{"nftables": [{"set": {"family": "bridge", "name": "oneway",
            "elem": [{"concat": ["hv1-cluster", "hv2-cluster"]}]}}]}"#;
        let elements = parse(answer).unwrap();
        let pair = elements.first().unwrap();
        assert_eq!(pair, "hv1-cluster . hv2-cluster");
        assert_eq!(Silenced::OneWay.element(pair), r#""hv1-cluster" . "hv2-cluster""#);
    }

    #[test]
    fn an_empty_set_has_no_elements() {
        let answer = r#"{"nftables": [{"set": {"family": "inet", "name": "down"}}]}"#;
        assert!(parse(answer).unwrap().is_empty());
    }
}
