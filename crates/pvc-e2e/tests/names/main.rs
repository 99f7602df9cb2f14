//! Names of managed networks, as the cluster's DNS answers: `cargo xtask test --tier lab` runs this in
//! a lab with a database.

mod large;
mod vms;

use std::time::{Duration, Instant};

use pvc_e2e::lab::{Lab, until};
use serde_json::Value;

/// The cluster's addresses, where its DNS answers.
const FLOATING: [&str; 2] = ["10.100.0.254", "10.255.0.254"];

/// How long a change may take to be answered while all is well.
const SOON: Duration = Duration::from_secs(30);
/// How long passing the part of the primary on may take, and the lead of the database.
const SWITCH: Duration = Duration::from_secs(60);
/// How long a database whose leader died may take to have another: Patroni waits 20 s by itself.
const ELECTION: Duration = Duration::from_secs(120);
/// How long a host may take to boot and its daemon to serve.
const BACK: Duration = Duration::from_secs(120);

/// A network that no VM is in; it goes away with the test.
struct Network<'a> {
    lab: &'a Lab,
}

const NETWORK: &str = "/networks/7010";
const DOMAIN: &str = "names.pvc.test";

impl<'a> Network<'a> {
    fn make(lab: &'a Lab) -> Self {
        let network = Self { lab };
        network.write(&format!("deleteall {NETWORK}"));
        network.create("", "names");
        for (key, value) in [
            ("/nettype", "managed"),
            ("/domain", DOMAIN),
            ("/ip4_network", "10.77.0.0/24"),
            ("/ip4_gateway", "10.77.0.1"),
            ("/dhcp4_flag", "False"),
            ("/dhcp4_reservations", ""),
        ] {
            network.create(key, value);
        }
        network
    }

    fn reserve(&self, number: u8, hostname: &str) {
        let at = format!("/dhcp4_reservations/52:54:00:77:00:{number:02x}");
        self.create(&at, "static");
        self.create(&format!("{at}/ipaddr"), &format!("10.77.0.{number}"));
        self.create(&format!("{at}/hostname"), hostname);
    }

    fn create(&self, key: &str, value: &str) {
        self.write(&format!("create {NETWORK}{key} {value}"));
    }

    /// As a person changes ZooKeeper, on a host that has power.
    fn write(&self, command: &str) {
        let host = self.lab.hosts().iter().find(|host| self.lab.is_on(host));
        let host = host.expect("a host that is on");
        let server = format!("{host}:2181");
        let mut words = vec!["/usr/share/zookeeper/bin/zkCli.sh", "-server", &server];
        words.extend(command.split_ascii_whitespace());
        self.lab.try_on(host, &words);
    }
}

impl Drop for Network<'_> {
    fn drop(&mut self) {
        self.write(&format!("deleteall {NETWORK}"));
    }
}

/// What is answered at an address to a host that is not `but`.
fn asked(lab: &Lab, but: &str, address: &str, question: &[&str]) -> String {
    let asker = lab.hosts().iter().find(|host| *host != but).expect("there are others");
    let server = format!("@{address}");
    let dig = ["dig", "+short", "+tries=1", "+time=2", &server];
    lab.try_on(asker, &[&dig[..], question].concat()).out.trim().to_owned()
}

/// Waits until a host's name and address are answered at both addresses; says how long that took.
fn await_name(lab: &Lab, but: &str, number: u8, hostname: &str, limit: Duration) -> Duration {
    let begun = Instant::now();
    let name = format!("{hostname}.{DOMAIN}");
    let (address, pointer) = (format!("10.77.0.{number}"), format!("{name}."));
    for server in FLOATING {
        let (forward, reverse) = (["-t", "A", &name], ["-x", &address]);
        for (question, answer) in [(&forward[..], &address), (&reverse[..], &pointer)] {
            until(&format!("{question:?} to be answered at {server}"), limit, || {
                let said = asked(lab, but, server, question);
                if said == *answer { Ok(()) } else { Err(said) }
            });
        }
    }
    begun.elapsed()
}

/// Waits until all databases run, and one of these leads.
fn await_leader(lab: &Lab, which: &[&str], limit: Duration) {
    let host = which.first().expect("somebody to be asked");
    let page = format!("http://{host}:8008/cluster");
    until(&format!("one of {which:?} to lead"), limit, || {
        let said = lab.try_on(host, &["curl", "--silent", "--max-time", "5", &page]).out;
        let cluster: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
        let members = cluster["members"].as_array().ok_or("no members")?;
        let runs =
            |member: &Value| matches!(member["state"].as_str(), Some("running" | "streaming"));
        let leads = |member: &&Value| member["role"] == "leader";
        let leader = members.iter().find(leads).and_then(|member| member["name"].as_str());
        let is_led = leader.is_some_and(|leader| which.contains(&leader));
        if is_led && members.iter().all(runs) { Ok(()) } else { Err(said) }
    });
}

#[test]
fn names_are_answered_wherever_the_primary_is() {
    let lab = Lab::take();
    lab.await_rest();
    let first = lab.primary();
    await_leader(&lab, &[&first], SWITCH);
    let network = Network::make(&lab);
    network.reserve(5, "web");
    let soon = await_name(&lab, &first, 5, "web", SOON);
    await_name(&lab, &first, 1, "gateway", SOON);

    let next = lab.hosts().iter().find(|host| **host != first).expect("there are others").clone();
    lab.pvc_within(SWITCH, &["node", "primary", "--wait", &next]).ok().expect("a switch");
    let answered = await_name(&lab, &next, 5, "web", SOON);
    let begun = Instant::now();
    await_leader(&lab, &[&next], SWITCH);
    let led = begun.elapsed();
    // The names are kept on by the new primary.
    network.reserve(6, "db");
    await_name(&lab, &next, 6, "db", SOON);

    lab.cut(&next);
    let back = await_name(&lab, &next, 5, "web", ELECTION);
    network.reserve(7, "mail");
    let written = await_name(&lab, &next, 7, "mail", ELECTION);
    println!(
        "a new name: {soon:.1?}; after a switch: answered {answered:.1?}, led {led:.1?} later; after \
         a power cut: answered {back:.1?}, written again {written:.1?} later"
    );
    lab.mend();
    lab.await_node(&next, BACK);
    let primary = lab.primary();
    await_leader(&lab, &[&primary], ELECTION);
}
