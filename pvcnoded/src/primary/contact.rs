//! When most of the ensemble was last heard: what a primary holds its addresses by.
//!
//! A session says too little. The server that keeps it may itself be cut off with this node, and
//! then answers for seconds what it remembers. Only a transaction proves that most servers
//! heard: so one is asked for that changes nothing and fails unless this node still has the part
//! that it thinks it has. What counts is when it was asked, not when it was answered.

use std::time::Duration;

use pvc_common::zk::Op;
use pvc_plan::primary::TOUCH;
use pvc_zk::{CommitError, Tree};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

/// Between two questions. Some of them may be lost or late before [`TOUCH`] is over.
const EVERY: Duration = Duration::from_millis(500);

/// When most of the ensemble was last heard by this node.
pub(super) struct Contact {
    question: watch::Sender<Vec<Op>>,
    heard: watch::Sender<Instant>,
    asking: JoinHandle<()>,
}

impl Contact {
    /// Begins as if the ensemble had just been heard; asks nothing yet.
    pub(super) fn new<T: Tree>(tree: T) -> Self {
        let (question, asked) = watch::channel(Vec::new());
        let heard = watch::Sender::new(Instant::now());
        let asking = tokio::spawn(ask(tree, asked, heard.clone()));
        Self { question, heard, asking }
    }

    /// From now on asks whether all of this holds; asks nothing if there is nothing to hold.
    pub(super) fn ask(&self, question: Vec<Op>) {
        self.question.send_if_modified(|now| {
            let other = *now != question;
            *now = question;
            other
        });
    }

    /// Takes note that what was asked at this moment was answered by most of the ensemble.
    pub(super) fn heard(&self, asked: Instant) {
        note(&self.heard, asked);
    }

    /// For how long nobody was heard; of no account as long as nothing is asked.
    pub(super) fn silence(&self) -> Duration {
        match self.until() {
            Some(_) => self.heard.borrow().elapsed(),
            None => Duration::ZERO,
        }
    }

    /// When the silence will have been too long, if nothing is heard until then.
    pub(super) fn until(&self) -> Option<Instant> {
        let asks = !self.question.borrow().is_empty();
        asks.then(|| *self.heard.borrow() + TOUCH)
    }

    /// Returns when the silence has been too long; never, if nothing is asked.
    pub(super) async fn lost(&self) {
        while let Some(until) = self.until() {
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
        std::future::pending().await
    }
}

impl Drop for Contact {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

fn note(heard: &watch::Sender<Instant>, asked: Instant) {
    heard.send_if_modified(|at| {
        let later = asked > *at;
        *at = asked.max(*at);
        later
    });
}

/// Asks for ever, as long as there is a question.
async fn ask<T: Tree>(
    tree: T,
    mut question: watch::Receiver<Vec<Op>>,
    heard: watch::Sender<Instant>,
) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while question.wait_for(|ops| !ops.is_empty()).await.is_ok() {
        ticks.tick().await;
        let ops = question.borrow_and_update().clone();
        if ops.is_empty() {
            continue;
        }
        let asked = Instant::now();
        match timeout(TOUCH, tree.commit(ops)).await {
            Ok(Ok(())) => note(&heard, asked),
            // An answer of most, but what is believed here is out of date: before the view has
            // caught up, and asks anew, nothing may be taken up because of it.
            Ok(Err(CommitError::Superseded { .. })) => {}
            Ok(Err(error)) => tracing::debug!(%error, "primary: the ensemble does not answer"),
            Err(_) => tracing::debug!("primary: the ensemble does not answer in time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::{Expected, Version};
    use pvc_zk::FakeTree;

    use super::*;

    fn check(version: i32) -> Vec<Op> {
        vec![Op::Check { path: "/seat".to_owned(), version: Version(version) }]
    }

    async fn seat() -> FakeTree {
        let tree = FakeTree::new();
        tree.commit(vec![Op::put("/seat", "hv1", Expected::Absent)]).await.unwrap();
        tree
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_what_it_believes_to_have_stays_in_touch() {
        let contact = Contact::new(seat().await);
        contact.ask(check(0));
        tokio::time::sleep(TOUCH * 5).await;
        assert!(contact.silence() <= EVERY, "{:?}", contact.silence());
        contact.ask(check(7));
        contact.lost().await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_nothing_to_hold_loses_nothing() {
        let contact = Contact::new(seat().await);
        tokio::time::timeout(TOUCH * 5, contact.lost()).await.unwrap_err();
        assert_eq!((contact.silence(), contact.until()), (Duration::ZERO, None));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_session_touch_is_lost_and_comes_back() {
        let tree = seat().await;
        let contact = Contact::new(tree.clone());
        contact.ask(check(0));
        tokio::time::sleep(TOUCH * 5).await;
        tree.suspend();
        let cut = Instant::now();
        contact.lost().await;
        assert!(cut.elapsed() <= TOUCH, "{:?}", cut.elapsed());
        tree.resume();
        tokio::time::sleep(TOUCH + EVERY).await;
        assert!(contact.silence() <= EVERY, "{:?}", contact.silence());
    }
}
