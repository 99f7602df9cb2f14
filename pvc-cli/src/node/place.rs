//! The node a command is about: the one named, or the one it runs on.

use clap::Args;

use crate::failure::Failure;

/// The node.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// Node; by default this machine.
    #[arg(value_name = "NODE")]
    node: Option<String>,
}

impl Place {
    /// The node's name.
    pub(crate) fn name(self) -> Result<String, Failure> {
        if let Some(node) = self.node {
            return Ok(node);
        }
        let host = nix::unistd::gethostname().ok();
        let host = host.and_then(|host| host.into_string().ok());
        host.and_then(|host| host.split('.').next().map(str::to_owned))
            .filter(|short| !short.is_empty())
            .ok_or_else(|| {
                Failure::usage("This machine has no usable host name.")
                    .hint("Name the node on the command line.")
            })
    }
}
