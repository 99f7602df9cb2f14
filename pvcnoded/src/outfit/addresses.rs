//! The floating addresses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ipnet::Ipv4Net;
use pvc_host::{Announcement, Announcer, LinkStep, Links};
use pvc_plan::primary::{Holding, Phase};
use tokio::task::JoinSet;

use super::{Doing, Part, failure};
use crate::primary::OutfitError;

/// A floating address and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floating {
    /// The device that carries it while this node is primary.
    pub device: String,
    /// The address with its prefix.
    pub address: Ipv4Net,
    /// Whether there are neighbours to be told.
    pub announced: bool,
}

/// All floating addresses of a node's own networks.
pub struct FloatingAddresses<L, A> {
    links: L,
    announcer: Arc<A>,
    addresses: Vec<Floating>,
    /// Some neighbour may not know that they are here.
    unknown: AtomicBool,
}

impl<L: Links, A: Announcer> FloatingAddresses<L, A> {
    /// These addresses. If some are here already, the neighbours are taken to know.
    pub fn new(links: L, announcer: A, addresses: Vec<Floating>) -> Self {
        let (announcer, unknown) = (Arc::new(announcer), AtomicBool::new(false));
        Self { links, announcer, addresses, unknown }
    }

    /// The neighbours have to learn all addresses at once: one after the other would keep the
    /// last one unreachable for as long as the others take.
    async fn announce(&self) -> Result<(), OutfitError> {
        let mut telling = JoinSet::new();
        for floating in self.addresses.iter().filter(|floating| floating.announced) {
            let announcement = Announcement::new(&floating.device, floating.address.addr());
            let announcer = Arc::clone(&self.announcer);
            telling.spawn(async move { announcer.announce(&announcement).await });
        }
        let mut trouble = Ok(());
        for told in telling.join_all().await {
            trouble = told.map_err(failure).and(trouble);
        }
        trouble
    }

    async fn each(&self, step: impl Fn(&Floating) -> LinkStep) -> Result<(), OutfitError> {
        let mut trouble = Ok(());
        for floating in &self.addresses {
            trouble = self.links.apply(&step(floating)).await.map_err(failure).and(trouble);
        }
        trouble
    }
}

impl<L: Links, A: Announcer> Part for FloatingAddresses<L, A> {
    fn name(&self) -> &'static str {
        "floating addresses"
    }

    fn phase(&self) -> Phase {
        Phase::Addresses
    }

    fn held(&self) -> Doing<'_, Holding> {
        Box::pin(async {
            let table = self.links.observe().await.map_err(failure)?;
            let has = |floating: &Floating| {
                let link = table.links.get(&floating.device);
                let here = link.is_some_and(|link| link.addresses.contains(&floating.address));
                if here { Holding::EVERYTHING } else { Holding::NOTHING }
            };
            let known = !self.unknown.load(Ordering::Relaxed);
            let held = Holding::of(self.addresses.iter().map(has));
            Ok(Holding { all: held.all && known, ..held })
        })
    }

    fn take_up(&self) -> Doing<'_, ()> {
        Box::pin(async {
            self.unknown.store(true, Ordering::Relaxed);
            let added = self
                .each(|Floating { device, address, .. }| LinkStep::AddAddress {
                    device: device.clone(),
                    address: *address,
                })
                .await;
            // Those that are here are announced although others are not.
            self.announce().await.and(added)?;
            self.unknown.store(false, Ordering::Relaxed);
            Ok(())
        })
    }

    fn lay_down(&self) -> Doing<'_, ()> {
        Box::pin(async {
            self.each(|Floating { device, address, .. }| LinkStep::RemoveAddress {
                device: device.clone(),
                address: *address,
            })
            .await?;
            self.unknown.store(false, Ordering::Relaxed);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use pvc_host::fake::FakeHost;

    use super::*;

    const METADATA: &str = "169.254.169.254/32";

    fn floating(device: &str, address: &str, announced: bool) -> Floating {
        Floating { device: device.to_owned(), address: address.parse().unwrap(), announced }
    }

    async fn machine() -> (FakeHost, FloatingAddresses<FakeHost, FakeHost>) {
        let host = FakeHost::new();
        ["lo", "eno1"].into_iter().for_each(|device| host.plug_in(device));
        host.apply(&LinkStep::Up { device: "eno1".to_owned() }).await.unwrap();
        let addresses =
            vec![floating("eno1", "10.0.0.254/24", true), floating("lo", METADATA, false)];
        (host.clone(), FloatingAddresses::new(host.clone(), host, addresses))
    }

    #[tokio::test]
    async fn all_are_taken_and_those_with_neighbours_are_announced() {
        let (host, part) = machine().await;
        part.take_up().await.unwrap();
        assert_eq!(part.held().await, Ok(Holding::EVERYTHING));
        let told: Vec<_> = host.announced().into_iter().map(|told| told.address).collect();
        assert_eq!(told, ["10.0.0.254".parse::<std::net::IpAddr>().unwrap()]);
        part.lay_down().await.unwrap();
        assert_eq!(part.held().await, Ok(Holding::NOTHING));
    }

    #[tokio::test]
    async fn what_is_here_already_is_neither_taken_nor_announced_again() {
        let (host, part) = machine().await;
        part.take_up().await.unwrap();
        let told = host.announced().len();
        let (_, addresses) = (part.links.clone(), part.addresses.clone());
        let restarted = FloatingAddresses::new(host.clone(), host.clone(), addresses);
        assert_eq!(restarted.held().await, Ok(Holding::EVERYTHING));
        assert_eq!(host.announced().len(), told);
    }

    #[tokio::test]
    async fn an_address_without_its_device_keeps_no_other_from_being_had() {
        let (host, _) = machine().await;
        let addresses =
            vec![floating("eno9", "10.9.0.254/24", true), floating("lo", METADATA, false)];
        let part = FloatingAddresses::new(host.clone(), host, addresses);
        part.take_up().await.unwrap_err();
        assert_eq!(part.held().await, Ok(Holding { any: true, all: false }));
    }

    #[tokio::test]
    async fn an_address_without_its_device_keeps_no_other_from_being_let_go() {
        let (host, part) = machine().await;
        part.take_up().await.unwrap();
        host.apply(&LinkStep::Remove { device: "eno1".to_owned() }).await.unwrap();
        part.lay_down().await.unwrap();
        assert_eq!(part.held().await, Ok(Holding::NOTHING));
    }

    #[tokio::test]
    async fn what_nobody_could_be_told_is_told_again() {
        let (host, part) = machine().await;
        let down = FakeHost::new();
        ["lo", "eno1"].into_iter().for_each(|device| down.plug_in(device));
        let part = FloatingAddresses::new(host, down, part.addresses.clone());
        part.take_up().await.unwrap_err();
        assert_eq!(part.held().await, Ok(Holding { any: true, all: false }));
    }
}
