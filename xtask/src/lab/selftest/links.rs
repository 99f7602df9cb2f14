//! Faults between the hosts: what is silent, to whom, and how much is lost.

use anyhow::{Context, Result, ensure};

use super::Selftest;
use crate::lab::host::{self, Host, Network};
use crate::lab::{enter, fault, loss};

impl Selftest<'_> {
    /// Everybody hears everybody.
    pub(super) fn networks(&mut self) {
        for network in Network::ALL {
            let sentence = format!("the {} network connects the hosts", network.name());
            self.that(&sentence, self.heard(network));
        }
        let client = self.ping(self.witness, &host::client().to_string());
        self.that("the client is reachable", client);
    }

    /// Cuts the subject off, from one network and from all.
    pub(super) fn partitions(&mut self) {
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

    /// Lets the witness no longer hear the subject, which still hears it.
    pub(super) fn one_way(&mut self) {
        let (lab, subject, witness) = (self.lab, self.subject, self.witness);
        self.having("oneway", fault::cut_one_way(lab, subject, witness));
        let heard = self.arrives(witness, subject);
        self.that("a host is heard by one that does not hear it", heard);
        let unheard = self.arrives(subject, witness);
        self.that("who is cut one way is not heard", unheard.map(|heard| !heard));
        self.having("heal", fault::heal(lab, subject));
        self.that("a healed way is open", self.heard(Network::Cluster));
    }

    /// Loses some of the subject's packets.
    pub(super) fn losses(&mut self) {
        let (lab, subject) = (self.lab, self.subject);
        self.having("loss", loss::set(lab, subject, 30));
        let answers = self.answers_of_hundred();
        self.that(
            "30 % of loss each way leave about half of the answers",
            answers.map(|answers| (25..=75).contains(&answers)),
        );
        self.having("heal", fault::heal(lab, subject));
        let answers = self.answers_of_hundred();
        self.that("a healed network loses nothing", answers.map(|answers| answers == 100));
    }

    /// Whether echo requests from one host arrive at another, with or without an answer.
    fn arrives(&self, from: Host, to: Host) -> Result<bool> {
        let before = self.echoes(to)?;
        // No answer is no failure: what counts is what arrives.
        let _answered = self.ping(from, &Network::Cluster.of(to).to_string())?;
        Ok(self.echoes(to)? > before)
    }

    /// How many echo requests a host has received since it booted.
    fn echoes(&self, host: Host) -> Result<u64> {
        let counters = enter::output(self.lab, host, ["cat", "/proc/net/snmp"])?;
        let mut lines = counters.lines().filter_map(|line| line.strip_prefix("Icmp: "));
        let (names, values) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
        let mut pairs = names.split_whitespace().zip(values.split_whitespace());
        let (_, count) = pairs.find(|(name, _)| *name == "InEchos").context("no such counter")?;
        Ok(count.parse()?)
    }

    /// How many of a hundred echo requests to the subject are answered.
    fn answers_of_hundred(&self) -> Result<u32> {
        let address = Network::Cluster.of(self.subject).to_string();
        let ping = ["ping", "-q", "-c100", "-i0.02", "-W1", &address];
        let said = enter::run(self.lab, self.witness, ping)?.finish()?.stdout;
        let received = said.split(", ").find_map(|part| part.strip_suffix(" received"));
        ensure!(received.is_some(), "ping said: {said}");
        Ok(received.unwrap_or("").parse()?)
    }
}
