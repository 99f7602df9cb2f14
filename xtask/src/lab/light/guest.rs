//! The guest of the light lab: `tick`, for it is made of nothing but our own source.

use std::fs;

use anyhow::{Result, bail};

use super::super::client;
use super::super::guest::{self, Kind};
use super::super::layout::Lab;
use super::place;

/// The definition of a VM of this kind for the light lab.
///
/// # Errors
/// For what takes a kernel of Debian's: the light lab has none.
pub(crate) fn domain_xml(lab: &Lab, kind: Kind, name: &str, uuid: &str) -> Result<String> {
    match kind {
        Kind::Tick => Ok(adapt(lab, &guest::domain_xml(kind, name, uuid))),
        Kind::Linux => bail!("the light lab has no Debian kernel to run; `tick` it has"),
    }
}

/// Makes the guest and the definition of the first VM of it, unless they are there.
///
/// # Errors
/// When it cannot be assembled or written.
pub(crate) fn make(lab: &Lab) -> Result<()> {
    fs::create_dir_all(place::guests(lab))?;
    let disk = place::guests(lab).join("tick.img");
    if !disk.exists() {
        guest::make_tick(&disk)?;
    }
    let definition = client::definition(lab, Kind::Tick);
    if !definition.exists() {
        let name = client::first_name(Kind::Tick);
        fs::write(definition, domain_xml(lab, Kind::Tick, &name, &guest::new_uuid()?)?)?;
    }
    Ok(())
}

/// Puts the lab's directories in the place of a host's.
fn adapt(lab: &Lab, xml: &str) -> String {
    xml.replace("/var/lib/pvc-lab/guests", &place::guests(lab).display().to_string())
        .replace("/var/log/libvirt", &place::console(lab).display().to_string())
        // Both sides of a migration write to the same file.
        .replace("append='off'", "append='on'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_names_no_directory_of_a_host() {
        let lab = Lab::light_at("/srv/light".into()).unwrap();
        let xml = domain_xml(&lab, Kind::Tick, "t1", "0f3b2a1c-0000-4000-8000-000000000001");
        let xml = xml.unwrap();
        let console = place::console(&lab).join("t1.log");
        assert!(xml.contains(&format!("file='{}' append='on'", console.display())), "{xml}");
        assert!(xml.contains(&place::guests(&lab).join("tick.img").display().to_string()), "{xml}");
        assert!(!xml.contains("/var/log/libvirt"), "{xml}");
    }
}
