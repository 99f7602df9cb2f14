//! The tree's side: what this node records of its cards, their functions, and who has them.

use std::collections::BTreeMap;

use pvc_common::id::{MacAddress, NodeName, SriovName};
use pvc_common::model::{Pf, Sriov, Vf};
use pvc_common::observed::{Card, CardFunction};
use pvc_common::state::VfLinkState;
use pvc_common::view::View;
use pvc_common::zk::{Key, Op, Seen, Text, key};

use super::step::{Note, Plan, Wanted, Write};
use super::{Situation, Usage, own, vf_name, vf_number};

/// What a card says of a function that nobody gave an address yet.
const NO_MAC: &str = "00:00:00:00:00:00";

pub(super) fn plan(s: &Situation<'_>, view: &View, usage: &Usage<'_>, plan: &mut Plan) {
    let nothing = Sriov::default();
    let tree = own(view, s.me).unwrap_or(&nothing);
    let mut present: BTreeMap<SriovName, (&Wanted, &Card, &CardFunction)> = BTreeMap::new();
    for wanted in s.wanted {
        let card = s.seen.cards.get(&wanted.device).filter(|card| card.capacity.is_some());
        let Some(card) = card else { continue };
        record_card(s.me, wanted, card, tree.pfs.get(&wanted.device), plan);
        let functions = card.functions.range(..wanted.functions);
        present.extend(functions.filter_map(|(number, function)| {
            Some((vf_name(&wanted.device, *number)?, (wanted, card, function)))
        }));
    }
    for (name, found) in &present {
        record_function(s.me, name, *found, tree.vfs.get(name), usage, plan);
    }
    for (name, vf) in tree.vfs.iter().filter(|(name, _)| !present.contains_key(*name)) {
        absent(s, name, vf, usage, plan);
    }
    forget_cards(s, tree, plan);
}

/// Operations of one transaction.
#[derive(Default)]
struct Record(Vec<Op>);

impl Record {
    /// The key shall hold this.
    fn put<T: Text + PartialEq>(&mut self, key: &Key<T>, seen: &Seen<T>, value: &T) {
        if seen.get() != Some(value) {
            self.0.push(key.put(seen, value));
        }
    }

    /// The key shall hold this unless it holds anything.
    fn begin<T: Text>(&mut self, key: &Key<T>, seen: &Seen<T>, value: &T) {
        if matches!(seen, Seen::Absent) {
            self.0.push(key.create(value));
        }
    }

    fn write(self, path: String, plan: &mut Plan) {
        if !self.0.is_empty() {
            plan.writes.push(Write::Record { path, ops: self.0 });
        }
    }
}

fn record_card(me: &NodeName, wanted: &Wanted, card: &Card, was: Option<&Pf>, plan: &mut Plan) {
    let nothing = Pf::default();
    let (was, pf) = (was.unwrap_or(&nothing), &wanted.device);
    let mut record = Record::default();
    record.begin(&key::sriov_pf(me, pf), &was.znode, &());
    record.put(&key::sriov_pf_mtu(me, pf), &was.mtu, &card.mtu);
    record.put(&key::sriov_pf_vf_count(me, pf), &was.vf_count, &wanted.functions);
    record.write(key::sriov_pf(me, pf).into_path(), plan);
}

fn record_function(
    me: &NodeName,
    vf: &SriovName,
    (wanted, card, found): (&Wanted, &Card, &CardFunction),
    was: Option<&Vf>,
    usage: &Usage<'_>,
    plan: &mut Plan,
) {
    let nothing = Vf::default();
    let was = was.unwrap_or(&nothing);
    let device = found.device.as_ref();
    // While a VM has the hardware, only the card knows its address, and nobody the packet size.
    let mac = device.and_then(|device| device.mac).or(found.mac).or(was.mac.copied());
    let mac = mac.unwrap_or_else(|| NO_MAC.parse::<MacAddress>().expect("six pairs of digits"));
    let mtu = device.map(|device| device.mtu).or(was.mtu.copied()).unwrap_or(card.mtu);
    let mut record = Record::default();
    record.begin(&key::sriov_vf(me, vf), &was.znode, &());
    record.put(&key::sriov_vf_pf(me, vf), &was.pf, &wanted.device);
    record.put(&key::sriov_vf_mtu(me, vf), &was.mtu, &mtu);
    record.put(&key::sriov_vf_mac(me, vf), &was.mac, &mac);
    record.begin(&key::sriov_vf_phy_mac(me, vf), &was.phy_mac, &mac);
    begin_settings(me, vf, found, was, &mut record);
    record.begin(&key::sriov_vf_pci(me, vf), &was.pci, &());
    if let Some(place) = found.pci {
        let keys = [
            key::sriov_vf_pci_domain(me, vf),
            key::sriov_vf_pci_bus(me, vf),
            key::sriov_vf_pci_slot(me, vf),
            key::sriov_vf_pci_function(me, vf),
        ];
        for ((key, seen), part) in keys.iter().zip(&was.pci_parts).zip(place.parts()) {
            record.put(key, seen, &part);
        }
    }
    let pf = Some(&wanted.device);
    record_usage(me, vf, pf, found.pci.or(was.pci_address()), was, usage, &mut record, plan);
    record.write(key::sriov_vf(me, vf).into_path(), plan);
}

/// What people have not set is as the card has it.
fn begin_settings(
    me: &NodeName,
    vf: &SriovName,
    found: &CardFunction,
    was: &Vf,
    record: &mut Record,
) {
    let (found, was_set) = (&found.settings, &was.settings);
    let ((id, qos), (min, max)) = (found.vlan.unwrap_or_default(), found.rate.unwrap_or_default());
    let flag = |flag: Option<bool>| flag.unwrap_or_default();
    let link_state = found.link_state.unwrap_or(VfLinkState::Auto);
    record.begin(&key::sriov_vf_config(me, vf), &was.config, &());
    record.begin(&key::sriov_vf_vlan_id(me, vf), &was_set.vlan_id, &id);
    record.begin(&key::sriov_vf_vlan_qos(me, vf), &was_set.vlan_qos, &qos);
    record.begin(&key::sriov_vf_tx_rate_min(me, vf), &was_set.tx_rate_min, &min);
    record.begin(&key::sriov_vf_tx_rate_max(me, vf), &was_set.tx_rate_max, &max);
    let spoof_check = flag(found.spoof_check);
    record.begin(&key::sriov_vf_spoof_check(me, vf), &was_set.spoof_check, &spoof_check);
    record.begin(&key::sriov_vf_link_state(me, vf), &was_set.link_state, &link_state);
    record.begin(&key::sriov_vf_trust(me, vf), &was_set.trust, &flag(found.trust));
    record.begin(&key::sriov_vf_query_rss(me, vf), &was_set.query_rss, &flag(found.query_rss));
}

#[expect(clippy::too_many_arguments, reason = "one function, seen from each of its sides")]
fn record_usage(
    me: &NodeName,
    vf: &SriovName,
    pf: Option<&SriovName>,
    place: Option<pvc_common::id::PciAddress>,
    was: &Vf,
    usage: &Usage<'_>,
    record: &mut Record,
    plan: &mut Plan,
) {
    let by: Vec<_> = usage.vms_of(vf, place).collect();
    record.put(&key::sriov_vf_used(me, vf), &was.used, &!by.is_empty());
    record.put(&key::sriov_vf_used_by(me, vf), &was.used_by, &by.first().copied());
    if by.len() > 1 {
        plan.notes.push(Note::Shared { pf: pf.cloned(), vf: vf.clone(), by });
    }
}

/// A function that the tree has and the machine does not show. One that is configured stays, with
/// its settings: its card may only have to come up. One that is not goes, unless a VM has it.
fn absent(s: &Situation<'_>, name: &SriovName, vf: &Vf, usage: &Usage<'_>, plan: &mut Plan) {
    let is_wanted = s.wanted.iter().any(|wanted| {
        vf_number(&wanted.device, name).is_some_and(|number| number < wanted.functions)
    });
    let by: Vec<_> = usage.vms_of(name, vf.pci_address()).collect();
    let path = key::sriov_vf(s.me, name).into_path();
    if !is_wanted && by.is_empty() {
        plan.writes.push(Write::Forget { path });
        return;
    }
    let pf = vf.pf.get();
    let mut record = Record::default();
    record_usage(s.me, name, pf, vf.pci_address(), vf, usage, &mut record, plan);
    record.write(path, plan);
    if !is_wanted {
        plan.notes.push(Note::StillUsed { pf: pf.cloned(), vf: name.clone(), by });
    }
}

/// Cards that are configured no more go once none of their functions is kept.
fn forget_cards(s: &Situation<'_>, tree: &Sriov, plan: &mut Plan) {
    let forgotten: Vec<String> = plan
        .writes
        .iter()
        .filter_map(|write| match write {
            Write::Forget { path } => Some(path.clone()),
            Write::Record { .. } => None,
        })
        .collect();
    for pf in tree.pfs.keys() {
        let is_wanted = s.wanted.iter().any(|wanted| wanted.device == *pf);
        let has_kept = tree.vfs.iter().any(|(name, vf)| {
            let path = key::sriov_vf(s.me, name).into_path();
            vf.pf.get() == Some(pf) && !forgotten.contains(&path)
        });
        if !is_wanted && !has_kept {
            plan.writes.push(Write::Forget { path: key::sriov_pf(s.me, pf).into_path() });
        }
    }
}
