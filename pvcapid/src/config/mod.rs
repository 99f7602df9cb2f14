//! The configuration file, `/etc/pvc/pvcapid.yaml`.

mod read;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use pvc_common::secret::Secret;
use pvc_runtime::config::{Document, Problem};
use pvc_runtime::secrecy::{Exposed, exposed};

/// Where the file is unless [`PATH_VARIABLE`] says otherwise.
pub const DEFAULT_PATH: &str = "/etc/pvc/pvcapid.yaml";
/// The environment variable that names another file.
pub const PATH_VARIABLE: &str = "PVC_CONFIG_FILE";

/// A configuration in which everything was checked.
pub struct Config {
    /// Whether details are logged.
    pub debug: bool,
    /// Servers of the ZooKeeper ensemble, as `host:port`.
    pub zookeeper: Vec<String>,
    /// Address to listen at.
    pub address: IpAddr,
    /// Port to listen at.
    pub port: u16,
    /// Whether everybody may read the metrics.
    pub prometheus: bool,
    /// Who may ask; `None` for everybody.
    pub authentication: Option<Authentication>,
    /// Certificate and key; `None` for plain HTTP.
    pub tls: Option<Tls>,
}

/// Who may ask.
pub struct Authentication {
    /// Signs the cookies of those who logged in.
    pub secret_key: Secret<String>,
    /// The tokens, each as good as the other.
    pub tokens: Vec<Token>,
}

/// A token that admits its bearer.
pub struct Token {
    /// Whose it is, for the log.
    pub description: String,
    /// The token itself.
    pub token: Secret<String>,
}

/// Where the certificate is.
pub struct Tls {
    /// Certificate chain, PEM.
    pub cert_file: PathBuf,
    /// Private key, PEM.
    pub key_file: PathBuf,
}

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let shown = path.display().to_string();
            vec![Problem::new("", None, Some(&shown), format!("a readable file ({error})"))]
        })?;
        Self::parse(&text)
    }

    /// Checks the text of a file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let document = Document::parse(text).map_err(|problem| vec![problem])?;
        read::config(&document)
    }

    /// The files with secrets that everybody may read: that of this configuration, read from `path`,
    /// and the key of its certificate.
    #[must_use]
    pub fn exposed(&self, path: &Path) -> Vec<Exposed> {
        let key = self.tls.as_ref().map(|tls| tls.key_file.as_path());
        exposed([path].into_iter().chain(key))
    }

    /// Where clients reach this daemon, for the banner.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let address = std::net::SocketAddr::new(self.address, self.port);
        format!("{scheme}://{address}/api/v1")
    }
}
