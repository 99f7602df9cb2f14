//! Faults of the hosts themselves: what stops, what loses power, and what its BMC says.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Selftest;
use crate::lab::cgroup::Group;
use crate::lab::host::Network;
use crate::lab::{bmc, enter, fault, power};
use crate::wait;

impl Selftest<'_> {
    /// Stops the subject, as a busy machine and as a hanging one.
    pub(super) fn freezes(&mut self) {
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

    /// Stops the subject for a while.
    pub(super) fn pauses(&mut self) {
        let (lab, subject) = (self.lab, self.subject);
        let span = Duration::from_secs(1);
        let frozen = thread::scope(|scope| -> Result<bool> {
            let began = Instant::now();
            let pause = scope.spawn(|| fault::pause(lab, subject, span));
            let group = Group::of_host(lab, subject);
            let every = Duration::from_millis(5);
            wait::until("the pause", span, every, || Ok(group.is_frozen().then_some(())))?;
            let ended = pause.join();
            ensure!(matches!(ended, Ok(Ok(()))), "the pause failed: {ended:?}");
            Ok(began.elapsed() >= span)
        });
        self.that("a paused host stands still for as long as it was told", frozen);
        let runs = self.told(&["true"]).map(|_| true);
        self.that("and runs again by itself", runs);
    }

    /// Works the power by the BMC, and makes the BMC unreachable.
    pub(super) fn bmc(&mut self) {
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

    /// Has the BMC lie and dawdle.
    pub(super) fn bad_bmc(&mut self) {
        let (lab, subject) = (self.lab, self.subject);
        let before = self.boot();
        self.having("lying", bmc::set_manner(lab, subject, bmc::Manner::Lying));
        self.that("a lying BMC says on until told otherwise", self.power_is("on"));
        self.that("it acknowledges", self.ipmi(&["chassis", "power", "off"]));
        self.that("it says off", self.power_is("off"));
        let lives = before.and_then(|before| Ok(self.boot()? == before));
        self.that("but its host lives", lives);
        let slow = bmc::Manner::Slow(Duration::from_millis(700));
        self.having("slow", bmc::set_manner(lab, subject, slow));
        let asked = Instant::now();
        self.that("a slow BMC tells the truth", self.power_is("on"));
        self.that("after a while", Ok(asked.elapsed() >= Duration::from_millis(700)));
        self.having("honest", bmc::set_manner(lab, subject, bmc::Manner::Honest));
    }

    /// Cuts the subject's power and switches it off.
    pub(super) fn power(&mut self) {
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

    /// Reboots the subject from inside.
    pub(super) fn reboots(&mut self) {
        for reboot in [&["systemctl", "reboot"][..], &["reboot", "-ff"]] {
            let before = self.boot();
            // The command dies with the host it reboots.
            let _cut_short = self.told(reboot).is_err();
            let sentence = format!("`{}` reboots the host", reboot.join(" "));
            self.that(&sentence, self.boots_anew(before));
        }
    }
}
