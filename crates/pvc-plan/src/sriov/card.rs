//! The machine's side: cards divided, their functions set as the tree has it.

use pvc_common::id::SriovName;
use pvc_common::model::{Sriov, VfSettings};
use pvc_common::observed::{Card, FoundSettings, SriovTable, VfSetting};
use pvc_common::state::VfLinkState;

use super::step::{Note, Plan, Step, Wanted};
use super::{Usage, vf_name};

/// Plans for one card that is there and can be divided.
pub(super) fn plan(
    wanted: &Wanted,
    card: &Card,
    tree: Option<&Sriov>,
    usage: Option<&Usage<'_>>,
    plan: &mut Plan,
) {
    let pf = &wanted.device;
    if let Some(mtu) = wanted.mtu.filter(|mtu| *mtu != card.mtu) {
        plan.steps.push(Step::Mtu { pf: pf.clone(), device: pf.to_string(), mtu });
    }
    if !card.up {
        plan.steps.push(Step::Up { pf: pf.clone() });
    }
    divide(wanted, card, usage, plan);
    for (number, function) in card.functions.range(..wanted.functions) {
        let Some(name) = vf_name(pf, *number) else { continue };
        let device = function.device.as_ref();
        if let Some(device) = device.filter(|device| device.name != name.as_str()) {
            let (pf, device) = (pf.clone(), device.name.clone());
            plan.notes.push(Note::OtherName { pf, vf: name.clone(), device });
        }
        let mtu = wanted.mtu.zip(device).filter(|(mtu, device)| *mtu != device.mtu);
        if let Some((mtu, device)) = mtu {
            plan.steps.push(Step::Mtu { pf: pf.clone(), device: device.name.clone(), mtu });
        }
        if let Some(vf) = tree.and_then(|tree| tree.vfs.get(&name)) {
            set(pf, *number, &name, &vf.settings, &function.settings, plan);
        }
    }
}

/// A card that is divided otherwise is divided anew only while nobody has any of its functions: all
/// of them are taken away for it.
fn divide(wanted: &Wanted, card: &Card, usage: Option<&Usage<'_>>, plan: &mut Plan) {
    let (pf, into) = (wanted.device.clone(), wanted.functions);
    let present = u32::try_from(card.functions.len()).unwrap_or(u32::MAX);
    let capacity = card.capacity.unwrap_or(0);
    if present == into {
        return;
    }
    if into > capacity {
        plan.notes.push(Note::TooMany { pf, wanted: into, capacity });
        return;
    }
    if present == 0 {
        plan.steps.push(Step::Divide { pf, into });
        return;
    }
    // Without the cluster nobody knows who has them.
    let Some(usage) = usage else { return };
    let devices = card.functions.values().filter_map(|function| function.device.as_ref());
    let devices: Vec<String> =
        devices.filter(|device| device.up).map(|device| device.name.clone()).collect();
    let mut by: Vec<_> = card
        .functions
        .iter()
        .filter_map(|(number, function)| Some((vf_name(&pf, *number)?, function)))
        .flat_map(|(name, function)| usage.vms_of(&name, function.pci).collect::<Vec<_>>())
        .collect();
    by.sort_unstable();
    by.dedup();
    if by.is_empty() && devices.is_empty() {
        plan.steps.push(Step::Divide { pf, into });
    } else {
        plan.notes.push(Note::InUse { pf, present, wanted: into, by, devices });
    }
}

/// What a wanted setting needs, given what the card tells of it.
enum Need {
    Nothing,
    Set(VfSetting),
    Unknown(VfSetting),
}

/// `unset` is what a card has that does not know the setting at all.
fn need<T: PartialEq>(
    wanted: Option<T>,
    found: Option<&T>,
    unset: &T,
    setting: impl FnOnce(T) -> VfSetting,
) -> Need {
    match (wanted, found) {
        (None, _) => Need::Nothing,
        (Some(wanted), Some(found)) if wanted == *found => Need::Nothing,
        (Some(wanted), Some(_)) => Need::Set(setting(wanted)),
        (Some(wanted), None) if wanted == *unset => Need::Nothing,
        (Some(wanted), None) => Need::Unknown(setting(wanted)),
    }
}

fn set(
    pf: &SriovName,
    number: u32,
    vf: &SriovName,
    wanted: &VfSettings,
    found: &FoundSettings,
    plan: &mut Plan,
) {
    let VfSettings { vlan_id, vlan_qos, tx_rate_min, tx_rate_max, .. } = wanted;
    let both = |a: Option<u32>, b: Option<u32>| a.zip(b);
    let needs = [
        need(
            both(vlan_id.copied(), vlan_qos.copied()),
            found.vlan.as_ref(),
            &(0, 0),
            |(id, qos)| VfSetting::Vlan { id, qos },
        ),
        need(
            both(tx_rate_min.copied(), tx_rate_max.copied()),
            found.rate.as_ref(),
            &(0, 0),
            |(min, max)| VfSetting::Rate { min, max },
        ),
        need(
            wanted.spoof_check.copied(),
            found.spoof_check.as_ref(),
            &false,
            VfSetting::SpoofCheck,
        ),
        need(
            wanted.link_state.copied(),
            found.link_state.as_ref(),
            &VfLinkState::Auto,
            VfSetting::LinkState,
        ),
        need(wanted.trust.copied(), found.trust.as_ref(), &false, VfSetting::Trust),
        need(wanted.query_rss.copied(), found.query_rss.as_ref(), &false, VfSetting::QueryRss),
    ];
    for need in needs {
        match need {
            Need::Nothing => {}
            Need::Set(setting) => plan.steps.push(Step::Set { pf: pf.clone(), number, setting }),
            Need::Unknown(setting) => {
                plan.notes.push(Note::NoSetting { pf: pf.clone(), vf: vf.clone(), setting });
            }
        }
    }
}

/// Whether any card has functions that VMs could be handed, for which the kernel is not ready.
pub(super) fn lacks_handing_through(wanted: &[Wanted], seen: &SriovTable) -> bool {
    let divided = |wanted: &Wanted| {
        let card = seen.cards.get(&wanted.device);
        wanted.functions > 0 && card.is_some_and(|card| card.capacity.is_some())
    };
    !seen.hands_through && wanted.iter().any(divided)
}
