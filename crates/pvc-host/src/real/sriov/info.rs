//! What `ip -json -details link show` says of a card's functions.

use std::collections::BTreeMap;

use pvc_common::id::MacAddress;
use pvc_common::observed::FoundSettings;
use pvc_common::state::{VfLinkState, Word};
use serde::Deserialize;

/// A link, as far as it concerns us.
#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    vfinfo_list: Vec<Info>,
}

/// A function. What its driver does not tell is left out, and so is what is nought.
#[derive(Deserialize)]
struct Info {
    vf: u32,
    /// Of older programs.
    mac: Option<String>,
    address: Option<String>,
    vlan_list: Option<Vec<Vlan>>,
    vlan: Option<u32>,
    qos: Option<u32>,
    rate: Option<Rate>,
    spoofchk: Option<bool>,
    link_state: Option<String>,
    trust: Option<bool>,
    query_rss_en: Option<bool>,
}

#[derive(Deserialize)]
struct Vlan {
    #[serde(default)]
    vlan: u32,
    #[serde(default)]
    qos: u32,
}

#[derive(Deserialize)]
struct Rate {
    #[serde(default)]
    max_tx: u32,
    #[serde(default)]
    min_tx: u32,
}

/// By number, each function's address and settings.
pub(super) type Told = BTreeMap<u32, (Option<MacAddress>, FoundSettings)>;

/// Understands what was said of one link.
pub(super) fn parse(text: &str) -> Result<Told, String> {
    // With `-details`, links without anything to tell are empty objects among the others.
    let links: Vec<Link> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let all = links.into_iter().flat_map(|link| link.vfinfo_list);
    Ok(all.map(|info| (info.vf, understood(info))).collect())
}

fn understood(info: Info) -> (Option<MacAddress>, FoundSettings) {
    let mac = info.address.or(info.mac).and_then(|text| text.parse().ok()).filter(super::given);
    let single = (info.vlan.unwrap_or(0), info.qos.unwrap_or(0));
    let listed = info.vlan_list.and_then(|list| list.into_iter().next());
    let settings = FoundSettings {
        vlan: Some(listed.map_or(single, |vlan| (vlan.vlan, vlan.qos))),
        rate: info.rate.map(|rate| (rate.min_tx, rate.max_tx)),
        spoof_check: info.spoofchk,
        link_state: info.link_state.and_then(|word| VfLinkState::parse(&word).ok()),
        trust: info.trust,
        query_rss: info.query_rss_en,
    };
    (mac, settings)
}
