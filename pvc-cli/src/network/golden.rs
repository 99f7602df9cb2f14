//! What networks look like.

use pvc_common::api::{Network, NetworkAcl, NetworkLease};

use super::{acl, dhcp, info, list};
use crate::format::ListStyle;
use crate::golden::{check, fixture};
use crate::paint::Paint;

const PLAIN: Paint = Paint::new(false);

#[test]
fn networks_are_listed_in_a_table_or_by_vni() {
    let networks: Vec<Network> = fixture("networks.json");
    check("render/network-list-pretty.txt", &list::render(&networks, ListStyle::Pretty, PLAIN));
    check("render/network-list-raw.txt", &list::render(&networks, ListStyle::Raw, PLAIN));
}

#[test]
fn a_network_is_shown_with_what_it_holds() {
    let networks: Vec<Network> = fixture("networks.json");
    let leases: Vec<NetworkLease> = fixture("leases.json");
    let rules: Vec<NetworkAcl> = fixture("acls.json");
    let managed = info::render(&networks[0], &leases[..2], &rules, PLAIN);
    check("render/network-info-managed.txt", &managed);
    check("render/network-info-empty.txt", &info::render(&networks[1], &[], &[], PLAIN));
    check("render/network-info-bridged.txt", &info::render(&networks[2], &[], &[], PLAIN));
}

#[test]
fn leases_are_listed_with_their_end_and_with_the_address_that_is_kept_for_them() {
    let leases: Vec<NetworkLease> = fixture("leases.json");
    check("render/network-dhcp-list-pretty.txt", &dhcp::render(&leases, ListStyle::Pretty, PLAIN));
    check("render/network-dhcp-list-raw.txt", &dhcp::render(&leases, ListStyle::Raw, PLAIN));
}

#[test]
fn what_a_guest_calls_itself_does_nothing_to_the_terminal() {
    let mut lease = fixture::<Vec<NetworkLease>>("leases.json").remove(3);
    lease.hostname = "\u{1b}[2Jroot".to_owned();
    for style in [ListStyle::Pretty, ListStyle::Raw] {
        let shown = dhcp::render(std::slice::from_ref(&lease), style, PLAIN);
        assert!(!shown.contains('\u{1b}') && shown.contains("[2Jroot"), "{shown:?}");
    }
}

#[test]
fn rules_are_listed_in_their_order() {
    let rules: Vec<NetworkAcl> = fixture("acls.json");
    check("render/network-acl-list-pretty.txt", &acl::render(&rules, ListStyle::Pretty, PLAIN));
    check("render/network-acl-list-raw.txt", &acl::render(&rules, ListStyle::Raw, PLAIN));
}
