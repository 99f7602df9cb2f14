//! What proves a death, and what does not.

use super::*;

/// `hv3` of three is condemned.
fn condemned() -> Scene {
    let mut scene = Scene::new(3);
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(1_600));
    assert_eq!(scene.state(3), DaemonState::Dead);
    scene
}

#[test]
fn a_bmc_that_says_off_is_proof() {
    let mut scene = condemned();
    scene.found(3, EvidenceKind::Ipmi, Verdict::Proved);
    assert_eq!(scene.state(3), DaemonState::Fenced);
}

#[test]
fn a_bmc_is_not_believed_while_the_node_is_heard() {
    let mut scene = condemned();
    scene.acquit(3, &[1, 2]);
    scene.found(3, EvidenceKind::Ipmi, Verdict::Proved);
    scene.pass(Duration::from_secs(5));
    assert_eq!(scene.state(3), DaemonState::Dead);
    assert!(scene.plan().notes.contains(&Note::Contradicted { node: hv(3) }));
}

#[test]
fn a_failed_proof_is_recorded_and_tried_again() {
    let mut scene = condemned();
    scene.found(3, EvidenceKind::Ipmi, Verdict::Failed);
    assert_eq!(scene.state(3), DaemonState::Dead);
    assert_eq!(scene.fence(3).unwrap().evidence[0].verdict, Verdict::Failed);
    scene.log.clear();
    scene.pass(Duration::from_secs(11));
    assert_eq!(scene.log, ["hv3: gather Ipmi"]);
}

#[test]
fn a_lease_proves_once_most_of_its_voters_were_silent_for_its_length() {
    let mut scene = Scene::new(3);
    scene.promise(3, LeaseKind::Device, 3_600, &[1, 2]);
    scene.pass(ms(1_000));
    // The observers had been waiting for a second when they said so.
    scene.suspect(3, &[1, 2]);
    let safe_after = crate::lease::safe_after(&FenceLease {
        kind: LeaseKind::Device,
        ms: 3_600,
        voters: [hv(1), hv(2)].into(),
    });
    scene.pass(safe_after - ms(1_100));
    assert_eq!(scene.state(3), DaemonState::Dead);
    scene.pass(ms(200));
    assert_eq!(scene.state(3), DaemonState::Fenced);
}

/// It has armed its device, and its voters are dead: what they held against it is of long ago.
#[test]
fn a_young_lease_proves_nothing_before_its_length_has_passed() {
    let mut scene = Scene::new(3);
    scene.suspect(3, &[1, 2]);
    scene.pass(Duration::from_secs(20));
    scene.promise(3, LeaseKind::Device, 3_600, &[1, 2]);
    scene.pass(ms(3_600));
    assert_eq!(scene.state(3), DaemonState::Dead);
    scene.pass(ms(400));
    assert_eq!(scene.state(3), DaemonState::Fenced);
}

#[test]
fn a_lease_whose_other_voters_do_not_accuse_proves_nothing() {
    let mut scene = Scene::new(5);
    scene.promise(5, LeaseKind::Device, 3_600, &[1, 6, 7]);
    scene.suspect(5, &[1, 2, 3]);
    scene.pass(Duration::from_secs(60));
    assert_eq!(scene.state(5), DaemonState::Dead);
}

/// What is written of `hv3` once its lease has run out, by whom it is proved or recorded.
fn lease_ran_out(storage: StorageFence) -> (Scene, Vec<Op>) {
    let mut scene = Scene::new(3);
    scene.policy.storage = storage;
    scene.promise(3, LeaseKind::Device, 3_600, &[1, 2]);
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(2_000));
    assert_eq!(scene.state(3), DaemonState::Dead);
    // The coordinator looks again and again, and does not get to write in time.
    for _ in 0..20 {
        scene.now += ms(100);
        scene.look();
    }
    let ops = scene.plan().steps.into_iter().find_map(|step| match step {
        Step::Write { ops, goal: Goal::Prove { .. } | Goal::Record { .. }, .. } => Some(ops),
        _ => None,
    });
    (scene, ops.expect("the lease has run out"))
}

#[test]
fn a_promise_that_was_withdrawn_a_moment_before_proves_nothing() {
    for storage in [StorageFence::Off, StorageFence::Required] {
        let (mut scene, ops) = lease_ran_out(storage);
        scene.put(&key::node_lease(&hv(3)), &None);
        assert!(!scene.commit(&ops), "{storage:?}");
        let (mut scene, ops) = lease_ran_out(storage);
        assert!(scene.commit(&ops), "{storage:?}");
    }
}

#[test]
fn a_lease_proves_nothing_if_one_of_its_voters_has_just_heard_the_node() {
    for storage in [StorageFence::Off, StorageFence::Required] {
        let (mut scene, ops) = lease_ran_out(storage);
        scene.acquit(3, &[2]);
        assert!(!scene.commit(&ops), "{storage:?}");
    }
}

#[test]
fn a_promise_of_suicide_counts_only_where_administrators_say_so() {
    for (failed, state) in
        [(AfterFence::Nothing, DaemonState::Dead), (AfterFence::Migrate, DaemonState::Fenced)]
    {
        let mut scene = Scene::new(3);
        scene.policy.failed = failed;
        scene.promise(3, LeaseKind::Suicide, 30_000, &[1, 2]);
        scene.suspect(3, &[1, 2]);
        scene.pass(Duration::from_secs(40));
        assert_eq!(scene.state(3), state, "{failed:?}");
    }
}

#[test]
fn a_host_that_has_booted_again_is_proof() {
    let mut scene = condemned();
    scene.boots_again(3);
    scene.settle();
    assert_eq!(scene.state(3), DaemonState::Fenced);
}

#[test]
fn the_seat_of_a_dead_primary_is_opened_with_its_proof() {
    let mut scene = Scene::new(3);
    scene.me = hv(2);
    scene.suspect(1, &[2, 3]);
    scene.pass(ms(1_600));
    assert_eq!(scene.get(&key::primary_node()), Some(Some(hv(1))));
    scene.found(1, EvidenceKind::Ipmi, Verdict::Proved);
    assert_eq!(scene.get(&key::primary_node()), Some(None));
}

#[test]
fn a_node_that_is_heard_again_is_taken_back_unless_its_power_was_cut() {
    for (power_cut, state) in [(false, DaemonState::Run), (true, DaemonState::Dead)] {
        let mut scene = Scene::new(3);
        scene.policy.ipmi = power_cut;
        scene.suspect(3, &[1, 2]);
        scene.pass(ms(1_600));
        let id = scene.fence(3).unwrap().id;
        scene.acquit(3, &[1, 2]);
        scene.keepalive(3);
        scene.settle();
        assert_eq!(scene.state(3), state, "power cut: {power_cut}");
        let past = scene.get(&key::past_fence(&id));
        assert_eq!(past.is_some(), !power_cut);
    }
}

#[test]
fn a_fence_goes_on_when_its_author_dies() {
    let mut scene = Scene::new(5);
    scene.suspect(5, &[1, 2, 3, 4]);
    scene.pass(ms(1_600));
    assert_eq!(scene.fence(5).unwrap().by, hv(1));
    scene.me = hv(2);
    scene.jobs.clear();
    scene.pass(Duration::from_secs(5));
    assert_eq!(scene.fence(5).unwrap().by, hv(1), "its author is heard");
    scene.suspect(1, &[2, 3, 4]);
    assert_eq!(scene.fence(5).unwrap().by, hv(2));
    scene.found(5, EvidenceKind::Ipmi, Verdict::Proved);
    assert_eq!(scene.state(5), DaemonState::Fenced);
}

#[test]
fn the_storage_fence_suffices_where_nothing_else_can_be_had() {
    for (storage, state) in
        [(StorageFence::Suffices, DaemonState::Fenced), (StorageFence::Required, DaemonState::Dead)]
    {
        let mut scene = Scene::new(3);
        scene.policy.storage = storage;
        scene.suspect(3, &[1, 2]);
        scene.pass(ms(1_600));
        scene.found(3, EvidenceKind::Storage, Verdict::Proved);
        assert_eq!(scene.state(3), state, "{storage:?}");
    }
}

/// The quorum was lost meanwhile, and this very node may have brought it back.
#[test]
fn a_node_whose_fence_was_found_may_first_tell_of_its_boot() {
    let mut scene = Scene::new(3);
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(1_600));
    let gathers =
        |scene: &Scene| scene.log.iter().filter(|line| line.contains("gather Ipmi")).count();
    assert_eq!(gathers(&scene), 1, "whose fence was seen to begin is switched off at once");
    scene.sight = Sight::default();
    scene.jobs.clear();
    scene.pass(Duration::from_secs(9));
    assert_eq!(gathers(&scene), 1);
    scene.pass(Duration::from_secs(2));
    assert_eq!(gathers(&scene), 2, "it had its time");
}
