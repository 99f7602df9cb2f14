//! Probing and answering, by the kernel's loopback and by a network in memory.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pvc_host::fake::{FakeNet, FakeWire, NetPath};
use pvc_host::real::UdpWire;
use pvc_host::{Prober, Responder, Token, Wire, WireError};
use tokio::time::{Instant, timeout};

/// More than anything takes, even on a busy machine.
const SOON: Duration = Duration::from_secs(30);

const A: &str = "127.0.0.1";
const B: &str = "127.0.0.2";

fn token(number: u8) -> Token {
    [number; 16]
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A wire on any port of an address.
fn any(text: &str) -> SocketAddr {
    SocketAddr::new(address(text), 0)
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(SOON, future).await.expect("in time")
}

/// What every network does. `wires` are bound to A, A and B.
async fn suite<W: Wire>(wires: [W; 3]) {
    let [mine, mine_too, theirs] = wires;
    let to = theirs.local();
    let responder = tokio::spawn(Responder::run(theirs, |_| true));

    // What is no probe gets no answer. A probe sent after it is answered before any later one.
    for odd in [&b""[..], b"short", &[7; 15], &[7; 17], &[7; 1400]] {
        mine.send(to, odd).await.unwrap();
    }
    mine.send(to, &token(1)).await.unwrap();
    let (from, echo) = within(mine.recv()).await.unwrap();
    assert_eq!((from, &echo[..]), (to, &token(1)[..]), "unchanged");

    // An answer that nobody asked for, or that somebody else gives, is none.
    let prober = Prober::new(mine);
    prober.probe(to, token(2)).await.unwrap();
    assert_eq!(within(prober.answers()).await.unwrap(), (to, token(2)));
    let fake_answers = [token(2), token(3), token(4)];
    prober.probe(mine_too.local(), token(4)).await.unwrap();
    for bytes in fake_answers {
        mine_too.send(prober.local(), &bytes).await.unwrap();
    }
    let (from, answered) = within(prober.answers()).await.unwrap();
    assert_eq!((from, answered), (mine_too.local(), token(4)));
    prober.probe(to, token(5)).await.unwrap();
    mine_too.send(prober.local(), &token(5)).await.unwrap();
    assert_eq!(within(prober.answers()).await.unwrap(), (to, token(5)));

    responder.abort();
}

#[tokio::test]
async fn machines_probe_each_other_by_udp() {
    let bind = |text| UdpWire::bind(any(text));
    suite([bind(A).await.unwrap(), bind(A).await.unwrap(), bind(B).await.unwrap()]).await;
    let v6 = [bind("::1").await, bind("::1").await, bind("::1").await];
    if v6.iter().all(Result::is_ok) {
        suite(v6.map(Result::unwrap)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn machines_probe_each_other_in_memory() {
    let net = FakeNet::new(1);
    suite([A, A, B].map(|text| net.bind(any(text)).unwrap())).await;
}

#[tokio::test]
async fn a_port_belongs_to_one_socket_and_an_address_to_its_machine() {
    let (responder, prober) = UdpWire::pair(any(A)).await.unwrap();
    assert_ne!(responder.local(), prober.local());
    let taken = UdpWire::bind(responder.local()).await;
    assert!(matches!(taken, Err(WireError::InUse { .. })), "{taken:?}");
    let foreign = UdpWire::bind(any("192.0.2.1")).await;
    assert!(matches!(foreign, Err(WireError::NotHere { .. })), "{foreign:?}");
    let at = responder.local();
    drop(responder);
    UdpWire::bind(at).await.unwrap();
}

/// With a forged sender, two responders could be made to answer each other for ever.
#[tokio::test(start_paused = true)]
async fn two_responders_do_not_answer_each_other() {
    let net = FakeNet::new(1);
    let [one, two] = ["10.0.0.1:7300", "10.0.0.2:7300"].map(|at| at.parse().unwrap());
    let (forged, responder) = (net.bind(one).unwrap(), net.bind(two).unwrap());
    tokio::spawn(Responder::run(responder, |_| true));
    forged.send(two, &token(1)).await.unwrap();
    assert!(timeout(Duration::from_secs(60), forged.recv()).await.is_err());
    assert_eq!(net.sent(), 1);
}

/// A responder at 10.0.0.2, and a prober at 10.0.0.1.
fn two_nodes(net: &FakeNet) -> (Prober<FakeWire>, SocketAddr) {
    let responder = net.bind("10.0.0.2:7300".parse().unwrap()).unwrap();
    let to = responder.local();
    tokio::spawn(Responder::run(responder, |_| true));
    (Prober::new(net.bind(any("10.0.0.1")).unwrap()), to)
}

/// How many of the next hundred probes are answered within a second each.
async fn answered(prober: &Prober<FakeWire>, to: SocketAddr, kind: u8) -> u32 {
    let mut count = 0;
    for number in 0..100 {
        let mut token = token(kind);
        token[0] = number;
        prober.probe(to, token).await.unwrap();
        count += u32::from(timeout(Duration::from_secs(1), prober.answers()).await.is_ok());
    }
    count
}

#[tokio::test(start_paused = true)]
async fn a_network_in_memory_is_cut_one_way_or_both() {
    let net = FakeNet::new(1);
    let (prober, to) = two_nodes(&net);
    let [here, there] = [address("10.0.0.1"), address("10.0.0.2")];
    assert_eq!(answered(&prober, to, 1).await, 100);
    for (kind, from, until) in [(2, here, there), (4, there, here)] {
        net.cut(from, until);
        assert_eq!(answered(&prober, to, kind).await, 0);
        net.heal(from, until);
        assert_eq!(answered(&prober, to, kind + 1).await, 100);
    }
    net.cut_off(there);
    assert_eq!(answered(&prober, to, 6).await, 0);
    net.rejoin(there);
    assert_eq!(answered(&prober, to, 7).await, 100);
}

#[tokio::test(start_paused = true)]
async fn a_network_in_memory_loses_by_chance_and_the_same_again() {
    let mut counts = Vec::new();
    for seed in [1, 1, 2] {
        let net = FakeNet::new(seed);
        let (prober, to) = two_nodes(&net);
        let lossy = NetPath { loss_percent: 30, ..NetPath::default() };
        net.set_path(address("10.0.0.1"), to.ip(), lossy);
        counts.push(answered(&prober, to, 1).await);
    }
    assert!((50..90).contains(&counts[0]), "{counts:?}");
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test(start_paused = true)]
async fn a_network_in_memory_takes_its_time() {
    let net = FakeNet::new(1);
    let (prober, to) = two_nodes(&net);
    let slow = NetPath { delay: Duration::from_millis(300), ..NetPath::default() };
    net.set_path(prober.local().ip(), to.ip(), slow);
    let began = Instant::now();
    prober.probe(to, token(1)).await.unwrap();
    net.set_path(prober.local().ip(), to.ip(), NetPath::default());
    prober.probe(to, token(2)).await.unwrap();
    assert_eq!(prober.answers().await.unwrap().1, token(2), "the later one overtook");
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(prober.answers().await.unwrap().1, token(1));
    // Tokio's clock counts in milliseconds and rounds up.
    assert!((300..=302).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}
