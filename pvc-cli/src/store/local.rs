//! The API of this machine, as the daemons' own configuration describes it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use pvc_client::ApiKey;
use serde::Deserialize;

use super::Remote;
use crate::failure::Failure;

/// The name of the connection that stands for this machine.
pub(crate) const NAME: &str = "local";

/// Where a configuration may be; the first that exists counts. Ours is first: on a machine
/// that was upgraded, the other is the leftover.
const FILES: [&str; 2] = ["/etc/pvc/pvcapid.yaml", "/etc/pvc/pvc.conf"];

/// The node daemon's configuration, in the same directory.
const NODE_FILE: &str = "pvcnoded.yaml";

/// The configuration of this machine's API, if it has one; `PVC_CONFIG_FILE` names another.
pub(crate) fn find() -> Option<PathBuf> {
    let files = match env::var_os("PVC_CONFIG_FILE").filter(|path| !path.is_empty()) {
        Some(path) => vec![PathBuf::from(path)],
        None => FILES.iter().map(PathBuf::from).collect(),
    };
    files.into_iter().find(|path| path.exists())
}

/// `pvcapid.yaml`; keys of no interest here are left out.
#[derive(Deserialize)]
struct ApiFile {
    pvc: Option<ApiSection>,
    api: Option<FlatApi>,
}

#[derive(Deserialize)]
struct ApiSection {
    api: NestedApi,
}

#[derive(Deserialize)]
struct NestedApi {
    listen_address: String,
    listen_port: Option<u16>,
    authentication: Option<Authentication>,
    ssl: Option<Ssl>,
}

/// The `api` section of `pvc.conf`.
#[derive(Deserialize)]
struct FlatApi {
    listen: Listen,
    authentication: Option<Authentication>,
    token: Option<Vec<Token>>,
    ssl: Option<Ssl>,
}

#[derive(Deserialize)]
struct Listen {
    address: String,
    port: Option<u16>,
}

#[derive(Deserialize)]
struct Authentication {
    #[serde(default)]
    enabled: bool,
    source: Option<String>,
    tokens: Option<Vec<Token>>,
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

#[derive(Deserialize)]
struct Ssl {
    #[serde(default)]
    enabled: bool,
}

/// `pvcnoded.yaml`; keys of no interest here are left out.
#[derive(Deserialize)]
struct NodeFile {
    pvc: NodeSection,
}

#[derive(Deserialize)]
struct NodeSection {
    cluster: Cluster,
}

#[derive(Deserialize)]
struct Cluster {
    networks: Networks,
}

#[derive(Deserialize)]
struct Networks {
    cluster: Network,
}

#[derive(Deserialize)]
struct Network {
    floating_ip: String,
}

/// Reads the connection to this machine's API from its configuration.
pub(crate) fn read(path: &Path) -> Result<Remote, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("Failed to read {shown}: {error}"))
            .hint("Run `pvc` as root, or add a connection with `pvc connection add`.")
    })?;
    let node = fs::read_to_string(path.with_file_name(NODE_FILE)).unwrap_or_default();
    parse(&text, &node, &shown.to_string()).map_err(|reason| {
        Failure::new(format!("{shown} does not describe an API: {reason}"))
            .hint("`pvcapid --check-config` tells what is wrong with it.")
    })
}

/// The cluster's floating address, of the node daemon's configuration.
fn floating(node: &str) -> Option<String> {
    let file: NodeFile = serde_saphyr::from_str(node).ok()?;
    let address = file.pvc.cluster.networks.cluster.floating_ip;
    address.split('/').next().map(str::to_owned)
}

fn parse(text: &str, node: &str, description: &str) -> Result<Remote, String> {
    // A parser's own report quotes the file, which holds secrets.
    let file: ApiFile = serde_saphyr::from_str(text)
        .map_err(|_| "it is not YAML, or values have the wrong type".to_owned())?;
    let (address, port, tls, token) = match (file.pvc, file.api) {
        (Some(section), _) => {
            let api = section.api;
            let tokens = api.authentication.filter(|auth| auth.enabled);
            let tokens = tokens.and_then(|auth| auth.tokens);
            (api.listen_address, api.listen_port, api.ssl, tokens)
        }
        (None, Some(api)) => {
            let by_token = |auth: &Authentication| {
                auth.enabled && auth.source.as_deref().unwrap_or("token") == "token"
            };
            let wanted = api.authentication.as_ref().is_some_and(by_token);
            let tokens = api.token.filter(|_| wanted);
            (api.listen.address, api.listen.port, api.ssl, tokens)
        }
        (None, None) => return Err("it has no `api` section".to_owned()),
    };
    Ok(Remote {
        description: description.to_owned(),
        // An API that listens everywhere does so where the primary is, which need not be here.
        host: match address.as_str() {
            "0.0.0.0" => floating(node).unwrap_or_else(|| "127.0.0.1".to_owned()),
            "::" => floating(node).unwrap_or_else(|| "::1".to_owned()),
            other => other.to_owned(),
        },
        port: port.unwrap_or(7370),
        tls: tls.is_some_and(|ssl| ssl.enabled),
        key: token
            .and_then(|tokens| tokens.into_iter().next())
            .map(|token| ApiKey::new(token.token)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "pvc:\n  debug: no\n  coordinators: [hv1]\n  api:\n    \
        listen_address: 0.0.0.0\n    listen_port: 7371\n    authentication:\n      \
        enabled: yes\n      secret_key: s\n      tokens:\n        - description: a\n          \
        token: t1\n    ssl: {enabled: yes, cert_file: c, key_file: k}\n";

    const UPSTREAM: &str = "cluster: {name: x}\napi:\n  listen: {address: 10.0.0.1, port: 7370}\n  \
        authentication: {enabled: yes, secret_key: s, source: token}\n  \
        token:\n    - {description: a, token: t2}\n  ssl: {enabled: no}\n";

    #[test]
    fn our_own_configuration_is_understood() {
        let remote = parse(OURS, "", "f").unwrap();
        assert_eq!((remote.host.as_str(), remote.port), ("127.0.0.1", 7371));
        assert!(remote.tls);
        assert_eq!(remote.key, Some(ApiKey::new("t1".into())));
    }

    #[test]
    fn an_api_that_listens_everywhere_is_looked_for_where_the_primary_is() {
        let node = "pvc:\n  node: hv2\n  cluster:\n    networks:\n      \
            cluster: {domain: c, floating_ip: 10.0.1.254/24}\n";
        assert_eq!(parse(OURS, node, "f").unwrap().host, "10.0.1.254");
        assert_eq!(parse(UPSTREAM, node, "f").unwrap().host, "10.0.0.1", "it is told");
        assert_eq!(parse(OURS, "pvc: {node: hv2}", "f").unwrap().host, "127.0.0.1", "no networks");
    }

    #[test]
    fn upstreams_configuration_is_understood() {
        let remote = parse(UPSTREAM, "", "f").unwrap();
        assert_eq!((remote.host.as_str(), remote.tls), ("10.0.0.1", false));
        assert_eq!(remote.key, Some(ApiKey::new("t2".into())));
    }

    #[test]
    fn no_key_is_sent_when_the_api_wants_none() {
        let open = UPSTREAM.replace("enabled: yes", "enabled: no");
        assert_eq!(parse(&open, "", "f").unwrap().key, None);
    }

    #[test]
    fn a_complaint_about_the_file_does_not_quote_it() {
        let reason = parse("api: [token: hunter2", "", "f").unwrap_err();
        assert!(!reason.contains("hunter2"), "{reason}");
    }
}
