//! Publishes the ring where the whole cluster can read it.

use std::future::Future;
use std::time::Duration;

use super::Ring;
use crate::drain::Drain;

/// Where a ring is published.
pub trait Sink: Send + 'static {
    /// What an attempt can fail with; it is logged when publishing begins to fail.
    type Error: std::fmt::Display + Send;

    /// Replaces what was published before by `text`.
    fn write(&mut self, text: String) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Twice a second is as fast as a person reads, and spares ZooKeeper a write for every line.
const PACE: Duration = Duration::from_millis(500);

/// Publishes `ring` whenever it has changed, at most twice a second, and once more at the end.
///
/// An attempt that fails is repeated with whatever the ring holds by then.
pub async fn publish<S: Sink>(ring: Ring, mut sink: S, drain: Drain) {
    let mut changes = ring.changes();
    changes.mark_changed();
    let mut failing = false;
    loop {
        tokio::select! {
            () = drain.drained() => break,
            changed = changes.changed() => if changed.is_err() { break },
        }
        let outcome = sink.write(ring.text()).await;
        if let Err(error) = &outcome {
            changes.mark_changed();
            // Only the first failure is news; telling each would itself change the ring.
            if !failing {
                tracing::warn!(%error, "the node's log cannot be published; trying on");
            }
        }
        failing = outcome.is_err();
        tokio::select! {
            () = drain.drained() => break,
            () = tokio::time::sleep(PACE) => {}
        }
    }
    if let Err(error) = sink.write(ring.text()).await {
        tracing::debug!(%error, "the end of the log was not published");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::drain::drain;

    #[derive(Clone, Default)]
    struct Shelf(Arc<Mutex<Vec<String>>>);

    impl Sink for Shelf {
        type Error = String;

        async fn write(&mut self, text: String) -> Result<(), String> {
            self.0.lock().unwrap().push(text);
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_lines_are_published_twice_a_second_and_no_line_is_lost() {
        let (ring, shelf) = (Ring::new(1_000), Shelf::default());
        let (trigger, held) = drain();
        let task = tokio::spawn(publish(ring.clone(), shelf.clone(), held));
        for n in 0..100 {
            ring.push(format!("line {n}"));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        trigger.drain();
        task.await.unwrap();
        let written = shelf.0.lock().unwrap().clone();
        assert!((4..=6).contains(&written.len()), "{} writes in 2 s", written.len());
        assert!(written.last().unwrap().ends_with("line 99"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_ring_is_not_published_again() {
        let (ring, shelf) = (Ring::new(10), Shelf::default());
        let (_trigger, held) = drain();
        tokio::spawn(publish(ring.clone(), shelf.clone(), held));
        ring.push("only".to_owned());
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert!(shelf.0.lock().unwrap().len() <= 2);
    }
}
