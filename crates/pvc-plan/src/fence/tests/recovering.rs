//! What becomes of a dead node's VMs.

use pvc_common::model::Claim;

use crate::place::Ledger;

use super::*;

/// `hv3` is proved dead by its BMC, with what `prepare` put there before.
fn fenced(prepare: impl FnOnce(&mut Scene)) -> Scene {
    let mut scene = Scene::new(3);
    prepare(&mut scene);
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(1_600));
    scene.found(3, EvidenceKind::Ipmi, Verdict::Proved);
    scene
}

fn domain_state(scene: &Scene) -> DomainState {
    scene.get(&key::node_domain_state(&hv(3))).unwrap()
}

#[test]
fn vms_get_other_nodes_and_remember_their_home() {
    let mut scene = fenced(|scene| {
        for number in 1..=40 {
            scene.add_vm(number, &hv(3), 1_000, "");
        }
    });
    assert!(scene.fence(3).is_none(), "{:#?}", scene.log);
    assert_eq!(domain_state(&scene), DomainState::Flushed);
    let on = |scene: &Scene, node: &str| {
        (1..=40).filter(|vm| scene.claim(*vm).as_deref() == Some(node)).count()
    };
    assert_eq!((on(&scene, "hv1"), on(&scene, "hv2")), (20, 20), "what was placed counts");
    assert_eq!(scene.get(&key::vm_last_node(uuid(1))), Some(Some(hv(3))));
    let view = scene.view();
    let past = view.fences.values().next().unwrap().fence.get().unwrap();
    assert_eq!((past.phase, past.moved.len()), (FencePhase::Finished, 40));
    assert!(scene.log.contains(&"hv3: power on".to_owned()));
    scene.pass(Duration::from_secs(1));
}

/// By memory hv1 is best for each of them, and for one of them only.
#[test]
fn what_one_dead_node_had_placed_counts_for_the_next() {
    let mut scene = Scene::new(5);
    scene.add_vm(4, &hv(4), 35_000, "");
    scene.add_vm(5, &hv(5), 35_000, "");
    scene.suspect(4, &[1, 2, 3]);
    scene.suspect(5, &[1, 2, 3]);
    scene.pass(ms(1_600));
    scene.learn(4, EvidenceKind::Ipmi, Verdict::Proved);
    scene.learn(5, EvidenceKind::Ipmi, Verdict::Proved);
    scene.settle();
    let claims = (scene.claim(4), scene.claim(5));
    assert_eq!(claims, (Some("hv1".to_owned()), Some("hv2".to_owned())));
}

/// Does everything until the VMs of so many nodes would be settled at once; the transactions for that.
fn settling(scene: &mut Scene, nodes: usize) -> Vec<Vec<Op>> {
    loop {
        let (mut settling, mut others) = (vec![], vec![]);
        for step in scene.plan().steps {
            match step {
                Step::Write { goal: Goal::Settle { .. }, ops, .. } => settling.push(ops),
                Step::Write { ops, .. } => others.push(ops),
                Step::Gather { .. } | Step::MarkDown { .. } | Step::PowerOn { .. } => {}
            }
        }
        if settling.len() == nodes {
            return settling;
        }
        assert!(others.iter().all(|ops| scene.commit(ops)));
    }
}

/// By memory hv1 is best for both.
#[test]
fn a_vm_that_is_refused_again_and_again_keeps_no_other_nodes_vms_waiting() {
    let mut scene = Scene::new(5);
    for other in [2, 3] {
        scene.put(&key::node_mem_free(&hv(other)), &Mib(10_000));
    }
    for number in [4, 5] {
        scene.add_vm(number, &hv(number), 1_000, "");
        scene.suspect(number, &[1, 2, 3]);
    }
    scene.pass(ms(1_600));
    (0..3).for_each(|_| scene.sight.settled(&hv(4), false));
    for number in [4, 5] {
        scene.learn(number, EvidenceKind::Ipmi, Verdict::Proved);
    }
    let settling = settling(&mut scene, 2);
    // That of hv4 is refused once more.
    assert!(scene.commit(&settling[1]), "{:#?}", settling[1]);
    assert_eq!(scene.claim(5), Some("hv1".to_owned()));
}

/// By memory hv1 is best for both, and has room for one.
#[test]
fn what_another_placed_meanwhile_is_not_overlooked() {
    let mut scene = Scene::new(3);
    scene.add_vm(3, &hv(3), 35_000, "");
    scene.put(&key::node_mem_free(&hv(2)), &Mib(50_000));
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(1_600));
    scene.learn(3, EvidenceKind::Ipmi, Verdict::Proved);
    let settling = settling(&mut scene, 1).remove(0);
    // A flush, or a person, places a VM on hv1 before that is committed.
    let view = scene.view();
    let other = Ledger::open(&view).reserve(&hv(1));
    scene.add_vm(9, &hv(1), 35_000, "");
    assert!(scene.commit(other.as_slice()));
    assert!(!scene.commit(&settling), "it was decided on room that is taken");
    scene.settle();
    assert_eq!(scene.claim(3), Some("hv2".to_owned()));
}

#[test]
fn a_vm_without_a_node_waits_with_autostart_and_starts_when_there_is_one() {
    let mut scene = fenced(|scene| scene.add_vm(1, &hv(3), 61_000, ""));
    assert_eq!(scene.get(&key::vm_state(uuid(1))), Some(VmState::Stop));
    assert_eq!(scene.get(&key::vm_autostart(uuid(1))), Some(true));
    assert_eq!((scene.claim(1), scene.fence(3)), (None, None));
    scene.put(&key::node_mem_free(&hv(2)), &Mib(62_000));
    scene.settle();
    assert_eq!(scene.get(&key::vm_state(uuid(1))), Some(VmState::Start));
    assert_eq!(scene.get(&key::vm_node(uuid(1))), Some(Some(hv(2))));
    assert_eq!(scene.get(&key::vm_last_node(uuid(1))), Some(Some(hv(3))));
    assert_eq!(scene.get(&key::vm_displaced(uuid(1))), Some(None));
}

#[test]
fn a_vm_that_should_not_run_is_let_go() {
    let scene = fenced(|scene| {
        scene.add_vm(1, &hv(3), 1_000, "");
        scene.put(&key::vm_state(uuid(1)), &VmState::Shutdown);
        scene.add_vm(2, &hv(3), 1_000, "");
        scene.put(&key::vm_state(uuid(2)), &VmState::Delete);
    });
    assert_eq!((scene.claim(1), scene.claim(2)), (None, None));
    assert_eq!(scene.get(&key::vm_state(uuid(1))), Some(VmState::Stop));
    assert_eq!(scene.get(&key::vm_state(uuid(2))), Some(VmState::Delete));
}

#[test]
fn a_vm_on_its_way_to_a_living_node_goes_there() {
    let scene = fenced(|scene| {
        scene.add_vm(1, &hv(3), 1_000, "");
        scene.put(&key::vm_state(uuid(1)), &VmState::Migrate);
        scene.put(&key::vm_node(uuid(1)), &Some(hv(2)));
        let claim = Claim::moving(hv(3), hv(2));
        scene.put(&key::vm_claim(uuid(1)), &claim);
    });
    assert_eq!(scene.claim(1).as_deref(), Some("hv2 ?"));
    assert_eq!(scene.get(&key::vm_state(uuid(1))), Some(VmState::Start));
}

/// Libvirt takes a VM in without the daemon of its node, which may not have told of its boot yet.
#[test]
fn a_vm_that_came_to_a_node_before_it_told_of_its_boot_stays_there() {
    let mut scene = Scene::new(4);
    scene.add_vm(1, &hv(3), 1_000, "");
    scene.put(&key::vm_claim(uuid(1)), &Claim::arriving(hv(3)));
    scene.add_vm(2, &hv(3), 1_000, "");
    scene.suspect(3, &[1, 2, 4]);
    scene.pass(ms(1_600));
    assert!(scene.fence(3).is_some());
    scene.boots_again(3);
    scene.found(3, EvidenceKind::Ipmi, Verdict::Failed);
    assert_eq!(scene.claim(1).as_deref(), Some("hv3 ?"), "its QEMU may run in the new boot");
    assert!(matches!(scene.claim(2).as_deref(), Some("hv1" | "hv2" | "hv4")));
    assert!(scene.fence(3).is_none());
}

#[test]
fn a_vm_that_came_to_a_node_unseen_is_not_freed_by_the_lease_of_a_former_boot() {
    let mut scene = Scene::new(4);
    scene.promise(3, LeaseKind::Device, 3_600, &[1, 2, 4]);
    scene.add_vm(1, &hv(3), 1_000, "");
    scene.put(&key::vm_claim(uuid(1)), &Claim::arriving(hv(3)));
    scene.add_vm(2, &hv(3), 1_000, "");
    scene.suspect(3, &[1, 2, 4]);
    scene.pass(ms(30_000));
    assert!(matches!(scene.claim(2).as_deref(), Some("hv1" | "hv2" | "hv4")));
    assert_eq!(scene.claim(1).as_deref(), Some("hv3 ?"));
    scene.found(3, EvidenceKind::Ipmi, Verdict::Proved);
    assert!(matches!(scene.claim(1).as_deref(), Some("hv1" | "hv2" | "hv4")));
    assert!(scene.fence(3).is_none());
}

/// Each would wait for the other if the source's fence waited for better proof of the target.
#[test]
fn a_vm_that_a_dead_node_was_sending_stays_with_a_target_that_lives_after_all() {
    let mut scene = Scene::new(5);
    scene.policy.storage = StorageFence::Suffices;
    scene.add_vm(1, &hv(4), 1_000, "");
    scene.put(&key::vm_state(uuid(1)), &VmState::Migrate);
    scene.put(&key::vm_node(uuid(1)), &Some(hv(5)));
    scene.put(&key::vm_claim(uuid(1)), &Claim::moving(hv(4), hv(5)));
    scene.suspect(5, &[1, 2, 3]);
    scene.pass(ms(1_600));
    scene.found(5, EvidenceKind::Ipmi, Verdict::Failed);
    scene.found(5, EvidenceKind::Storage, Verdict::Proved);
    scene.suspect(4, &[1, 2, 3]);
    scene.pass(ms(1_600));
    scene.learn(4, EvidenceKind::Storage, Verdict::Failed);
    scene.found(4, EvidenceKind::Ipmi, Verdict::Proved);
    assert_eq!(scene.claim(1).as_deref(), Some("hv5 ?"), "its disk is local");
    assert!(scene.fence(4).is_none() && scene.fence(5).is_some());
    scene.acquit(5, &[1, 2, 3]);
    scene.keepalive(5);
    scene.pass(ms(100));
    assert_eq!((scene.claim(1).as_deref(), scene.fence(5)), (Some("hv5 ?"), None));
}

#[test]
fn a_vm_that_a_dead_node_was_sending_goes_to_a_target_that_has_booted_again() {
    let mut scene = Scene::new(5);
    scene.add_vm(1, &hv(4), 1_000, "");
    scene.put(&key::vm_state(uuid(1)), &VmState::Migrate);
    scene.put(&key::vm_node(uuid(1)), &Some(hv(5)));
    scene.put(&key::vm_claim(uuid(1)), &Claim::moving(hv(4), hv(5)));
    scene.suspect(4, &[1, 2, 3]);
    scene.suspect(5, &[1, 2, 3]);
    scene.pass(ms(1_600));
    scene.boots_again(5);
    scene.found(5, EvidenceKind::Ipmi, Verdict::Failed);
    assert_eq!(scene.claim(1).as_deref(), Some("hv4 hv5"), "hv4 may be running it");
    scene.found(4, EvidenceKind::Ipmi, Verdict::Proved);
    assert_eq!(scene.claim(1).as_deref(), Some("hv5 ?"), "hv5 may be running it");
    assert_eq!((scene.fence(4), scene.fence(5)), (None, None));
}

#[test]
fn a_fence_waits_for_the_source_of_a_vm_that_was_coming() {
    let mut scene = fenced(|scene| {
        scene.add_vm(1, &hv(2), 1_000, "");
        scene.put(&key::vm_state(uuid(1)), &VmState::Migrate);
        scene.put(&key::vm_node(uuid(1)), &Some(hv(3)));
        let claim = Claim::moving(hv(2), hv(3));
        scene.put(&key::vm_claim(uuid(1)), &claim);
    });
    assert!(scene.fence(3).is_some(), "hv2 may yet find that it is gone");
    scene.put(&key::vm_claim(uuid(1)), &Claim::of(hv(3)));
    scene.settle();
    assert!(matches!(scene.claim(1).as_deref(), Some("hv1" | "hv2")));
    assert!(scene.fence(3).is_none());
}

#[test]
fn a_vm_that_moved_between_two_dead_nodes_waits_for_both_proofs() {
    let mut scene = Scene::new(5);
    scene.add_vm(1, &hv(4), 1_000, "");
    scene.put(&key::vm_state(uuid(1)), &VmState::Migrate);
    scene.put(&key::vm_node(uuid(1)), &Some(hv(5)));
    scene.put(&key::vm_claim(uuid(1)), &Claim::moving(hv(4), hv(5)));
    scene.suspect(4, &[1, 2, 3]);
    scene.suspect(5, &[1, 2, 3]);
    scene.pass(ms(1_600));
    scene.found(4, EvidenceKind::Ipmi, Verdict::Proved);
    assert_eq!(scene.claim(1).as_deref(), Some("hv5 ?"));
    scene.found(5, EvidenceKind::Ipmi, Verdict::Proved);
    assert!(matches!(scene.claim(1).as_deref(), Some("hv1" | "hv2" | "hv3")));
    assert_eq!((scene.fence(4), scene.fence(5)), (None, None));
}

#[test]
fn a_vm_on_rbd_waits_for_the_blocklist_whatever_else_is_proved() {
    let mut scene = fenced(|scene| {
        scene.policy.storage = StorageFence::Suffices;
        scene.add_vm(1, &hv(3), 1_000, RBD);
        scene.add_vm(2, &hv(3), 1_000, "");
    });
    assert_eq!(scene.claim(1).as_deref(), Some("hv3"), "a BMC can lie");
    assert_ne!(scene.claim(2).as_deref(), Some("hv3"));
    assert!(scene.plan().notes.contains(&Note::Uncovered { node: hv(3), vms: 1 }));
    scene.found(3, EvidenceKind::Storage, Verdict::Proved);
    assert_ne!(scene.claim(1).as_deref(), Some("hv3"));
    assert!(scene.fence(3).is_none());
}

#[test]
fn the_blocklist_alone_covers_only_what_is_on_rbd() {
    let mut scene = Scene::new(3);
    scene.policy.storage = StorageFence::Suffices;
    scene.add_vm(1, &hv(3), 1_000, RBD);
    scene.add_vm(2, &hv(3), 1_000, "");
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(1_600));
    scene.found(3, EvidenceKind::Storage, Verdict::Proved);
    assert_ne!(scene.claim(1).as_deref(), Some("hv3"));
    assert_eq!(scene.claim(2).as_deref(), Some("hv3"), "it may still run there");
    scene.found(3, EvidenceKind::Ipmi, Verdict::Proved);
    assert_ne!(scene.claim(2).as_deref(), Some("hv3"));
}

#[test]
fn where_vms_shall_not_be_moved_they_stay() {
    let scene = fenced(|scene| {
        scene.policy.successful = AfterFence::Nothing;
        scene.add_vm(1, &hv(3), 1_000, "");
    });
    assert_eq!(scene.claim(1).as_deref(), Some("hv3"));
    assert_eq!((scene.state(3), scene.fence(3)), (DaemonState::Fenced, None));
    assert_eq!(domain_state(&scene), DomainState::Ready);
}

#[test]
fn a_vm_that_is_away_from_home_goes_home() {
    let scene = fenced(|scene| {
        scene.add_vm(1, &hv(3), 1_000, "");
        scene.put(&key::vm_last_node(uuid(1)), &Some(hv(2)));
        scene.put(&key::node_mem_free(&hv(1)), &Mib(63_000));
    });
    assert_eq!(scene.claim(1).as_deref(), Some("hv2"));
    assert_eq!(scene.get(&key::vm_last_node(uuid(1))), Some(None));
}

#[test]
fn a_crash_between_any_two_steps_changes_nothing_in_the_end() {
    for crash in 0..12 {
        let mut scene = Scene::new(5);
        for number in 1..=20 {
            scene.add_vm(number, &hv(5), 1_000, "");
        }
        scene.suspect(5, &[1, 2, 3, 4]);
        scene.pass(ms(1_600));
        let mut steps = 0;
        let mut author = 1;
        for _ in 0..60 {
            let id = scene.fence(5).map(|fence| fence.id);
            if let Some(fence) = id {
                let (at, at_ms, verdict) = (scene.now, scene.wall_ms, Verdict::Proved);
                let found = Found { fence, verdict, detail: String::new(), at, at_ms };
                scene.jobs.insert((hv(5), EvidenceKind::Ipmi), Job::Found(found));
            }
            let plan = scene.plan();
            for step in plan.steps {
                if steps == crash && author == 1 {
                    author = 2;
                    scene.me = hv(2);
                    scene.sight = Sight::default();
                    scene.jobs.clear();
                    scene.suspect(1, &[2, 3, 4]);
                    break;
                }
                steps += 1;
                if let Step::Write { ops, .. } = step {
                    scene.commit(&ops);
                }
            }
            scene.now += ms(100);
        }
        assert!(scene.fence(5).is_none(), "crash after {crash} steps");
        for vm in 1..=20 {
            let claim = scene.claim(vm).unwrap();
            assert!(claim != "hv5", "crash after {crash} steps: vm{vm} is claimed by {claim}");
        }
    }
}

#[test]
fn osds_are_called_down_by_the_storages_proof_and_dead_once_their_machine_is_proved_so() {
    let mut scene = Scene::new(3);
    scene.policy.storage = StorageFence::Suffices;
    // Its disk is not on RBD: it waits for better proof.
    scene.add_vm(1, &hv(3), 1_000, "");
    scene.suspect(3, &[1, 2]);
    scene.pass(ms(1_600));
    let told = |scene: &mut Scene| {
        scene.pass(Duration::from_secs(1));
        let about = |line: &&String| line.contains("OSDs");
        let told: Vec<String> = scene.log.iter().filter(about).cloned().collect();
        scene.log.clear();
        told
    };
    assert_eq!(told(&mut scene), [""; 0]);
    scene.found(3, EvidenceKind::Storage, Verdict::Proved);
    assert_eq!(told(&mut scene), ["hv3: its OSDs are Down"]);
    scene.found(3, EvidenceKind::Ipmi, Verdict::Proved);
    assert_eq!(told(&mut scene), ["hv3: its OSDs are Dead"]);
    assert_eq!(told(&mut scene), [""; 0], "once");
}
