//! Cards that are divided into functions for VMs.

use std::future::Future;
use std::io;
use std::time::Duration;

use pvc_command::CommandError;
use pvc_common::id::SriovName;
use pvc_common::observed::{SriovTable, VfSetting};

/// Why cards could not be seen or changed.
#[derive(Debug, thiserror::Error)]
pub enum SriovError {
    /// A file of the kernel could not be read or written.
    #[error("{file} could not be {verb}")]
    File {
        /// The file.
        file: String,
        /// `read` or `written`.
        verb: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The kernel is still at what it was told before, or was not done in time.
    #[error("the kernel was not done with {file} within {} s", waited.as_secs())]
    TooLate {
        /// The file that it was told by.
        file: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A program of the system did not do what was asked.
    #[error("the system refused")]
    Program(#[from] CommandError),
    /// A program of the system said something that is not understood.
    #[error("what `ip` says of {device} is not understood: {why}")]
    Unreadable {
        /// The device it was asked about.
        device: SriovName,
        /// What is wrong with it.
        why: String,
    },
}

/// The cards of this machine and their functions. Every call ends, within half a minute for a card.
///
/// All changes are idempotent: what is so already is a success.
pub trait Sriov: Send + Sync + 'static {
    /// Sees these cards. One that is not there, or knows no SR-IOV, is no error; nor is one that cannot be
    /// looked at, which is told of it and costs the others nothing but time.
    fn observe(
        &self,
        devices: &[SriovName],
    ) -> impl Future<Output = Result<SriovTable, SriovError>> + Send;

    /// Has the kernel hand hardware to VMs, also on machines that cannot map interrupts.
    fn allow_handing_through(&self) -> impl Future<Output = Result<(), SriovError>> + Send;

    /// Divides a card, after taking away all functions that it has.
    fn divide(
        &self,
        device: &SriovName,
        into: u32,
    ) -> impl Future<Output = Result<(), SriovError>> + Send;

    /// Lets a device take packets of up to this size, in bytes.
    fn set_mtu(
        &self,
        device: &str,
        mtu: u32,
    ) -> impl Future<Output = Result<(), SriovError>> + Send;

    /// Switches a device on.
    fn switch_on(&self, device: &str) -> impl Future<Output = Result<(), SriovError>> + Send;

    /// Sets something of a card's function.
    fn set(
        &self,
        card: &SriovName,
        number: u32,
        setting: VfSetting,
    ) -> impl Future<Output = Result<(), SriovError>> + Send;
}
