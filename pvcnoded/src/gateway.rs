//! The gateways of networks: floating addresses that come and go with the networks, too.
//!
//! The outfit opens and closes the gate, and so decides whether any gateway may be here; while it
//! is open, the reconciler follows the networks. What cannot be had is tried again and keeps nobody
//! from being primary; what cannot be laid down does.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use pvc_common::id::Vni;
use pvc_common::model::Network;
use pvc_common::view::{Shared, View};
use pvc_host::{Announcement, Announcer, LinkError, LinkStep, LinkTable, Links};
use pvc_plan::gateway::{self, Addresses, Step};
use pvc_plan::primary::{Holding, Phase};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::gate::Gate;
use crate::health::{Trouble, shown};
use crate::outfit::{Doing, Part, failure};
use crate::primary::{OutfitError, Troubles};

/// How soon it is looked again for a bridge that is about to be made.
const SOON: Duration = Duration::from_millis(200);
/// For how long after a change of the networks a bridge is about to be made.
const ABOUT: Duration = Duration::from_secs(10);

/// How many announcements go on at once. Each has a socket, of which a process may not have that many; and
/// is a burst of 80 ms, so that three addresses of each of 500 networks are told of within a second.
const AT_ONCE: usize = 128;

/// The gateways of all networks. Clones are the same.
pub struct Gateways<L, A>(Arc<Inner<L, A>>);

impl<L, A> Clone for Gateways<L, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<L, A> {
    links: L,
    announcer: A,
    views: watch::Receiver<Option<Arc<View>>>,
    gate: Gate,
    troubles: Troubles,
    /// What is here, and some neighbour may not know of.
    untold: Mutex<BTreeSet<(String, IpAddr)>>,
    /// What the kernel was told to add and did not confirm: it may do so after it was looked.
    begun: Mutex<Addresses>,
}

/// What came of bringing the gateways in line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Brought {
    changed: usize,
    /// Networks whose bridge is not there.
    missing: usize,
    trouble: Trouble,
}

impl<L: Links, A: Announcer> Gateways<L, A> {
    /// The gateways of the networks that `views` show. None may be here until they are taken up; to
    /// `troubles` is told which cannot be.
    pub fn new(
        links: L,
        announcer: A,
        views: watch::Receiver<Option<Arc<View>>>,
        troubles: Troubles,
    ) -> Self {
        let (gate, untold, begun) = (Gate::default(), Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { links, announcer, views, gate, troubles, untold, begun }))
    }

    /// What follows the networks while this node is primary.
    #[must_use]
    pub fn keeper(&self) -> GatewayKeeper<L, A> {
        let told = Trouble::new();
        GatewayKeeper { gateways: self.clone(), looked: None, changed: None, told }
    }

    fn untold(&self) -> MutexGuard<'_, BTreeSet<(String, IpAddr)>> {
        self.0.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begun(&self) -> MutexGuard<'_, Addresses> {
        self.0.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn apply(&self, steps: Vec<Step>) -> (usize, Trouble) {
        let (mut done, mut trouble) = (0, Trouble::new());
        for step in steps {
            let (Step::Add { device, address } | Step::Remove { device, address }) = &step;
            if matches!(step, Step::Add { .. }) {
                self.begun().entry(device.clone()).or_default().insert(*address);
            }
            let outcome = self.0.links.apply(&link_step(&step)).await;
            if !matches!(outcome, Err(LinkError::NoAnswer { .. }))
                && let Some(begun) = self.begun().get_mut(device)
            {
                begun.remove(address);
            }
            match outcome {
                Ok(()) => {
                    done += 1;
                    tracing::info!("gateway: {}", link_step(&step));
                    let mut untold = self.untold();
                    match step {
                        Step::Add { device, address } => untold.insert((device, address.addr())),
                        Step::Remove { device, address } => {
                            untold.remove(&(device, address.addr()))
                        }
                    };
                }
                Err(error) => {
                    trouble.insert(format!("could not {}: {}", link_step(&step), failure(error)));
                }
            }
        }
        (done, trouble)
    }

    /// Tells all neighbours of what is new here, many at once. Whatever cannot be told is told later.
    async fn announce(&self) -> Trouble
    where
        L: Send + Sync + 'static,
    {
        let untold: Vec<_> = self.untold().iter().cloned().collect();
        let (mut telling, permits) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        for (device, address) in untold {
            let (all, permits) = (self.clone(), Arc::clone(&permits));
            telling.spawn(async move {
                let _permit = permits.acquire().await.expect("nobody closes it");
                let told = all.0.announcer.announce(&Announcement::new(&device, address)).await;
                told.map(|()| (device.clone(), address)).map_err(|error| {
                    format!("{device}: the neighbours were not told of {address}: {error}")
                })
            });
        }
        let mut trouble = Trouble::new();
        for told in telling.join_all().await {
            match told {
                Ok(told) => drop(self.untold().remove(&told)),
                Err(why) => drop(trouble.insert(why)),
            }
        }
        trouble
    }

    /// Brings the bridges to what a primary has on them.
    async fn bring(&self, view: &View) -> Brought {
        let wanted = gateway::wanted(view);
        let seen = match self.0.links.observe().await {
            Ok(table) => addresses(&table),
            Err(error) => {
                let trouble = Trouble::from([failure(error).what]);
                return Brought { trouble, ..Brought::default() };
            }
        };
        let missing = wanted.keys().filter(|device| !seen.contains_key(*device)).count();
        let (changed, mut trouble) = self.apply(gateway::plan(&wanted, &seen)).await;
        trouble.extend(self.announce().await);
        Brought { changed, missing, trouble }
    }
}

fn outcome(trouble: &Trouble) -> Result<(), OutfitError> {
    if trouble.is_empty() { Ok(()) } else { Err(OutfitError { what: shown(trouble) }) }
}

/// What is on the bridges of networks.
fn addresses(table: &LinkTable) -> Addresses {
    let bridges = table.links.iter().filter(|(device, _)| gateway::is_bridge(device));
    let all = bridges.map(|(device, link)| {
        let v4 = link.addresses.iter().copied().map(IpNet::V4);
        (device.clone(), v4.chain(link.permanent_v6.iter().copied().map(IpNet::V6)).collect())
    });
    all.collect()
}

fn link_step(step: &Step) -> LinkStep {
    match step.clone() {
        Step::Add { device, address: IpNet::V4(address) } => {
            LinkStep::AddAddress { device, address }
        }
        Step::Add { device, address: IpNet::V6(address) } => {
            LinkStep::AddAddressV6 { device, address }
        }
        Step::Remove { device, address: IpNet::V4(address) } => {
            LinkStep::RemoveAddress { device, address }
        }
        Step::Remove { device, address: IpNet::V6(address) } => {
            LinkStep::RemoveAddressV6 { device, address }
        }
    }
}

impl<L: Links, A: Announcer> Part for Gateways<L, A> {
    fn name(&self) -> &'static str {
        "gateways"
    }

    fn phase(&self) -> Phase {
        Phase::Addresses
    }

    /// Open is all there is to be had: what is missing then is the reconciler's to mend, for a
    /// network whose bridge cannot be made must not have everything else taken up again.
    fn held(&self) -> Doing<'_, Holding> {
        Box::pin(async {
            let open = self.0.gate.is_open();
            let seen = addresses(&self.0.links.observe().await.map_err(failure)?);
            let any = seen.values().flatten().any(gateway::is_decided);
            Ok(Holding { any: any || open, all: open })
        })
    }

    fn take_up(&self) -> Doing<'_, ()> {
        Box::pin(async {
            self.0.gate.open();
            let view = self.0.views.borrow().clone();
            let Some(view) = view else { return Ok(()) };
            let brought = self.0.gate.pass(self.bring(&view)).await;
            brought.map_or(Ok(()), |brought| outcome(&brought.trouble))
        })
    }

    fn lay_down(&self) -> Doing<'_, ()> {
        Box::pin(async {
            let _closed = self.0.gate.close().await;
            let mut seen = addresses(&self.0.links.observe().await.map_err(failure)?);
            // What was given up while it was being added is removed after that, whether it is seen yet.
            for (device, addresses) in self.begun().iter() {
                seen.entry(device.clone()).or_default().extend(addresses);
            }
            let (_, trouble) = self.apply(gateway::plan(&Addresses::new(), &seen)).await;
            self.untold().clear();
            outcome(&trouble)
        })
    }
}

/// Follows the networks while this node is primary.
pub struct GatewayKeeper<L, A> {
    gateways: Gateways<L, A>,
    looked: Option<Look>,
    /// When the networks were last seen to be others.
    changed: Option<Instant>,
    /// What was logged last, so that it is not logged again.
    told: Trouble,
}

impl<L: Links, A: Announcer> GatewayKeeper<L, A> {
    /// Tells what could not be done: of each thing once in the log, and of all in the health of a primary.
    fn tell(&mut self, trouble: &Trouble) {
        for why in trouble.difference(&self.told) {
            tracing::warn!("gateway: {why}");
        }
        self.told.clone_from(trouble);
        let sentences = trouble.iter().map(|why| format!("gateways: {why}")).collect();
        self.gateways.0.troubles.tell(Self::NAME, &sentences);
    }
}

/// For which networks it was last looked, and when it has to be looked again if they stay.
struct Look {
    networks: Shared<Vni, Network>,
    again: Instant,
}

/// What an activation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// None may be here.
    NotPrimary,
    /// So many addresses were changed.
    Changed(usize),
    /// What could not be done.
    Trouble(String),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPrimary => f.write_str("another node is primary"),
            Self::Changed(count) => write!(f, "{count} addresses changed"),
            Self::Trouble(why) => write!(f, "failed: {why}"),
        }
    }
}

impl<L: Links, A: Announcer> Reconciler for GatewayKeeper<L, A> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "gateways";
    const PERIOD: Duration = Duration::from_secs(5);

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let gate = self.gateways.0.gate.clone();
        if !gate.is_open() {
            self.looked = None;
            self.tell(&Trouble::new());
            return Outcome::settled(Report::NotPrimary);
        }
        let now = Instant::now();
        match &self.looked {
            // The view changes several times a second for other reasons.
            Some(look) if view.networks.is(&look.networks) && now < look.again => {
                return Outcome { report: Report::Changed(0), wake_at: Some(look.again) };
            }
            Some(look) if view.networks.is(&look.networks) => {}
            Some(_) | None => self.changed = Some(now),
        }
        let Some(brought) = gate.pass(self.gateways.bring(&view)).await else {
            return Outcome::settled(Report::NotPrimary);
        };
        let about = self.changed.is_some_and(|changed| changed.elapsed() < ABOUT);
        let soon = brought.missing > 0 && about;
        let again = Instant::now() + if soon { SOON } else { Self::PERIOD };
        self.looked = Some(Look { networks: view.networks.clone(), again });
        self.tell(&brought.trouble);
        let report = if brought.trouble.is_empty() {
            Report::Changed(brought.changed)
        } else {
            Report::Trouble(shown(&brought.trouble))
        };
        Outcome { report, wake_at: Some(again) }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use pvc_common::view::{Builder, Scope};
    use pvc_common::zk::Version;
    use pvc_host::fake::FakeHost;
    use tokio::sync::{mpsc, oneshot};

    use super::*;

    type Answer = oneshot::Sender<Result<(), LinkError>>;

    /// A machine that does what it is told in order, and also if nobody waits for it any more: as the
    /// kernel does, while looks at it wait for nothing.
    struct Busy {
        host: FakeHost,
        told: mpsc::UnboundedSender<(LinkStep, Answer)>,
        free: Arc<Semaphore>,
    }

    impl Busy {
        fn new(host: FakeHost) -> Self {
            let (told, mut steps) = mpsc::unbounded_channel::<(LinkStep, Answer)>();
            let free = Arc::new(Semaphore::new(0));
            let (machine, permits) = (host.clone(), Arc::clone(&free));
            tokio::spawn(async move {
                while let Some((step, answer)) = steps.recv().await {
                    permits.acquire().await.unwrap().forget();
                    answer.send(machine.apply(&step).await).ok();
                }
            });
            Self { host, told, free }
        }
    }

    impl Links for Busy {
        async fn observe(&self) -> Result<LinkTable, LinkError> {
            self.host.observe().await
        }

        async fn observe_some(&self, devices: &[String]) -> Result<LinkTable, LinkError> {
            self.host.observe_some(devices).await
        }

        async fn apply(&self, step: &LinkStep) -> Result<(), LinkError> {
            let (answer, answered) = oneshot::channel();
            self.told.send((step.clone(), answer)).unwrap();
            answered.await.unwrap()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_being_added_when_the_gate_closed_does_not_stay() {
        let mut builder = Builder::new(Scope::Decisions);
        for (key, text) in [
            ("", "net7"),
            ("/nettype", "managed"),
            ("/ip4_network", "10.7.0.0/24"),
            ("/ip4_gateway", "10.7.0.1"),
        ] {
            builder.set(&format!("/networks/7{key}"), Some((text.as_bytes(), Version(0))));
        }
        let (_sender, views) = watch::channel(Some(builder.snapshot()));
        let host = FakeHost::new();
        host.plug_in("vmbr7");
        let gateways =
            Gateways::new(Busy::new(host.clone()), host.clone(), views, Troubles::default());
        let taking = gateways.clone();
        let taking = tokio::spawn(async move { taking.take_up().await });
        tokio::time::sleep(Duration::from_millis(1)).await;
        let laying = gateways.clone();
        let laying = tokio::spawn(async move { laying.lay_down().await });
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(host.links().links["vmbr7"].addresses, [], "the machine is busy");
        gateways.0.links.free.add_permits(100);
        assert_eq!((taking.await.unwrap(), laying.await.unwrap()), (Ok(()), Ok(())));
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(host.link_steps().len(), 2, "added, and removed");
        assert_eq!(gateways.held().await, Ok(Holding::NOTHING));
    }

    /// A host whose devices are plugged in, and are up or not.
    async fn host(up: bool) -> FakeHost {
        let host = FakeHost::new();
        host.plug_in("vmbr7");
        if up {
            host.apply(&LinkStep::Up { device: "vmbr7".to_owned() }).await.unwrap();
        }
        host
    }

    #[tokio::test(start_paused = true)]
    async fn what_gateways_lack_is_a_trouble_of_the_primary_until_it_is_mended_or_another_is() {
        let mut builder = Builder::new(Scope::Decisions);
        for (key, text) in
            [("nettype", "managed"), ("ip4_network", "10.7.0.0/24"), ("ip4_gateway", "10.7.0.1")]
        {
            builder.set(&format!("/networks/7/{key}"), Some((text.as_bytes(), Version(0))));
        }
        let (view, troubles) = (builder.snapshot(), Troubles::default());
        let (_sender, views) = watch::channel(Some(Arc::clone(&view)));
        let (mute, links) = (host(false).await, host(true).await);
        let gateways = Gateways::new(links, mute.clone(), views, troubles.clone());
        let mut keeper = gateways.keeper();
        gateways.take_up().await.unwrap_err();
        keeper.reconcile(Arc::clone(&view)).await;
        let told = troubles.all().into_iter().collect::<String>();
        assert!(
            told.starts_with("gateways: vmbr7: the neighbours were not told of 10.7.0.1"),
            "{told}"
        );
        mute.apply(&LinkStep::Up { device: "vmbr7".to_owned() }).await.unwrap();
        tokio::time::advance(Duration::from_secs(5)).await;
        keeper.reconcile(Arc::clone(&view)).await;
        assert_eq!(troubles.all(), Trouble::new());
        troubles.tell(GatewayKeeper::<FakeHost, FakeHost>::NAME, &Trouble::from(["x".to_owned()]));
        gateways.lay_down().await.unwrap();
        keeper.reconcile(view).await;
        assert_eq!(troubles.all(), Trouble::new());
    }

    /// Counts how many announcements go on, and the most that ever did.
    #[derive(Default)]
    struct Counting {
        now: AtomicUsize,
        most: AtomicUsize,
        told: AtomicUsize,
    }

    impl Announcer for Counting {
        async fn announce(&self, announcement: &Announcement) -> Result<(), io::Error> {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(announcement.interval * (announcement.frames - 1)).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            self.told.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_gateways_of_many_networks_are_told_of_within_a_second_and_not_all_at_once() {
        let (_sender, views) = watch::channel(None);
        let gateways =
            Gateways::new(FakeHost::new(), Counting::default(), views, Troubles::default());
        let address = |network: u32, host: u8| {
            let [_, _, high, low] = network.to_be_bytes();
            (format!("vmbr{network}"), IpAddr::from([10, high, low, host]))
        };
        let all = (0..500).flat_map(|network| (0..3).map(move |host| address(network, host)));
        gateways.untold().extend(all);
        let began = Instant::now();
        assert_eq!(gateways.announce().await, Trouble::new());
        assert!(began.elapsed() <= Duration::from_secs(1), "{:?}", began.elapsed());
        let Counting { most, told, .. } = &gateways.0.announcer;
        assert_eq!((most.load(Ordering::SeqCst), told.load(Ordering::SeqCst)), (AT_ONCE, 1500));
        assert!(gateways.untold().is_empty());
    }
}
