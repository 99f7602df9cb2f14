//! VMs in a managed network, by what they tell of it themselves: addresses by DHCP, a peer by name, what is
//! outside, and what the firewall closes to them.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use pvc_e2e::lab::{Lab, until};

const VNI: &str = "7020";
const NETWORK: &str = "10.78.0.0/24";
/// Where people's machines are, and another machine there.
const OUTSIDE: &str = "10.100.0.200";
const CLOSED: &str = "10.100.0.250";
/// The cluster's address in their network.
const FLOATING: &str = "10.100.0.254";

/// How long an emulated Linux may take to boot and to be given its address.
const BOOT: Duration = Duration::from_secs(120);
/// How long passing the primary's part on may take.
const SWITCH: Duration = Duration::from_secs(60);
/// How long after a power cut it may take until all is as before.
const RECOVERED: Duration = Duration::from_secs(120);

/// The network, and the way to it for machines outside; both go with the test.
struct Network<'a>(&'a Lab);

impl<'a> Network<'a> {
    fn make(lab: &'a Lab) -> Self {
        let network = Self(lab);
        network.remove();
        let add = ["network", "add", VNI, "-d", "e2enet", "-p", "managed", "-n", "vms.pvc.test"];
        let ip4 = ["-i", NETWORK, "-g", "10.78.0.1", "--dhcp"];
        let range = ["--dhcp-start", "10.78.0.100", "--dhcp-end", "10.78.0.199"];
        lab.pvc(&[&add[..], &ip4, &range].concat());
        let rule = format!("ip daddr {CLOSED} drop");
        lab.pvc(&["network", "acl", "add", VNI, "--out", "-d", "closed", "-r", &rule]);
        lab.client(&["ip", "route", "replace", NETWORK, "via", FLOATING]).ok().expect("a route");
        network
    }

    fn remove(&self) {
        let _ = self.0.client(&["ip", "route", "del", NETWORK]);
        drop(self.0.try_pvc(&["network", "remove", VNI]));
    }
}

impl Drop for Network<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Starts a VM in the network that tries to reach its peer.
fn start(lab: &Lab, node: &str, name: &str, peer: &str, mac: &str) -> String {
    let vm = format!("e2e-{name}");
    let words = format!(
        "net name={name} peer={peer} aggregator={FLOATING} outside={OUTSIDE} closed={CLOSED}"
    );
    let interface = format!(
        "<interface type='bridge'><mac address='{mac}'/><source bridge='vmbr{VNI}'/>\
         <model type='virtio'/></interface>"
    );
    let file = lab.definition("linux", &vm, |xml| {
        let xml = xml.replace("panic=1", &format!("panic=1 {words}"));
        xml.replace("<memballoon", &format!("{interface}<memballoon"))
    });
    lab.define_from(&file, &["--target", node]);
    lab.pvc(&["vm", "start", &vm]);
    vm
}

/// What a VM told last, by its words.
fn told(lab: &Lab, vm: &str) -> Result<BTreeMap<String, String>, String> {
    let said = lab.try_pvc(&["vm", "log", vm, "--lines", "40"]);
    let log = said.ok().map_err(|error| format!("{error:#}"))?;
    let line = log.lines().rev().find(|line| line.starts_with("net ") && line.contains("closed="));
    let words = line.ok_or("it tells nothing")?.split_ascii_whitespace();
    Ok(words.filter_map(|word| word.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect())
}

/// Waits until a VM has an address, reaches what it may, and nothing else; its address.
fn await_reach(lab: &Lab, vm: &str, limit: Duration) -> String {
    until(&format!("{vm} to reach what it may"), limit, || {
        let told = told(lab, vm)?;
        let is = |word: &str, text: &str| told.get(word).is_some_and(|seen| seen == text);
        let has = |word: &str| told.get(word).filter(|text| text.starts_with("10.78.0.1"));
        match (has("addr"), has("name")) {
            (Some(own), Some(_))
                if is("peer", "yes")
                    && is("outside", "yes")
                    && is("closed", "no")
                    && is("meta", vm) =>
            {
                Ok(own.clone())
            }
            _ => Err(format!("{told:?}")),
        }
    })
}

/// How many of the pings from outside, one each 25 ms, were lost while `act` was done.
fn lost_while(lab: &Lab, address: &str, act: impl FnOnce()) -> u32 {
    thread::scope(|scope| {
        let ping = ["ping", "-q", "-n", "-i", "0.025", "-c", "600", address];
        let pings = scope.spawn(move || lab.client(&ping).out);
        act();
        let said = pings.join().expect("pings end");
        let received = said
            .lines()
            .find(|line| line.contains("received"))
            .and_then(|line| line.split(", ").nth(1)?.split(' ').next()?.parse::<u32>().ok())
            .unwrap_or_else(|| panic!("{said}"));
        600 - received
    })
}

#[test]
fn vms_of_a_managed_network_reach_what_they_may_wherever_the_primary_is() {
    let lab = Lab::take();
    lab.await_rest();
    let network = Network::make(&lab);
    let [one, two, three, ..] = lab.hosts() else { panic!("three hosts") };
    lab.pvc_within(SWITCH, &["node", "primary", "--wait", three]).ok().expect("a switch");
    let vms = [
        start(&lab, one, "alpha", "beta.vms.pvc.test", "52:54:00:78:00:01"),
        start(&lab, two, "beta", "alpha.vms.pvc.test", "52:54:00:78:00:02"),
    ];
    let addresses = vms.each_ref().map(|vm| await_reach(&lab, vm, BOOT));
    assert_ne!(addresses[0], addresses[1]);

    let lost = lost_while(&lab, &addresses[0], || {
        lab.pvc_within(SWITCH, &["node", "primary", "--wait", one]).ok().expect("a switch");
    });
    // On a machine that does nothing else it is one at most; a quarter of a second nobody notices who pings
    // once a second.
    assert!(lost <= 10, "{lost} pings of 25 ms were lost in a planned switch");
    let after = vms.each_ref().map(|vm| await_reach(&lab, vm, SWITCH));
    assert_eq!(after, addresses, "leases are kept");

    lab.pvc_within(SWITCH, &["node", "primary", "--wait", three]).ok().expect("a switch");
    let begun = Instant::now();
    lab.cut(three);
    until("the VM to be reached again", RECOVERED, || {
        let said = lab.client(&["ping", "-c1", "-W1", &addresses[0]]);
        if said.code == 0 && begun.elapsed() > Duration::from_secs(1) {
            Ok(())
        } else {
            Err(said.out)
        }
    });
    println!("{lost} pings lost in a switch; reached {:.1?} after a power cut", begun.elapsed());
    for (vm, address) in vms.iter().zip(&addresses) {
        assert_eq!(await_reach(&lab, vm, RECOVERED), *address);
    }
    lab.mend();
    lab.await_node(three, RECOVERED);
    lab.restore();
    drop(network);
}
