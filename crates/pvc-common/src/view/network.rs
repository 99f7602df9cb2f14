//! Reads client networks.

use super::branch::{Branch, Found, Taken, below, member, read};
use crate::model::{Lease, Lease6, Network, Reservation, Rule};
use crate::zk::key::{
    lease_suffix, lease6_suffix, network_suffix as suffix, reservation_suffix, rule_suffix,
};

impl Branch for Network {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.description, found),
            suffix::TYPE => read(&mut self.kind, found),
            suffix::MTU => read(&mut self.mtu, found),
            suffix::DOMAIN => read(&mut self.domain, found),
            suffix::NAME_SERVERS => read(&mut self.name_servers, found),
            suffix::IP4_NETWORK => read(&mut self.ip4_network, found),
            suffix::IP4_GATEWAY => read(&mut self.ip4_gateway, found),
            suffix::DHCP4 => read(&mut self.dhcp4, found),
            suffix::DHCP4_START => read(&mut self.dhcp4_start, found),
            suffix::DHCP4_END => read(&mut self.dhcp4_end, found),
            suffix::IP6_NETWORK => read(&mut self.ip6_network, found),
            suffix::IP6_GATEWAY => read(&mut self.ip6_gateway, found),
            suffix::DHCP6 => read(&mut self.dhcp6, found),
            suffix::RULES => Taken::Understood,
            rest => take_part(self, rest, found),
        }
    }
}

fn take_part(network: &mut Network, rest: &str, found: Found<'_>) -> Taken {
    if let Some(rest) = below(rest, suffix::RESERVATIONS) {
        member(&mut network.reservations, rest, found)
    } else if let Some(rest) = below(rest, suffix::LEASES) {
        member(&mut network.leases, rest, found)
    } else if let Some(rest) = below(rest, suffix::LEASES6) {
        member(&mut network.leases6, rest, found)
    } else if let Some(rest) = below(rest, suffix::RULES_IN) {
        member(&mut network.rules_in, rest, found)
    } else if let Some(rest) = below(rest, suffix::RULES_OUT) {
        member(&mut network.rules_out, rest, found)
    } else {
        Taken::Unwanted
    }
}

impl Branch for Reservation {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            reservation_suffix::IP => read(&mut self.ip, found),
            reservation_suffix::HOSTNAME => read(&mut self.hostname, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for Lease {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            lease_suffix::IP => read(&mut self.ip, found),
            lease_suffix::HOSTNAME => read(&mut self.hostname, found),
            lease_suffix::EXPIRY => read(&mut self.expiry, found),
            lease_suffix::CLIENT_ID => read(&mut self.client_id, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for Lease6 {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            lease6_suffix::DUID => read(&mut self.duid, found),
            lease6_suffix::IAID => read(&mut self.iaid, found),
            lease6_suffix::HOSTNAME => read(&mut self.hostname, found),
            lease6_suffix::EXPIRY => read(&mut self.expiry, found),
            lease6_suffix::MAC => read(&mut self.mac, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for Rule {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            rule_suffix::RULE => read(&mut self.rule, found),
            rule_suffix::ORDER => read(&mut self.order, found),
            _ => Taken::Unwanted,
        }
    }
}
