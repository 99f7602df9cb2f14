//! The door by which VMs come in. They are strangers: however many come, and however slowly they
//! speak, they take a bounded part of the daemon, and each of them a small part of that.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pvc_runtime::drain::Drain;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Where VMs ask. The address is the primary's; it needs no network of its own, for VMs reach it by
/// their gateway.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), 80);
/// How often it is tried to listen there while that cannot be done.
const AGAIN: Duration = Duration::from_secs(2);
/// How soon the next connection is taken after one could not be.
const BREATH: Duration = Duration::from_millis(100);
/// How many may be inside at once.
const MOST: usize = 256;
/// How many of one address may be.
const MOST_OF_ONE: usize = 8;
/// How long one may stay.
const STAY: Duration = Duration::from_secs(10);

/// Lets VMs in until the daemon is to end.
pub(crate) async fn serve(router: Router, drain: Drain) {
    let serving = async {
        let listener = listen(ADDRESS).await;
        tracing::info!("metadata is served at {ADDRESS}");
        admit(listener, router).await;
    };
    tokio::select! {
        () = drain.drained() => {}
        () = serving => {}
    }
}

/// Listens as soon as that can be done: the address may be late, and where no network is managed
/// there is none.
async fn listen(at: SocketAddr) -> TcpListener {
    let mut pace = interval(AGAIN);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = false;
    loop {
        pace.tick().await;
        match TcpListener::bind(at).await {
            Ok(listener) => return listener,
            Err(error) if told => tracing::debug!(%error, "metadata cannot be served yet"),
            Err(error) => {
                tracing::warn!(%error, "metadata cannot be served at {at}; trying on");
                told = true;
            }
        }
    }
}

pub(super) async fn admit(listener: TcpListener, router: Router) {
    let room = Arc::new(Semaphore::new(MOST));
    let inside = Inside::default();
    loop {
        let Ok(seat) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, from)) => match inside.enter(from.ip(), seat) {
                Some(place) => drop(tokio::spawn(attend(stream, from, router.clone(), place))),
                None => tracing::debug!("metadata: {from} is here {MOST_OF_ONE} times already"),
            },
            Err(error) => {
                tracing::debug!(%error, "metadata: a connection failed");
                // For want of descriptors, another try at once would fail as well.
                sleep(BREATH).await;
            }
        }
    }
}

async fn attend(stream: TcpStream, from: SocketAddr, router: Router, place: Place) {
    let router = router.layer(axum::Extension(ConnectInfo(from)));
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    match timeout(STAY, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "metadata: {from} broke off"),
        Err(_) => tracing::debug!("metadata: {from} stayed too long"),
    }
    drop(place);
}

/// How many are inside, by address.
#[derive(Clone, Default)]
struct Inside(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// A place inside, given up when it is dropped.
struct Place {
    inside: Inside,
    of: IpAddr,
    _seat: OwnedSemaphorePermit,
}

impl Inside {
    fn enter(&self, of: IpAddr, seat: OwnedSemaphorePermit) -> Option<Place> {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inside.entry(of).or_default();
        if *count >= MOST_OF_ONE {
            return None;
        }
        *count += 1;
        Some(Place { inside: self.clone(), of, _seat: seat })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.inside.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = inside.get_mut(&self.of).map_or(0, |count| {
            *count -= 1;
            *count
        });
        if left == 0 {
            inside.remove(&self.of);
        }
    }
}
