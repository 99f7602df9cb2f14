//! What Ceph's manager exports, passed on by the primary.

use std::time::Duration;

use pvc_e2e::lab::{Lab, until};

/// How long a manager may take to start anew with another module.
const MANAGER: Duration = Duration::from_secs(120);

/// Where everybody finds the primary.
const PAGE: &str = "http://10.100.0.254:7370/api/v1/metrics/ceph";

/// The module is on while this is there: it makes managers larger.
struct Module<'a>(&'a Lab);

impl<'a> Module<'a> {
    fn enable(lab: &'a Lab) -> Self {
        lab.on(&lab.hosts()[0], &["ceph", "mgr", "module", "enable", "prometheus"]);
        Self(lab)
    }
}

impl Drop for Module<'_> {
    fn drop(&mut self) {
        let host = &self.0.hosts()[0];
        let said = self.0.try_on(host, &["ceph", "mgr", "module", "disable", "prometheus"]);
        assert!(said.code == 0 || std::thread::panicking(), "{said:?}");
    }
}

/// The size of the whole cluster on the page, in bytes.
fn size_told(page: &str) -> Option<f64> {
    let total = page.lines().find_map(|line| line.strip_prefix("ceph_cluster_total_bytes "));
    total?.parse().ok()
}

/// The same by Ceph itself.
fn size(lab: &Lab) -> Option<f64> {
    lab.ceph(&lab.hosts()[0], &["ceph", "df"])["stats"]["total_bytes"].as_f64()
}

#[test]
fn the_primary_passes_on_what_ceph_tells_of_itself() {
    let lab = Lab::take();
    lab.await_rest();
    lab.await_storage();
    let module = Module::enable(&lab);
    let page = until("Ceph's page", MANAGER, || {
        let said = lab.client(&["curl", "--silent", "--fail", "--max-time", "8", PAGE]);
        // A manager that has just begun tells of itself only, then of OSDs whose figures it lacks, of
        // some longer than of others.
        let knows = said.out.contains("ceph_osd_up{") && size_told(&said.out) == size(&lab);
        if knows { Ok(said.out) } else { Err(format!("{said:?}")) }
    });
    let value = |name: &str| -> f64 {
        let line = page.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no {name}: {page}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    for osd in 0..lab.hosts().len() {
        assert_eq!(value(&format!("ceph_osd_up{{ceph_daemon=\"osd.{osd}\"}}")), 1.0);
    }
    drop(module);
    lab.await_storage();
}
