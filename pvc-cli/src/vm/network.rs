//! `pvc vm network add` and `remove`.

use std::hash::{BuildHasher, Hasher, RandomState};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use pvc_client::call;
use pvc_common::api::{SriovPci, SriovVf, Vm};
use pvc_common::id::{BadId, MacAddress, PciAddress, SriovName};
use pvc_domxml::edit::{self, Connection, NewInterface};
use pvc_domxml::{USUAL_CARDS, is_card};

use super::effect::{Effect, Plug, refusal};
use super::find;
use crate::failure::{Failure, Outcome};
use crate::network::{self, no_vf};
use crate::session::Session;
use crate::shell::Shell;

/// The cluster's own networks, which VMs may be in, too.
const SYSTEM: [&str; 3] = ["upstream", "cluster", "storage"];

/// Give a VM an interface in a network.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// Network, by VNI or description; or upstream, cluster or storage; with --sriov a VF of the VM's
    /// node.
    #[arg(value_name = "NET", value_parser = NonEmptyStringValueParser::new())]
    network: String,
    /// Hardware address of the interface; one that begins with 52:54:00 by default.
    #[arg(short = 'a', long, alias = "mac-address", value_name = "MAC", value_parser = mac)]
    macaddr: Option<MacAddress>,
    /// Card that the guest sees.
    #[arg(short, long, default_value = "virtio", value_parser = card)]
    model: String,
    /// Whether NET is an SR-IOV virtual function.
    #[arg(short, long)]
    sriov: bool,
    /// How the VM gets the function.
    #[arg(short = 'd', long, value_name = "MODE", value_enum, default_value = "macvtap")]
    sriov_mode: Mode,
    #[command(flatten)]
    effect: Effect,
}

/// How a VM gets an SR-IOV function.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// Its hardware; the guest needs a driver for it, and is not migrated live.
    Hostdev,
    /// Its device, which the host keeps.
    Macvtap,
}

impl Add {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let vm = find(&session, &self.vm).await?;
        let to = self.to(&session, &vm.node).await?;
        let on = match &to {
            To::Bridge(bridge) => Connection::Bridge(bridge),
            To::Macvtap(function) => Connection::Macvtap(function),
            To::Hostdev(function, place) => Connection::Hostdev(function, *place),
        };
        let mac = self.macaddr.unwrap_or_else(|| free(&vm)).to_string();
        let new = NewInterface { on, mac: &mac, model: &self.model };
        let change = edit::add_interface(&vm.xml, &new).map_err(|error| refusal(&vm, &error))?;
        let plug = Plug::In(change.interface);
        self.effect.apply(shell, &session, &vm, change.xml, plug).await
    }

    async fn to(&self, session: &Session, node: &str) -> Result<To, Failure> {
        if self.sriov {
            return function(session, node, &self.network, self.sriov_mode).await;
        }
        if SYSTEM.contains(&self.network.as_str()) {
            return Ok(To::Bridge(format!("br{}", self.network)));
        }
        let vni = network::find(session, &self.network).await?.vni;
        Ok(To::Bridge(format!("vmbr{vni}")))
    }
}

/// What a new interface is connected to.
enum To {
    Bridge(String),
    Macvtap(SriovName),
    Hostdev(SriovName, PciAddress),
}

/// A function of the VM's node. The API sees to it that no other VM has it.
async fn function(session: &Session, node: &str, name: &str, mode: Mode) -> Result<To, Failure> {
    let found: SriovVf = session.only(&call::sriov::vf(node, name), no_vf(node, name)).await?;
    let function: SriovName =
        found.phy.parse().map_err(|bad: BadId| Failure::new(bad.to_string()))?;
    if matches!(mode, Mode::Macvtap) {
        return Ok(To::Macvtap(function));
    }
    let SriovPci { domain, bus, slot, function: number } = &found.pci;
    let place = PciAddress::of_parts([domain, bus, slot, number]);
    let place = place.ok_or_else(|| {
        Failure::new(format!("Node '{node}' does not say where on its PCI bus '{function}' is."))
    })?;
    Ok(To::Hostdev(function, place))
}

/// Take an interface from a VM.
#[derive(Debug, Args)]
#[command(override_usage = "pvc vm network remove [OPTIONS] <DOMAIN> <NET|--mac-address <MAC>>")]
#[command(group(clap::ArgGroup::new("which").required(true).multiple(true).args(["network", "mac"])))]
pub(crate) struct Remove {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// Network, by VNI or description; or upstream, cluster or storage; with --sriov a VF.
    #[arg(value_name = "NET")]
    network: Option<String>,
    /// Hardware address of the interface, where there are several in the network.
    #[arg(short, long = "mac-address", alias = "macaddr", value_name = "MAC", value_parser = mac)]
    mac: Option<MacAddress>,
    /// Whether NET is an SR-IOV virtual function.
    #[arg(short, long)]
    sriov: bool,
    #[command(flatten)]
    effect: Effect,
}

impl Remove {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let vm = find(&session, &self.vm).await?;
        let network = match &self.network {
            Some(function) if self.sriov => Some(had(&vm, function)),
            Some(network) => Some(named(&session, network).await?),
            None => None,
        };
        let mac = self.mac.map(|mac| mac.to_string());
        let change = edit::remove_interface(&vm.xml, network.as_deref(), mac.as_deref())
            .map_err(|error| refusal(&vm, &error))?;
        let plug = Plug::Out(change.interface);
        self.effect.apply(shell, &session, &vm, change.xml, plug).await
    }
}

/// What a VM's interface calls a function, whichever way it has it.
fn had(vm: &Vm, function: &str) -> String {
    let [hostdev, macvtap] = ["hostdev", "macvtap"].map(|how| format!("{how}:{function}"));
    if vm.networks.iter().any(|nic| nic.vni == hostdev) { hostdev } else { macvtap }
}

/// What a VM's interface calls a network. One that is gone must be removable, so that a VNI is not
/// looked up.
async fn named(session: &Session, text: &str) -> Result<String, Failure> {
    let is_vni = text.bytes().all(|b| b.is_ascii_digit());
    if is_vni || SYSTEM.contains(&text) {
        return Ok(text.to_owned());
    }
    Ok(network::find(session, text).await?.vni.to_string())
}

fn mac(text: &str) -> Result<MacAddress, String> {
    let mac: MacAddress = text.parse().map_err(|bad: BadId| bad.to_string())?;
    if mac.is_of_one() {
        Ok(mac)
    } else {
        Err("expected the address of one interface, not of a group".to_owned())
    }
}

fn card(text: &str) -> Result<String, String> {
    if is_card(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("QEMU knows no such card; expected one such as {USUAL_CARDS}"))
    }
}

/// A hardware address by chance, that the VM does not have yet.
fn free(vm: &Vm) -> MacAddress {
    let mut seed = RandomState::new().build_hasher().finish();
    loop {
        let mac = by_chance(seed);
        let text = mac.to_string();
        if vm.networks.iter().all(|nic| !nic.mac.eq_ignore_ascii_case(&text)) {
            return mac;
        }
        seed = seed.wrapping_add(1);
    }
}

/// As upstream's: of QEMU's prefix, each of the other octets from 10 to ee.
fn by_chance(seed: u64) -> MacAddress {
    let octet = |shift: u32| 0x10 + (seed >> shift & 0xffff) % 0xdf;
    let text = format!("52:54:00:{:02x}:{:02x}:{:02x}", octet(0), octet(16), octet(32));
    text.parse().expect("these are six pairs of hex digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vm(mac: &str) -> Vm {
        serde_json::from_value(serde_json::json!({
            "name": "web1", "uuid": "u", "state": "start", "node": "hv1", "memory": 1, "vcpu": 1,
            "networks": [{"type": "bridge", "vni": "1001", "mac": mac, "model": "virtio"}],
        }))
        .unwrap()
    }

    #[test]
    fn an_address_by_chance_is_of_the_usual_kind() {
        assert_eq!(by_chance(0).to_string(), "52:54:00:10:10:10");
        assert_eq!(by_chance(u64::from(0xdeu32) << 16).to_string(), "52:54:00:10:ee:10");
        let (one, other) = (free(&vm("")), free(&vm("")));
        assert!(one.is_of_one() && one.to_string().starts_with("52:54:00:"), "{one}");
        assert_ne!(one, other, "one in eleven million");
    }

    #[test]
    fn the_address_of_a_group_is_none_of_an_interface() {
        assert!(mac("52:54:00:AA:bb:cc").is_ok());
        for bad in ["01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "x"] {
            assert!(mac(bad).is_err(), "{bad}");
        }
    }
}
