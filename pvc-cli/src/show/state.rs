//! The colour of each state. A state that this client does not know is left plain.

use pvc_common::api::Health;
use pvc_common::state::{CoordinatorState, DaemonState, DomainState, FencePhase, VmState, Word};

use super::Cell;
use crate::paint::Colour;

fn word<W: Word>(text: &str, colour: impl Fn(W) -> Colour) -> Cell {
    match W::parse(text) {
        Ok(word) => Cell::coloured(colour(word), text),
        Err(_) => Cell::plain(text),
    }
}

/// What a node's daemon is doing.
pub(crate) fn daemon_state(text: &str) -> Cell {
    word(text, |state| match state {
        DaemonState::Run => Colour::Green,
        DaemonState::Init | DaemonState::Shutdown => Colour::Yellow,
        DaemonState::Stop | DaemonState::Dead | DaemonState::Fenced => Colour::Red,
    })
}

/// A node's part in the coordination.
pub(crate) fn coordinator_state(text: &str) -> Cell {
    word(text, |state| match state {
        CoordinatorState::Primary => Colour::Green,
        CoordinatorState::Takeover | CoordinatorState::Relinquish => Colour::Yellow,
        CoordinatorState::Secondary => Colour::Blue,
        CoordinatorState::Client => Colour::Cyan,
    })
}

/// Whether a node takes VMs.
pub(crate) fn domain_state(text: &str) -> Cell {
    word(text, |state| match state {
        DomainState::Ready => Colour::Green,
        DomainState::Flush | DomainState::Unflush => Colour::Yellow,
        DomainState::Flushed => Colour::Blue,
        DomainState::FenceFlush => Colour::Red,
    })
}

/// How far a fence is.
pub(crate) fn fence_phase(text: &str) -> Cell {
    word(text, |phase| match phase {
        FencePhase::Proving => Colour::Red,
        FencePhase::Recovering => Colour::Yellow,
        FencePhase::Finished => Colour::Green,
        FencePhase::Withdrawn => Colour::Blue,
    })
}

/// What a VM should be doing.
pub(crate) fn vm_state(text: &str) -> Cell {
    word(text, |state| match state {
        VmState::Start => Colour::Green,
        VmState::Restart
        | VmState::Shutdown
        | VmState::Migrate
        | VmState::MigrateLive
        | VmState::Unmigrate
        | VmState::Delete => Colour::Yellow,
        VmState::Stop | VmState::Fail => Colour::Red,
        VmState::Disable => Colour::Blue,
        VmState::Provision | VmState::Import | VmState::Restore => Colour::Cyan,
        VmState::Mirror => Colour::Purple,
    })
}

/// A health, coloured by how bad it is; blue while nobody cares (`maintenance`).
pub(crate) fn health(health: Health, maintenance: bool) -> Cell {
    Cell::coloured(health_colour(health, maintenance), health)
}

/// The colour of a health.
pub(crate) const fn health_colour(health: Health, maintenance: bool) -> Colour {
    match health {
        _ if maintenance => Colour::Blue,
        Health::Percent(91..) => Colour::Green,
        Health::Percent(51..=90) => Colour::Yellow,
        Health::Percent(..=50) => Colour::Red,
        Health::Unknown => Colour::Blue,
    }
}

/// The colour of something that lowers a health by `delta` percent.
pub(crate) const fn delta_colour(delta: i64, accepted: bool) -> Colour {
    match delta {
        _ if accepted => Colour::Blue,
        50.. => Colour::Red,
        1..=49 => Colour::Yellow,
        ..=0 => Colour::Green,
    }
}
