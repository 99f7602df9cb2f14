//! What each key means, and what it may be.

use std::net::{IpAddr, Ipv4Addr};

use pvc_runtime::config::{
    Document, FLAG, HOST_PORT, Kind, NAME, PATH, PORT, Problem, Section, TEXT, read,
};

use super::{Authentication, Config, Tls, Token};

/// The port of a ZooKeeper server that is given by its coordinator's name only.
const ZOOKEEPER_PORT: u16 = 2181;
/// The port the API has always had.
const API_PORT: u16 = 7370;

const IP_ADDRESS: Kind<IpAddr> =
    Kind { expected: "an IP address such as 10.0.0.1", parse: |text| text.parse().ok() };

/// The checked configuration of a file, or everything that is wrong with it.
pub(super) fn config(document: &Document) -> Result<Config, Vec<Problem>> {
    read(document, |root| root.section("pvc", pvc))
}

fn pvc(section: &Section<'_>) -> Option<Config> {
    let debug = section.or("debug", FLAG, false);
    let zookeeper = zookeeper(section);
    section.optional_section("provisioner", provisioner);
    let api = section.section("api", api)?;
    Some(Config {
        debug,
        zookeeper: zookeeper?,
        address: api.address,
        port: api.port,
        prometheus: api.prometheus,
        authentication: api.authentication,
        tls: api.tls,
    })
}

/// The explicit list, or else every coordinator on the usual port.
fn zookeeper(section: &Section<'_>) -> Option<Vec<String>> {
    let coordinators = section.list("coordinators", NAME);
    let servers = section.list("zookeeper", HOST_PORT).unwrap_or_else(|| {
        let names = coordinators.unwrap_or_default();
        names.iter().map(|name| format!("{name}:{ZOOKEEPER_PORT}")).collect()
    });
    if servers.is_empty() {
        section.refuse("coordinators", "a list of at least one coordinator");
        return None;
    }
    Some(servers)
}

struct Api {
    address: IpAddr,
    port: u16,
    prometheus: bool,
    authentication: Option<Authentication>,
    tls: Option<Tls>,
}

fn api(section: &Section<'_>) -> Option<Api> {
    let address = section.or("listen_address", IP_ADDRESS, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let port = section.or("listen_port", PORT, API_PORT);
    let prometheus = section.or("enable_prometheus", FLAG, true);
    let authentication = section.optional_section("authentication", authentication);
    let tls = section.optional_section("ssl", tls);
    let (authentication, tls) = (authentication.flatten(), tls.flatten());
    Some(Api { address, port, prometheus, authentication, tls })
}

/// `Some(None)` when it is switched off; `None` once what is wrong is recorded.
fn authentication(section: &Section<'_>) -> Option<Option<Authentication>> {
    let enabled = section.or("enabled", FLAG, false);
    let tokens = section.sections("tokens", token);
    if !enabled {
        section.has("secret_key");
        return Some(None);
    }
    let secret_key = section.secret("secret_key")?;
    if secret_key.reveal().is_empty() {
        // Whoever guesses the key makes their own cookies, and nothing is guessed sooner.
        section.refuse("secret_key", "a long random text");
        return None;
    }
    if tokens.is_empty() {
        section.refuse("tokens", "at least one token, or nobody is admitted");
        return None;
    }
    Some(Some(Authentication { secret_key, tokens }))
}

fn token(section: &Section<'_>) -> Option<Token> {
    let description = section.or("description", TEXT, "unnamed".to_owned());
    let token = section.secret("token")?;
    if token.reveal().is_empty() {
        section.refuse("token", "a long random text");
        return None;
    }
    Some(Token { description, token })
}

/// `Some(None)` when it is switched off; `None` once what is wrong is recorded.
fn tls(section: &Section<'_>) -> Option<Option<Tls>> {
    if !section.or("enabled", FLAG, false) {
        section.has("cert_file");
        section.has("key_file");
        return Some(None);
    }
    let cert_file = section.required("cert_file", PATH);
    let key_file = section.required("key_file", PATH);
    Some(Some(Tls { cert_file: cert_file?, key_file: key_file? }))
}

/// The provisioner's keys are checked although nothing here needs them, so that one file serves
/// releases with and without a provisioner.
fn provisioner(section: &Section<'_>) -> Option<()> {
    section.optional_section("database", |database| {
        database.optional("host", NAME);
        database.optional("port", PORT);
        database.optional("name", TEXT);
        database.optional("user", TEXT);
        database.has("pass").then_some(())
    });
    section.optional_section("queue", |queue| {
        queue.optional("host", NAME);
        queue.optional("port", PORT);
        queue.optional("path", TEXT).map(drop)
    });
    section.optional_section("ceph_cluster", |ceph| {
        ceph.list("storage_hosts", NAME);
        ceph.optional("storage_domain", NAME);
        ceph.optional("ceph_monitor_port", PORT);
        ceph.optional("ceph_storage_secret_uuid", TEXT).map(drop)
    });
    Some(())
}
