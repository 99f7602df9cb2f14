//! The API daemon: answers from a live view of the ZooKeeper tree, writes guarded transactions.
//!
//! ```text
//!  ZooKeeper ──▶ mirror ──▶ image ──▶ View ──▶ api/<noun>/<verb> ──▶ client
//!      ▲                                            │ a request that changes something
//!      └──────── commit ◀── change/<what> (pure) ◀──┘
//! ```
//! Nothing is read from ZooKeeper to answer a question, but for the few large texts that are
//! not kept in memory (logs). A request that changes something reads what it is about, lets a
//! pure function decide, and commits on the condition that nothing changed meanwhile.

pub mod api;
mod app;
mod apply;
mod auth;
mod change;
pub mod config;
mod exporter;
mod fetch;
pub mod firewall;
mod image;
pub mod initialize;
mod listing;
mod metadata;
mod request;
mod rules;
pub mod serve;
mod storage;
mod store;
mod task;
mod text;

pub use app::{App, Limits, Outside};
pub use exporter::Ports;
pub use image::{Arrivals, View};
pub use rules::{RuleCheck, Rules};
pub use storage::Storage;
pub use store::Store;
