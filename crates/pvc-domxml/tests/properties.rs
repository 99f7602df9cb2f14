//! What holds of any text and any size.

use proptest::prelude::*;
use pvc_common::unit::{Mib, Vcpus};
use pvc_domxml::edit::{set_memory, set_name, set_vcpus};
use pvc_domxml::{Topology, describe, pretty, validate_definition};

const WEB1: &str = include_str!("web1.xml");

/// A definition with some bytes cut out of it and something else put in.
fn mangled() -> impl Strategy<Value = String> {
    let place = 0..WEB1.len();
    let junk = prop_oneof![Just(String::new()), "[<>&'\"/= a-z\u{0}]{0,6}", "\\PC{0,4}"];
    (place, 0..40_usize, junk).prop_map(|(start, length, junk)| {
        let end = (start + length).min(WEB1.len());
        format!("{}{junk}{}", &WEB1[..start], &WEB1[end..])
    })
}

proptest! {
    #[test]
    fn no_text_brings_anything_down(xml in prop_oneof![mangled(), "\\PC*"]) {
        let definition = validate_definition(&xml);
        let description = describe(&xml);
        prop_assert!(definition.is_err() || description.is_ok());
        for changed in [
            set_memory(&xml, Mib(7)),
            set_vcpus(&xml, Vcpus(2), Topology { sockets: 1, cores: 2, threads: 1 }),
            pretty(&xml).map_err(Into::into),
        ] {
            // What could be changed is still a domain, and says the rest as before.
            if let (Ok(changed), Ok(description)) = (changed, &description) {
                prop_assert_eq!(&describe(&changed).unwrap().disks, &description.disks);
            }
        }
    }

    #[test]
    fn what_is_set_is_read_back(mib in 1_u64..1 << 40, sockets in 1_u32..9, cores in 1_u32..99) {
        let topology = Topology { sockets, cores, threads: 2 };
        let vcpus = Vcpus(sockets * cores * 2);
        let once = set_vcpus(&set_memory(WEB1, Mib(mib)).unwrap(), vcpus, topology).unwrap();
        let twice = set_vcpus(&set_memory(&once, Mib(mib)).unwrap(), vcpus, topology).unwrap();
        prop_assert_eq!(&once, &twice);
        let definition = validate_definition(&once).unwrap();
        prop_assert_eq!((definition.memory, definition.vcpus), (Mib(mib), vcpus));
        prop_assert_eq!(definition.description.topology, Some(topology));
    }

    #[test]
    fn any_name_survives(name in "[^/\\pC\\s]{1,60}") {
        let name = name.parse();
        prop_assume!(name.is_ok());
        let name = name.unwrap();
        let renamed = set_name(WEB1, &name).unwrap();
        prop_assert_eq!(validate_definition(&renamed).unwrap().name, name);
    }

    #[test]
    fn what_is_pretty_stays_so(xml in mangled()) {
        if let Ok(once) = pretty(&xml) {
            prop_assert_eq!(&pretty(&once).unwrap(), &once);
        }
    }
}
