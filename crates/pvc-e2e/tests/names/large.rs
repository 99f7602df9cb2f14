//! A network with many reservations and rules: all of them are in force, and one that is refused changes
//! nothing.

use std::time::{Duration, Instant};

use pvc_e2e::lab::{Lab, until};

const VNI: &str = "7030";
const DOMAIN: &str = "large.pvc.test";
const FLOATING: &str = "10.255.0.254";
const RESERVATIONS: usize = 200;
const RULES: usize = 50;

/// How long until all of it is in force everywhere, on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// Asks the API, without a client that starts anew for each: it reads the arguments of POST requests from
/// the lines that follow.
const ASK: &str = r#"
key=$(sed -n 's/^ *token: "\(.*\)"$/\1/p' /etc/pvc/pvcapid.yaml)
while read -r path query; do
    curl --silent --show-error --fail-with-body --max-time 20 --request POST \
        --header "X-Api-Key: $key" --output /tmp/answer --get --data "$query" \
        "http://10.100.0.254:7370/api/v1/network/$path" || { cat /tmp/answer; exit 1; }
done <<'END'
"#;

struct Network<'a>(&'a Lab);

impl<'a> Network<'a> {
    fn make(lab: &'a Lab) -> Self {
        let network = Self(lab);
        network.remove();
        let add = ["network", "add", VNI, "-d", "e2elarge", "-p", "managed", "-n", DOMAIN];
        let ip4 = ["-i", "10.79.0.0/24", "-g", "10.79.0.1", "--dhcp"];
        let range = ["--dhcp-start", "10.79.0.240", "--dhcp-end", "10.79.0.250"];
        lab.pvc(&[&add[..], &ip4, &range].concat());
        network
    }

    /// Asks for everything, one after the other, as a script of a person would.
    fn fill(&self) {
        let reservation = |n: usize| {
            format!(
                "{VNI}/lease/52:54:00:79:00:{n:02x} ipaddress=10.79.0.{}&hostname=host{n}",
                n + 10
            )
        };
        let rule = |n: usize| {
            let direction = if n.is_multiple_of(2) { "in" } else { "out" };
            format!("{VNI}/acl/rule{n} direction={direction}&rule=tcp+dport+{}+drop", 2000 + n)
        };
        let lines: Vec<String> =
            (0..RESERVATIONS).map(reservation).chain((0..RULES).map(rule)).collect();
        for some in lines.chunks(50) {
            let script = format!("{ASK}{}\nEND\n", some.join("\n"));
            self.0.on(&self.0.hosts()[0], &["bash", "-c", &script]);
        }
    }

    fn remove(&self) {
        drop(self.0.try_pvc(&["network", "remove", VNI]));
    }
}

impl Drop for Network<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

/// How many of the network's rules a host's firewall has.
fn rules(lab: &Lab, host: &str) -> usize {
    let table = lab.on(host, &["nft", "list", "table", "inet", "pvc"]);
    (0..RULES).filter(|n| table.contains(&format!("tcp dport {} drop", 2000 + n))).count()
}

/// How many of the reserved names the cluster's DNS has.
fn names(lab: &Lab) -> usize {
    let server = format!("@{FLOATING}");
    let zone = lab.try_on(&lab.hosts()[0], &["dig", "+tries=1", &server, "AXFR", DOMAIN]).out;
    let is_host = |line: &&str| line.starts_with("host") && line.contains("10.79.0.");
    zone.lines().filter(is_host).count()
}

fn await_all(lab: &Lab) {
    for host in lab.hosts() {
        until(&format!("{host} to have all rules"), SOON, || match rules(lab, host) {
            RULES => Ok(()),
            some => Err(format!("{some}")),
        });
    }
    until("all names to be answered", SOON, || match names(lab) {
        RESERVATIONS => Ok(()),
        some => Err(format!("{some}")),
    });
}

#[test]
fn two_hundred_reservations_and_fifty_rules_are_in_force_and_a_bad_one_changes_nothing() {
    let lab = Lab::take();
    lab.await_rest();
    let network = Network::make(&lab);
    let began = Instant::now();
    network.fill();
    let (asked, began) = (began.elapsed(), Instant::now());
    await_all(&lab);
    println!("asked for in {asked:.1?}, in force {:.1?} later", began.elapsed());

    let add = ["network", "acl", "add", VNI, "--in", "-d", "bad", "-r"];
    let refused = lab.try_pvc(&[&add[..], &["tcp dport nowhere drop"]].concat());
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.err.contains("Could not resolve service"), "in nft's own words: {refused:?}");
    let words = ["network", "dhcp", "add", VNI, "10.79.0.10", "other", "52:54:00:79:01:00"];
    let taken = lab.try_pvc(&words);
    assert_ne!(taken.code, 0, "{taken:?}");
    await_all(&lab);
    drop(network);
    for host in lab.hosts() {
        until(&format!("{host} to have no rule"), SOON, || match rules(&lab, host) {
            0 => Ok(()),
            some => Err(format!("{some}")),
        });
    }
}
