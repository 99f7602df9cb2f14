//! The OSDs of a dead node: what is written must not wait until Ceph misses them by itself.
//!
//! Ceph is told once its monitors have committed that the node's clients are shut out: it answers then.

use pvc_common::id::NodeName;
use pvc_common::model::{Fence, Node};
use pvc_common::state::{EvidenceKind, LeaseKind, OsdLoss};

use super::Situation;
use super::step::{Plan, Step};

/// Has them counted as lost, unless that was said already.
pub(super) fn plan(
    s: &Situation<'_>,
    name: &NodeName,
    node: &Node,
    fence: &Fence,
    plan: &mut Plan,
) {
    let Some(loss) = loss(fence, node) else { return };
    if s.sight.marked(name, &fence.id).is_none_or(|told| told < loss) {
        plan.steps.push(Step::MarkDown { node: name.clone(), fence: fence.id.clone(), loss });
    }
}

/// How the node's OSDs are lost, as far as is known; `None` if they may be serving.
///
/// That its clients are shut out says nothing of its OSDs: they may live, and answer the reads of whoever
/// still reaches them. They are dead if their machine is.
fn loss(fence: &Fence, node: &Node) -> Option<OsdLoss> {
    let proved = |kind| fence.proved_by(kind);
    // Those of its new boot serve.
    if !proved(EvidenceKind::Storage) || proved(EvidenceKind::Reboot) {
        return None;
    }
    let lease = node.liveness.lease.get().and_then(Option::as_ref);
    // A promise that only a daemon keeps ends no OSD of a host that is frozen.
    let reset = proved(EvidenceKind::Watchdog)
        && lease.is_some_and(|lease| match lease.kind {
            LeaseKind::Device => true,
            LeaseKind::Suicide => false,
        });
    let dead = proved(EvidenceKind::Ipmi) || proved(EvidenceKind::Operator) || reset;
    Some(if dead { OsdLoss::Dead } else { OsdLoss::Down })
}

#[cfg(test)]
mod tests {
    use pvc_common::model::{Evidence, FenceLease};
    use pvc_common::state::{FencePhase, Verdict};
    use pvc_common::zk::{Seen, Version};

    use super::*;
    use EvidenceKind::{Ipmi, Operator, Reboot, Storage, Watchdog};

    fn check(proved: &[EvidenceKind], lease: Option<LeaseKind>, expected: Option<OsdLoss>) {
        let evidence = |kind: &EvidenceKind| Evidence {
            kind: *kind,
            verdict: Verdict::Proved,
            detail: String::new(),
            at_ms: 0,
        };
        let fence = Fence {
            id: "hv3-1".parse().unwrap(),
            node: "hv3".parse().unwrap(),
            by: "hv1".parse().unwrap(),
            phase: FencePhase::Recovering,
            why: String::new(),
            boot: "first".to_owned(),
            power_cut: false,
            suspected_ms: 0,
            condemned_ms: 0,
            proved_ms: None,
            finished_ms: None,
            evidence: proved.iter().map(evidence).collect(),
            moved: vec![],
            waiting: vec![],
        };
        let lease = lease.map(|kind| FenceLease { kind, ms: 3_000, voters: [].into() });
        let mut node = Node::default();
        node.liveness.lease = Seen::Value { value: lease, version: Version(0) };
        assert_eq!(loss(&fence, &node), expected, "{proved:?}");
    }

    #[test]
    fn osds_are_dead_only_if_their_machine_is_proved_to_be() {
        use LeaseKind::{Device, Suicide};
        let (down, dead) = (Some(OsdLoss::Down), Some(OsdLoss::Dead));
        check(&[], None, None);
        check(&[Storage], None, down);
        check(&[Storage], Some(Device), down);
        check(&[Storage, Ipmi], None, dead);
        check(&[Storage, Operator], None, dead);
        check(&[Storage, Watchdog], Some(Device), dead);
        check(&[Storage, Watchdog], Some(Suicide), down);
        check(&[Storage, Watchdog], None, down);
        check(&[Ipmi], None, None);
        check(&[Storage, Ipmi, Reboot], None, None);
    }
}
