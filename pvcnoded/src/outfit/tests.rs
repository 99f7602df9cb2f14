//! Parts that cannot be looked at, among others that can.

use std::future::pending;
use std::sync::Mutex;

use tokio::time::Instant;

use super::*;

const PERHAPS: Holding = Holding { any: true, all: false };

/// A part that is looked at as told.
struct Told {
    name: &'static str,
    phase: Phase,
    look: Mutex<Look>,
}

#[derive(Clone, Copy)]
enum Look {
    Sees(Holding),
    Fails,
    Hangs,
}

impl Told {
    fn new(name: &'static str, phase: Phase, look: Look) -> Arc<Self> {
        Arc::new(Self { name, phase, look: Mutex::new(look) })
    }

    fn look(&self, look: Look) {
        *self.look.lock().unwrap() = look;
    }
}

impl Part for Told {
    fn name(&self) -> &str {
        self.name
    }

    fn phase(&self) -> Phase {
        self.phase
    }

    fn held(&self) -> Doing<'_, Holding> {
        let look = *self.look.lock().unwrap();
        Box::pin(async move {
            match look {
                Look::Sees(holding) => Ok(holding),
                Look::Fails => Err(OutfitError { what: "broken".to_owned() }),
                Look::Hangs => pending().await,
            }
        })
    }

    fn take_up(&self) -> Doing<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn lay_down(&self) -> Doing<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

fn troubles(sight: &Sight) -> Vec<&str> {
    sight.trouble.iter().map(|error| error.what.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_part_that_cannot_be_looked_at_is_perhaps_held_and_hides_no_other() {
    let parts = Parts::new(vec![
        Told::new("address", Phase::Addresses, Look::Sees(Holding::EVERYTHING)),
        Told::new("hung", Phase::Services, Look::Hangs),
        Told::new("failed", Phase::Services, Look::Fails),
        Told::new("good", Phase::Services, Look::Sees(Holding::EVERYTHING)),
    ]);
    let begun = Instant::now();
    let sight = parts.held().await;
    assert_eq!(begun.elapsed(), LOOK, "all are looked at at the same time");
    let leader = Holding::of([]);
    let held = Held { addresses: Holding::EVERYTHING, leader, services: PERHAPS };
    assert_eq!(sight.held, held);
    assert_eq!(troubles(&sight), ["hung: not seen within 2 s", "failed: broken"]);
}

/// Otherwise a secondary would lay it down, and take itself for a holder of addresses, for ever.
#[tokio::test]
async fn what_was_seen_not_to_be_here_or_laid_down_is_not_here_while_it_cannot_be_looked_at() {
    let part = Told::new("address", Phase::Addresses, Look::Fails);
    let parts = Parts::new(vec![Arc::<Told>::clone(&part)]);
    let addresses = async || parts.held().await.held.addresses;
    assert_eq!(addresses().await, PERHAPS, "nothing is known");
    parts.lay_down(Phase::Addresses).await.unwrap();
    assert_eq!(addresses().await, Holding::NOTHING);
    parts.take_up(Phase::Addresses).await.unwrap();
    assert_eq!(addresses().await, PERHAPS);
    part.look(Look::Sees(Holding::NOTHING));
    assert_eq!(addresses().await, Holding::NOTHING);
    part.look(Look::Fails);
    assert_eq!(addresses().await, Holding::NOTHING);
    part.look(Look::Sees(Holding::EVERYTHING));
    assert_eq!(addresses().await, Holding::EVERYTHING);
    part.look(Look::Fails);
    assert_eq!(addresses().await, PERHAPS);
}
