//! The cards of a machine in memory.

use std::io;

use pvc_common::id::SriovName;
use pvc_common::observed::{Card, CardFunction, FunctionDevice, SriovTable, VfSetting};
use pvc_common::state::VfLinkState;

use super::FakeHost;
use crate::{Sriov, SriovError};

impl FakeHost {
    /// Plugs in a card that can be divided into so many functions; `None` for one that knows no SR-IOV.
    /// It is switched off.
    pub fn plug_in_card(&self, device: &str, capacity: Option<u32>) {
        let name: SriovName = device.parse().expect("a device's name names a card");
        let card = Card { mtu: 1500, capacity, ..Card::default() };
        self.machine().sriov.cards.insert(name, card);
    }

    /// Has a card's driver hang, so that the card cannot be looked at, or not any more.
    pub fn hang_card(&self, device: &str, hangs: bool) {
        let name: SriovName = device.parse().expect("a device's name names a card");
        let mut machine = self.machine();
        if hangs {
            machine.sriov.unseen.insert(name, "its driver hangs".to_owned());
        } else {
            machine.sriov.unseen.remove(&name);
        }
    }

    /// Hands the hardware of a function to a VM, or takes it back.
    ///
    /// # Panics
    /// If there is no such function.
    pub fn hand_through(&self, card: &str, number: u32, handed: bool) {
        let name: SriovName = card.parse().expect("a device's name names a card");
        let mut machine = self.machine();
        let function =
            machine.sriov.cards.get_mut(&name).and_then(|c| c.functions.get_mut(&number));
        let function = function.expect("what is handed through is there");
        let fresh = made(card, number, 1500);
        function.device = if handed { None } else { fresh.device };
    }

    /// Takes a setting away from a card: the driver tells of it, but refuses it.
    pub fn refuse_setting(&self, setting: VfSetting) {
        self.machine().refused_settings.insert(setting);
    }

    /// The cards as they are now.
    #[must_use]
    pub fn cards(&self) -> SriovTable {
        self.machine().sriov.clone()
    }
}

/// A function as an X710 brings it up.
fn made(card: &str, number: u32, mtu: u32) -> CardFunction {
    let mac = format!("02:00:00:0f:00:{number:02x}").parse().ok();
    let place = format!("0000:3b:{:02x}.{}", 2 + number / 8, number % 8);
    let device = FunctionDevice { name: format!("{card}v{number}"), up: false, mtu, mac };
    CardFunction {
        pci: place.parse().ok(),
        device: Some(device),
        mac: None,
        settings: pvc_common::observed::FoundSettings {
            vlan: Some((0, 0)),
            rate: Some((0, 0)),
            spoof_check: Some(true),
            link_state: Some(VfLinkState::Auto),
            trust: Some(false),
            query_rss: None,
        },
    }
}

fn refused(what: &str, kind: io::ErrorKind) -> SriovError {
    SriovError::File { file: what.to_owned(), verb: "written", source: kind.into() }
}

impl FakeHost {
    /// Changes a card; counts it if that was a change.
    fn change_card(
        &self,
        device: &SriovName,
        change: impl FnOnce(&mut Card) -> Result<(), SriovError>,
    ) -> Result<(), SriovError> {
        let mut machine = self.machine();
        let card = machine.sriov.cards.get_mut(device);
        let card = card.ok_or_else(|| refused(device.as_str(), io::ErrorKind::NotFound))?;
        let before = card.clone();
        change(card)?;
        let changed = *card != before;
        machine.changes += u64::from(changed);
        Ok(())
    }
}

impl Sriov for FakeHost {
    async fn observe(&self, devices: &[SriovName]) -> Result<SriovTable, SriovError> {
        let mut table = self.cards();
        table.unseen.retain(|name, _| devices.contains(name));
        let is_seen = |name: &SriovName| devices.contains(name) && !table.unseen.contains_key(name);
        table.cards.retain(|name, _| is_seen(name));
        Ok(table)
    }

    async fn allow_handing_through(&self) -> Result<(), SriovError> {
        let mut machine = self.machine();
        machine.changes += u64::from(!machine.sriov.hands_through);
        machine.sriov.hands_through = true;
        Ok(())
    }

    async fn divide(&self, device: &SriovName, into: u32) -> Result<(), SriovError> {
        self.change_card(device, |card| {
            if card.capacity.is_none_or(|capacity| into > capacity) {
                return Err(refused("sriov_numvfs", io::ErrorKind::InvalidInput));
            }
            if card.functions.len() != usize::try_from(into).unwrap_or(usize::MAX) {
                let function = |number| (number, made(device.as_str(), number, 1500));
                card.functions = (0..into).map(function).collect();
            }
            Ok(())
        })
    }

    async fn set_mtu(&self, device: &str, mtu: u32) -> Result<(), SriovError> {
        let names: Vec<SriovName> = self.cards().cards.into_keys().collect();
        for name in names {
            let mut found = false;
            self.change_card(&name, |card| {
                if name.as_str() == device {
                    (card.mtu, found) = (mtu, true);
                }
                let devices = card.functions.values_mut().filter_map(|f| f.device.as_mut());
                for own in devices.filter(|own| own.name == device) {
                    (own.mtu, found) = (mtu, true);
                }
                Ok(())
            })?;
            if found {
                return Ok(());
            }
        }
        Err(refused(device, io::ErrorKind::NotFound))
    }

    async fn switch_on(&self, device: &str) -> Result<(), SriovError> {
        let name = device.parse().map_err(|_| refused(device, io::ErrorKind::NotFound))?;
        self.change_card(&name, |card| {
            card.up = true;
            Ok(())
        })
    }

    async fn set(
        &self,
        card: &SriovName,
        number: u32,
        setting: VfSetting,
    ) -> Result<(), SriovError> {
        if self.machine().refused_settings.contains(&setting) {
            return Err(refused("the setting", io::ErrorKind::Unsupported));
        }
        self.change_card(card, |card| {
            let function = card.functions.get_mut(&number);
            let function = function.ok_or_else(|| refused("vf", io::ErrorKind::InvalidInput))?;
            let settings = &mut function.settings;
            match setting {
                VfSetting::Vlan { id, qos } => settings.vlan = Some((id, qos)),
                VfSetting::Rate { min, max } => settings.rate = Some((min, max)),
                VfSetting::SpoofCheck(on) => settings.spoof_check = Some(on),
                VfSetting::LinkState(state) => settings.link_state = Some(state),
                VfSetting::Trust(on) => settings.trust = Some(on),
                VfSetting::QueryRss(on) => settings.query_rss = Some(on),
            }
            Ok(())
        })
    }
}
