//! Where the store is.

use std::env;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::out::Out;

/// Access to the store for nobody but its owner: it holds API keys.
const DEFAULT_MODE: u32 = 0o600;

/// Where the store is, and who may read it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The directory.
    pub(crate) directory: PathBuf,
    /// The mode a new store gets.
    pub(crate) mode: u32,
}

impl Place {
    /// As the environment says: `PVC_CLIENT_DIR`, else below `HOME`, else in `/tmp`.
    pub(crate) fn from_environment(out: Out) -> Result<Self, Failure> {
        let given = |name| env::var_os(name).filter(|value| !value.is_empty());
        let directory = if let Some(directory) = given("PVC_CLIENT_DIR") {
            PathBuf::from(directory)
        } else if let Some(home) = given("HOME") {
            PathBuf::from(home).join(".config/pvc")
        } else {
            out.note(
                "Note: neither HOME nor PVC_CLIENT_DIR is set, so connections are in /tmp/pvc.",
            );
            PathBuf::from("/tmp/pvc")
        };
        let mode = match env::var("PVC_CLIENT_DB_PERMS") {
            Ok(text) => u32::from_str_radix(&text, 8)
                .ok()
                .filter(|mode| *mode <= 0o777)
                .ok_or_else(|| {
                    Failure::usage(format!("PVC_CLIENT_DB_PERMS is `{text}`, not a file mode"))
                        .hint("Give an octal number such as 600.")
                })?,
            Err(_) => DEFAULT_MODE,
        };
        Ok(Self { directory, mode })
    }
}
