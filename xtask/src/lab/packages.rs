//! Our Debian packages: what they depend on, and how they get onto the hosts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use super::host::Host;
use super::layout::Lab;
use super::{each, enter};
use crate::run::Run;

/// What every host gets.
const NAMES: [&str; 3] = ["pvc-daemon-node", "pvc-daemon-api", CLIENT];

const CLIENT: &str = "pvc-client-cli";

/// Where a host finds the packages to install.
const INCOMING: &str = "/var/cache/pvc-lab";

const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// The packages in a directory.
///
/// # Errors
/// When it cannot be read, or does not hold all that a host gets.
pub(crate) fn in_directory(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut debs = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    debs.retain(|path| path.extension().is_some_and(|end| end == "deb"));
    debs.sort();
    for name in NAMES {
        ensure!(
            debs.iter().any(|deb| is_of(deb, name)),
            "{} holds no {name}_*.deb: `cargo xtask deb` makes it",
            dir.display()
        );
    }
    Ok(debs)
}

fn is_of(deb: &Path, package: &str) -> bool {
    let file = deb.file_name().unwrap_or_default().to_string_lossy();
    file.split('_').next() == Some(package)
}

/// What `debs` depend on besides each other, as a `Depends:` field has it.
///
/// # Errors
/// When a package cannot be read.
pub(crate) fn depends(debs: &[PathBuf]) -> Result<String> {
    let mut all = Vec::new();
    for deb in debs {
        for field in ["Pre-Depends", "Depends"] {
            let words = Run::new(["dpkg-deb", "--field"]).arg(deb).arg(field).done()?;
            all.extend(words.trim().split(", ").map(str::to_owned));
        }
    }
    all.retain(|word| !word.is_empty() && !word.starts_with("pvc-"));
    all.sort();
    all.dedup();
    Ok(all.join(", "))
}

/// Installs these packages on every host, unless the very same are there.
///
/// Daemons that run keep running the old program until [`start`] starts them again.
///
/// # Errors
/// When a host's apt refuses.
pub(crate) fn install(lab: &Lab, hosts: &[Host], debs: &[PathBuf]) -> Result<()> {
    let wanted = fingerprint(debs)?;
    each::host(hosts, |host| {
        let installed = lab.disk(host).join("installed");
        if holds(&installed, &wanted) {
            return Ok(());
        }
        install_on(lab, host, debs).with_context(|| format!("cannot install PVC on {host}"))?;
        fs::write(installed, &wanted).context("cannot record what is installed")
    })
}

/// Takes the client out of its package, for where the lab's client stands.
///
/// # Errors
/// When the package cannot be unpacked.
pub(crate) fn install_client(lab: &Lab, debs: &[PathBuf]) -> Result<()> {
    let deb = debs.iter().find(|deb| is_of(deb, CLIENT)).context("no package of the client")?;
    let unpacked = lab.run().join("client");
    Run::new(["dpkg-deb", "--extract"]).arg(deb).arg(&unpacked).done()?;
    let (program, fresh) = (lab.client_program(), lab.client_program().with_extension("new"));
    // Renamed into place: the old one may be running.
    fs::copy(unpacked.join("usr/bin/pvc"), &fresh)
        .and_then(|_| fs::rename(&fresh, &program))
        .with_context(|| format!("cannot make {}", program.display()))?;
    fs::remove_dir_all(&unpacked).context("cannot remove what was unpacked")
}

/// Starts the node daemon on every host, anew where its package is a new one, and at every boot.
///
/// # Errors
/// When a host's systemd refuses.
pub(crate) fn start(lab: &Lab, hosts: &[Host]) -> Result<()> {
    each::host(hosts, |host| {
        let wanted = fs::read_to_string(lab.disk(host).join("installed"))?;
        let started = lab.disk(host).join("started");
        let verb = if holds(&started, &wanted) { "start" } else { "restart" };
        for verb in ["enable", verb] {
            enter::run(lab, host, ["systemctl", "--quiet", verb, "pvcnoded.service"])?
                .limit(Duration::from_secs(60))
                .done()?;
        }
        fs::write(started, wanted).context("cannot record what was started")
    })
}

fn install_on(lab: &Lab, host: Host, debs: &[PathBuf]) -> Result<()> {
    enter::output(lab, host, ["mkdir", "-p", INCOMING])?;
    let mut command = vec![
        "env".to_owned(),
        "DEBIAN_FRONTEND=noninteractive".to_owned(),
        "apt-get".to_owned(),
        "install".to_owned(),
        "--yes".to_owned(),
        "--reinstall".to_owned(),
        "--allow-downgrades".to_owned(),
        "--no-install-recommends".to_owned(),
        // The lab has configured the daemons before their packages came.
        "--option=Dpkg::Options::=--force-confold".to_owned(),
    ];
    for deb in debs.iter().filter(|deb| NAMES.iter().any(|name| is_of(deb, name))) {
        let file = deb.file_name().unwrap_or_default().to_string_lossy();
        let inside = format!("{INCOMING}/{file}");
        copy_in(lab, host, deb, &inside)?;
        command.push(inside);
    }
    enter::run(lab, host, command)?.limit(INSTALL_LIMIT).done().map(drop)
}

/// Copies a file of this machine into a host.
fn copy_in(lab: &Lab, host: Host, from: &Path, to: &str) -> Result<()> {
    let file = fs::File::open(from).with_context(|| format!("cannot read {}", from.display()))?;
    let copied =
        enter::run(lab, host, ["dd", "status=none", &format!("of={to}")])?.input_file(file).done();
    copied.with_context(|| format!("cannot copy {} into {host}", from.display()))?;
    Ok(())
}

/// Tells one build of the packages from another.
fn fingerprint(debs: &[PathBuf]) -> Result<String> {
    let mut lines = String::new();
    for deb in debs {
        let about = fs::metadata(deb)?;
        let modified = about.modified()?.duration_since(UNIX_EPOCH)?;
        lines += &format!("{} {} {}\n", deb.display(), about.len(), modified.as_nanos());
    }
    Ok(lines)
}

fn holds(file: &Path, text: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|there| there == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_told_from_one_whose_name_begins_alike() {
        let symbols = Path::new("/d/pvc-daemon-node-dbgsym_2.0.0_amd64.deb");
        assert!(!is_of(symbols, "pvc-daemon-node"));
        assert!(is_of(Path::new("/d/pvc-daemon-node_2.0.0_amd64.deb"), "pvc-daemon-node"));
    }

    #[test]
    fn a_directory_without_our_packages_is_refused() {
        let empty = tempfile::tempdir().unwrap();
        let message = in_directory(empty.path()).unwrap_err().to_string();
        assert!(message.contains("holds no pvc-daemon-node_*.deb"), "{message}");
    }
}
