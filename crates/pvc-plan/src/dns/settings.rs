//! PowerDNS' settings, as its file has them.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use ipnet::Ipv4Net;
use pvc_common::secret::Secret;

use super::Server;

/// What PowerDNS has to be told.
#[derive(Clone)]
pub struct Settings {
    /// Host of its database.
    pub host: String,
    /// Port of its database.
    pub port: u16,
    /// Name of its database.
    pub database: String,
    /// Who logs in there.
    pub user: String,
    /// With which password.
    pub password: Secret<String>,
    /// Where it answers.
    pub addresses: Vec<IpAddr>,
    /// Whose hosts may copy whole zones, besides this machine: they hold the names of all networks.
    pub copied_in: Ipv4Net,
    /// Where it may put its control socket.
    pub directory: String,
}

/// A value that cannot be written to PowerDNS' file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    what: &'static str,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what;
        write!(f, "{what} of the DNS database cannot be given to PowerDNS: ")?;
        f.write_str("expected no control characters, no blanks at either end, no `#` after one")
    }
}

/// What is the same everywhere.
///
/// Caches are short: what changes in the database is to be answered soon, and new zones would not
/// be seen for five minutes.
const SAME: &str = "\
launch=gpgsql
guardian=no
daemon=no
write-pid=no
log-timestamp=no
security-poll-suffix=
version-string=anonymous
setuid=pdns
setgid=pdns
receiver-threads=1
distributor-threads=2
cache-ttl=1
query-cache-ttl=0
negquery-cache-ttl=1
zone-cache-refresh-interval=1
disable-axfr=no
";

impl Settings {
    /// The text of the file. It holds the password.
    ///
    /// # Errors
    /// When a value would end its line.
    pub fn text(&self, server: &Server) -> Result<Secret<String>, Unfit> {
        let addresses: Vec<String> = self.addresses.iter().map(IpAddr::to_string).collect();
        let Server { name, contact } = server;
        let mut text = format!(
            "# Written by pvcnoded, which replaces it when it starts.\n{SAME}\
             default-soa-content={name} {contact} 0 10800 1800 86400 60\n\
             allow-axfr-ips=127.0.0.0/8,::1/128,{}\n\
             local-address={}\nsocket-dir={}\ngpgsql-port={}\n",
            self.copied_in,
            addresses.join(","),
            self.directory,
            self.port
        );
        for (what, key, value) in [
            ("the host", "gpgsql-host", self.host.as_str()),
            ("the name", "gpgsql-dbname", &self.database),
            ("the user", "gpgsql-user", &self.user),
            ("the password", "gpgsql-password", self.password.reveal()),
        ] {
            if !fits(value) {
                return Err(Unfit { what });
            }
            writeln!(text, "{key}={value}").expect("a string takes all");
        }
        Ok(Secret::new(text))
    }
}

/// Whether PowerDNS reads a value as it is written. It knows no quotes, takes a `#` after a blank
/// for a comment, and blanks at either end for nothing.
fn fits(value: &str) -> bool {
    let comments = |pair: &[u8]| pair[0].is_ascii_whitespace() && pair[1] == b'#';
    !value.contains(char::is_control)
        && !value.starts_with('#')
        && !value.as_bytes().windows(2).any(comments)
        && value.trim() == value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(password: &str) -> Settings {
        Settings {
            host: "localhost".to_owned(),
            port: 5432,
            database: "pvcdns".to_owned(),
            user: "pvcdns".to_owned(),
            password: Secret::new(password.to_owned()),
            addresses: vec!["10.0.0.254".parse().unwrap(), "10.1.0.254".parse().unwrap()],
            copied_in: "10.1.0.0/24".parse().unwrap(),
            directory: "/run/pvc/dns".to_owned(),
        }
    }

    #[test]
    fn values_stand_in_the_file_as_the_database_takes_them() {
        let server = Server::of(Some("pvc.lab")).unwrap();
        let text = settings(r"it's a \ secret").text(&server).unwrap();
        for line in [
            "local-address=10.0.0.254,10.1.0.254",
            "socket-dir=/run/pvc/dns",
            "gpgsql-host=localhost",
            r"gpgsql-password=it's a \ secret",
            "allow-axfr-ips=127.0.0.0/8,::1/128,10.1.0.0/24",
            "default-soa-content=pvc-dns.pvc.lab root.pvc.lab 0 10800 1800 86400 60",
        ] {
            assert!(text.reveal().lines().any(|there| there == line), "{line}");
        }
    }

    #[test]
    fn a_value_that_would_end_its_line_is_refused_and_not_shown() {
        let server = Server::of(None).unwrap();
        for bad in ["a\nlaunch=bind", "a #b", "a\r", " a", "a ", "#a"] {
            let refused = settings(bad).text(&server).err().unwrap().to_string();
            assert!(refused.starts_with("the password of the DNS database"), "{refused}");
            assert!(!refused.contains("launch"), "{refused}");
        }
    }
}
