//! `lab selftest`: every fault, tried on the running lab and looked at from where it matters.

mod links;
mod machine;
mod watchdog;

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::enter;
use super::host::{Host, Network};
use super::layout::Lab;
use crate::run::Run;
use crate::{say, wait};

/// How long a host that was told to reboot may take until it runs again.
const REBOOT: Duration = Duration::from_secs(90);

/// The host that suffers and the one that watches.
struct Selftest<'a> {
    lab: &'a Lab,
    subject: Host,
    witness: Host,
    failures: usize,
}

/// Tries every fault on the last host, with the first as witness.
///
/// # Errors
/// When the lab is not up, or any fault has not the effect it should have.
pub(crate) fn run(lab: &Lab) -> Result<()> {
    let hosts = lab.hosts()?;
    ensure!(hosts.len() > 1, "the selftest needs two hosts");
    let mut test = Selftest {
        lab,
        subject: *hosts.last().context("a lab without hosts")?,
        witness: hosts[0],
        failures: 0,
    };
    test.networks();
    test.shared();
    test.partitions();
    test.one_way();
    test.losses();
    test.freezes();
    test.pauses();
    test.bmc();
    test.bad_bmc();
    test.power();
    test.reboots();
    test.watchdog();
    ensure!(test.failures == 0, "{} checks failed", test.failures);
    Ok(())
}

impl Selftest<'_> {
    /// Records whether a sentence about the lab is true.
    fn that(&mut self, sentence: &str, seen: Result<bool>) {
        let verdict = match seen {
            Ok(true) => format!("ok   {sentence}"),
            Ok(false) => format!("FAIL {sentence}"),
            Err(error) => format!("FAIL {sentence}: {error:#}"),
        };
        if !verdict.starts_with("ok") {
            self.failures += 1;
        }
        say::data(&verdict);
    }

    /// Does something that the next sentences are about.
    fn having(&mut self, done: &str, result: Result<()>) {
        if let Err(error) = result {
            self.that(done, Err(error));
        }
    }

    /// What a command on the subject prints.
    fn told(&self, argv: &[&str]) -> Result<String> {
        let said = enter::output(self.lab, self.subject, argv)?;
        Ok(said.trim().to_owned())
    }

    fn boot(&self) -> Result<String> {
        self.told(&["cat", "/proc/sys/kernel/random/boot_id"])
    }

    /// Whether the subject comes to run under another boot than `before`.
    fn boots_anew(&self, before: Result<String>) -> Result<bool> {
        let before = before?;
        let every = Duration::from_millis(200);
        wait::until("another boot", REBOOT, every, || Ok((self.boot()? != before).then_some(())))?;
        enter::booted(self.lab, self.subject)?;
        Ok(true)
    }

    fn heard(&self, network: Network) -> Result<bool> {
        self.ping(self.witness, &network.of(self.subject).to_string())
    }

    fn silent(&self, network: Network) -> Result<bool> {
        self.heard(network).map(|heard| !heard)
    }

    /// Four tries: a neighbour just asked for in vain is only asked for again each second.
    fn ping(&self, from: Host, address: &str) -> Result<bool> {
        enter::run(self.lab, from, ["ping", "-q", "-c4", "-i0.5", "-W1", address])?.succeeds()
    }

    fn power_is(&self, state: &str) -> Result<bool> {
        let asked = self.bmc_command(&self.subject.bmc_password());
        let answer = asked?.args(["chassis", "power", "status"]).done()?;
        Ok(answer.trim() == format!("Chassis Power is {state}"))
    }

    fn ipmi(&self, words: &[&str]) -> Result<bool> {
        self.ipmitool(&self.subject.bmc_password(), words)
    }

    fn ipmitool(&self, password: &str, words: &[&str]) -> Result<bool> {
        self.bmc_command(password)?.args(words).succeeds()
    }

    /// As another node would ask: from the witness, with the plain `lanplus` command.
    fn bmc_command(&self, password: &str) -> Result<Run> {
        let address = self.subject.bmc().to_string();
        enter::run(
            self.lab,
            self.witness,
            ["ipmitool", "-I", "lanplus", "-H", &address, "-U", "admin", "-P", password],
        )
    }
}
