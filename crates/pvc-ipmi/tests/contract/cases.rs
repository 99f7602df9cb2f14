//! What every implementation of the port does.

use pvc_common::secret::Secret;
use pvc_ipmi::{Bmc, Power, PowerError, PowerState};
use tokio::time::Instant;

use crate::site::{LIMIT, Site};

pub(crate) async fn a_machine_goes_off_and_on_as_commanded(site: &impl Site) {
    let (port, bmc) = (site.port(), site.bmc());
    assert_eq!(port.on(&bmc).await, Ok(()));
    assert_eq!(port.status(&bmc).await, Ok(PowerState::On));
    assert!(site.is_on());
    assert_eq!(port.off(&bmc).await, Ok(()));
    assert_eq!(port.status(&bmc).await, Ok(PowerState::Off));
    assert!(!site.is_on());
    assert_eq!(port.on(&bmc).await, Ok(()));
    assert_eq!(port.status(&bmc).await, Ok(PowerState::On));
    assert!(site.is_on());
}

pub(crate) async fn off_twice_is_off(site: &impl Site) {
    let (port, bmc) = (site.port(), site.bmc());
    assert_eq!(port.off(&bmc).await, Ok(()));
    assert_eq!(port.off(&bmc).await, Ok(()));
    assert_eq!(port.status(&bmc).await, Ok(PowerState::Off));
    assert!(!site.is_on());
}

pub(crate) async fn on_twice_is_on(site: &impl Site) {
    let (port, bmc) = (site.port(), site.bmc());
    assert_eq!(port.on(&bmc).await, Ok(()));
    assert_eq!(port.on(&bmc).await, Ok(()));
    assert_eq!(port.status(&bmc).await, Ok(PowerState::On));
    assert!(site.is_on());
}

pub(crate) async fn a_wrong_login_is_denied(site: &impl Site) {
    let (port, bmc) = (site.port(), site.bmc());
    assert_eq!(port.on(&bmc).await, Ok(()));
    for wrong in [
        Bmc { password: Secret::new("wrong".to_owned()), ..bmc.clone() },
        Bmc { user: "nobody".to_owned(), ..bmc.clone() },
        Bmc { user: "a-user-of-more-than-sixteen".to_owned(), ..bmc.clone() },
    ] {
        let began = Instant::now();
        let answer = port.off(&wrong).await;
        assert!(matches!(answer, Err(PowerError::Denied { .. })), "{}: {answer:?}", wrong.user);
        assert!(began.elapsed() < LIMIT / 2);
    }
    assert!(site.is_on());
}

pub(crate) async fn a_silent_bmc_is_given_up_when_the_limit_has_passed(site: &impl Site) {
    let bmc = site.silent();
    let began = Instant::now();
    let answer = site.port().status(&bmc).await;
    assert_eq!(answer, Err(PowerError::NoAnswer { host: bmc.host, waited: LIMIT }));
    let took = began.elapsed();
    assert!(took >= LIMIT && took < LIMIT * 3 / 2, "{took:?}");
}

pub(crate) async fn where_nothing_listens_is_known_at_once(site: &impl Site) {
    let began = Instant::now();
    let answer = site.port().off(&site.closed()).await;
    assert!(matches!(answer, Err(PowerError::Unreachable { .. })), "{answer:?}");
    assert!(began.elapsed() < LIMIT / 2);
}

pub(crate) async fn a_placeholder_is_no_host(site: &impl Site) {
    for host in ["", "None", "0.0.0.0"] {
        let bmc = Bmc { host: host.to_owned(), ..site.bmc() };
        let unusable = PowerError::Unusable { host: host.to_owned() };
        assert_eq!(site.port().status(&bmc).await, Err(unusable.clone()));
        assert_eq!(site.port().off(&bmc).await, Err(unusable));
    }
}

pub(crate) async fn a_bmc_that_hangs_keeps_no_call_to_another_waiting(site: &impl Site) {
    let hung = site.silent();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (port, hung) = (site.port().clone(), hung.clone());
            tokio::spawn(async move { port.status(&hung).await })
        })
        .collect();
    // All of them are under way.
    tokio::task::yield_now().await;
    let began = Instant::now();
    assert_eq!(site.port().on(&site.bmc()).await, Ok(()));
    assert_eq!(site.port().status(&site.bmc()).await, Ok(PowerState::On));
    assert!(began.elapsed() < LIMIT / 2, "{:?}", began.elapsed());
    for call in calls {
        let answer = call.await.unwrap();
        assert!(matches!(answer, Err(PowerError::NoAnswer { .. })), "{answer:?}");
    }
}

pub(crate) async fn what_was_given_up_is_not_begun_later(site: &impl Site) {
    let (port, bmc) = (site.port(), site.bmc());
    assert_eq!(port.on(&bmc).await, Ok(()));
    site.hang(true);
    let answer = port.off(&bmc).await;
    assert!(matches!(answer, Err(PowerError::NoAnswer { .. })), "{answer:?}");
    let dropped = tokio::time::timeout(LIMIT / 4, port.off(&bmc)).await;
    assert!(dropped.is_err());
    site.hang(false);
    // It is asked in turn, so by now it has read all that it was ever sent.
    assert_eq!(port.status(&bmc).await, Ok(PowerState::On));
    assert!(site.is_on());
}
