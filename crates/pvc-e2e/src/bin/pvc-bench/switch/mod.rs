//! What a change of the primary coordinator costs those who talk to it, on a lab that is up.
//!
//! A ping every 25 ms goes to each floating address: from the client to the one upstream, and
//! from the host that takes no part in the switch to the others. It is measured twice, since a
//! host that forwards passes on what still comes to an address that it gave up, and so hides
//! that a neighbour was told too late.

mod crash;
mod ping;
mod probe;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use pvc_e2e::lab::{Lab, Program};

use crate::figure::{Case, progress};
use crate::sample::Summary;
use ping::Ping;

pub(crate) use probe::{Probe, run as probe};

/// The floating addresses: the name of each network, and whether the client reaches it.
const ADDRESSES: [(&str, &str, bool); 3] = [
    ("upstream", "10.100.0.254", true),
    ("cluster", "10.255.0.254", false),
    ("storage", "10.254.0.254", false),
];
/// What a planned switch may take.
const GOAL: Duration = Duration::from_secs(3);
/// What may be lost of pings 25 ms apart.
const LOST: f64 = 1.0;

/// How often the primary changes.
#[derive(Args)]
pub(crate) struct Options {
    /// Planned switches, with forwarding hosts and again without.
    #[arg(long, default_value_t = 10)]
    runs: usize,
    /// Cut the primary's power instead, which needs a cluster that fences.
    #[arg(long)]
    crash: bool,
}

/// One switch as it was felt.
struct Felt {
    lost: [usize; 3],
    took: Duration,
}

/// Measures on the lab that is up.
pub(crate) fn measure(options: &Options) -> Result<()> {
    ensure!(options.runs > 0, "no run measures nothing");
    let (lab, program) = (Lab::take(), Program::from_env()?);
    if options.crash {
        return crash::measure(&lab, &program, options.runs);
    }
    ensure!(lab.hosts().len() > 2, "a third host has to feel the switch: the lab is too small");
    for (how, forward) in [("forwarding", "1"), ("not-forwarding", "0")] {
        forwarding(&lab, forward);
        let felt = (0..options.runs).map(|run| planned(&lab, &program, how, run));
        let felt = felt.collect::<Result<Vec<Felt>>>();
        forwarding(&lab, "1");
        tell(how, &felt?);
    }
    Ok(())
}

fn forwarding(lab: &Lab, value: &str) {
    for host in lab.hosts() {
        lab.on(host, &["sysctl", "--quiet", "--write", &format!("net.ipv4.ip_forward={value}")]);
    }
}

/// Makes another host primary, and counts what was lost meanwhile.
fn planned(lab: &Lab, program: &Program, how: &str, run: usize) -> Result<Felt> {
    lab.await_rest();
    let (from, hosts) = (lab.primary(), lab.hosts());
    let at = hosts.iter().position(|host| *host == from).context("the primary is a host")?;
    let next = |n| &hosts[(at + n) % hosts.len()];
    let (to, bystander) = (next(1), next(2));
    let mut pings = Vec::new();
    for (_, address, by_client) in ADDRESSES {
        let place = if by_client { vec!["client"] } else { vec!["exec", bystander.as_str()] };
        pings.push(Ping::start(program, &place, address)?);
    }
    for ping in &mut pings {
        ping.warm()?;
    }
    let took = probe::switch(program, to)?;
    let lost: Vec<usize> = pings.into_iter().map(Ping::lost).collect::<Result<_>>()?;
    let lost = <[usize; 3]>::try_from(lost).map_err(|_| anyhow::anyhow!("three pings"))?;
    progress(&format!(
        "switch: {how} {}: {from} -> {to}: {} ms, lost {lost:?} (upstream, cluster, storage)",
        run + 1,
        took.as_millis()
    ));
    Ok(Felt { lost, took })
}

fn tell(how: &str, felt: &[Felt]) {
    for (index, (network, ..)) in ADDRESSES.iter().enumerate() {
        let worst = felt.iter().map(|felt| felt.lost[index]).max().unwrap_or_default();
        let case = format!("planned-{how}-lost-{network}-worst");
        Case { bench: "switch", case: &case, goal: Some(LOST) }.tell(count(worst), "pings");
        let all = felt.iter().map(|felt| felt.lost[index]).sum();
        let case = format!("planned-{how}-lost-{network}-all");
        Case { bench: "switch", case: &case, goal: None }.tell(count(all), "pings");
    }
    let took = Summary::of(felt.iter().map(|felt| felt.took).collect());
    let case = format!("planned-{how}-took");
    Case { bench: "switch", case: &case, goal: None }.time(took.p50);
    let goal = Some(GOAL.as_secs_f64() * 1e3);
    Case { bench: "switch", case: &format!("{case}-worst"), goal }.time(took.p99);
}

fn count(pings: usize) -> f64 {
    u32::try_from(pings).map_or(f64::INFINITY, f64::from)
}
