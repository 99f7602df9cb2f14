//! The program as a person uses it, against a scripted API.

mod connections;
mod failures;
mod formats;
mod interfaces;
mod logs;
mod networks;
mod packaging;
mod questions;
mod sriov;
mod storage;
mod support;
mod volumes;
mod waits;
