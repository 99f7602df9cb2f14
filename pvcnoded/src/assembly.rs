//! Puts the serving daemon together: from the configuration, and this machine.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipnet::{IpNet, Ipv4Net};
use pvc_ceph::{CephCli, DisksCli};
use pvc_common::id::NodeName;
use pvc_common::model::{Presence, StaticData};
use pvc_common::state::DaemonMode;
use pvc_common::unit::Mib;
use pvc_common::view::View;
use pvc_common::zk::{Text, key};
use pvc_database::{Login, Patroni, Postgres};
use pvc_host::fact::{self, Facts};
use pvc_host::real::{FrrReload, Netlink, Nft, PacketAnnouncer, SysfsSriov, Systemctl};
use pvc_ipmi::{Bmc, Ipmi};
use pvc_libvirt::Hypervisor;
use pvc_plan::dns;
use pvc_plan::fence::{AfterFence, Policy, StorageFence};
use pvc_plan::firewall::Nodes;
use pvc_plan::network::{Carriers, Trunk, Tunnels, VXLAN_PORT};
use pvc_plan::sriov::Wanted;
use pvc_runtime::reconcile::Reconciler;
use pvc_zk::{Mirror, Tree};
use tokio::time::timeout;

use crate::config::{self, Bridge, Config, Networks};
use crate::dhcp::{self, Dhcp};
use crate::dns::DnsKeeper;
use crate::evpn::EvpnKeeper;
use crate::fence::{Means, STORAGE_COMMAND_LIMIT};
use crate::firewall::FirewallKeeper;
use crate::gateway::Gateways;
use crate::health::Health;
use crate::keeper::Keeper;
use crate::mesh::Ear;
use crate::net::NetworkKeeper;
use crate::outfit::{self, Floating, FloatingAddresses, Part, Parts};
use crate::primary::Troubles;
use crate::replica::ReplicaKeeper;
use crate::serve::{self, Fencing, Service, Settings, serve};
use crate::sriov::{self, SriovKeeper};
use crate::startup::record::Identity;
use crate::stats::HostFigures;
use crate::task::osd::{self, OsdUnits, Rack};
use crate::{console, liveness, traffic, vm};

/// Which part this node has in the cluster.
pub(crate) fn mode(config: &Config) -> DaemonMode {
    if config.is_coordinator() { DaemonMode::Coordinator } else { DaemonMode::Hypervisor }
}

/// What this node tells of itself.
pub(crate) fn identity(
    config: &Config,
    facts: &Facts,
    presence: &Presence,
    active: u32,
    latest: u32,
) -> Identity {
    let ipmi = &config.fencing.ipmi;
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Identity {
        node: config.node.clone(),
        mode: mode(config),
        static_data: StaticData {
            cpu_count: facts.cpu_count,
            kernel: facts.kernel.clone(),
            os: facts.os.clone(),
            arch: facts.arch.clone(),
        },
        version: pvc_runtime::VERSION.to_owned(),
        active_schema: active,
        latest_schema: latest,
        ipmi: (ipmi.host.clone(), ipmi.user.clone(), ipmi.password.clone()),
        presence: presence.clone(),
        now: since_epoch.as_secs(),
    }
}

/// What this node tells of its host for the time when it no longer can.
///
/// # Errors
/// When the kernel does not tell which boot this is.
pub(crate) fn presence(config: &Config) -> std::io::Result<Presence> {
    let networks = config.networks.as_ref().filter(|_| config.functions.networking);
    let carried = networks.map(|networks| carriers(networks, config.bridge.as_ref()));
    Ok(Presence {
        boot: fact::boot_id()?,
        mesh: liveness::addresses(config),
        addresses: addresses(config),
        networks: own_networks(config).map(IpNet::V4).collect(),
        without_vms: !config.functions.hypervisor,
        managed_mtu: carried.as_ref().and_then(|it| it.tunnels).map(|it| it.max_mtu()),
        bridged_mtu: carried.and_then(|it| it.trunk).and_then(|it| bridged_mtu(config, &it)),
    })
}

/// The largest packets of bridged networks here, as far as that is known before the devices are made
/// ready.
fn bridged_mtu(config: &Config, trunk: &Trunk) -> Option<u32> {
    let networks = config.networks.iter().flat_map(|networks| networks.all());
    let shared = networks.filter(|network| network.device == trunk.device).map(|it| it.mtu).min();
    match (trunk.mtu, shared) {
        (Some(mtu), Some(shared)) => Some(mtu.min(shared)),
        (Some(mtu), None) | (None, Some(mtu)) => Some(mtu),
        (None, None) => fact::packet_size(&trunk.device),
    }
}

/// Its own addresses, by which its storage clients are known: floating ones are others', too.
fn addresses(config: &Config) -> Vec<IpAddr> {
    own_networks(config).map(|network| IpAddr::V4(network.addr())).collect()
}

/// Its address in each of its own networks.
fn own_networks(config: &Config) -> impl Iterator<Item = Ipv4Net> {
    let networks = config.networks.iter().flat_map(|networks| networks.all());
    networks.filter_map(|network| network.address)
}

fn ceph(config: &Config) -> CephCli {
    let ceph = CephCli::new().conf(&config.ceph.config);
    match &config.ceph.admin_keyring {
        Some(keyring) => ceph.keyring(keyring),
        None => ceph,
    }
}

/// This node's OSDs.
fn rack(config: &Config) -> Arc<dyn Rack> {
    Arc::new(osd::Parts {
        ceph: patient_ceph(config),
        disks: DisksCli::new(config.ceph.osd_layout),
        programs: OsdUnits(Systemctl),
        // Without it nothing made before the last boot counts as this one's.
        boot: fact::boot_id().unwrap_or_default(),
        started: osd::Started::in_folder(config.directories.dynamic.join("osds")),
        turn: Arc::default(),
    })
}

/// The same for what cannot be given up and begun anew: who is shut out, and let in again.
fn patient_ceph(config: &Config) -> CephCli {
    ceph(config).limit(STORAGE_COMMAND_LIMIT)
}

/// What administrators have decided about dead nodes.
fn policy(config: &Config) -> Policy {
    let (intervals, wanted) = (&config.intervals, &config.high_availability);
    let after = |action| match action {
        config::AfterFence::Migrate => AfterFence::Migrate,
        config::AfterFence::Nothing => AfterFence::Nothing,
    };
    let storage = match wanted.storage_fence {
        // Without storage there is nothing to shut anybody out of.
        _ if !config.functions.storage => StorageFence::Off,
        config::StorageFence::Suffices => StorageFence::Suffices,
        config::StorageFence::Required => StorageFence::Required,
        config::StorageFence::Off => StorageFence::Off,
    };
    let silence = intervals.fence.map(|count| intervals.keepalive * count.get());
    Policy {
        enabled: intervals.fence.is_some(),
        mesh: wanted.mesh.is_some(),
        keepalive_silence: silence.unwrap_or(Policy::default().keepalive_silence),
        confirm: wanted.confirm,
        ipmi: wanted.ipmi.is_some(),
        storage,
        watchdog: wanted.watchdog.is_some(),
        successful: after(config.fencing.successful),
        failed: after(config.fencing.failed),
        power_on: wanted.power_on,
        storm_cap: wanted.storm_cap,
        storm_window: wanted.storm_window,
    }
}

/// How BMCs are reached.
pub(crate) fn power(config: &Config) -> Ipmi {
    Ipmi::new(config.high_availability.ipmi.unwrap_or(DEFAULT_IPMI_LIMIT))
}

/// This node's own BMC.
pub(crate) fn own_bmc(config: &Config) -> Bmc {
    let ipmi = &config.fencing.ipmi;
    Bmc { host: ipmi.host.clone(), user: ipmi.user.clone(), password: ipmi.password.clone() }
}

/// For people's orders where BMCs are not used otherwise.
const DEFAULT_IPMI_LIMIT: Duration = Duration::from_secs(4);

/// What there is by the time that the daemon serves.
pub(crate) struct AtHand<'a, T> {
    pub(crate) tree: T,
    pub(crate) mirror: &'a Mirror<View>,
    pub(crate) health: &'a Health<T>,
    pub(crate) links: Netlink,
    /// What the mesh hears by.
    pub(crate) ear: Option<Arc<Ear>>,
    /// What is seen to already.
    pub(crate) keepers: Vec<Keeper>,
}

/// Starts all that serves.
pub(crate) fn begin<T: Tree, H: Hypervisor>(
    config: &Config,
    hypervisor: H,
    at_hand: AtHand<'_, T>,
) -> Service<T> {
    let AtHand { tree, mirror, health, links, ear, mut keepers } = at_hand;
    let settings = Settings {
        node: config.node.clone(),
        keepalive: config.intervals.keepalive,
        log_keepalives: config.logging.details.keepalives,
        log_details: config.logging.details.keepalives && config.logging.details.cluster,
        log_storage: config.logging.details.keepalives && config.logging.details.storage,
        by_primary: by_primary(config),
        vms: config.functions.hypervisor.then(|| vm_settings(config)),
        console: console::Settings {
            directory: config.directories.console_log.clone(),
            lines: config.logging.console_lines,
        },
        host: Box::new(|| {
            let memory = fact::memory()?;
            Ok(HostFigures {
                memory_total: Mib(memory.total_mib),
                memory_used: Mib(memory.used_mib),
                memory_available: Mib(memory.available_mib),
                load: fact::load()?,
            })
        }),
    };
    let troubles = Troubles::default();
    let networks = config.functions.networking && config.networks.is_some();
    let networks = (config.is_coordinator() && networks).then(|| {
        let views = mirror.view();
        let gateways = Gateways::new(links.clone(), PacketAnnouncer, views, troubles.clone());
        let names = name_addresses(config).pop();
        (gateways, Dhcp::new(Systemctl, dhcp::Places { names, ..dhcp::Places::default() }))
    });
    if let Some((gateways, dhcp)) = networks.clone() {
        let (me, tree, links) = (config.node.clone(), tree.clone(), links.clone());
        let node = dhcp::Node { me, tree, links, health: health.clone() };
        keepers.extend(followers(node, gateways, dhcp));
    }
    keepers.extend(dns_keeper(config, &troubles).map(Keeper::new));
    keepers.extend(checks(config, &troubles, health));
    // Also without cards: those that were there before are forgotten.
    let (me, cards) = (config.node.clone(), sriov_cards(config));
    let (tree_of_cards, health) = (tree.clone(), health.clone());
    let cards = SriovKeeper::new(me, tree_of_cards, SysfsSriov::default(), cards, health);
    keepers.push(Keeper::new(cards));
    let outfit = config.is_coordinator().then(|| outfit(config, links, networks));
    let fencing = config.is_coordinator().then(|| Fencing {
        policy: policy(config),
        means: Means { power: power(config), ceph: patient_ceph(config) },
        ear,
    });
    let is_fenced_by_storage = policy(config).storage != StorageFence::Off;
    let storage = is_fenced_by_storage.then(|| (patient_ceph(config), addresses(config)));
    let views = mirror.view();
    let rack = config.functions.storage.then(|| rack(config));
    let figures = config.functions.storage.then(|| ceph(config));
    let tasks = config.functions.storage.then(|| patient_ceph(config));
    let ceph = serve::Storage { fencing: storage, figures, tasks, rack };
    let parts = serve::Parts { tree, hypervisor, outfit, troubles, views, fencing, ceph, keepers };
    serve(settings, parts)
}

/// What sees to this node's part in the networks of VMs.
///
/// It has done so once when this returns, if that was not beyond all measure: a VM that is started when
/// its bridge is not there yet fails.
pub(crate) async fn keepers<T: Tree>(
    config: &Config,
    tree: &T,
    links: &Netlink,
    health: &Health<T>,
    view: Option<Arc<View>>,
) -> Vec<Keeper> {
    if !config.functions.networking {
        return Vec::new();
    }
    let firewall = FirewallKeeper::new(tree.clone(), Nft, health.clone(), &closed(config));
    let firewall = Keeper::new(firewall);
    let Some(networks) = &config.networks else {
        return vec![firewall];
    };
    let me = config.node.clone();
    let carriers = carriers(networks, config.bridge.as_ref());
    let mut net = NetworkKeeper::new(me.clone(), links.clone(), carriers, health.clone());
    if let Some(view) = view
        && timeout(FIRST_NETWORKS_LIMIT, net.reconcile(view)).await.is_err()
    {
        let waited_s = FIRST_NETWORKS_LIMIT.as_secs();
        tracing::warn!(waited_s, "the networks of VMs are not in order yet; going on without");
    }
    let address = networks.cluster.address;
    let evpn = address.map(|address| {
        EvpnKeeper::new(me, address.addr(), address.trunc(), FrrReload::default(), health.clone())
    });
    [firewall, Keeper::new(net)].into_iter().chain(evpn.map(Keeper::new)).collect()
}

/// Hundreds of networks take a second or two.
const FIRST_NETWORKS_LIMIT: Duration = Duration::from_secs(5);

/// What VMs get nothing into, and others only so far as they come by the nodes' own networks.
fn closed(config: &Config) -> Nodes {
    let Some(networks) = &config.networks else { return Nodes::default() };
    let between = [&networks.cluster, &networks.storage];
    let carriers: BTreeSet<String> =
        between.map(|network| networks.carrier(network).to_owned()).into();
    let upstream = networks.carrier(&networks.upstream);
    // With addresses of its own the mesh is in networks that are not known here.
    let mesh = config.high_availability.mesh.as_ref().filter(|mesh| mesh.addresses.is_empty());
    Nodes {
        networks: between.map(|network| network.subnet).into(),
        devices: carriers.iter().filter(|name| *name != upstream).cloned().collect(),
        carriers,
        ports: mesh.map(|mesh| mesh.port).into_iter().chain([VXLAN_PORT]).collect(),
    }
}

/// What this node carries networks of VMs by.
fn carriers(networks: &Networks, bridge: Option<&Bridge>) -> Carriers {
    let cluster = &networks.cluster;
    let tunnels =
        cluster.address.map(|address| Tunnels { local: address.addr(), mtu: cluster.mtu });
    let trunk = bridge.map(|Bridge { device, mtu }| Trunk {
        device: device.clone(),
        mtu: *mtu,
        shared: networks.all().iter().any(|network| network.device == *device),
    });
    Carriers { tunnels, trunk }
}

/// The cards that are to be divided.
pub(crate) fn sriov_cards(config: &Config) -> Vec<Wanted> {
    if config.functions.networking { sriov::wanted(&config.sriov) } else { Vec::new() }
}

/// The devices whose traffic is shown: hardware, and those that the configuration names.
pub(crate) fn traffic_source(config: &Config) -> traffic::Source {
    let networks = config.networks.iter().flat_map(|networks| networks.all());
    let bridge = config.bridge.iter().map(|bridge| bridge.device.clone());
    let named: BTreeSet<String> =
        networks.map(|network| network.device.clone()).chain(bridge).collect();
    traffic::Source {
        counters: Box::new(move || {
            let shown = fact::interfaces(&named)?;
            let mut counters = fact::counters()?;
            counters.retain(|device, _| shown.contains(device));
            Ok(counters)
        }),
        info: Box::new(fact::link_info),
    }
}

/// What the whole cluster goes by while this node is primary.
fn by_primary(config: &Config) -> Vec<(String, String)> {
    let selector = (key::default_selector().into_path(), Some(config.migration.selector).encode());
    let floating = config.networks.as_ref().and_then(|networks| networks.upstream.floating);
    let address = floating.map(|floating| (key::upstream_ip().into_path(), floating.to_string()));
    std::iter::once(selector).chain(address).collect()
}

fn vm_settings(config: &Config) -> vm::Settings {
    let routes = config.clone();
    let route = move |peer: &NodeName| {
        let route = routes.route(peer);
        vm::Route { peer_uri: route.libvirt, migrate_uri: route.migration }
    };
    vm::Settings {
        shutdown_timeout: config.intervals.vm_shutdown,
        peers: vm::Peers::new(route, config.migration.tls),
        starts: config.directories.dynamic.join("starts"),
        locks: (config.functions.storage)
            .then(|| vm::LeftLocks::new(ceph(config), addresses(config))),
    }
}

/// What follows the networks while this node is primary.
fn followers<T: Tree>(
    node: dhcp::Node<T, Netlink>,
    gateways: Gateways<Netlink, PacketAnnouncer>,
    dhcp: Dhcp<Systemctl>,
) -> [Keeper; 2] {
    let keeper =
        Keeper::of(move |views, registry, drain| dhcp.follow(node, views.clone(), registry, drain));
    [Keeper::new(gateways.keeper()), keeper]
}

/// What this node has while it is primary. What follows the primary is one more entry here.
fn outfit(
    config: &Config,
    links: Netlink,
    networks: Option<(Gateways<Netlink, PacketAnnouncer>, Dhcp<Systemctl>)>,
) -> Parts {
    let mut parts: Vec<Arc<dyn Part>> = Vec::new();
    if let Some((gateways, dhcp)) = networks {
        parts.push(Arc::new(gateways));
        parts.push(Arc::new(dhcp));
    }
    if let Some(networks) = config.networks.as_ref().filter(|_| config.functions.networking) {
        let floating = networks.all().into_iter().filter_map(|network| {
            let device = networks.carrier(network).to_owned();
            Some(Floating { device, address: network.floating?, announced: true })
        });
        let addresses = floating.chain([metadata()]).collect();
        parts.push(Arc::new(FloatingAddresses::new(links, PacketAnnouncer, addresses)));
    }
    // Without the section it is somebody else's.
    if config.functions.networking && config.databases.is_some() {
        let leader = outfit::Leader::new(config.node.clone(), patroni(config), Systemctl);
        parts.push(Arc::new(leader));
        parts.extend(name_server(config).map(|part| -> Arc<dyn Part> { Arc::new(part) }));
    }
    if config.functions.api {
        parts.push(Arc::new(outfit::Service::new(Systemctl, "pvcapid.service")));
    }
    Parts::new(parts)
}

/// What a coordinator tells of what it has, or may get, as primary.
fn checks<T: Tree>(config: &Config, troubles: &Troubles, health: &Health<T>) -> Vec<Keeper> {
    if !config.is_coordinator() {
        return Vec::new();
    }
    let (troubles, told) = (troubles.clone(), health.clone());
    let mut checks =
        vec![Keeper::of(|_, _, drain| vec![tokio::spawn(troubles.publish(told, drain.clone()))])];
    if config.functions.networking && config.databases.is_some() {
        let (me, health) = (config.node.clone(), health.clone());
        checks.push(Keeper::new(ReplicaKeeper::new(me, patroni(config), Systemctl, health)));
    }
    checks
}

/// The port of Patroni's REST interface.
const PATRONI_PORT: u16 = 8008;

/// This node's Patroni: it listens on the cluster's network, or where only this node hears it.
fn patroni(config: &Config) -> Patroni {
    let own = config.networks.as_ref().and_then(|networks| networks.cluster.address);
    let own = own.map(|address| address.addr());
    let addresses = own.into_iter().chain([Ipv4Addr::LOCALHOST]);
    Patroni::new(addresses.map(|ip| SocketAddr::new(ip.into(), PATRONI_PORT)).collect())
}

/// Who answers for the cluster's names.
fn name_of_server(config: &Config) -> Option<dns::Server> {
    let domain = config.networks.as_ref()?.upstream.domain.as_deref();
    dns::Server::of(domain)
        .inspect_err(
            |error| tracing::error!(%error, "the cluster has no names: its server has none"),
        )
        .ok()
}

/// What keeps the names of a coordinator.
fn dns_keeper(config: &Config, troubles: &Troubles) -> Option<DnsKeeper<Postgres>> {
    let database = &config.databases.as_ref()?.dns;
    if !config.functions.networking || !config.is_coordinator() {
        return None;
    }
    let login = Login {
        host: database.host.clone(),
        port: database.port,
        database: database.name.clone(),
        user: database.user.clone(),
        password: database.password.clone(),
    };
    let (me, zones, server) = (config.node.clone(), Postgres::new(&login), name_of_server(config)?);
    Some(DnsKeeper::new(me, zones, server, troubles.clone()))
}

/// Where PowerDNS answers: the floating addresses that VMs' networks and people reach, the cluster's
/// own last. Nowhere without a database.
fn name_addresses(config: &Config) -> Vec<IpAddr> {
    let networks = config.networks.iter().filter(|_| config.databases.is_some());
    let floating = networks.flat_map(|networks| [&networks.upstream, &networks.cluster]);
    floating.filter_map(|network| Some(IpAddr::V4(network.floating?.addr()))).collect()
}

/// PowerDNS, at these addresses.
fn name_server(config: &Config) -> Option<outfit::NameServer<Systemctl>> {
    let database = &config.databases.as_ref()?.dns;
    let addresses = name_addresses(config);
    if addresses.is_empty() {
        return None;
    }
    let directory = Path::new(outfit::NAME_SERVER_FOLDER);
    let settings = dns::Settings {
        host: database.host.clone(),
        port: database.port,
        database: database.name.clone(),
        user: database.user.clone(),
        password: database.password.clone(),
        addresses: addresses.clone(),
        copied_in: config.networks.as_ref()?.cluster.subnet,
        directory: directory.display().to_string(),
    };
    let text = settings
        .text(&name_of_server(config)?)
        .inspect_err(|unfit| tracing::error!("no names are served: {unfit}"))
        .ok()?;
    let server = outfit::NameServer::new(Systemctl, directory.join("pdns.conf"), text);
    Some(server.asked_at(&addresses))
}

/// Where VMs find what concerns them. They reach it by their gateway, so there is no neighbour.
fn metadata() -> Floating {
    let address = Ipv4Net::from(Ipv4Addr::new(169, 254, 169, 254));
    Floating { device: "lo".to_owned(), address, announced: false }
}

#[cfg(test)]
mod tests;
