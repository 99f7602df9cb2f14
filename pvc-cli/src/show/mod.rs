//! How data looks: tables, sheets of labelled values, sizes, ages and times.

mod amount;
mod cell;
mod sheet;
mod state;
mod table;
mod time;

pub(crate) use amount::{age, bytes, count, gib, kib};
pub(crate) use cell::Cell;
pub(crate) use sheet::Sheet;
pub(crate) use state::{
    coordinator_state, daemon_state, delta_colour, domain_state, fence_phase, health,
    health_colour, vm_state,
};
pub(crate) use table::Table;
pub(crate) use time::{after, moment};
