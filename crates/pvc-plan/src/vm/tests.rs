//! Single decisions, as tables.

use std::time::{Duration, Instant};

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Claim, Origin, Vm};
use pvc_common::observed::RunState;
use pvc_common::state::{MigrationMethod, VmState};
use pvc_common::zk::{Seen, Version};

use super::*;

const TIMEOUT: Duration = Duration::from_secs(180);

fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(1) }
}

/// A VM of this state and node, held by `claim` (`""`, `hv1`, or `hv1 hv2`).
fn vm(state: VmState, on: &str, claim: &str) -> Vm {
    let claim = match claim.split_once(' ') {
        Some((holder, to)) => seen(Claim::moving(node(holder), node(to))),
        None if claim.is_empty() => Seen::Absent,
        None => seen(Claim::of(node(claim))),
    };
    Vm { state: seen(state), node: seen(Some(node(on))), claim, ..Vm::default() }
}

struct Case {
    vm: Vm,
    here: Here,
    memory: Memory,
    job: Option<Job>,
    migrating: bool,
    may_start: bool,
    target: Target,
    now: Instant,
}

impl Case {
    #[expect(clippy::disallowed_methods, reason = "a time that the cases count from")]
    fn new(vm: Vm, here: Here) -> Self {
        Self {
            vm,
            here,
            memory: Memory::default(),
            job: None,
            migrating: false,
            may_start: true,
            target: Target::Serves,
            now: Instant::now(),
        }
    }

    fn with<R>(&self, act: impl FnOnce(&Situation<'_>) -> R) -> R {
        let me = node("hv1");
        act(&Situation {
            me: &me,
            uuid: "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10".parse::<VmUuid>().unwrap(),
            vm: &self.vm,
            here: self.here,
            migrating: self.migrating,
            job: self.job.as_ref(),
            memory: &self.memory,
            may_start: self.may_start,
            own_state: &Seen::Absent,
            target: self.target,
            shutdown_timeout: TIMEOUT,
            now: self.now,
        })
    }

    fn plan(&self) -> Plan {
        self.with(plan)
    }

    /// Lets a job end that was begun for the present wish.
    fn end(&mut self, job: &Job, outcome: &Outcome) {
        let wish = self.with(|s| s.wish());
        self.memory.ended(job, outcome, wish, self.now);
    }

    fn does(&self, expected: &[&str]) {
        let steps: Vec<String> = self.plan().steps.iter().map(ToString::to_string).collect();
        assert_eq!(steps, expected, "{:?} {:?}", self.vm.state, self.here);
    }
}

const RUNNING: Here = Here::Present(RunState::Running);

#[track_caller]
fn check(state: VmState, on: &str, claim: &str, here: Here, expected: &[&str]) {
    Case::new(vm(state, on, claim), here).does(expected);
}

#[test]
fn a_vm_is_claimed_before_it_is_started() {
    check(VmState::Start, "hv1", "", Here::Absent, &["claim it", "start it"]);
}

#[test]
fn a_vm_whose_claim_is_held_here_is_started_again_after_a_proof() {
    check(VmState::Start, "hv1", "hv1", Here::Absent, &["confirm the claim", "start it"]);
}

#[test]
fn a_vm_claimed_elsewhere_is_not_started() {
    check(VmState::Start, "hv1", "hv2", Here::Absent, &[]);
    check(VmState::Start, "hv1", "hv2 hv1", Here::Absent, &[]);
    check(VmState::Migrate, "hv1", "hv2 hv1", RUNNING, &[]);
}

#[test]
fn a_vm_of_another_node_is_left_alone() {
    check(VmState::Start, "hv2", "", Here::Absent, &[]);
    check(VmState::Start, "hv2", "hv2", Here::Absent, &[]);
}

#[test]
fn a_second_qemu_is_ended_after_a_proof() {
    check(VmState::Start, "hv2", "hv2", RUNNING, &["confirm the claim", "end QEMU"]);
}

#[test]
fn nothing_is_concluded_from_a_silent_libvirt() {
    for claim in ["", "hv1", "hv2", "hv1 hv2"] {
        check(VmState::Start, "hv1", claim, Here::Unknown, &[]);
    }
}

#[test]
fn a_vm_found_running_without_a_claim_is_adopted() {
    check(VmState::Start, "hv1", "", RUNNING, &["claim it, for it runs here"]);
}

#[test]
fn stopping_ends_qemu_and_then_releases_the_claim() {
    check(VmState::Stop, "hv1", "hv1", RUNNING, &["confirm the claim", "end QEMU"]);
    check(VmState::Stop, "hv1", "hv1", Here::Absent, &["release the claim"]);
    check(VmState::Stop, "hv1", "", Here::Absent, &[]);
}

#[test]
fn a_vm_that_libvirt_left_in_mid_migration_can_be_stopped() {
    for run in [RunState::Incoming, RunState::Outgone] {
        for claim in ["hv1", "hv1 hv2"] {
            check(VmState::Start, "hv2", claim, Here::Present(run), &[]);
            let steps = ["confirm the claim", "end QEMU"];
            check(VmState::Stop, "hv2", claim, Here::Present(run), &steps);
        }
    }
}

#[test]
fn a_guest_is_asked_then_given_time_then_cut_off() {
    let mut case = Case::new(vm(VmState::Shutdown, "hv1", "hv1"), RUNNING);
    case.does(&["ask the guest to shut down"]);
    case.end(&Job::AskShutdown, &Outcome::Done);
    case.does(&[]);
    assert!(case.plan().wake_at.is_some());
    case.now += Duration::from_secs(16);
    case.does(&["ask the guest to shut down"]);
    case.now += TIMEOUT;
    case.does(&["confirm the claim", "end QEMU"]);
    case.here = Here::Absent;
    case.does(&["record that it is done"]);
}

#[test]
fn a_shutdown_is_aborted_by_another_state_and_a_later_one_gets_its_full_time() {
    let mut case = Case::new(vm(VmState::Shutdown, "hv1", "hv1"), RUNNING);
    case.end(&Job::AskShutdown, &Outcome::Done);
    case.now += TIMEOUT;
    case.vm.state = Seen::Value { value: VmState::Start, version: Version(2) };
    case.does(&[]);
    case.vm.state = Seen::Value { value: VmState::Shutdown, version: Version(3) };
    case.does(&["ask the guest to shut down"]);
}

#[test]
fn a_restart_shuts_down_and_starts_again_under_the_same_claim() {
    check(VmState::Restart, "hv1", "hv1", RUNNING, &["ask the guest to shut down"]);
    check(VmState::Restart, "hv1", "hv1", Here::Absent, &["record that it is done"]);
}

#[test]
fn a_refused_start_fails_with_libvirts_reason_and_frees_the_claim() {
    let mut case = Case::new(vm(VmState::Start, "hv1", "hv1"), Here::Absent);
    case.end(&Job::Start, &Outcome::Refused("no such machine type".into()));
    case.does(&["record that it failed: no such machine type"]);
    case.vm.state = Seen::Value { value: VmState::Start, version: Version(2) };
    case.does(&["confirm the claim", "start it"]);
}

#[test]
fn a_vm_that_keeps_crashing_is_restarted_ever_more_slowly() {
    let mut case = Case::new(vm(VmState::Start, "hv1", "hv1"), Here::Absent);
    let mut waits = vec![];
    for _ in 0..8 {
        case.end(&Job::Start, &Outcome::Done);
        case.memory.observe(RUNNING, case.vm.claim.expected(), case.now);
        case.memory.observe(Here::Absent, case.vm.claim.expected(), case.now);
        let wake_at = case.plan().wake_at.expect("backing off");
        waits.push((wake_at - case.now).as_secs());
        case.now = wake_at;
        case.does(&["confirm the claim", "start it"]);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn a_vm_that_people_stop_and_start_again_is_not_taken_for_one_that_crashes() {
    let mut case = Case::new(vm(VmState::Start, "hv1", "hv1"), Here::Absent);
    case.end(&Job::Start, &Outcome::Done);
    case.memory.observe(RUNNING, case.vm.claim.expected(), case.now);
    case.memory.observe(Here::Absent, case.vm.claim.expected(), case.now);
    case.vm.state = Seen::Value { value: VmState::Start, version: Version(3) };
    case.does(&["confirm the claim", "start it"]);
}

#[test]
fn a_target_whose_daemon_restarts_is_waited_for() {
    for here in [RUNNING, Here::Absent] {
        let mut case = Case::new(vm(VmState::Migrate, "hv2", "hv1"), here);
        case.target = Target::Starting;
        case.does(&[]);
        case.target = Target::Away;
        case.does(&["give up its migration: node hv2 is not serving"]);
    }
}

#[test]
fn no_vm_is_started_by_a_node_that_may_not() {
    let mut case = Case::new(vm(VmState::Start, "hv1", ""), Here::Absent);
    case.may_start = false;
    case.does(&[]);
}

#[test]
fn the_claim_names_the_target_before_a_live_migration_begins() {
    let steps = ["announce its departure to hv2", "migrate it to hv2"];
    for state in [VmState::Migrate, VmState::MigrateLive, VmState::Unmigrate, VmState::Start] {
        check(state, "hv2", "hv1", RUNNING, &steps);
    }
}

#[test]
fn the_claim_goes_to_the_target_once_qemu_is_gone_here() {
    check(VmState::Migrate, "hv2", "hv1 hv2", Here::Absent, &["hand it over to hv2"]);
    // Whatever was wished meanwhile: the VM may be running there.
    check(VmState::Start, "hv1", "hv1 hv2", Here::Absent, &["hand it over to hv2"]);
    check(VmState::Stop, "hv1", "hv1 hv2", Here::Absent, &["hand it over to hv2"]);
}

#[test]
fn the_target_records_the_arrival() {
    check(VmState::Migrate, "hv1", "hv1", RUNNING, &["record that it is done"]);
}

#[test]
fn a_migration_that_is_no_longer_wished_is_aborted_at_once() {
    let mut case = Case::new(vm(VmState::Start, "hv1", "hv1 hv2"), RUNNING);
    case.job = Some(Job::Migrate { to: node("hv2") });
    case.does(&["abort its migration"]);
    case.vm = vm(VmState::Migrate, "hv2", "hv1 hv2");
    case.does(&[]);
}

#[test]
fn a_migration_begun_by_a_dead_daemon_is_waited_for_or_ended() {
    let mut case = Case::new(vm(VmState::Migrate, "hv2", "hv1 hv2"), RUNNING);
    case.migrating = true;
    case.does(&[]);
    assert!(case.plan().wake_at.is_some());
    case.vm = vm(VmState::Start, "hv1", "hv1 hv2");
    case.does(&["abort its migration"]);
    case.migrating = false;
    case.does(&["record that it stays"]);
}

fn failed_twice(state: VmState, method: Option<MigrationMethod>) -> Case {
    let mut case = Case::new(vm(state, "hv2", "hv1"), RUNNING);
    case.vm.migration_method = seen(method);
    for _ in 0..2 {
        case.does(&["announce its departure to hv2", "migrate it to hv2"]);
        case.end(&Job::Migrate { to: node("hv2") }, &Outcome::Refused("no route".into()));
    }
    case
}

#[test]
fn a_live_migration_that_fails_falls_back_to_a_shutdown() {
    let mut case = failed_twice(VmState::Migrate, None);
    case.does(&["ask the guest to shut down"]);
    case.here = Here::Absent;
    case.does(&["hand it over to hv2"]);
}

#[test]
fn a_vm_that_may_only_move_live_stays_when_that_fails() {
    let gives_up = ["give up its migration: live migration to hv2 failed: no route"];
    failed_twice(VmState::MigrateLive, None).does(&gives_up);
    failed_twice(VmState::Migrate, Some(MigrationMethod::Live)).does(&gives_up);
}

#[test]
fn a_vm_that_moves_by_shutdown_is_never_sent_live_unless_forced() {
    let mut case = Case::new(vm(VmState::Migrate, "hv2", "hv1"), RUNNING);
    case.vm.migration_method = seen(Some(MigrationMethod::Shutdown));
    case.does(&["ask the guest to shut down"]);
    case.vm.state = seen(VmState::MigrateLive);
    case.does(&["announce its departure to hv2", "migrate it to hv2"]);
}

#[test]
fn a_vm_that_has_hardware_of_its_node_never_moves_live() {
    use pvc_common::model::{Attachment, VmFunction};
    let mut case = Case::new(vm(VmState::Migrate, "hv2", "hv1"), RUNNING);
    let name = Some("ens1f0v0".parse().unwrap());
    case.vm.functions = vec![VmFunction { attachment: Attachment::Hostdev, name, pci: None }];
    case.vm.migration_method = seen(Some(MigrationMethod::Live));
    case.does(&["ask the guest to shut down"]);
    case.vm.state = seen(VmState::MigrateLive);
    let why =
        "give up its migration: hardware of this node is handed to it, which cannot move with it";
    case.does(&[why]);
}

#[test]
fn giving_up_restores_the_home_it_had() {
    for (last, origin, expected) in [
        (Some("hv1"), Some(Origin { node: node("hv1"), last_node: None }), ""),
        (None, Some(Origin { node: node("hv1"), last_node: Some(node("hv2")) }), "hv2"),
        (Some("hv3"), None, "hv3"),
        (Some("hv1"), None, ""),
    ] {
        let mut case = Case::new(vm(VmState::Migrate, "hv2", "hv1"), RUNNING);
        case.target = Target::Away;
        case.vm.last_node = seen(last.map(node));
        case.vm.migrate_origin = seen(origin);
        let plan = case.plan();
        let [Step::Write { ops, .. }] = &plan.steps[..] else { panic!("{plan:?}") };
        let home = ops.iter().find(|op| op.path().ends_with("/lastnode")).unwrap();
        let pvc_common::zk::Op::Set { data, .. } = home else { panic!("{home:?}") };
        assert_eq!(data, expected.as_bytes());
    }
}

#[test]
fn every_situation_has_a_plan_that_never_starts_without_a_proof() {
    use pvc_common::state::Word;
    let claims = ["", "hv1", "hv2", "hv1 hv2", "hv2 hv1", "hv2 hv3"];
    let heres = [
        Here::Unknown,
        Here::Absent,
        RUNNING,
        Here::Present(RunState::Paused),
        Here::Present(RunState::Incoming),
        Here::Present(RunState::Outgone),
        Here::Present(RunState::Crashed),
    ];
    let jobs = [None, Some(Job::Start), Some(Job::Destroy), Some(Job::Migrate { to: node("hv2") })];
    for state in VmState::ALL {
        for on in ["hv1", "hv2"] {
            for claim in claims {
                for here in heres {
                    for job in &jobs {
                        let mut case = Case::new(vm(*state, on, claim), here);
                        case.job.clone_from(job);
                        let plan = case.plan();
                        if let Some(at) = plan.steps.iter().position(|s| *s == Step::Start) {
                            assert!(matches!(plan.steps[at - 1], Step::Write { .. }), "{plan:?}");
                            assert!(!claim.starts_with("hv2"), "{plan:?}");
                        }
                    }
                }
            }
        }
    }
}
