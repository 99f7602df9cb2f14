//! Reads the settings of the whole cluster.

use super::Cluster;
use super::branch::{Branch, Found, Taken, read};
use crate::zk::key::{self, config_suffix as config};

impl Branch for Cluster {
    fn take(&mut self, path: &str, found: Found<'_>) -> Taken {
        if let Some(rest) = path.strip_prefix(key::SCHEMA) {
            return match rest {
                "" => Taken::Understood,
                key::SCHEMA_VERSION => read(&mut self.schema_version, found),
                _ => Taken::Unwanted,
            };
        }
        match path.strip_prefix(key::CONFIG) {
            Some("") => read(&mut self.name, found),
            Some(config::MAINTENANCE) => read(&mut self.maintenance, found),
            Some(config::PRIMARY_NODE) => read(&mut self.primary_node, found),
            Some(config::UPSTREAM_IP) => read(&mut self.upstream_ip, found),
            Some(config::DEFAULT_SELECTOR) => read(&mut self.default_selector, found),
            Some(_) | None => Taken::Unwanted,
        }
    }
}
