//! Whether files that hold secrets are kept from everybody.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What the mode of a file grants to everybody: to read it, or to write it.
const EVERYBODY: u32 = 0o006;

/// A file with secrets that everybody on this machine may read, or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    path: PathBuf,
    mode: u32,
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, mode) = (self.path.display(), self.mode);
        write!(f, "{path} holds secrets, and its mode {mode:04o} lets everybody read or write it")?;
        write!(f, ": `chmod o= {path}`")
    }
}

/// Those of `files` that are exposed. One that cannot be looked at is told of by whoever reads it.
pub fn exposed<'a>(files: impl IntoIterator<Item = &'a Path>) -> Vec<Exposed> {
    let mode = |path: &Path| Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o7777);
    let open = |path: &'a Path| {
        let mode = mode(path).filter(|mode| mode & EVERYBODY != 0)?;
        Some(Exposed { path: path.to_owned(), mode })
    };
    files.into_iter().filter_map(open).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_everybody_may_read_is_named_with_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let told = |name: &str, mode: u32| {
            let path = directory.path().join(name);
            std::fs::write(&path, "secret").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            exposed([path.as_path()]).iter().map(Exposed::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told("own", 0o600), Vec::<String>::new());
        assert_eq!(told("group", 0o640), Vec::<String>::new());
        let said = told("all.yaml", 0o644).remove(0);
        assert!(said.contains("all.yaml holds secrets, and its mode 0644 "), "{said}");
        assert_eq!(told("writable", 0o602).len(), 1);
        assert_eq!(exposed([directory.path().join("none").as_path()]), []);
    }
}
