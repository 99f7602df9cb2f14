//! Networks that lose packets at random, on their way to a host and from it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::fault;
use super::host::{Host, Network};
use super::layout::Lab;

/// Lets all networks of a host lose so many percent of its packets, each way; none ends it.
///
/// # Errors
/// When `nft` or the kernel refuse.
pub(crate) fn set(lab: &Lab, host: Host, percent: u8) -> Result<()> {
    if percent == of(lab, host) {
        return Ok(());
    }
    fs::write(file(lab, host), percent.to_string()).context("cannot record a loss")?;
    let lossy = lab.hosts()?.into_iter().map(|host| (host, of(lab, host)));
    fault::nft(lab, &rules(lossy)).context("cannot change the switch's rules")
}

/// How many percent of its packets a host loses.
pub(crate) fn of(lab: &Lab, host: Host) -> u8 {
    fs::read_to_string(file(lab, host)).ok().and_then(|percent| percent.parse().ok()).unwrap_or(0)
}

/// What makes the switch lose exactly this.
fn rules(lossy: impl Iterator<Item = (Host, u8)>) -> String {
    let mut rules = String::from("flush chain bridge cut lossy\n");
    for (host, percent) in lossy.filter(|(_, percent)| *percent > 0) {
        for port in Network::ALL.map(|network| network.port(host)) {
            for way in ["iifname", "oifname"] {
                rules += &format!(
                    "add rule bridge cut lossy {way} \"{port}\" \
                     numgen random mod 100 < {percent} drop\n"
                );
            }
        }
    }
    rules
}

fn file(lab: &Lab, host: Host) -> PathBuf {
    lab.host_run(host).join("loss")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_loses_nothing_has_no_rule() {
        let hosts = Host::first(2);
        let rules = rules([(hosts[0], 0), (hosts[1], 5)].into_iter());
        assert!(!rules.contains("hv1"), "{rules}");
        assert!(
            rules.contains("oifname \"hv2-storage\" numgen random mod 100 < 5 drop"),
            "{rules}"
        );
    }
}
