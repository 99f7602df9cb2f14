//! Text forms of what concerns a node's death: JSON, for it is ours and read by people, too.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{BadText, Text};
use crate::model::{
    Evidence, Fence, FenceLease, FenceOrder, Fenceable, Moved, Presence, Suspicion,
};
use crate::state::{EvidenceKind, FencePhase, LeaseKind, Verdict, Word};

#[derive(Serialize, Deserialize)]
struct PresenceText {
    boot: String,
    mesh: Vec<SocketAddr>,
    addresses: Vec<IpAddr>,
    /// Daemons that do not know it ignore it.
    #[serde(default)]
    networks: Vec<IpNet>,
    /// Left out where it is not so, as older daemons do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    without_vms: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    managed_mtu: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bridged_mtu: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct LeaseText {
    kind: String,
    ms: u64,
    voters: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
struct FenceableText {
    ok: bool,
    message: String,
}

#[derive(Serialize, Deserialize)]
struct EvidenceText {
    kind: String,
    verdict: String,
    detail: String,
    at_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct MovedText {
    vm: String,
    to: String,
}

#[derive(Serialize, Deserialize)]
struct FenceText {
    id: String,
    node: String,
    by: String,
    phase: String,
    why: String,
    boot: String,
    power_cut: bool,
    suspected_ms: u64,
    condemned_ms: u64,
    proved_ms: Option<u64>,
    finished_ms: Option<u64>,
    evidence: Vec<EvidenceText>,
    moved: Vec<MovedText>,
    waiting: Vec<String>,
}

pub(super) fn encode(text: &impl Serialize) -> String {
    serde_json::to_string(text).expect("texts, numbers and lists have a JSON form")
}

pub(super) fn decode<T: DeserializeOwned>(text: &str) -> Result<T, BadText> {
    serde_json::from_str(text).map_err(|error| BadText(format!("not as expected: {error}")))
}

pub(super) fn word<W: Word>(text: &str) -> Result<W, BadText> {
    W::parse(text).map_err(|bad| BadText(bad.to_string()))
}

pub(super) fn id<T: std::str::FromStr<Err = crate::id::BadId>>(text: &str) -> Result<T, BadText> {
    text.parse().map_err(|bad: crate::id::BadId| BadText(bad.to_string()))
}

impl Text for Presence {
    fn encode(&self) -> String {
        let Self { boot, mesh, addresses, networks, without_vms, managed_mtu, bridged_mtu } =
            self.clone();
        encode(&PresenceText {
            boot,
            mesh,
            addresses,
            networks,
            without_vms,
            managed_mtu,
            bridged_mtu,
        })
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let PresenceText { boot, mesh, addresses, networks, without_vms, managed_mtu, bridged_mtu } =
            decode(text)?;
        Ok(Self { boot, mesh, addresses, networks, without_vms, managed_mtu, bridged_mtu })
    }
}

impl Text for Option<FenceLease> {
    fn encode(&self) -> String {
        let Some(lease) = self else { return String::new() };
        encode(&LeaseText {
            kind: lease.kind.text().to_owned(),
            ms: lease.ms,
            voters: lease.voters.iter().map(ToString::to_string).collect(),
        })
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        if text.is_empty() {
            return Ok(None);
        }
        let LeaseText { kind, ms, voters } = decode(text)?;
        let voters = voters.iter().map(|voter| id(voter)).collect::<Result<_, _>>()?;
        Ok(Some(FenceLease { kind: word::<LeaseKind>(&kind)?, ms, voters }))
    }
}

impl Text for Suspicion {
    /// `<number> <milliseconds>`.
    fn encode(&self) -> String {
        format!("{} {}", self.number, self.silent_ms)
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let parsed = text.split_once(' ').and_then(|(number, silent_ms)| {
            Some(Self { number: number.parse().ok()?, silent_ms: silent_ms.parse().ok()? })
        });
        parsed.ok_or_else(|| BadText(format!("`{text}` is not a suspicion: expected two numbers")))
    }
}

impl Text for Fenceable {
    fn encode(&self) -> String {
        encode(&FenceableText { ok: self.ok, message: self.message.clone() })
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let FenceableText { ok, message } = decode(text)?;
        Ok(Self { ok, message })
    }
}

impl Text for FenceOrder {
    fn encode(&self) -> String {
        match self {
            Self::Fence => "fence",
            Self::ConfirmDead => "confirm-dead",
        }
        .to_owned()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        match text {
            "fence" => Ok(Self::Fence),
            "confirm-dead" => Ok(Self::ConfirmDead),
            _ => Err(BadText(format!("`{text}` is no order: expected fence or confirm-dead"))),
        }
    }
}

impl Text for Fence {
    fn encode(&self) -> String {
        let evidence = self.evidence.iter().map(|evidence| EvidenceText {
            kind: evidence.kind.text().to_owned(),
            verdict: evidence.verdict.text().to_owned(),
            detail: evidence.detail.clone(),
            at_ms: evidence.at_ms,
        });
        let moved = self
            .moved
            .iter()
            .map(|moved| MovedText { vm: moved.vm.to_string(), to: moved.to.to_string() });
        encode(&FenceText {
            id: self.id.to_string(),
            node: self.node.to_string(),
            by: self.by.to_string(),
            phase: self.phase.text().to_owned(),
            why: self.why.clone(),
            boot: self.boot.clone(),
            power_cut: self.power_cut,
            suspected_ms: self.suspected_ms,
            condemned_ms: self.condemned_ms,
            proved_ms: self.proved_ms,
            finished_ms: self.finished_ms,
            evidence: evidence.collect(),
            moved: moved.collect(),
            waiting: self.waiting.iter().map(ToString::to_string).collect(),
        })
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let text: FenceText = decode(text)?;
        let evidence = |evidence: &EvidenceText| {
            Ok(Evidence {
                kind: word::<EvidenceKind>(&evidence.kind)?,
                verdict: word::<Verdict>(&evidence.verdict)?,
                detail: evidence.detail.clone(),
                at_ms: evidence.at_ms,
            })
        };
        let moved = |moved: &MovedText| Ok(Moved { vm: id(&moved.vm)?, to: id(&moved.to)? });
        Ok(Self {
            id: id(&text.id)?,
            node: id(&text.node)?,
            by: id(&text.by)?,
            phase: word::<FencePhase>(&text.phase)?,
            why: text.why,
            boot: text.boot,
            power_cut: text.power_cut,
            suspected_ms: text.suspected_ms,
            condemned_ms: text.condemned_ms,
            proved_ms: text.proved_ms,
            finished_ms: text.finished_ms,
            evidence: text.evidence.iter().map(evidence).collect::<Result<_, BadText>>()?,
            moved: text.moved.iter().map(moved).collect::<Result<_, BadText>>()?,
            waiting: text.waiting.iter().map(|vm| id(vm)).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence() -> Fence {
        Fence {
            id: "hv3-1700000000000".parse().unwrap(),
            node: "hv3".parse().unwrap(),
            by: "hv1".parse().unwrap(),
            phase: FencePhase::Recovering,
            why: "suspected by hv1, hv2".to_owned(),
            boot: "b1".to_owned(),
            power_cut: true,
            suspected_ms: 1,
            condemned_ms: 2,
            proved_ms: Some(3),
            finished_ms: None,
            evidence: vec![Evidence {
                kind: EvidenceKind::Ipmi,
                verdict: Verdict::Proved,
                detail: "off \"twice\"".to_owned(),
                at_ms: 3,
            }],
            moved: vec![Moved {
                vm: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
                to: "hv2".parse().unwrap(),
            }],
            waiting: vec!["00000000-0000-4000-8000-000000000002".parse().unwrap()],
        }
    }

    #[test]
    fn a_fence_reads_back_as_it_was_written() {
        assert_eq!(Fence::decode(&fence().encode()), Ok(fence()));
        for bad in ["", "{}", "null", &fence().encode().replace("recovering", "resting")] {
            assert!(Fence::decode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_node_tells_of_itself_reads_back() {
        let presence = Presence {
            boot: "b1".to_owned(),
            mesh: vec!["10.255.0.1:7411".parse().unwrap()],
            addresses: vec!["10.254.0.1".parse().unwrap()],
            networks: vec!["10.255.0.1/24".parse().unwrap()],
            without_vms: false,
            managed_mtu: Some(1450),
            bridged_mtu: None,
        };
        assert_eq!(Presence::decode(&presence.encode()), Ok(presence.clone()));
        let quorum = Presence { without_vms: true, ..presence };
        assert_eq!(Presence::decode(&quorum.encode()), Ok(quorum));
        let older = Presence::decode(r#"{"boot":"b1","mesh":[],"addresses":[]}"#).unwrap();
        assert!(older.networks.is_empty() && !older.without_vms && older.managed_mtu.is_none());
        assert!(!older.encode().contains("without_vms"));
        let voters = BTreeSet::from(["hv2".parse().unwrap()]);
        let lease = Some(FenceLease { kind: LeaseKind::Device, ms: 3_600, voters });
        assert_eq!(Option::<FenceLease>::decode(&lease.encode()), Ok(lease));
        assert_eq!(Option::<FenceLease>::decode(""), Ok(None));
        let suspicion = Suspicion { number: 7, silent_ms: 1_200 };
        assert_eq!(Suspicion::decode(&suspicion.encode()), Ok(suspicion));
        assert!(Suspicion::decode("7").is_err());
    }
}
