//! The shipped configuration, the manual's example, and every way to get them wrong.

use std::time::Duration;

use pvc_common::state::Selector;

use super::*;

/// The example of the manual, with the indentation that it has in the repository.
const MANUAL: &str = include_str!("../../tests/manual.yaml");
/// What the package ships.
const SAMPLE: &str = include_str!("../../../debian/pvcnoded.sample.yaml");
/// What the lab gives its hosts.
const LAB: &str = include_str!("../../../xtask/lab/host/pvcnoded.yaml");

fn good(text: &str) -> Config {
    match Config::check(text) {
        Ok(config) => config,
        Err(problems) => panic!("{}", told(&problems).join("\n")),
    }
}

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// What is told of the manual's example after replacing parts of it.
fn wrong(edits: &[(&str, &str)]) -> Vec<String> {
    let text = edits.iter().fold(MANUAL.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?} is not in the example");
        text.replacen(from, to, 1)
    });
    match Config::check(&text) {
        Ok(_) => Vec::new(),
        Err(problems) => told(&problems),
    }
}

#[test]
fn the_manuals_example_is_understood() {
    let config = good(MANUAL);
    assert_eq!(config.node.as_str(), "pvchv1");
    assert_eq!(config.fqdn(), "pvchv1.mydomain.net");
    assert!(config.is_coordinator());
    assert_eq!(config.cluster.zookeeper, ["pvchv1:2181", "pvchv2:2181", "pvchv3:2181"]);
    let networks = config.networks.as_ref().unwrap();
    assert_eq!(networks.upstream.address, None);
    assert_eq!(networks.cluster.address, Some("10.255.0.1/24".parse().unwrap()));
    assert_eq!(networks.upstream.gateway, Some("1.1.1.1".parse().unwrap()));
    assert_eq!(config.intervals.keepalive, Duration::from_secs(5));
    assert_eq!(config.intervals.fence.map(|n| n.get()), Some(6));
    assert_eq!(config.intervals.suicide, None);
    assert_eq!(config.intervals.vm_shutdown, Duration::from_secs(180));
    assert_eq!(config.fencing.successful, AfterFence::Migrate);
    assert_eq!(config.fencing.failed, AfterFence::Nothing);
    assert_eq!(config.migration.selector, Selector::Mem);
    let route = config.route(&"pvchv2".parse().unwrap());
    assert_eq!(route.libvirt, "qemu+tcp://10.255.0.2/system");
    assert_eq!(route.migration, "tcp://10.255.0.2");
    assert_eq!(config.sriov.len(), 1);
    assert_eq!(config.advice(), Vec::<String>::new());
}

#[test]
fn secrets_that_everybody_may_read_are_told_of() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let [file, keyring] = ["pvcnoded.yaml", "admin.keyring"].map(|name| {
        let path = directory.path().join(name);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        path
    });
    let mut config = good(SAMPLE);
    config.ceph.admin_keyring = Some(keyring);
    let told: Vec<_> = config.exposed(&file).iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("pvcnoded.yaml holds secrets, and its mode 0644"), "{told:?}");
    assert!(told[1].contains("admin.keyring holds secrets"), "{told:?}");
}

#[test]
fn the_shipped_sample_is_understood() {
    let config = good(SAMPLE);
    assert_eq!(config.advice(), Vec::<String>::new());
}

#[test]
fn the_labs_configuration_is_understood() {
    let filled = LAB
        .replace("{{node}}", "hv1")
        .replace("{{coordinators}}", "hv1, hv2, hv3")
        .replace("{{bmc_password}}", "x");
    for storage in ["True", "False"] {
        good(&filled.replace("{{storage}}", storage));
    }
}

#[test]
fn both_spellings_of_the_intervals_mean_the_same() {
    let modern = MANUAL
        .replacen("    fencing:\n      intervals:\n        keep", "    intervals:\n        keep", 1)
        .replacen("      actions:", "    fencing:\n      actions:", 1);
    assert_ne!(modern, MANUAL);
    assert_eq!(good(&modern).intervals, good(MANUAL).intervals);
}

#[test]
fn intervals_given_twice_must_agree() {
    let both = |seconds| {
        let twice = format!("  system:\n    intervals: {{keepalive_interval: {seconds}}}\n");
        wrong(&[("  system:\n", &twice)])
    };
    assert_eq!(both(5), Vec::<String>::new());
    assert_eq!(
        both(7),
        ["pvc.system.fencing.intervals.keepalive_interval (line 47): found `5`, expected the \
             same value as in pvc.system.intervals, or only one of the two"]
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let problems = wrong(&[
        ("node: pvchv1", "node: pvchv1.mydomain.net"),
        ("debug: False", "debug: perhaps"),
        ("keepalive_interval: 5", "keepalive_intervall: 5"),
        ("target_selector: mem", "target_selector: memory"),
        ("log_dates: True", "log_dates: 12"),
    ]);
    let paths: Vec<&str> =
        problems.iter().map(|problem| problem.split(" (").next().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "pvc.node",
            "pvc.debug",
            "pvc.system.fencing.intervals.keepalive_intervall",
            "pvc.system.migration.target_selector",
            "pvc.system.configuration.logging.log_dates",
        ]
    );
    assert!(problems[2].ends_with("perhaps `keepalive_interval`"), "{}", problems[2]);
    assert!(problems[3].contains("one of mem, memprov, vcpus, load, vms"), "{}", problems[3]);
}

#[test]
fn addresses_must_lie_in_their_networks() {
    for (from, to, path) in [
        ("\"10.255.0.254/24\"", "10.9.0.254/24", "pvc.cluster.networks.cluster.floating_ip"),
        ("\"10.255.0.254/24\"", "10.255.0.254/16", "pvc.cluster.networks.cluster.floating_ip"),
        ("\"10.255.0.254/24\"", "10.255.0.255/24", "pvc.cluster.networks.cluster.floating_ip"),
        ("\"1.1.1.1\"", "1.1.2.1", "pvc.cluster.networks.upstream.gateway"),
        ("\"10.255.0.0/24\"", "10.255.0.1/24", "pvc.cluster.networks.cluster.network"),
        (
            "address: None",
            "address: 1.1.2.9/24",
            "pvc.system.configuration.networking.upstream.address",
        ),
        (
            "address: None",
            "address: 1.1.1.10/24",
            "pvc.system.configuration.networking.upstream.address",
        ),
    ] {
        let problems = wrong(&[(from, to)]);
        assert_eq!(problems.len(), 1, "{to}: {problems:?}");
        assert!(problems[0].starts_with(path), "{to}: {problems:?}");
    }
}

#[test]
fn by_id_needs_a_number_that_the_network_has_room_for() {
    for name in ["pvchv0", "alpha", "pvchv255", "pvchv99999999999"] {
        let node = format!("node: {name}");
        let problems = wrong(&[("node: pvchv1", &node)]);
        assert_eq!(problems.len(), 2, "{name}: {problems:?}");
        assert!(problems[0].contains("networking.cluster.address"), "{problems:?}");
        assert!(problems[1].contains("networking.storage.address"), "{problems:?}");
    }
}

#[test]
fn migrating_without_proof_of_death_needs_nodes_that_end_themselves() {
    let dangerous = ("failed_fence: None", "failed_fence: migrate");
    let problems = wrong(&[dangerous]);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("pvc.system.fencing.actions.failed_fence"));
    assert_eq!(
        wrong(&[dangerous, ("suicide_intervals: 0", "suicide_intervals: 6")]),
        Vec::<String>::new()
    );
}

#[test]
fn no_fence_intervals_mean_no_fencing() {
    let config = good(&MANUAL.replacen("fence_intervals: 6", "fence_intervals: 0", 1));
    assert_eq!(config.intervals.fence, None);
    assert_eq!(config.advice().len(), 1);
}

#[test]
fn a_bmc_without_a_name_has_the_customary_one() {
    let config = good(&MANUAL.replacen("host: pvchv1-lom", "host: \"\"", 1));
    assert_eq!(config.fencing.ipmi.host, "pvchv1-lom.mydomain.net");
}

#[test]
fn without_networking_the_networks_may_be_left_out() {
    let text = "\
pvc:
  node: hv2
  functions: {enable_hypervisor: yes, enable_networking: no, enable_storage: no}
  cluster:
    coordinators: [hv1]
    zookeeper: ['127.0.0.1:12181']
  system:
    hypervisor: {uri: 'qemu:///session', peer_uri: 'qemu+unix:///session?socket=/run/{node}'}
    migration: {target_selector: mem, network: 127.0.0.2/8}
    fencing: {ipmi: {host: bmc, user: u, pass: p}}
    configuration:
      directories: {dynamic_directory: /run/x, log_directory: /var/x, console_log_directory: /var/c}
      logging:
        file_logging: no
        stdout_logging: yes
        log_colours: no
        log_dates: no
        log_keepalives: no
        log_keepalive_cluster_details: no
        console_log_lines: 100
";
    let config = good(text);
    assert_eq!(config.networks, None);
    assert!(!config.is_coordinator());
    assert_eq!(config.fqdn(), "hv2");
    assert_eq!(config.cluster.zookeeper, ["127.0.0.1:12181"]);
    let route = config.route(&"hv1".parse().unwrap());
    assert_eq!(route.libvirt, "qemu+unix:///session?socket=/run/hv1");
    assert_eq!(route.migration, "tcp://127.0.0.1");
    let missing = text.replace("enable_networking: no", "enable_networking: yes");
    let problems = Config::check(&missing).err().unwrap();
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["pvc.cluster.networks", "pvc.system.configuration.networking"]);
}

#[test]
fn nodes_without_by_id_addresses_are_reached_by_name() {
    let text = MANUAL.replacen("address: by-id", "address: 10.255.0.77/24", 1).replacen(
        "target_selector: mem",
        "target_selector: mem\n      network: storage",
        1,
    );
    let route = good(&text).route(&"pvchv2".parse().unwrap());
    assert_eq!(route.libvirt, "qemu+tcp://pvchv2.pvc.local/system");
    assert_eq!(route.migration, "tcp://10.254.0.2");
    let tls = text.replacen("network: storage", "network: storage\n      tls: yes", 1);
    assert_eq!(good(&tls).route(&"pvchv2".parse().unwrap()).migration, "tcp://pvchv2.pvc.storage");
}

#[test]
fn an_sriov_device_has_either_name() {
    assert_eq!(wrong(&[("- phy: ens1f0", "- device: ens1f0")]), Vec::<String>::new());
    let both = wrong(&[("- phy: ens1f0", "- phy: ens1f0\n            device: ens1f1")]);
    assert_eq!(both.len(), 1, "{both:?}");
    let neither = wrong(&[("- phy: ens1f0", "- mtu: 1500")]);
    assert!(!neither.is_empty());
}

#[test]
fn no_secret_is_ever_told() {
    let problems = wrong(&[
        ("pass: Passw0rd", "passs: Passw0rd"),
        ("pass: pvcdnsPassw0rd", "pass: [pvcdnsPassw0rd]"),
    ]);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems.iter().all(|problem| !problem.contains("Passw0rd")), "{problems:?}");
}

#[test]
fn a_file_that_is_not_there_is_told_by_its_path() {
    let problems = Config::load(Path::new("/nonexistent/pvcnoded.yaml")).err().unwrap();
    assert!(told(&problems)[0].contains("/nonexistent/pvcnoded.yaml"));
}

#[test]
fn a_coordinator_mostly_connects_to_its_own_zookeeper() {
    let config = Config::check(MANUAL).unwrap_or_else(|problems| panic!("{problems:?}"));
    let hosts = config.cluster.connections(&config.node);
    let own = hosts.iter().filter(|host| *host == "pvchv1:2181").count();
    assert_eq!((own, hosts.len()), (6, 8));
    let hypervisor = "pvchv9".parse().unwrap();
    assert_eq!(config.cluster.connections(&hypervisor), config.cluster.zookeeper);
}
