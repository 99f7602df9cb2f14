//! The primary coordinator, with the cluster's address and its API.

use std::time::Duration;

use pvc_e2e::lab::{Lab, until};

/// The cluster's address in the network where its users are.
const FLOATING: &str = "10.100.0.254";

/// The hosts that have the cluster's address.
fn holders(lab: &Lab) -> Vec<String> {
    let has = |host: &&String| {
        lab.on(host, &["ip", "-4", "-oneline", "address"]).contains(&format!("{FLOATING}/"))
    };
    lab.hosts().iter().filter(has).cloned().collect()
}

#[test]
fn another_primary_takes_over_the_address_and_the_api() {
    let lab = Lab::take();
    lab.await_rest();
    let before = lab.primary();
    assert_eq!(holders(&lab), std::slice::from_ref(&before));
    let next = lab.hosts().iter().find(|host| **host != before).expect("there are others");

    let limit = Duration::from_secs(60);
    lab.pvc_within(limit, &["node", "primary", "--wait", next]).ok().unwrap();

    assert_eq!(lab.primary(), *next);
    assert_eq!(lab.node(&before).coordinator_state, "secondary");
    assert_eq!(holders(&lab), std::slice::from_ref(next));
    let active =
        |host: &&String| lab.try_on(host, &["systemctl", "is-active", "pvcapid"]).code == 0;
    let serving: Vec<&String> = lab.hosts().iter().filter(active).collect();
    assert_eq!(serving, [next], "the API daemon runs there and only there");
    let vm = lab.define("tick", "after", &[]);
    lab.pvc(&["vm", "start", &vm]);
    lab.await_running(&vm);
}

#[test]
fn a_primary_that_steps_down_is_followed_by_another() {
    let lab = Lab::take();
    lab.await_rest();
    let before = lab.primary();
    let limit = Duration::from_secs(60);
    lab.pvc_within(limit, &["node", "secondary", "--wait", &before]).ok().unwrap();
    let next = until("another primary", limit, || {
        let next = lab.primary();
        if next == before { Err(next) } else { Ok(next) }
    });
    until("the address to be there", limit, || {
        let holders = holders(&lab);
        if holders == [next.clone()] { Ok(()) } else { Err(format!("{holders:?}")) }
    });
    lab.await_rest();
}
