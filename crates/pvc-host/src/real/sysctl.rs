//! Kernel settings by way of `/proc/sys`.

use std::io;
use std::path::PathBuf;

use crate::{Sysctl, SysctlError};

/// The settings of this kernel.
#[derive(Clone, Debug)]
pub struct ProcSys {
    root: PathBuf,
}

impl Default for ProcSys {
    fn default() -> Self {
        Self { root: "/proc/sys".into() }
    }
}

impl ProcSys {
    /// The settings below another directory, for trying it out.
    #[must_use]
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn set_now(&self, key: &str, value: &str) -> io::Result<()> {
        let path = self.root.join(key);
        let present = std::fs::read_to_string(&path)?;
        if present.trim() == value { Ok(()) } else { std::fs::write(path, value) }
    }
}

impl Sysctl for ProcSys {
    async fn set(&self, key: &str, value: &str) -> Result<(), SysctlError> {
        // The kernel answers from memory: there is nothing to wait for.
        self.set_now(key, value).map_err(|source| SysctlError {
            key: key.to_owned(),
            value: value.to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_setting_is_written_once() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("ip_forward");
        std::fs::write(&path, "0\n").unwrap();
        let settings = ProcSys::below(root.path());
        settings.set("ip_forward", "1").await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1");
    }

    #[tokio::test]
    async fn a_setting_that_is_right_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("ip_forward");
        std::fs::write(&path, "1\n").unwrap();
        ProcSys::below(root.path()).set("ip_forward", "1").await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n");
    }

    #[tokio::test]
    async fn a_setting_this_kernel_lacks_is_named() {
        let root = tempfile::tempdir().unwrap();
        let error = ProcSys::below(root.path()).set("no/such", "1").await.unwrap_err();
        assert_eq!(error.to_string(), "kernel setting no/such could not be set to 1");
    }
}
