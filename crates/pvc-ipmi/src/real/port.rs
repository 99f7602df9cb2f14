//! The port, kept by the library and, where that cannot, by `ipmitool`.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout, timeout_at};

use super::failure::Failure;
use super::relay::Relay;
use super::session::{self, Ask};
use super::tool;
use crate::bmc::Bmc;
use crate::power::{Power, PowerError, PowerState};

/// A thread is kept by each call, and by a name server that hangs even longer. These are more
/// than a cluster has nodes, and few beside the 512 that tokio has for everybody.
const THREADS: usize = 64;

/// How long a session's end is waited for, which nobody else waits for.
const CLOSES_WITHIN: Duration = Duration::from_secs(1);

/// Other machines' power, over IPMI 2.0. Cloning gives another handle.
#[derive(Clone, Debug)]
pub struct Ipmi {
    limit: Duration,
    turns: Arc<Semaphore>,
}

impl Ipmi {
    /// A call is given up after `limit`. Nothing is kept between calls.
    ///
    /// `limit` is for a BMC that takes its time and loses a datagram or two, which are sent again
    /// each second: some seconds. Where `ipmitool` has to help, it has what is left.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit, turns: Arc::new(Semaphore::new(THREADS)) }
    }

    async fn ask(&self, bmc: &Bmc, ask: Ask) -> Result<PowerState, PowerError> {
        let (name, port) = bmc.endpoint()?;
        let deadline = Instant::now() + self.limit;
        let said = async {
            match self.through_library(bmc, (name, port), ask).await {
                Err(Failure::BeyondLibrary { why, suite }) => {
                    tracing::debug!(bmc = name, why, "asking ipmitool");
                    let left = deadline.saturating_duration_since(Instant::now());
                    tool::ask(bmc, (name, port), ask, suite, why, left).await
                }
                said => said,
            }
        };
        let said = timeout_at(deadline, said).await.unwrap_or(Err(Failure::Silent));
        said.map_err(|failure| failure.of(&bmc.host, self.limit))
    }

    async fn through_library(
        &self,
        bmc: &Bmc,
        endpoint: (&str, u16),
        ask: Ask,
    ) -> Result<PowerState, Failure> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.expect("it is never closed");
        let (addresses, turn) =
            resolve(endpoint, turn).await.map_err(|error| Failure::unreachable(&error))?;
        let mut relay =
            Relay::to(&addresses).await.map_err(|error| Failure::unreachable(&error))?;
        let (answer, answered) = oneshot::channel();
        let thread = spawn_blocking({
            let (bmc, patience) = (bmc.clone(), self.limit);
            let (address, heard) = (relay.address(), relay.heard());
            move || {
                session::hold(address, &bmc, ask, patience, &heard, answer);
                drop(turn);
            }
        });
        tokio::select! {
            biased;
            said = answered => {
                tokio::spawn(close(relay, thread));
                said.unwrap_or_else(|_| Err(Failure::Garbled("the library gave up".to_owned())))
            }
            failure = relay.carry() => Err(failure),
        }
    }
}

/// Carries on until the session is closed.
async fn close(mut relay: Relay, thread: JoinHandle<()>) {
    let closed = async {
        tokio::select! {
            ended = thread => ended.map_err(|error: JoinError| error.to_string()),
            failure = relay.carry() => Err(format!("{failure:?}")),
        }
    };
    match timeout(CLOSES_WITHIN, closed).await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => tracing::debug!(why, "a BMC's session was left open"),
        Err(_) => tracing::debug!("a BMC's session was left open"),
    }
}

/// The addresses of a name. The name servers' delay counts as a call's, and keeps its turn.
async fn resolve(
    (name, port): (&str, u16),
    turn: OwnedSemaphorePermit,
) -> io::Result<(Vec<SocketAddr>, OwnedSemaphorePermit)> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok((vec![SocketAddr::new(address, port)], turn));
    }
    let name = name.to_owned();
    let found = spawn_blocking(move || {
        (name.as_str(), port).to_socket_addrs().map(|found| (found.collect(), turn))
    });
    found.await.map_err(io::Error::other)?
}

impl Power for Ipmi {
    async fn status(&self, bmc: &Bmc) -> Result<PowerState, PowerError> {
        self.ask(bmc, Ask::Status).await
    }

    async fn off(&self, bmc: &Bmc) -> Result<(), PowerError> {
        self.ask(bmc, Ask::Be(PowerState::Off)).await.map(drop)
    }

    async fn on(&self, bmc: &Bmc) -> Result<(), PowerError> {
        self.ask(bmc, Ask::Be(PowerState::On)).await.map(drop)
    }
}
