//! What FRR is told, and when it is left alone.

use pvc_common::view::{Builder, Scope};
use pvc_common::zk::Version;

use super::*;

fn view(nodes: &[(&str, &str, &str)]) -> std::sync::Arc<View> {
    let mut builder = Builder::new(Scope::Decisions);
    for (name, mode, addresses) in nodes {
        let presence = format!("{{\"boot\":\"b\",\"mesh\":[],\"addresses\":[{addresses}]}}");
        let root = format!("/nodes/{name}");
        for (suffix, text) in [("", *mode), ("/daemonmode", *mode), ("/presence", &presence)] {
            builder.set(&format!("{root}{suffix}"), Some((text.as_bytes(), Version(0))));
        }
    }
    builder.snapshot()
}

fn five() -> std::sync::Arc<View> {
    view(&[
        ("hv1", "coordinator", "\"10.254.0.1\",\"10.255.0.1\""),
        ("hv2", "coordinator", "\"10.255.0.2\""),
        ("hv4", "hypervisor", "\"fd00::4\",\"10.255.0.4\""),
        ("hv5", "hypervisor", "\"10.255.0.5\""),
        ("hv6", "hypervisor", "\"10.254.0.6\""),
    ])
}

fn fabric(me: &str, view: &View) -> Fabric {
    let me: NodeName = me.parse().unwrap();
    let own = format!("10.255.0.{}", me.number().unwrap()).parse().unwrap();
    Fabric::of(&me, own, view, |address| address.octets().starts_with(&[10, 255]))
}

fn peers(fabric: &Fabric) -> Vec<String> {
    let shown = |(name, peer): (&NodeName, &Speaker)| format!("{name} {}", peer.address);
    fabric.peers.iter().map(shown).collect()
}

#[test]
fn a_coordinator_peers_with_all_and_another_node_with_the_coordinators() {
    let view = five();
    assert_eq!(
        peers(&fabric("hv1", &view)),
        ["hv2 10.255.0.2", "hv4 10.255.0.4", "hv5 10.255.0.5"]
    );
    assert_eq!(peers(&fabric("hv4", &view)), ["hv1 10.255.0.1", "hv2 10.255.0.2"]);
}

#[test]
fn a_node_that_tells_no_address_in_the_cluster_network_is_no_peer() {
    let view = five();
    assert!(!fabric("hv1", &view).peers.contains_key(&"hv6".parse().unwrap()));
}

#[test]
fn a_coordinator_reflects_what_others_say() {
    let text = render(&fabric("hv1", &five()));
    let expected = "\
! Made by pvcnoded, which does it anew whenever nodes come or go.
! A file without these lines is left alone: FRR is configured in another way then.
log syslog informational
service integrated-vtysh-config
!
router bgp 65500
 bgp router-id 10.255.0.1
 no bgp default ipv4-unicast
 timers bgp 3 9
 neighbor coordinators peer-group
 neighbor coordinators remote-as 65500
 neighbor coordinators update-source 10.255.0.1
 neighbor coordinators timers connect 3
 neighbor others peer-group
 neighbor others remote-as 65500
 neighbor others update-source 10.255.0.1
 neighbor others timers connect 3
 neighbor 10.255.0.2 peer-group coordinators
 neighbor 10.255.0.2 description hv2
 neighbor 10.255.0.4 peer-group others
 neighbor 10.255.0.4 description hv4
 neighbor 10.255.0.5 peer-group others
 neighbor 10.255.0.5 description hv5
 !
 address-family l2vpn evpn
  neighbor coordinators activate
  neighbor others activate
  neighbor others route-reflector-client
  advertise-all-vni
  advertise-svi-ip
 exit-address-family
exit
!
";
    assert_eq!(text, expected);
}

#[test]
fn another_node_reflects_nothing() {
    let text = render(&fabric("hv4", &five()));
    assert!(!text.contains("others") && !text.contains("reflector"), "{text}");
    assert!(text.contains(" neighbor 10.255.0.1 peer-group coordinators\n"), "{text}");
}

#[test]
fn only_what_is_ours_or_configures_nothing_is_written_over() {
    let debian = "# default to using syslog.\n#\nlog syslog informational\n";
    let written = "frr version 8.4.4\nfrr defaults traditional\nhostname hv1\nlog syslog informational\n\
                   service integrated-vtysh-config\n!\nline vty\n!\nend\n";
    let ansible = "frr defaults traditional\n!\nrouter bgp 65500\n bgp router-id 10.0.0.1\n";
    let ours = render(&fabric("hv1", &five()));
    for (text, expected) in [
        (None, Owner::Nobody),
        (Some(""), Owner::Nobody),
        (Some(debian), Owner::Nobody),
        (Some(written), Owner::Nobody),
        (Some(ansible), Owner::Other),
        (Some("ip route 0.0.0.0/0 10.0.0.254\n"), Owner::Other),
        (Some(&ours), Owner::Ours),
    ] {
        assert_eq!(owner(text), expected, "{text:?}");
    }
}

#[test]
fn only_managed_networks_need_it() {
    let mut builder = Builder::new(Scope::Decisions);
    builder.set("/networks/7", Some((b"lan", Version(0))));
    builder.set("/networks/7/nettype", Some((b"bridged", Version(0))));
    assert!(!is_needed(&builder.snapshot()));
    builder.set("/networks/8/nettype", Some((b"managed", Version(0))));
    assert!(is_needed(&builder.snapshot()));
}
