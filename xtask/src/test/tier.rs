//! The tiers: what each runs and what it needs.

use std::env;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;

use super::runner::{self, Report};
use crate::run::Run;
use crate::workspace::Workspace;
use crate::{apt, lab, say};

/// Everything the crates need to build.
const TO_BUILD: [&str; 3] = ["gcc", "libvirt-dev", "pkg-config"];

/// What the tests of a lab use on this machine: they make images to upload.
const TO_TEST_LABS: [&str; 1] = ["qemu-utils"];

/// The outside systems that contract tests start for themselves.
const SERVICES: [&str; 26] = [
    "bind9-dnsutils",
    "busybox",
    "ceph-common",
    "ceph-mgr",
    "ceph-mon",
    "ceph-osd",
    "default-jre-headless",
    "dnsmasq-base",
    "fio",
    "frr",
    "ipmitool",
    "iproute2",
    "isc-dhcp-client",
    "libvirt-daemon-driver-qemu",
    "libvirt-daemon-system",
    "nftables",
    "openipmi",
    "pdns-backend-pgsql",
    "pdns-server",
    "postgresql-15",
    "python3-fusepy",
    "qemu-block-extra",
    "qemu-system-x86",
    "qemu-utils",
    "udev",
    "zookeeper",
];

/// The crates whose tests meet an outside system.
const PORTS: [&str; 6] =
    ["pvc-zk", "pvc-libvirt", "pvc-host", "pvc-ipmi", "pvc-ceph", "pvc-database"];

/// Test targets of daemons that meet an outside system, too.
const BESIDES: [&str; 2] = ["dnsmasq", "packets"];

/// Tests of one crate's code are quick; building all of them on a cold machine is not.
const UNIT_LIMIT: Duration = Duration::from_secs(25 * 60);
const CONTRACT_LIMIT: Duration = Duration::from_secs(15 * 60);
const LAB_LIMIT: Duration = Duration::from_secs(50 * 60);

/// The labs that the end-to-end tests are run in. With storage or databases everything else is slower.
const LABS: [TestLab; 4] = [
    TestLab { tests: "lab", ..TestLab::SMALLEST },
    TestLab { tests: "storage", storage: true, long: &["disk::", "silent::"], ..TestLab::SMALLEST },
    TestLab { tests: "five", hosts: 5, ..TestLab::SMALLEST },
    TestLab { tests: "names", database: true, ..TestLab::SMALLEST },
];

/// A lab, and the tests that need such a one.
#[derive(Clone, Copy)]
struct TestLab {
    tests: &'static str,
    hosts: usize,
    storage: bool,
    database: bool,
    /// With what the names of tests begin that take minutes: they wait for others to give up, and are
    /// run when everything is.
    long: &'static [&'static str],
}

/// A lab that was up before.
#[derive(Clone, Copy)]
struct UpBefore {
    hosts: usize,
    storage: bool,
    database: bool,
}

impl TestLab {
    const SMALLEST: Self = Self { tests: "", hosts: 3, storage: false, database: false, long: &[] };

    /// Whether a lab with so many hosts does.
    fn is_met_by(self, up: UpBefore) -> bool {
        up.hosts >= self.hosts && (up.storage || !self.storage) && (up.database || !self.database)
    }

    fn words(self) -> Vec<String> {
        let mut words =
            ["up", "--dev", "--hosts", &self.hosts.to_string()].map(str::to_owned).to_vec();
        words.extend(self.storage.then(|| "--storage".to_owned()));
        words.extend(self.database.then(|| "--database".to_owned()));
        words
    }
}

/// A group of tests with the same needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tier {
    /// Decisions, models, daemons' loops on fakes: no root, no service, no clock.
    Unit,
    /// Each port's contract against the real ZooKeeper and libvirt.
    Contract,
    /// Real hosts with a real cluster; needs root.
    Lab,
}

/// What came of a tier.
pub(super) enum Outcome {
    /// Its tests ran.
    Ran(Report),
    /// It cannot run on this machine, and why.
    Impossible(String),
}

impl Tier {
    /// Its name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Contract => "contract",
            Self::Lab => "lab",
        }
    }

    /// What it is, for people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Unit => "unit: decisions, models and loops on fakes",
            Self::Contract => "contract: the ports against real services",
            Self::Lab => "lab: a cluster of real hosts",
        }
    }

    /// Runs its tests, first installing what they need; those that take minutes only if that is wanted.
    ///
    /// # Errors
    /// When something is missing, or the tests do not build.
    pub(super) fn run(self, long: bool) -> Result<Outcome> {
        match self {
            Self::Unit => unit(),
            Self::Contract => contract(),
            Self::Lab => on_lab(long),
        }
    }
}

fn unit() -> Result<Outcome> {
    apt::ensure(&TO_BUILD)?;
    let settings = [("PVC_TEST_NO_SERVICES", "1")];
    runner::run(&["--workspace"], &settings, UNIT_LIMIT).map(Outcome::Ran)
}

/// Runs the ports' integration tests, this time without `PVC_TEST_NO_SERVICES`.
fn contract() -> Result<Outcome> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(Outcome::Impossible("needs root".to_owned()));
    }
    apt::ensure(&TO_BUILD)?;
    apt::ensure(&SERVICES)?;
    let packages = Workspace::ours()?.packages;
    let ports = packages.iter().filter(|package| PORTS.contains(&package.name.as_str()));
    let targets = ports.flat_map(|port| &port.targets);
    let tests = targets.filter(|target| target.kind.iter().any(|kind| kind == "test"));
    // Of the whole workspace, or cargo would build everything anew with other features.
    let mut selection = vec!["--workspace"];
    let tests = tests.map(|test| test.name.as_str()).chain(BESIDES);
    selection.extend(tests.flat_map(|test| ["--test", test]));
    runner::run(&selection, &[], CONTRACT_LIMIT).map(Outcome::Ran)
}

/// Brings a lab up, runs the end-to-end tests in it and takes it down, once for each kind of lab.
/// In one that was up before, what it is enough for.
fn on_lab(long: bool) -> Result<Outcome> {
    if let Err(error) = lab::check_machine() {
        return Ok(Outcome::Impossible(format!("{error:#}")));
    }
    apt::ensure(&TO_BUILD)?;
    apt::ensure(&TO_TEST_LABS)?;
    let up = what_is_up()?;
    let mut sum = Report::default();
    for lab in LABS {
        match up {
            None => sum += in_a_lab_of_its_own(lab, long)?,
            Some(up) if lab.is_met_by(up) => sum += in_the_lab(lab, long)?,
            Some(_) => {}
        }
    }
    Ok(Outcome::Ran(sum))
}

fn in_a_lab_of_its_own(lab: TestLab, long: bool) -> Result<Report> {
    let tested = lab_verb(&lab.words()).and_then(|()| in_the_lab(lab, long));
    lab_verb(&["down".to_owned()])?;
    tested
}

fn in_the_lab(lab: TestLab, long: bool) -> Result<Report> {
    let mut selection = vec!["--workspace", "--features", "pvc-e2e/lab", "--test", lab.tests];
    let skipped = lab.long.iter().filter(|_| !long).flat_map(|names| ["--skip", names]);
    selection.push("--");
    selection.extend(skipped);
    runner::run(&selection, &[("PVC_XTASK", &this_program()?)], LAB_LIMIT)
}

/// What of a lab is up.
fn what_is_up() -> Result<Option<UpBefore>> {
    let status = Run::new([&this_program()?, "lab", "status", "--json"]).done()?;
    let status: serde_json::Value = serde_json::from_str(&status)?;
    // A light lab is not the one that `lab up` brings up.
    let is_ours = status["up"] == true && status["light"] != true;
    let hosts = status["hosts"].as_array().map_or(0, Vec::len);
    let (storage, database) = (status["ceph"] == true, status["database"] == true);
    Ok((is_ours && hosts > 0).then_some(UpBefore { hosts, storage, database }))
}

fn lab_verb(words: &[String]) -> Result<()> {
    let program = this_program()?;
    Run::new([&program, "lab"])
        .args(words)
        .limit(LAB_LIMIT)
        .into_file(say::terminal()?)
        .done()
        .map(drop)
}

/// This program's path: the end-to-end tests drive the lab with it.
fn this_program() -> Result<String> {
    let path = env::current_exe().context("cannot tell which program this is")?;
    Ok(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_that_is_up_does_for_tests_that_need_no_more() {
        let met = |hosts, storage, database| {
            let up = UpBefore { hosts, storage, database };
            let met = LABS.iter().filter(|lab| lab.is_met_by(up));
            met.map(|lab| lab.tests).collect::<Vec<_>>()
        };
        assert_eq!(met(3, false, false), ["lab"]);
        assert_eq!(met(3, false, true), ["lab", "names"]);
        assert_eq!(met(3, true, false), ["lab", "storage"]);
        assert_eq!(met(5, false, false), ["lab", "five"]);
        assert!(met(1, false, true).is_empty());
    }
}
