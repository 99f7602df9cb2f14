//! Who is declared dead, and who is not.

use super::*;

#[test]
fn a_node_that_most_suspect_for_long_enough_is_condemned() {
    let mut scene = Scene::new(3);
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(1_400));
    assert_eq!(scene.state(3), DaemonState::Run);
    scene.pass(ms(200));
    assert_eq!(scene.state(3), DaemonState::Dead);
    let fence = scene.fence(3).unwrap();
    assert_eq!((fence.by, fence.why.as_str()), (hv(1), "suspected by hv1, hv2"));
    assert_eq!(fence.condemned_ms - fence.suspected_ms, 1_500);
}

#[test]
fn one_ill_observer_condemns_nobody() {
    let mut scene = Scene::new(5);
    scene.suspect(3, &[1, 2]);
    scene.pass(Duration::from_secs(60));
    assert_eq!(scene.state(3), DaemonState::Run, "two of four are not more than half");
}

/// They hear it, and have no session yet to say so.
#[test]
fn those_that_come_up_have_a_voice() {
    let mut scene = Scene::new(4);
    for number in [2, 4] {
        scene.put(&key::node_daemon_state(&hv(number)), &DaemonState::Init);
    }
    scene.suspect(3, &[1]);
    scene.pass(Duration::from_secs(60));
    assert_eq!(scene.state(3), DaemonState::Run, "one of three is not more than half");
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(1_600));
    assert_eq!(scene.state(3), DaemonState::Dead);
}

#[test]
fn a_keepalive_in_between_is_a_sign_of_life() {
    let mut scene = Scene::new(3);
    scene.suspect(3, &[1, 2]);
    for _ in 0..20 {
        scene.pass(ms(500));
        scene.keepalive(3);
    }
    assert_eq!(scene.state(3), DaemonState::Run);
}

#[test]
fn a_node_that_is_heard_in_the_very_moment_of_its_condemnation_is_spared() {
    let mut scene = Scene::new(3);
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(1_400));
    scene.now += ms(200);
    let plan = scene.plan();
    let [Step::Write { ops, .. }] = &plan.steps[..] else { panic!("{plan:?}") };
    let untouched = scene.tree.clone();
    scene.acquit(3, &[2]);
    assert!(!scene.commit(ops), "an accuser took its word back");
    scene.tree = untouched;
    scene.keepalive(3);
    assert!(!scene.commit(ops), "it wrote a keepalive");
}

#[test]
fn nobody_is_fenced_when_half_of_the_cluster_looks_dead() {
    let mut scene = Scene::new(4);
    scene.suspect(3, &[1, 2]);
    scene.suspect(4, &[1, 2]);
    scene.pass(Duration::from_secs(30));
    assert_eq!((scene.state(3), scene.state(4)), (DaemonState::Run, DaemonState::Run));
    let notes = scene.plan().notes;
    assert_eq!(notes, [Note::TooManySilent { silent: 2, of: 4 }]);
}

/// What most agree on of one is known a little before what they agree on of the other.
#[test]
fn of_a_half_that_falls_silent_together_the_first_is_not_condemned_either() {
    let mut scene = Scene::new(4);
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(400));
    scene.suspect(4, &[1, 2]);
    scene.pass(Duration::from_secs(30));
    assert_eq!((scene.state(3), scene.state(4)), (DaemonState::Run, DaemonState::Run));
}

/// Its datagrams are swallowed, and it says so in the tree again and again.
#[test]
fn who_rebuts_its_observers_does_not_count_as_silent() {
    let mut scene = Scene::new(3);
    scene.suspect(3, &[1, 2]);
    for _ in 0..20 {
        scene.pass(ms(500));
        scene.keepalive(3);
    }
    scene.suspect(2, &[1, 3]);
    for _ in 0..6 {
        scene.keepalive(3);
        scene.pass(ms(500));
    }
    assert_eq!((scene.state(2), scene.state(3)), (DaemonState::Dead, DaemonState::Run));
}

#[test]
fn two_of_five_are_fenced_at_once_although_they_accuse_the_living() {
    let mut scene = Scene::new(5);
    scene.suspect(1, &[4, 5]);
    scene.suspect(2, &[4, 5]);
    scene.suspect(4, &[1, 2, 3]);
    scene.suspect(5, &[1, 2, 3]);
    scene.pass(ms(1_600));
    assert_eq!((scene.state(4), scene.state(5)), (DaemonState::Dead, DaemonState::Dead));
    assert_eq!((scene.state(1), scene.state(2)), (DaemonState::Run, DaemonState::Run));
}

#[test]
fn maintenance_and_a_switch_spare_everybody() {
    let mut scene = Scene::new(3);
    scene.put(&key::maintenance(), &"true".to_owned());
    scene.suspect(3, &[1, 2]);
    scene.pass(Duration::from_secs(60));
    assert_eq!(scene.state(3), DaemonState::Run);
    assert_eq!(scene.plan().notes, [Note::Maintenance { node: hv(3) }]);
    scene.put(&key::maintenance(), &"false".to_owned());
    scene.policy.enabled = false;
    scene.pass(Duration::from_secs(60));
    assert_eq!(scene.state(3), DaemonState::Run);
}

#[test]
fn so_many_fences_are_a_storm() {
    let mut scene = Scene::new(9);
    scene.policy.storm_cap = Some(2);
    for node in 2..=4 {
        scene.suspect(node, &[1, 5, 6, 7, 8, 9]);
    }
    scene.pass(Duration::from_secs(5));
    let dead = (2..=4).filter(|node| scene.state(*node) == DaemonState::Dead).count();
    assert_eq!(dead, 2);
    scene.pass(scene.policy.storm_window);
    assert_eq!(scene.state(4), DaemonState::Dead, "its turn came");
}

#[test]
fn a_node_that_stopped_in_order_is_left_alone_unless_a_person_orders_it() {
    let mut scene = Scene::new(3);
    scene.put(&key::node_daemon_state(&hv(3)), &DaemonState::Stop);
    scene.suspect(3, &[1, 2]);
    scene.pass(Duration::from_secs(60));
    assert_eq!(scene.state(3), DaemonState::Stop);
    scene.put(&key::node_fence_order(&hv(3)), &pvc_common::model::FenceOrder::ConfirmDead);
    scene.settle();
    assert_eq!(scene.state(3), DaemonState::Fenced);
}

#[test]
fn without_the_mesh_the_keepalive_decides() {
    let mut scene = Scene::new(3);
    scene.policy.mesh = false;
    for _ in 0..40 {
        scene.pass(Duration::from_secs(1));
        scene.keepalive(2);
        scene.keepalive(1);
    }
    assert_eq!(scene.state(3), DaemonState::Dead);
    assert_eq!(scene.state(2), DaemonState::Run);
}

#[test]
fn who_was_cut_off_waits_anew_before_it_condemns() {
    let mut scene = Scene::new(3);
    scene.policy.mesh = false;
    scene.pass(Duration::from_secs(29));
    let view = scene.view();
    scene.sight.look(&hv(1), &scene.hears, &view, false, scene.now);
    scene.pass(Duration::from_secs(2));
    assert_eq!(scene.state(3), DaemonState::Run, "nobody could be seen to write meanwhile");
}

#[test]
fn the_next_coordinator_acts_when_the_first_does_not() {
    let mut scene = Scene::new(5);
    scene.me = hv(2);
    scene.suspect(3, &[1, 2, 4, 5]);
    scene.pass(ms(2_400));
    assert_eq!(scene.state(3), DaemonState::Run, "hv1 is the primary and goes first");
    scene.pass(ms(200));
    assert_eq!(scene.fence(3).unwrap().by, hv(2));
}

#[test]
fn who_is_not_heard_itself_condemns_nobody() {
    let mut scene = Scene::new(5);
    scene.suspect(1, &[2, 3, 4]);
    scene.suspect(5, &[1, 2, 3, 4]);
    scene.pass(Duration::from_secs(30));
    assert_eq!(scene.state(5), DaemonState::Run);
}

/// ZooKeeper had lost its quorum, so that what dead nodes had said is still there: hv2 returns
/// and hears hv5, hv1 is not back yet, and hv3 has no power.
#[test]
fn suspicions_that_may_have_outlived_their_observers_condemn_nobody() {
    let mut scene = Scene::new(5);
    scene.me = hv(2);
    scene.put(&key::node_daemon_state(&hv(1)), &DaemonState::Fenced);
    scene.suspect(5, &[3, 4]);
    scene.suspect(3, &[2]);
    scene.pass(Duration::from_secs(30));
    assert_eq!(scene.state(5), DaemonState::Run);
    scene.keepalive(3);
    scene.pass(Duration::from_secs(30));
    assert_eq!(scene.state(5), DaemonState::Dead, "hv3 lives, and hv2 merely cannot hear it");
}

/// hv3 stood still for a moment. hv1 hears it again, but the server of ZooKeeper that is to take
/// hv1's withdrawal stands still now, and so does hv2 with what it says.
#[test]
fn whom_a_coordinator_hears_again_it_does_not_condemn_by_its_own_word() {
    let mut scene = Scene::new(3);
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(1_400));
    scene.hears.insert(hv(3));
    scene.pass(Duration::from_secs(30));
    assert_eq!(scene.state(3), DaemonState::Run);
    scene.hears.clear();
    scene.pass(ms(1_400));
    assert_eq!(scene.state(3), DaemonState::Run, "it counts anew");
    scene.pass(ms(200));
    assert_eq!(scene.state(3), DaemonState::Dead);
}

#[test]
fn whom_a_coordinator_hears_the_others_can_still_condemn() {
    let mut scene = Scene::new(5);
    scene.suspect(5, &[1, 2, 3, 4]);
    scene.hears.insert(hv(5));
    scene.pass(ms(1_600));
    assert_eq!(scene.fence(5).unwrap().why, "suspected by hv2, hv3, hv4");
}
