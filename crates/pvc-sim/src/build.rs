//! The world as a scenario begins: a healthy cluster that has been running for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, ensure};
use uuid::Uuid;

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::Claim;
use pvc_common::observed::RunState;
use pvc_common::state::{CoordinatorState, DaemonMode, DaemonState, DomainState, VmState};
use pvc_common::unit::{Mib, Vcpus};
use pvc_common::zk::{Op, key};

use crate::host::Host;
use crate::network::Network;
use crate::script::Bmc;
use crate::setup::{Setup, VmSetup};
use crate::story::Story;
use crate::world::{HostId, VmFacts, World};

impl World {
    /// A healthy cluster.
    ///
    /// # Errors
    /// When the setup names what cannot be.
    pub fn new(setup: &Setup, seed: u64, story: Story) -> Result<Self> {
        let mut world = Self::empty(seed, setup.config.clone(), setup.config.policy()?, story);
        for (name, node) in &setup.nodes {
            let name: NodeName = name.parse()?;
            world.names.insert(name.clone());
            world.hosts.push(Host {
                name,
                coordinator: node.coordinator,
                memory_mib: node.memory_mib,
                vcpus: node.vcpus,
                boot_time: Duration::from_millis(node.boot_ms),
                watchdog: node.watchdog,
                powered: true,
                booted: true,
                boot: 1,
                frozen: false,
                deferred: Vec::new(),
                clock_s: 0,
                bmc: Bmc::Ok,
                said_off: false,
                zookeeper: true,
                daemon: None,
                lives: 0,
                addresses: false,
                leads: false,
                thawed: None,
                services: false,
                bites_at: None,
                promised: Vec::new(),
                starts: BTreeSet::new(),
                accused: Some(BTreeSet::new()),
                around: None,
                qemus: BTreeMap::new(),
            });
        }
        let first = world.hosts.iter().position(|host| host.coordinator);
        let Some(first) = first else { anyhow::bail!("no node is a coordinator") };
        world.network = Network::new(world.hosts.len());
        world.watch.begin(world.hosts.len());
        world.ensemble.leader = Some(first);
        world.plant(first)?;
        for (number, (name, vm)) in setup.vms.iter().enumerate() {
            world.add_vm(number, name, vm)?;
        }
        let figures: Vec<Op> = (0..world.hosts.len()).flat_map(|id| world.figures(id)).collect();
        world.plain(&figures)?;
        world.hosts[first].addresses = true;
        world.hosts[first].leads = true;
        world.hosts[first].services = true;
        for id in 0..world.hosts.len() {
            world.start_daemon(id);
        }
        Ok(world)
    }

    fn plain(&mut self, ops: &[Op]) -> Result<()> {
        let done = self.tree.apply(ops, usize::MAX);
        ensure!(done.is_ok(), "the tree refuses {done:?}");
        Ok(())
    }

    /// Everything in the tree but VMs.
    fn plant(&mut self, primary: HostId) -> Result<()> {
        let root = |path: &str| Op::Create { path: path.to_owned(), data: Vec::new() };
        let roots = [key::CONFIG, key::NODES, key::DOMAINS, key::FENCES].map(root);
        self.plain(&roots)?;
        let name = self.hosts[primary].name.clone();
        self.plain(&[
            key::primary_node().create(&Some(name)),
            key::maintenance().create(&"false".to_owned()),
        ])?;
        for id in 0..self.hosts.len() {
            let host = &self.hosts[id];
            let name = &host.name;
            let (mode, part) = match (host.coordinator, id == primary) {
                (true, true) => (DaemonMode::Coordinator, CoordinatorState::Primary),
                (true, false) => (DaemonMode::Coordinator, CoordinatorState::Secondary),
                (false, _) => (DaemonMode::Hypervisor, CoordinatorState::Client),
            };
            let ops = [
                key::node(name).create(&pvc_common::state::Word::text(mode).to_owned()),
                key::node_mode(name).create(&mode),
                key::node_daemon_state(name).create(&DaemonState::Run),
                key::node_coordinator_state(name).create(&part),
                key::node_domain_state(name).create(&DomainState::Ready),
                key::node_static_data(name).create(&self.static_data(id)),
                key::node_keepalive(name).create(&(self.wall_ms(id) / 1_000)),
                key::node_running_domains(name).create(&vec![]),
                key::node_domains_count(name).create(&0),
                key::node_cpu_load(name).create(&0.0),
                key::node_vcpu_alloc(name).create(&Vcpus(0)),
                key::node_mem_total(name).create(&Mib(0)),
                key::node_mem_used(name).create(&Mib(0)),
                key::node_mem_free(name).create(&Mib(0)),
                key::node_mem_alloc(name).create(&Mib(0)),
                key::node_mem_prov(name).create(&Mib(0)),
                key::node_health(name).create(&"None".to_owned()),
                key::node_suspicions(name).create(&String::new()),
                key::node_presence(name).create(&self.presence(id)),
            ];
            self.plain(&ops)?;
        }
        Ok(())
    }

    fn add_vm(&mut self, number: usize, name: &str, setup: &VmSetup) -> Result<()> {
        let uuid = VmUuid::new(Uuid::from_u128(
            0x5eed_0000_0000_4000_8000_0000_0000_0000 + number as u128,
        ));
        let local = setup.disks == "local";
        let (memory_mib, vcpus) = (setup.memory_mib, setup.vcpus);
        self.vms.push(VmFacts { name: name.to_owned(), uuid, memory_mib, vcpus, local });
        self.by_uuid.insert(uuid, number);
        let node: NodeName = setup.node.parse()?;
        let limit =
            setup.node_limit.iter().map(|node| node.parse()).collect::<Result<Vec<_>, _>>()?;
        let state = setup.state()?;
        let mut ops = vec![
            key::vm_name(uuid).create(&name.parse()?),
            key::vm_xml(uuid).create(&definition(name, uuid, setup).into()),
            key::vm_state(uuid).create(&state),
            key::vm_node(uuid).create(&Some(node.clone())),
            key::vm_last_node(uuid).create(&None),
            key::vm_migrate_origin(uuid).create(&None),
            key::vm_failed_reason(uuid).create(&String::new()),
            key::vm_autostart(uuid).create(&setup.autostart),
            key::vm_migration_method(uuid).create(&setup.method()?),
            key::vm_selector(uuid).create(&setup.selector()?),
            key::vm_node_limit(uuid).create(&limit),
        ];
        if state == VmState::Start {
            let claim = Claim::of(node.clone());
            ops.push(key::vm_claim(uuid).create(&claim));
            let id = self.node(&node).expect("the setup was checked");
            self.new_qemu(id, number, RunState::Running);
        }
        self.plain(&ops)
    }
}

/// A definition with as much in it as is read of one.
fn definition(name: &str, uuid: VmUuid, setup: &VmSetup) -> String {
    let disk = match setup.disks.as_str() {
        "local" => "<disk type='file' device='disk'><source file='/disk'/></disk>",
        _ => "<disk type='network' device='disk'><source protocol='rbd' name='vms/disk'/></disk>",
    };
    format!(
        "<domain type='kvm'><name>{name}</name><uuid>{uuid}</uuid>\
         <memory unit='MiB'>{}</memory><vcpu>{}</vcpu><devices>{disk}</devices></domain>",
        setup.memory_mib, setup.vcpus
    )
}
