//! The configuration file, good and bad.

use super::*;

const SAMPLE: &str = include_str!("../../../debian/pvcapid.sample.yaml");

fn problems(text: &str) -> Vec<String> {
    match Config::parse(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_shipped_sample_is_a_configuration() {
    assert_eq!(problems(SAMPLE), Vec::<String>::new());
    let config = Config::parse(SAMPLE).ok().unwrap();
    assert_eq!(config.zookeeper, ["hv1:2181", "hv2:2181", "hv3:2181"]);
    assert!(config.url().ends_with(":7370/api/v1"), "{}", config.url());
    assert_eq!(config.authentication.unwrap().tokens[0].description, "administrator");
}

#[test]
fn secrets_that_everybody_may_read_are_told_of() {
    // Everybody may read it on every machine.
    let open = Path::new("/dev/null");
    let mut config = Config::parse(SAMPLE).ok().unwrap();
    config.tls = Some(Tls { cert_file: "/nowhere".into(), key_file: open.into() });
    let told: Vec<_> = config.exposed(open).iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "the configuration and the key: {told:?}");
    assert!(told[0].contains("/dev/null holds secrets, and its mode 0666"), "{told:?}");
}

#[test]
fn upstreams_file_with_a_provisioner_is_a_configuration() {
    let text = "
pvc:
  debug: True
  coordinators: [pvchv1, pvchv2, pvchv3]
  api:
    listen_address: \"127.0.0.1\"
    listen_port: \"7370\"
    authentication: {enabled: no, secret_key: \"\", tokens: [{description: t, token: x}]}
    ssl: {enabled: no, cert_file: \"\", key_file: \"\"}
  provisioner:
    database: {host: localhost, port: 5432, name: pvcprov, user: pvcprov, pass: pvcprov}
    queue: {host: localhost, port: 6379, path: /0}
    ceph_cluster:
      storage_hosts: [pvchv1]
      storage_domain: pvc.storage
      ceph_monitor_port: 6789
      ceph_storage_secret_uuid: \"\"
";
    assert_eq!(problems(text), Vec::<String>::new());
}

#[test]
fn explicit_servers_win_over_coordinators() {
    let config = Config::parse("pvc: {zookeeper: ['127.0.0.1:2199'], api: {}}").ok().unwrap();
    assert_eq!(config.zookeeper, ["127.0.0.1:2199"]);
    assert_eq!((config.port, config.authentication.is_none()), (7370, true));
}

#[test]
fn everything_wrong_is_told_at_once_and_no_secret_is_repeated() {
    let told = problems(
        "pvc:
  coordinators: []
  api:
    listen_port: 70000
    listen_adress: 127.0.0.1
    authentication: {enabled: yes, secret_key: hunter2, tokens: [{token: [hunter3]}]}
    ssl: {enabled: yes, cert_file: relative}
",
    );
    let all = told.join("\n");
    for part in [
        "pvc.coordinators (line 2): found `a list`, expected a list of at least one coordinator",
        "pvc.api.listen_port (line 4): found `70000`, expected a port from 1 to 65535",
        "perhaps `listen_address`",
        "pvc.api.ssl.cert_file",
        "pvc.api.ssl.key_file: missing",
        "pvc.api.authentication.tokens[0].token",
    ] {
        assert!(all.contains(part), "{part} is not in\n{all}");
    }
    assert!(!all.contains("hunter"), "{all}");
}

#[test]
fn everybody_may_read_the_metrics_unless_that_is_switched_off() {
    let prometheus = |api: &str| {
        let text = format!("pvc: {{coordinators: [hv1], api: {api}}}");
        Config::parse(&text).ok().unwrap().prometheus
    };
    assert!(prometheus("{}"));
    assert!(!prometheus("{enable_prometheus: False}"));
    assert_eq!(problems("pvc: {coordinators: [hv1], api: {enable_prometheus: perhaps}}").len(), 1);
}
