//! Whose names are whose, whatever guests say of themselves when they ask for an address.
//!
//! Invariant: no guest takes the name of a VM that is in its domain, whether that VM runs or not, nor a
//! name of the cluster's own. A VM has its own name, and may have another one that nobody has.

use std::collections::{BTreeMap, BTreeSet};

use pvc_common::id::{DnsName, Hostname, MacAddress, NodeName, VmUuid, Vni};
use pvc_common::model::{Network, Vm};
use pvc_common::view::Shared;

/// What the gateway of a network is called in it.
pub(super) const GATEWAY: &str = "gateway";
/// What the cluster's name server is called in the domain of the upstream network.
pub(super) const NAME_SERVER: &str = "pvc-dns";

/// Names that clients look up by themselves to find who leads them on: no guest is called so because it
/// says so. A reservation may be.
pub(crate) const NOBODYS: [&str; 3] = ["wpad", "isatap", "localhost"];

/// Whether a guest that gives itself this name, with a domain or without, may be called so by anybody.
pub(crate) fn may_be_called(name: &str) -> bool {
    let host = name.split('.').next().unwrap_or_default();
    !NOBODYS.iter().any(|nobodys| host.eq_ignore_ascii_case(nobodys))
}

/// Within what a name is only one machine's: a domain, which networks may share, or the network that has
/// none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Realm {
    Domain(DnsName),
    Network(Vni),
}

impl Realm {
    fn of(vni: Vni, network: &Network) -> Self {
        let domain = network.domain.get().and_then(Option::as_ref);
        let domain = domain.and_then(|domain| domain.parse().ok());
        domain.map_or(Self::Network(vni), Self::Domain)
    }
}

/// Interfaces of VMs in networks.
type Machines = BTreeSet<(Vni, MacAddress)>;

/// Whose a name is that a guest gives itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// It is the VM of that name.
    Its,
    /// Nobody's.
    Free,
    /// That of another VM.
    Anothers,
    /// The cluster's.
    Clusters,
}

/// A name that guests do not get by saying it, but for those it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// The name.
    pub name: Hostname,
    /// The interfaces in this network of the VMs that are called so.
    pub owners: Vec<MacAddress>,
}

/// Which names belong to VMs and to the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    vms: BTreeMap<Realm, BTreeMap<Hostname, Machines>>,
    names: BTreeMap<(Vni, MacAddress), Hostname>,
    cluster: BTreeSet<Hostname>,
}

impl Owners {
    /// Of these networks, VMs and nodes. A VM whose name is none of a host owns no name: no guest could
    /// say it.
    #[must_use]
    pub fn of<'a>(
        networks: &Shared<Vni, Network>,
        vms: &Shared<VmUuid, Vm>,
        nodes: impl IntoIterator<Item = &'a NodeName>,
    ) -> Self {
        let nodes = nodes.into_iter().map(NodeName::as_str);
        let cluster = nodes.chain([GATEWAY, NAME_SERVER]).filter_map(|name| name.parse().ok());
        let mut all = Self { cluster: cluster.collect(), ..Self::default() };
        for vm in vms.values() {
            let name = vm.name.get().and_then(|name| name.as_str().parse::<Hostname>().ok());
            let Some(name) = name else { continue };
            for interface in &vm.interfaces {
                let Some(network) = networks.get(&interface.vni) else { continue };
                let machine = (interface.vni, interface.mac);
                let names = all.vms.entry(Realm::of(interface.vni, network)).or_default();
                names.entry(name.clone()).or_default().insert(machine);
                all.names.insert(machine, name.clone());
            }
        }
        all
    }

    /// The name of the VM that has this interface.
    pub(crate) fn name_of(&self, vni: Vni, mac: MacAddress) -> Option<&Hostname> {
        self.names.get(&(vni, mac))
    }

    /// Whose a name is that a guest with this interface, if that is known, gives itself.
    pub(crate) fn whose(
        &self,
        (vni, network): (Vni, &Network),
        mac: Option<MacAddress>,
        name: &Hostname,
    ) -> Whose {
        let names = self.vms.get(&Realm::of(vni, network));
        match names.and_then(|names| names.get(name)) {
            Some(machines) if mac.is_some_and(|mac| machines.contains(&(vni, mac))) => Whose::Its,
            Some(_) => Whose::Anothers,
            None if self.cluster.contains(name) => Whose::Clusters,
            None => Whose::Free,
        }
    }

    /// Whether a guest with this interface is called as it says.
    pub(crate) fn grant(
        &self,
        network: (Vni, &Network),
        mac: Option<MacAddress>,
        name: &Hostname,
    ) -> bool {
        let whose = self.whose(network, mac, name);
        matches!(whose, Whose::Its | Whose::Free) && may_be_called(name.as_str())
    }

    /// The names that guests of a network do not get by saying them: in the order of the names.
    pub(crate) fn guarded(&self, vni: Vni, network: &Network) -> Vec<Guarded> {
        let names = self.vms.get(&Realm::of(vni, network)).into_iter().flatten();
        let mut all: BTreeMap<&Hostname, Vec<MacAddress>> =
            self.cluster.iter().map(|name| (name, Vec::new())).collect();
        for (name, machines) in names {
            let here = machines.iter().filter(|(of, _)| *of == vni);
            all.insert(name, here.map(|(_, mac)| *mac).collect());
        }
        all.into_iter().map(|(name, owners)| Guarded { name: name.clone(), owners }).collect()
    }
}
