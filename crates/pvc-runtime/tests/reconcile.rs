//! The loop, an hour in a few milliseconds.

use std::sync::Arc;
use std::time::Duration;

use pvc_runtime::drain::drain;
use pvc_runtime::reconcile::{Activity, Outcome, Reason, Reconciler, Registry, spawn};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Reports the view it was given, `work` later.
struct Echo {
    work: Duration,
    wake_after: Option<Duration>,
}

impl Reconciler for Echo {
    type View = u32;
    type Report = u32;
    const NAME: &'static str = "echo";
    const PERIOD: Duration = Duration::from_secs(30);

    async fn reconcile(&mut self, view: Arc<u32>) -> Outcome<u32> {
        sleep(self.work).await;
        Outcome { report: *view, wake_at: self.wake_after.map(|after| Instant::now() + after) }
    }
}

const QUICK: Echo = Echo { work: Duration::ZERO, wake_after: None };

#[tokio::test(start_paused = true)]
async fn a_quiet_hour_is_one_activation_a_period() {
    let (_views, view) = watch::channel(Some(Arc::new(1)));
    let (registry, (_trigger, held)) = (Registry::default(), drain());
    let handle = spawn(QUICK, view, &registry, &held);
    sleep(Duration::from_secs(3_600) + Duration::from_millis(1)).await;
    assert_eq!(registry.snapshot()["echo"].activations, 121);
    assert_eq!(*handle.reports.borrow(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_change_a_nudge_and_a_wish_each_activate_at_once() {
    let (views, view) = watch::channel(Some(Arc::new(1)));
    let (registry, (_trigger, held)) = (Registry::default(), drain());
    let echo = Echo { wake_after: Some(Duration::from_secs(7)), ..QUICK };
    let handle = spawn(echo, view, &registry, &held);
    let last = || registry.snapshot()["echo"].last.clone().unwrap().reason;
    sleep(Duration::from_millis(1)).await;
    assert_eq!(last(), Reason::View);
    sleep(Duration::from_secs(7)).await;
    assert_eq!(last(), Reason::Wake);
    handle.nudge.nudge();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(last(), Reason::Nudge);
    views.send_replace(Some(Arc::new(2)));
    sleep(Duration::from_millis(1)).await;
    assert_eq!((last(), *handle.reports.borrow()), (Reason::View, Some(2)));
}

#[tokio::test(start_paused = true)]
async fn a_change_during_an_activation_is_seen_by_the_next() {
    let (views, view) = watch::channel(Some(Arc::new(1)));
    let (registry, (_trigger, held)) = (Registry::default(), drain());
    let slow = Echo { work: Duration::from_secs(5), ..QUICK };
    let handle = spawn(slow, view, &registry, &held);
    sleep(Duration::from_secs(1)).await;
    views.send_replace(Some(Arc::new(2)));
    views.send_replace(Some(Arc::new(3)));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(*handle.reports.borrow(), Some(3));
    assert_eq!(registry.snapshot()["echo"].activations, 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_view_a_reconciler_is_inert() {
    let (views, view) = watch::channel(None);
    let (registry, (_trigger, held)) = (Registry::default(), drain());
    let _handle = spawn(QUICK, view, &registry, &held);
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(registry.snapshot()["echo"].activity, Activity::Inert);
    views.send_replace(Some(Arc::new(1)));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(registry.snapshot()["echo"].activations, 1);
}

#[tokio::test(start_paused = true)]
async fn draining_stops_an_activation_in_its_midst() {
    let (_views, view) = watch::channel(Some(Arc::new(1)));
    let (registry, (trigger, held)) = (Registry::default(), drain());
    let endless = Echo { work: Duration::from_secs(1_000_000), ..QUICK };
    let handle = spawn(endless, view, &registry, &held);
    sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    trigger.drain();
    handle.task.await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(registry.snapshot()["echo"].activity, Activity::Stopped);
}
