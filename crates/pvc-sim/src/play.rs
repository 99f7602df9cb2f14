//! Plays a scenario's folder, and compares what happened with its golden log.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use pvc_common::state::Word;

use crate::script::{self, Command, Timed};
use crate::setup::Setup;
use crate::story::Story;
use crate::world::World;

/// A scenario that was played.
pub struct Played {
    /// The world as it is at the end.
    pub world: World,
}

/// Plays the scenario in a folder.
///
/// # Errors
/// When the folder holds none, or one that makes no sense.
pub fn play(folder: &Path) -> Result<Played> {
    let read = |name: &str| {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok::<_, anyhow::Error>((path.display().to_string(), text))
    };
    let (path, text) = read("cluster.yaml")?;
    let setup = Setup::parse(&text).context(path)?;
    let (path, text) = read("script")?;
    let script = script::parse(&text, |command| known(&setup, command)).context(path)?;
    Ok(Played { world: run(&setup, setup.seed, script)? })
}

/// Plays a script in a cluster.
///
/// # Errors
/// When the setup makes no sense.
pub fn run(setup: &Setup, seed: u64, script: Vec<Timed>) -> Result<World> {
    let mut world = World::new(setup, seed, Story::kept())?;
    world.play(script);
    Ok(world)
}

/// Refuses a command about what is not there.
fn known(setup: &Setup, command: &Command) -> Result<()> {
    let node = |name: &String| {
        ensure!(setup.nodes.contains_key(name), "there is no node {name}");
        Ok(())
    };
    match command {
        Command::PowerCut(name)
        | Command::PowerOn(name)
        | Command::Bmc(name, _)
        | Command::Cut(name, _)
        | Command::Heal(name)
        | Command::Loss(name, _)
        | Command::Mesh(name, _)
        | Command::Freeze(name)
        | Command::Thaw(name)
        | Command::Clock(name, _)
        | Command::ZooKeeper(name, _)
        | Command::Daemon(name, _)
        | Command::Node(name, _) => node(name),
        Command::OneWay(from, to, _) => node(from).and_then(|()| node(to)),
        Command::Vm(vm, _, to) => {
            ensure!(setup.vms.contains_key(vm), "there is no VM {vm}");
            to.as_ref().map_or(Ok(()), node)
        }
        Command::Maintenance(_) | Command::End => Ok(()),
    }
}

/// The golden log of a folder, if it has one.
///
/// # Errors
/// When it cannot be read.
pub fn golden(folder: &Path) -> Result<Option<String>> {
    let path = folder.join("log");
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(fs::read_to_string(path)?))
}

impl Played {
    /// What is at the end, for programs.
    pub fn last(&mut self) -> Value {
        let world = &mut self.world;
        let view = world.view();
        let mut vms = serde_json::Map::new();
        for (which, facts) in world.vms.iter().enumerate() {
            let on: Vec<&str> = world
                .hosts
                .iter()
                .filter(|host| host.qemus.get(&which).is_some_and(|q| q.run.may_execute()))
                .map(|host| host.name.as_str())
                .collect();
            let Some(vm) = view.vms.get(&facts.uuid) else { continue };
            let state = vm.state.copied().map(Word::text);
            let node = vm.node.get().cloned().flatten().map(|node| node.to_string());
            let object = json!({"state": state, "node": node, "running_on": on});
            vms.insert(facts.name.clone(), object);
        }
        let mut nodes = serde_json::Map::new();
        for host in &world.hosts {
            let Some(node) = view.nodes.get(&host.name) else { continue };
            let object = json!({
                "daemon_state": node.daemon_state.copied().map(Word::text),
                "domain_state": node.domain_state.copied().map(Word::text),
                "coordinator_state": node.coordinator_state.copied().map(Word::text),
                "power": if host.powered { "on" } else { "off" },
            });
            nodes.insert(host.name.to_string(), object);
        }
        let primary = view.cluster.primary_node.get().cloned().flatten();
        json!({"final": {
            "vms": vms,
            "nodes": nodes,
            "primary": primary.map(|node| node.to_string()),
            "violations": world.violations.len(),
        }})
    }
}
