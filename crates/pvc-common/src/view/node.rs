//! Reads nodes.

use super::Scope;
use super::branch::{Branch, Found, Taken, below, member, read};
use crate::model::{Liveness, Node, NodeDetails, PluginResult, Suspected};
use crate::zk::key::{node_suffix as suffix, plugin_suffix};

impl Branch for Node {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            suffix::MODE => read(&mut self.mode, found),
            suffix::KEEPALIVE => read(&mut self.keepalive, found),
            suffix::DAEMON_STATE => read(&mut self.daemon_state, found),
            suffix::COORDINATOR_STATE => read(&mut self.coordinator_state, found),
            suffix::DOMAIN_STATE => read(&mut self.domain_state, found),
            suffix::STATIC_DATA => read(&mut self.static_data, found),
            suffix::PVC_VERSION => read(&mut self.pvc_version, found),
            suffix::ACTIVE_SCHEMA => read(&mut self.active_schema, found),
            suffix::LATEST_SCHEMA => read(&mut self.latest_schema, found),
            suffix::RUNNING_DOMAINS => read(&mut self.running_domains, found),
            suffix::DOMAINS_COUNT => read(&mut self.domains_count, found),
            suffix::CPU_LOAD => read(&mut self.cpu_load, found),
            suffix::VCPU_ALLOC => read(&mut self.vcpu_alloc, found),
            suffix::MEM_TOTAL => read(&mut self.mem_total, found),
            suffix::MEM_USED => read(&mut self.mem_used, found),
            suffix::MEM_FREE => read(&mut self.mem_free, found),
            suffix::MEM_ALLOC => read(&mut self.mem_alloc, found),
            suffix::MEM_PROV => read(&mut self.mem_prov, found),
            suffix::MONITORING_HEALTH => read(&mut self.health, found),
            suffix::PRESENCE
            | suffix::LEASE
            | suffix::FENCEABLE
            | suffix::FENCE
            | suffix::FENCE_ORDER
            | suffix::SHUT_OUT => self.liveness.take(rest, found),
            rest if found.scope >= Scope::Decisions && below(rest, suffix::SRIOV).is_some() => {
                let sriov = self.sriov.get_or_insert_default();
                let taken = sriov.take(rest, found);
                self.sriov.take_if(|sriov| sriov.is_gone());
                taken
            }
            rest if below(rest, suffix::SUSPICIONS).is_some() => self.liveness.take(rest, found),
            rest if found.scope == Scope::Full => {
                let details = self.details.get_or_insert_default();
                let taken = details.take(rest, found);
                self.details.take_if(|details| details.is_gone());
                taken
            }
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for Liveness {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            suffix::PRESENCE => read(&mut self.presence, found),
            suffix::LEASE => read(&mut self.lease, found),
            suffix::FENCEABLE => read(&mut self.fenceable, found),
            suffix::FENCE => read(&mut self.fence, found),
            suffix::FENCE_ORDER => read(&mut self.order, found),
            suffix::SHUT_OUT => read(&mut self.shut_out, found),
            rest => below(rest, suffix::SUSPICIONS)
                .map_or(Taken::Unwanted, |rest| member(&mut self.suspicions, rest, found)),
        }
    }
}

impl Branch for Suspected {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.by, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for NodeDetails {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            suffix::MONITORING_PLUGINS => read(&mut self.plugins, found),
            suffix::NETWORK_STATS => read(&mut self.network_stats, found),
            suffix::HEARS => read(&mut self.hears, found),
            rest => below(rest, suffix::MONITORING_DATA)
                .map_or(Taken::Unwanted, |rest| member(&mut self.results, rest, found)),
        }
    }
}

impl Branch for PluginResult {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.znode, found),
            plugin_suffix::LAST_RUN => read(&mut self.last_run, found),
            plugin_suffix::HEALTH_DELTA => read(&mut self.health_delta, found),
            plugin_suffix::MESSAGE => read(&mut self.message, found),
            plugin_suffix::DATA => read(&mut self.data, found),
            plugin_suffix::RUNTIME => read(&mut self.runtime, found),
            _ => Taken::Unwanted,
        }
    }
}
