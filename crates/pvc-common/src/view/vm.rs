//! Reads VMs.

use super::Scope;
use super::branch::{Branch, Found, Taken, below, member, read};
use crate::model::{Resources, Tag, Vm, VmDetails, VmFunction, VmInterface, VmSnapshot};
use crate::zk::Seen;
use crate::zk::key::{tag_suffix, vm_snapshot_suffix, vm_suffix as suffix};

impl Branch for Vm {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.name, found),
            suffix::STATE => read(&mut self.state, found),
            suffix::NODE => read(&mut self.node, found),
            suffix::LAST_NODE => read(&mut self.last_node, found),
            suffix::CLAIM => read(&mut self.claim, found),
            suffix::DISPLACED => read(&mut self.displaced, found),
            suffix::MIGRATE_ORIGIN => read(&mut self.migrate_origin, found),
            suffix::FAILED_REASON => read(&mut self.failed_reason, found),
            suffix::AUTOSTART => read(&mut self.autostart, found),
            suffix::MIGRATION_METHOD => read(&mut self.migration_method, found),
            suffix::MAX_DOWNTIME => read(&mut self.max_downtime_ms, found),
            suffix::SELECTOR => read(&mut self.selector, found),
            suffix::NODE_LIMIT => read(&mut self.node_limit, found),
            suffix::XML if found.scope >= Scope::Decisions => self.take_definition(found),
            rest if found.scope == Scope::Full => {
                let details = self.details.get_or_insert_default();
                let taken = details.take(rest, found);
                self.details.take_if(|details| details.is_gone());
                taken
            }
            _ => Taken::Unwanted,
        }
    }
}

impl Vm {
    fn take_definition(&mut self, found: Found<'_>) -> Taken {
        let xml = Seen::read(found.data);
        let needs = xml.get().map(|xml: &std::sync::Arc<str>| Resources::of_definition(xml));
        self.functions = xml.get().map(|xml| VmFunction::of_definition(xml)).unwrap_or_default();
        self.interfaces = xml.get().map(|xml| VmInterface::of_definition(xml)).unwrap_or_default();
        let unreadable = xml.fault().map(str::to_owned);
        if found.scope == Scope::Full {
            self.details.get_or_insert_default().xml = xml;
            self.details.take_if(|details| details.is_gone());
        }
        let (resources, why) = match needs.transpose() {
            Ok(resources) => (resources, unreadable),
            Err(bad) => (None, Some(bad.to_string())),
        };
        self.resources = resources;
        why.map_or(Taken::Understood, Taken::Bad)
    }
}

impl Branch for VmDetails {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            suffix::PROFILE => read(&mut self.profile, found),
            suffix::STATS => read(&mut self.stats, found),
            suffix::RBD_LIST => read(&mut self.volumes, found),
            suffix::VNC => read(&mut self.vnc, found),
            rest => {
                if let Some(rest) = below(rest, suffix::TAGS) {
                    member(&mut self.tags, rest, found)
                } else if let Some(rest) = below(rest, suffix::SNAPSHOTS) {
                    member(&mut self.snapshots, rest, found)
                } else {
                    Taken::Unwanted
                }
            }
        }
    }
}

impl Branch for Tag {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.name, found),
            tag_suffix::TYPE => read(&mut self.kind, found),
            tag_suffix::PROTECTED => read(&mut self.protected, found),
            _ => Taken::Unwanted,
        }
    }
}

impl Branch for VmSnapshot {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.name, found),
            vm_snapshot_suffix::TIMESTAMP => read(&mut self.timestamp, found),
            vm_snapshot_suffix::XML => read(&mut self.xml, found),
            vm_snapshot_suffix::VOLUMES => read(&mut self.volumes, found),
            _ => Taken::Unwanted,
        }
    }
}
