//! What every implementation of the port keeps: the fake, and the real one against a BMC that
//! `ipmi_sim` (OpenIPMI) plays on loopback.
//!
//! The real half needs the packages `openipmi` and `ipmitool`; `PVC_TEST_NO_SERVICES=1` leaves it
//! out.

#![expect(clippy::unwrap_used, reason = "tests")]

mod simulated;

use std::time::{Duration, Instant};

use pvc_common::secret::Secret;
use pvc_ipmi::fake::{Condition, FakePower};
use pvc_ipmi::{Bmc, Ipmi, Power, PowerError, PowerState};

use simulated::Simulated;

/// The limit of a call in these tests.
const LIMIT: Duration = Duration::from_secs(3);

async fn switches(power: &impl Power, bmc: &Bmc) {
    assert_eq!(power.status(bmc).await, Ok(PowerState::On));
    for _ in 0..2 {
        assert_eq!(power.off(bmc).await, Ok(()), "off is a success for one that is off, too");
        assert_eq!(power.status(bmc).await, Ok(PowerState::Off));
    }
    for _ in 0..2 {
        assert_eq!(power.on(bmc).await, Ok(()), "on is a success for one that is on, too");
        assert_eq!(power.status(bmc).await, Ok(PowerState::On));
    }
}

async fn denies(power: &impl Power, bmc: &Bmc) {
    let wrong = Bmc { password: Secret::new("wrong".to_owned()), ..bmc.clone() };
    let outcome = power.off(&wrong).await;
    assert!(matches!(outcome, Err(PowerError::Denied { .. })), "{outcome:?}");
    assert_eq!(power.status(bmc).await, Ok(PowerState::On));
}

async fn refuses_placeholders(power: &impl Power, bmc: &Bmc) {
    for host in ["", "None", "0.0.0.0"] {
        let none = Bmc { host: host.to_owned(), ..bmc.clone() };
        let outcome = power.status(&none).await;
        assert!(matches!(outcome, Err(PowerError::Unusable { .. })), "{host}: {outcome:?}");
    }
}

async fn is_silent(power: &impl Power, bmc: &Bmc) {
    let outcome = power.off(bmc).await;
    assert!(matches!(outcome, Err(PowerError::NoAnswer { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn the_fake_keeps_the_contract() {
    let power = FakePower::with_limit(LIMIT);
    let bmc = power.machine("bmc");
    switches(&power, &bmc).await;
    denies(&power, &bmc).await;
    refuses_placeholders(&power, &bmc).await;
    power.condition("bmc", Condition::Dead);
    is_silent(&power, &bmc).await;
}

fn no_services() -> bool {
    std::env::var_os("PVC_TEST_NO_SERVICES").is_some()
}

#[tokio::test]
async fn the_real_one_keeps_the_contract() {
    if no_services() {
        return;
    }
    let simulated = Simulated::start();
    let (power, bmc) = (Ipmi::new(LIMIT), simulated.bmc());
    switches(&power, &bmc).await;
    denies(&power, &bmc).await;
    refuses_placeholders(&power, &bmc).await;
}

#[tokio::test]
async fn a_bmc_that_hangs_is_given_up_in_time_and_holds_nobody_else_up() {
    if no_services() {
        return;
    }
    let simulated = Simulated::start();
    let hangs = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = Bmc { host: hangs.local_addr().unwrap().to_string(), ..simulated.bmc() };
    let power = Ipmi::new(LIMIT);
    let waiting = tokio::spawn({
        let (power, silent) = (power.clone(), silent.clone());
        async move {
            let began = Instant::now();
            is_silent(&power, &silent).await;
            began.elapsed()
        }
    });
    let began = Instant::now();
    assert_eq!(power.status(&simulated.bmc()).await, Ok(PowerState::On));
    assert!(began.elapsed() < LIMIT / 2, "{:?}", began.elapsed());
    let took = waiting.await.unwrap();
    assert!(took < LIMIT * 2, "{took:?}");
}

#[tokio::test]
async fn where_nothing_listens_nobody_says_off() {
    if no_services() {
        return;
    }
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bmc = Bmc {
        host: free.to_string(),
        user: "admin".to_owned(),
        password: Secret::new("secret".to_owned()),
    };
    let outcome = Ipmi::new(LIMIT).status(&bmc).await;
    assert!(
        matches!(outcome, Err(PowerError::Unreachable { .. } | PowerError::NoAnswer { .. })),
        "{outcome:?}"
    );
}
