//! IPMI with OpenIPMI's simulator keeps the contract.

use std::net::UdpSocket;
use std::path::Path;
use std::time::{Duration, Instant};

use pvc_ipmi::{Bmc, Ipmi, Power, PowerState};

use crate::cases;
use crate::simulator::{BadLine, Simulator, bmc_at, free_port};
use crate::site::{LIMIT, Site};

/// The simulator starts in some 100 ms; a machine that builds meanwhile takes longer.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

struct Room {
    port: Ipmi,
    simulator: Simulator,
    /// Takes everything and answers nothing.
    silent: UdpSocket,
}

impl Room {
    async fn new() -> Self {
        let room = Self {
            port: Ipmi::new(LIMIT),
            simulator: Simulator::start(),
            silent: UdpSocket::bind("127.0.0.1:0").unwrap(),
        };
        let began = Instant::now();
        while let Err(error) = room.port.status(&room.bmc()).await {
            assert!(began.elapsed() < STARTS_WITHIN, "the simulator does not answer: {error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        room
    }
}

impl Site for Room {
    type Port = Ipmi;

    fn port(&self) -> &Ipmi {
        &self.port
    }

    fn bmc(&self) -> Bmc {
        self.simulator.bmc("admin")
    }

    fn is_on(&self) -> bool {
        self.simulator.is_on()
    }

    fn hang(&self, hung: bool) {
        self.simulator.freeze(hung);
    }

    fn silent(&self) -> Bmc {
        bmc_at(self.silent.local_addr().unwrap().port(), "admin")
    }

    fn closed(&self) -> Bmc {
        bmc_at(free_port(), "admin")
    }
}

/// Whether the real thing is to be left out; fails if it is wanted but cannot be.
fn left_out() -> bool {
    if std::env::var_os("PVC_TEST_NO_SERVICES").is_some_and(|value| value == "1") {
        return true;
    }
    for (program, package) in [("/usr/bin/ipmi_sim", "openipmi"), ("/usr/bin/ipmitool", "ipmitool")]
    {
        assert!(
            Path::new(program).exists(),
            "{program} is missing: apt-get install {package}, or set PVC_TEST_NO_SERVICES=1"
        );
    }
    false
}

macro_rules! kept_by_ipmi {
    ($($(#[$note:meta])* $case:ident),* $(,)?) => {
        $(
            $(#[$note])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if !left_out() {
                    cases::$case(&Room::new().await).await;
                }
            }
        )*
    };
}

kept_by_ipmi!(
    a_machine_goes_off_and_on_as_commanded,
    off_twice_is_off,
    on_twice_is_on,
    a_wrong_login_is_denied,
    a_silent_bmc_is_given_up_when_the_limit_has_passed,
    where_nothing_listens_is_known_at_once,
    a_placeholder_is_no_host,
    a_bmc_that_hangs_keeps_no_call_to_another_waiting,
    what_was_given_up_is_not_begun_later,
);

/// The simulator has room for 62 sessions, and forgets one that was left open after a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_closed_so_a_bmc_never_runs_out_of_them() {
    if left_out() {
        return;
    }
    let room = Room::new().await;
    let mut took = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        assert_eq!(room.port.status(&room.bmc()).await, Ok(PowerState::On));
        took.push(began.elapsed());
    }
    took.sort();
    println!("status: median {:?}, slowest {:?}", took[took.len() / 2], took[took.len() - 1]);
    assert!(took[took.len() / 2] < Duration::from_millis(100));
}

/// The library always asks to be an administrator, so `ipmitool` does this.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_is_privileged_enough() {
    if left_out() {
        return;
    }
    let room = Room::new().await;
    let operator = room.simulator.bmc("operator");
    assert_eq!(room.port.off(&operator).await, Ok(()));
    assert!(!room.is_on());
    assert_eq!(room.port.status(&operator).await, Ok(PowerState::Off));
    assert_eq!(room.port.on(&operator).await, Ok(()));
    assert!(room.is_on());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_is_sent_again_and_what_comes_twice_is_read_once() {
    if left_out() {
        return;
    }
    let room = Room::new().await;
    let line = BadLine::to(&room.simulator).await;
    assert_eq!(room.port.off(&line.bmc("admin")).await, Ok(()));
    assert!(!room.is_on());
}

/// A runtime ends when its last thread has, so a thread that waited on would be seen here.
#[test]
fn a_call_given_up_leaves_no_thread_behind() {
    if left_out() {
        return;
    }
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let bmc = bmc_at(silent.local_addr().unwrap().port(), "admin");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let given_up = runtime.block_on(async {
        let patient = Ipmi::new(Duration::from_secs(60));
        tokio::time::timeout(Duration::from_millis(200), patient.status(&bmc)).await
    });
    assert!(given_up.is_err());
    let began = Instant::now();
    drop(runtime);
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
}
