//! Client networks: made, changed and removed; their reservations and their firewall.
//!
//! What concerns one network is decided on what was read of it just now and guarded by that. What
//! concerns several (names, addresses that must not overlap) is decided on the view, once that shows
//! every such decision, and guarded by there being no other: see [`Others`].

mod among;
mod define;
mod found;
mod held;
mod ip4;
mod ip6;
pub(crate) mod parse;
mod remove;
mod reservation;
mod rule;
mod writes;

pub(crate) use among::{Others, find};
pub(crate) use define::{Wish, add, modify};
pub(crate) use found::Found;
pub(crate) use ip4::Ip4Wish;
pub(crate) use ip6::Ip6Wish;
pub(crate) use remove::{remove, unused};
pub(crate) use reservation::{NewReservation, add_reservation, remove_lease};
pub(crate) use rule::{NewRule, add_rule, remove_rule};

use pvc_common::zk::Seen;

use super::unreadable;
use crate::api::ApiError;

/// What is asked of a setting that may be unset: `None` if nothing is, `Some(None)` to unset it.
pub(crate) type Given<T> = Option<Option<T>>;

/// Refuses, as upstream's clients know it.
fn refuse<T>(code: &'static str, why: impl std::fmt::Display) -> Result<T, ApiError> {
    Err(ApiError::refused(code, format!("ERROR: {why}")))
}

/// What a setting shall be: as asked, else as it is, unless that cannot be understood.
fn settled<T: Clone + Default>(asked: Option<T>, was: &Seen<T>, what: &str) -> Result<T, ApiError> {
    match (asked, was) {
        (Some(asked), _) => Ok(asked),
        (None, Seen::Value { value, .. }) => Ok(value.clone()),
        (None, Seen::Absent) => Ok(T::default()),
        (None, Seen::Bad { .. }) => Err(unreadable(&format!("The network's {what}"))),
    }
}
