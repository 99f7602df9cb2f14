//! The primary's part passes from node to node.

use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::state::{CoordinatorState, DaemonState};
use pvc_common::zk::key;
use pvc_plan::fence::Policy;
use pvc_plan::primary::{Phase, TOUCH};
use pvc_zk::Tree;
use tokio::time::{Instant, timeout};

use crate::bench::{Bench, Part, name};
use crate::moods::Mood;

/// Waits until somebody is primary and has everything; says who.
async fn settled(bench: &Bench, expected: impl Fn(&NodeName) -> bool) -> String {
    bench
        .until("one node is primary", |view| {
            let named = view.cluster.primary_node.get().cloned().flatten();
            let reigns = |node: &NodeName| {
                view.nodes[node].coordinator_state.copied() == Some(CoordinatorState::Primary)
            };
            named.is_some_and(|node| {
                expected(&node)
                    && reigns(&node)
                    && bench.floor.holder().as_deref() == Some(node.as_str())
            })
        })
        .await;
    bench.floor.holder().unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_of_three_becomes_primary_and_stays_it() {
    let bench = Bench::new(3).await;
    let first = settled(&bench, |_| true).await;
    bench.pass(std::time::Duration::from_secs(60)).await;
    assert_eq!(settled(&bench, |_| true).await, first);
}

#[tokio::test(start_paused = true)]
async fn the_part_goes_where_it_is_sent() {
    let bench = Bench::new(3).await;
    settled(&bench, |_| true).await;
    for node in ["hv2", "hv3", "hv1"] {
        bench.put(&key::primary_node(), &Some(name(node))).await;
        settled(&bench, |primary| *primary == name(node)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_seat_is_taken_by_another() {
    let bench = Bench::new(3).await;
    let first = settled(&bench, |_| true).await;
    bench.put(&key::primary_node(), &None).await;
    let next = settled(&bench, |primary| primary.as_str() != first).await;
    assert_ne!(next, first);
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_stops_passes_its_part_on_first() {
    let mut bench = Bench::new(3).await;
    let first = settled(&bench, |_| true).await;
    bench.stop(&first).await;
    assert_ne!(bench.floor.holder().as_deref(), Some(first.as_str()));
    settled(&bench, |primary| primary.as_str() != first).await;
}

#[tokio::test(start_paused = true)]
async fn a_primary_whose_daemon_is_killed_goes_on_when_it_is_back() {
    let mut bench = Bench::new(3).await;
    let first = settled(&bench, |_| true).await;
    bench.kill(&first);
    bench.pass(std::time::Duration::from_secs(20)).await;
    bench.boot(&first).await;
    assert_eq!(settled(&bench, |_| true).await, first);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_end_holds_up_no_switch() {
    let bench = Bench::new(2).await;
    let first = settled(&bench, |_| true).await;
    let other = if first == "hv1" { "hv2" } else { "hv1" };
    bench.floor.stick(&first, Part::Services);
    bench.put(&key::primary_node(), &Some(name(other))).await;
    assert_eq!(settled(&bench, |primary| primary.as_str() == other).await, other);
    assert!(bench.floor.has(&first, Part::Services));
    bench.floor.unstick();
    bench.pass(std::time::Duration::from_secs(10)).await;
    assert!(!bench.floor.has(&first, Part::Services), "it is ended as soon as it can be");
}

/// Switches to the other of two nodes, and stops that one's daemon then; how long both take.
async fn switch_and_stop(bench: &mut Bench) -> [Duration; 2] {
    let first = settled(bench, |_| true).await;
    let other = if first == "hv1" { "hv2" } else { "hv1" };
    let switched = Instant::now();
    bench.put(&key::primary_node(), &Some(name(other))).await;
    settled(bench, |primary| primary.as_str() == other).await;
    let switched = switched.elapsed();
    // It looks at what it has, and is in the midst of mending it.
    bench.pass(Duration::from_secs(10)).await;
    let stopped = Instant::now();
    bench.stop(other).await;
    let stopped = stopped.elapsed();
    assert_eq!(settled(bench, |primary| primary.as_str() != other).await, first);
    [switched, stopped]
}

#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_looked_at_holds_up_nothing() {
    for mood in [Mood::Unseen, Mood::Silent] {
        let mut bench = Bench::new(2).await;
        settled(&bench, |_| true).await;
        ["hv1", "hv2"]
            .into_iter()
            .for_each(|node| bench.floor.moods.set(node, Phase::Services, mood));
        bench.pass(Duration::from_secs(10)).await;
        let took = switch_and_stop(&mut bench).await;
        assert!(took.iter().all(|took| *took < Duration::from_secs(15)), "{mood:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_slow_to_be_had_holds_up_nothing() {
    let mut bench = Bench::new(2).await;
    settled(&bench, |_| true).await;
    ["hv1", "hv2"]
        .into_iter()
        .for_each(|node| bench.floor.moods.set(node, Phase::Services, Mood::Slow));
    bench.pass(Duration::from_secs(10)).await;
    let took = switch_and_stop(&mut bench).await;
    // Without being taken for a silence of the ensemble.
    assert!(took.iter().all(|took| *took < TOUCH / 4), "{took:?}");
}

/// Whether or not it is about to have the addresses: it need not become primary before it ends.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_taking_over_stops_without_having_done_so() {
    for slow in [Phase::Addresses, Phase::Leader] {
        let mut bench = Bench::new(2).await;
        let first = settled(&bench, |_| true).await;
        let other = if first == "hv1" { "hv2" } else { "hv1" };
        bench.floor.moods.set(other, slow, Mood::Slow);
        bench.put(&key::primary_node(), &Some(name(other))).await;
        bench.pass(Duration::from_secs(1)).await;
        let stopped = Instant::now();
        bench.stop(other).await;
        assert!(stopped.elapsed() < Duration::from_secs(5), "{slow:?}: {:?}", stopped.elapsed());
        settled(&bench, |primary| primary.as_str() == first).await;
    }
}

#[tokio::test(start_paused = true)]
async fn addresses_that_are_slow_to_be_had_hold_up_no_switch() {
    let bench = Bench::new(2).await;
    let first = settled(&bench, |_| true).await;
    let other = if first == "hv1" { "hv2" } else { "hv1" };
    bench.floor.moods.set(&first, Phase::Addresses, Mood::Slow);
    bench.pass(Duration::from_secs(10)).await;
    let switched = Instant::now();
    bench.put(&key::primary_node(), &Some(name(other))).await;
    settled(&bench, |primary| primary.as_str() == other).await;
    let took = switched.elapsed();
    assert!(took < TOUCH / 4, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn addresses_that_cannot_be_had_keep_nobody_from_being_primary() {
    let bench = Bench::new(2).await;
    let first = settled(&bench, |_| true).await;
    let other = if first == "hv1" { "hv2" } else { "hv1" };
    bench.floor.stick(other, Part::Addresses);
    bench.put(&key::primary_node(), &Some(name(other))).await;
    bench
        .until("the other one is primary", |view| {
            view.nodes[&name(other)].coordinator_state.copied() == Some(CoordinatorState::Primary)
                && bench.floor.has(other, Part::Services)
        })
        .await;
    bench.floor.unstick();
    assert_eq!(settled(&bench, |_| true).await, other);
}

#[tokio::test(start_paused = true)]
async fn addresses_that_cannot_be_laid_down_are_taken_by_nobody_else() {
    let mut bench = Bench::new(2).await;
    let first = settled(&bench, |_| true).await;
    let other = if first == "hv1" { "hv2" } else { "hv1" };
    bench.floor.stick(&first, Part::Addresses);
    bench.stop(&first).await;
    bench.pass(std::time::Duration::from_secs(60)).await;
    assert!(bench.floor.has(&first, Part::Addresses) && !bench.floor.has(other, Part::Addresses));
    bench.floor.unstick();
    bench.boot(&first).await;
    assert_eq!(settled(&bench, |primary| primary.as_str() == other).await, other);
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_announced_although_a_write_is_lost() {
    let mut bench = Bench::new(2).await;
    let first = settled(&bench, |_| true).await;
    let asked = tokio::time::Instant::now();
    bench.lose_writes(&first, 1);
    bench.stop(&first).await;
    assert!(asked.elapsed() < std::time::Duration::from_secs(30), "{:?}", asked.elapsed());
    let state = bench.read(&key::node_daemon_state(&name(&first))).await.copied();
    assert_eq!(state, Some(DaemonState::Stop));
    settled(&bench, |primary| primary.as_str() != first).await;
}

#[tokio::test(start_paused = true)]
async fn the_primary_tells_what_the_cluster_goes_by() {
    let bench = Bench::new(2).await;
    for node in ["hv1", "hv2", "hv1"] {
        bench.put(&key::primary_node(), &Some(name(node))).await;
        let told = format!("10.0.0.{node}/24");
        bench
            .until(&format!("{node} has told its settings"), |view| {
                view.cluster.upstream_ip.get() == Some(&told)
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_is_cut_off_lays_its_addresses_down_until_it_is_heard_again() {
    let bench = Bench::new(3).await;
    let first = settled(&bench, |_| true).await;
    bench.daemons[&first].tree().suspend();
    bench.pass(TOUCH + std::time::Duration::from_millis(100)).await;
    assert!(!bench.floor.has(&first, Part::Addresses), "others may prove it dead from now on");
    bench.daemons[&first].tree().resume();
    assert_eq!(settled(&bench, |_| true).await, first);
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_was_replaced_while_it_was_cut_off_takes_nothing_up_again() {
    let bench = Bench::new(3).await;
    let first = settled(&bench, |_| true).await;
    bench.daemons[&first].tree().suspend();
    bench.pass(TOUCH).await;
    // What whoever proves it dead writes; should it hold the addresses, the floor will tell.
    bench.put(&key::node_coordinator_state(&name(&first)), &CoordinatorState::Secondary).await;
    bench.put(&key::primary_node(), &None).await;
    let next = settled(&bench, |primary| primary.as_str() != first).await;
    bench.daemons[&first].tree().resume();
    bench.pass(std::time::Duration::from_secs(30)).await;
    assert_eq!(settled(&bench, |_| true).await, next);
    assert!(!bench.floor.has(&first, Part::Services));
}

/// Nobody hears it say that it goes: it says so again, and does not wait for what cannot come.
#[tokio::test(start_paused = true)]
async fn a_coordinator_that_is_stopped_while_the_ensemble_is_silent_ends_soon_after_that() {
    for primary in [true, false] {
        let mut bench = Bench::new(3).await;
        let first = settled(&bench, |_| true).await;
        let other = bench.daemons.keys().find(|node| **node != first).cloned();
        let node = if primary { first } else { other.unwrap() };
        let tree = bench.daemons[&node].tree().clone();
        tree.suspend();
        let began = tokio::time::Instant::now();
        let silence = async {
            tokio::time::sleep(std::time::Duration::from_secs(6)).await;
            tree.resume();
        };
        tokio::join!(bench.stop(&node), silence);
        assert!(began.elapsed() < std::time::Duration::from_secs(15), "{:?}", began.elapsed());
        let next = settled(&bench, |_| true).await;
        assert_ne!(next, node);
    }
}

/// It is heard again when it has given up and is about to end: others see that it has stopped, and must not
/// wait for its addresses until it is back.
#[tokio::test(start_paused = true)]
async fn a_primary_that_is_heard_again_just_when_it_ends_leaves_its_seat_to_another() {
    let mut bench = Bench::new(3).await;
    let first = settled(&bench, |_| true).await;
    let tree = bench.daemons[&first].tree().clone();
    tree.suspend();
    let silence = async {
        tokio::time::sleep(Duration::from_secs(12)).await;
        tree.resume();
    };
    tokio::join!(bench.stop(&first), silence);
    let state = bench.read(&key::node_daemon_state(&name(&first))).await.copied();
    assert_eq!(state, Some(DaemonState::Stop));
    settled(&bench, |primary| primary.as_str() != first).await;
    assert!(!bench.floor.has(&first, Part::Services), "nobody else would end them");
}

#[tokio::test(start_paused = true)]
async fn a_short_silence_of_the_ensemble_moves_nothing() {
    let bench = Bench::new(2).await;
    let first = settled(&bench, |_| true).await;
    for _ in 0..5 {
        bench.daemons[&first].tree().suspend();
        for _ in 0..12 {
            bench.pass(std::time::Duration::from_millis(100)).await;
            assert!(bench.floor.has(&first, Part::Addresses));
        }
        bench.daemons[&first].tree().resume();
        bench.pass(std::time::Duration::from_secs(1)).await;
    }
}

/// Only the addresses that cannot be laid down make it last: everything else of the daemon is whole.
#[tokio::test(start_paused = true)]
async fn keepalives_go_on_while_a_hand_over_takes_longer_than_a_fence_waits() {
    let mut bench = Bench::fencing(3).await;
    let first = settled(&bench, |_| true).await;
    bench.floor.stick(&first, Part::Addresses);
    let (tree, me) = (bench.tree.clone(), name(&first));
    let beat = async || tree.get(key::node_keepalive(&me).path()).await.unwrap().unwrap().version;
    let began = Instant::now();
    let (mut last, mut heard, mut longest) = (beat().await, began, Duration::ZERO);
    {
        let mut stopping = std::pin::pin!(bench.stop(&first));
        while timeout(Duration::from_millis(250), &mut stopping).await.is_err() {
            longest = longest.max(heard.elapsed());
            let now = beat().await;
            if std::mem::replace(&mut last, now) != now {
                heard = Instant::now();
            }
        }
        longest = longest.max(heard.elapsed());
    }
    assert!(began.elapsed() > Policy::default().keepalive_silence * 2, "{:?}", began.elapsed());
    assert!(longest < Duration::from_secs(6), "silent for {longest:?}");
    let state = bench.read(&key::node_daemon_state(&me)).await.copied();
    assert_eq!(state, Some(DaemonState::Stop), "nobody took it for dead");
}
