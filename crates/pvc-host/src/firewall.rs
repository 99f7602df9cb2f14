//! The firewall of this machine: our table of nftables, and trials of rules.

use std::future::Future;

use pvc_command::CommandError;
use pvc_common::observed::FirewallTable;

/// Why something could not be done to the firewall.
#[derive(Debug, thiserror::Error)]
pub enum FirewallError {
    /// nft looked at the commands and does not take them. Nothing was changed.
    #[error("nft does not take it: {message}")]
    Refused {
        /// What nft says is wrong, on one line.
        message: String,
    },
    /// nft could not be asked, or what it does is not about the commands.
    #[error("nft is of no use here")]
    Unusable(#[source] CommandError),
    /// What nft lists cannot be understood.
    #[error("what nft lists is not understood")]
    Listing(#[source] serde_json::Error),
}

/// How closely is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// At chains and maps. A thousand chains take a twentieth of a second.
    Ways,
    /// At how many rules the chains have, too. Tens of thousands of rules take seconds.
    Rules,
}

/// The firewall of this machine. Every call ends within its deadline.
pub trait Firewall: Send + Sync + 'static {
    /// Our table; `None` if there is none.
    fn observe(
        &self,
        detail: Detail,
    ) -> impl Future<Output = Result<Option<FirewallTable>, FirewallError>> + Send;

    /// Runs commands of nft as one transaction: all of them, or none.
    fn apply(&self, commands: &str) -> impl Future<Output = Result<(), FirewallError>> + Send;

    /// Runs commands where there are no packets, and nothing of this machine's is touched: whether
    /// they would be taken. Names of devices and hosts mean nothing there.
    fn check(&self, commands: &str) -> impl Future<Output = Result<(), FirewallError>> + Send;
}
