//! Real BMCs: by the library where it can, by `ipmitool` where it cannot.
//!
//! The library blocks, speaks IPMI 2.0 with cipher suite 3 alone, and knows no chassis commands;
//! `ipmitool` speaks all else. Whoever is silent, or denies access, is not asked a second time.

mod lan;
mod tool;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::{Bmc, Power, PowerError, PowerState};
use lan::Failure;

/// Calls that block a thread at once. More hanging BMCs than these make others wait, within their
/// own limits; fewer would let two dead racks hold up a third.
const AT_ONCE: usize = 32;

/// What is asked of a machine's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Status,
    Off,
    On,
}

/// Real BMCs, over the network. Cloning gives another handle.
#[derive(Clone, Debug)]
pub struct Ipmi {
    limit: Duration,
    turns: Arc<Semaphore>,
}

/// Tells a thread that nobody waits for it any more.
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Ipmi {
    /// Each call ends within `limit`.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    async fn ask(&self, bmc: &Bmc, request: Request) -> Result<PowerState, PowerError> {
        let (host, port) = bmc.endpoint()?;
        let (host, began) = (host.to_owned(), Instant::now());
        let silent = || PowerError::NoAnswer { host: bmc.host.clone(), waited: self.limit };
        let by_library = self.by_library(bmc, host.clone(), port, request);
        let failure = match tokio::time::timeout(self.limit, by_library).await {
            Ok(Ok(state)) => return Ok(state),
            Ok(Err(failure)) => failure,
            Err(_) => return Err(silent()),
        };
        let needs = match failure {
            Failure::Told(error) => return Err(error),
            Failure::Beyond(needs) => needs,
        };
        let left = self.limit.saturating_sub(began.elapsed());
        tracing::debug!(bmc.host = bmc.host, needs, "asking the BMC by ipmitool");
        tool::ask(bmc, &host, port, request, left, &needs).await
    }

    async fn by_library(
        &self,
        bmc: &Bmc,
        host: String,
        port: u16,
        request: Request,
    ) -> Result<PowerState, Failure> {
        let deadline = Instant::now() + self.limit;
        let turn = Arc::clone(&self.turns).acquire_owned().await.expect("never closed");
        let given_up = Arc::new(AtomicBool::new(false));
        let guard = GivenUp(Arc::clone(&given_up));
        let call = lan::Call { bmc: bmc.clone(), host, port, request, deadline, given_up };
        let outcome = tokio::task::spawn_blocking(move || {
            // Given back when the thread is free, not when its caller has gone.
            let _turn = turn;
            lan::talk(&call)
        })
        .await;
        drop(guard);
        outcome.unwrap_or_else(|_| {
            let why = "the library broke off".to_owned();
            Err(Failure::Told(PowerError::Garbled { host: bmc.host.clone(), why }))
        })
    }
}

impl Power for Ipmi {
    async fn status(&self, bmc: &Bmc) -> Result<PowerState, PowerError> {
        self.ask(bmc, Request::Status).await
    }

    async fn off(&self, bmc: &Bmc) -> Result<(), PowerError> {
        self.ask(bmc, Request::Off).await.map(drop)
    }

    async fn on(&self, bmc: &Bmc) -> Result<(), PowerError> {
        self.ask(bmc, Request::On).await.map(drop)
    }
}
