//! The store of connections: which clusters this person knows, and how to reach them.
//!
//! A JSON file of upstream's format, so that both clients share it. Entries this client
//! does not understand survive a change of the others.

mod entry;
mod file;
mod local;
mod place;

pub(crate) use entry::{Entry, Remote};
pub(crate) use file::Store;
