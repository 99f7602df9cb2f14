//! The door by which VMs come in. They are strangers: however many come, and however slowly they
//! speak, they take a bounded part of the daemon, each of them a small part of that, and those of one
//! network never all of it.
//!
//! A guest may speak from many addresses, but only from those of its own network: to others' nobody
//! answers it. So it is the network that has a share, and whoever is too many is sent away at once, so
//! that nobody waits for others to go.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pvc_common::id::Vni;
use pvc_runtime::drain::Drain;
use tokio::net::{TcpListener, TcpStream};
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
/// A network may have this part of the places that are left: 64 if it is the only one. Some are left even
/// when dozens of networks take all that they may.
const PART: usize = 3;
/// How long one may stay.
pub(super) const STAY: Duration = Duration::from_secs(10);

/// Lets VMs in until the daemon is to end. `network_of` tells of which managed network an address is.
pub(super) async fn serve(
    router: Router,
    network_of: impl Fn(IpAddr) -> Option<Vni>,
    drain: Drain,
) {
    let serving = async {
        let listener = listen(ADDRESS).await;
        tracing::info!("metadata is served at {ADDRESS}");
        admit(listener, router, network_of).await;
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

pub(super) async fn admit(
    listener: TcpListener,
    router: Router,
    network_of: impl Fn(IpAddr) -> Option<Vni>,
) {
    let inside = Inside::default();
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let address = from.ip().to_canonical();
                match inside.enter(network_of(address), address) {
                    Some(place) => drop(tokio::spawn(attend(stream, from, router.clone(), place))),
                    None => tracing::debug!("metadata: {from} or its network is here too often"),
                }
            }
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
    // One question each: a place is worth more than a connection.
    let mut http = http1::Builder::new();
    let connection = http.keep_alive(false).serve_connection(TokioIo::new(stream), service);
    match timeout(STAY, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "metadata: {from} broke off"),
        Err(_) => tracing::debug!("metadata: {from} stayed too long"),
    }
    drop(place);
}

/// How many are inside, by address.
type Addresses = BTreeMap<IpAddr, usize>;

/// How many are inside, by network. Those of no managed network are together.
#[derive(Clone, Default)]
struct Inside(Arc<Mutex<BTreeMap<Option<Vni>, Addresses>>>);

/// A place inside, given up when it is dropped.
struct Place {
    inside: Inside,
    network: Option<Vni>,
    address: IpAddr,
}

impl Inside {
    fn enter(&self, network: Option<Vni>, address: IpAddr) -> Option<Place> {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |addresses: &Addresses| addresses.values().sum::<usize>();
        let left = MOST - inside.values().map(count).sum::<usize>();
        let own = inside.get(&network);
        let same = own.and_then(|own| own.get(&address)).copied().unwrap_or(0);
        if own.map_or(0, count) * PART >= left || same >= MOST_OF_ONE {
            return None;
        }
        *inside.entry(network).or_default().entry(address).or_default() += 1;
        Some(Place { inside: self.clone(), network, address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.inside.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = inside.get_mut(&self.network) else { return };
        if let Some(count) = own.get_mut(&self.address) {
            *count -= 1;
        }
        own.retain(|_, count| *count > 0);
        inside.retain(|_, own| !own.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vni(n: u32) -> Option<Vni> {
        n.to_string().parse().ok()
    }

    /// All the places that these networks are given, however often and from wherever they try.
    fn fill(inside: &Inside, networks: std::ops::Range<u32>) -> Vec<Place> {
        let tries = (0..MOST).flat_map(|round| networks.clone().map(move |n| (round, n)));
        let places = tries.filter_map(|(round, n)| {
            let address = Ipv4Addr::from_bits((n << 16) + u32::try_from(round).unwrap());
            inside.enter(vni(n), address.into())
        });
        places.collect()
    }

    #[test]
    fn networks_that_take_all_they_can_leave_room_for_the_next() {
        for (networks, each) in [(1, 64), (2, 52), (5, 32), (30, 8)] {
            let inside = Inside::default();
            let places = fill(&inside, 1..networks + 1);
            let of = |n: u32| places.iter().filter(|it| it.network == vni(n)).count();
            assert!((1..=networks).all(|n| of(n).abs_diff(each) < 2), "{networks}: {}", of(1));
            let next = fill(&inside, 77..78);
            assert!(next.len() >= 2, "{networks}: {}", next.len());
            drop((places, next));
            assert!(inside.0.lock().unwrap().is_empty(), "everybody has gone");
        }
    }
}
