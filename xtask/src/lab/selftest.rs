//! `lab selftest`: every fault, tried on the running lab and looked at from where it matters.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::host::{self, Host, Network};
use super::layout::Lab;
use super::{enter, fault, power};
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
    test.partitions();
    test.freezes();
    test.bmc();
    test.power();
    test.reboots();
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

    fn networks(&mut self) {
        for network in Network::ALL {
            let sentence = format!("the {} network connects the hosts", network.name());
            self.that(&sentence, self.heard(network));
        }
        let client = self.ping(self.witness, &host::client().to_string());
        self.that("the client is reachable", client);
    }

    fn partitions(&mut self) {
        let (lab, subject) = (self.lab, self.subject);
        let cut = fault::partition(lab, subject, &[Network::Cluster]);
        self.having("partition", cut);
        self.that("a partitioned network is silent", self.silent(Network::Cluster));
        self.that("the other networks are not", self.heard(Network::Storage));
        let carrier = self.told(&["cat", "/sys/class/net/eno2/carrier"]);
        self.that("the carrier stays up", carrier.map(|seen| seen == "1"));
        self.having("partition", fault::partition(lab, subject, &[]));
        self.that("a full partition is silent", self.silent(Network::Upstream));
        self.having("heal", fault::heal(lab, subject));
        self.that("a healed partition is gone", self.heard(Network::Cluster));
    }

    fn freezes(&mut self) {
        let (lab, subject) = (self.lab, self.subject);
        self.having("freeze", fault::freeze(lab, subject, false));
        self.that("a frozen host runs nothing", Ok(self.told(&["true"]).is_err()));
        self.that("its kernel answers", self.heard(Network::Cluster));
        self.that("its BMC says on", self.power_is("on"));
        self.having("thaw", fault::thaw(lab, subject));
        let runs = self.told(&["true"]).map(|_| true);
        self.that("a thawed host runs", runs);
        self.having("freeze", fault::freeze(lab, subject, true));
        self.that("a silently frozen host is silent", self.silent(Network::Cluster));
        self.having("thaw", fault::thaw(lab, subject));
        self.that("thawed, it is heard again", self.heard(Network::Cluster));
    }

    fn bmc(&mut self) {
        let (lab, subject) = (self.lab, self.subject);
        let before = self.boot();
        self.having("freeze", fault::freeze(lab, subject, true));
        self.that("a hanging host can be powered off", self.ipmi(&["chassis", "power", "off"]));
        self.that("the BMC says off", self.power_is("off"));
        self.that("a host without power is silent", self.silent(Network::Cluster));
        self.that("it can be powered on", self.ipmi(&["chassis", "power", "on"]));
        self.that("it boots", self.boots_anew(before));
        let before = self.boot();
        self.that("it can be reset", self.ipmi(&["chassis", "power", "reset"]));
        self.that("it boots after a reset", self.boots_anew(before));
        let wrong = self.ipmitool("wrong", &["chassis", "power", "status"]);
        self.that("a wrong password is refused", wrong.map(|accepted| !accepted));
        self.having("bmc down", fault::bmc_down(lab, subject));
        let unreachable = self.ipmi(&["-N", "1", "-R", "1", "chassis", "power", "status"]);
        self.that("an unreachable BMC does not answer", unreachable.map(|answered| !answered));
        self.having("bmc up", fault::bmc_up(lab, subject));
        self.that("a reachable BMC answers", self.power_is("on"));
    }

    fn power(&mut self) {
        let (lab, subject) = (self.lab, self.subject);
        let kept = self.told(&["sh", "-c", "echo kept >/var/selftest; sync"]);
        self.having("write a file", kept.map(drop));
        let before = self.boot();
        self.having("cut", power::cut(lab, subject));
        self.that("a cut host is silent", self.silent(Network::Upstream));
        self.having("on", power::on(lab, subject));
        self.that("it boots when it has power", self.boots_anew(before));
        let file = self.told(&["cat", "/var/selftest"]);
        self.that("its disk kept what was written", file.map(|text| text == "kept"));
        self.having("off", power::off(lab, subject));
        self.that("a host that shut down is off", self.power_is("off"));
        self.having("on", power::on(lab, subject));
        let booted = enter::booted(lab, subject);
        self.that("and comes back", booted.map(|()| true));
    }

    fn reboots(&mut self) {
        for reboot in [&["systemctl", "reboot"][..], &["reboot", "-ff"]] {
            let before = self.boot();
            // The command dies with the host it reboots.
            let _cut_short = self.told(reboot).is_err();
            let sentence = format!("`{}` reboots the host", reboot.join(" "));
            self.that(&sentence, self.boots_anew(before));
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
