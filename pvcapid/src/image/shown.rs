//! A VM with its JSON, which is made when it is first asked for and kept while the VM stays.

use std::sync::{Arc, OnceLock};

use pvc_common::api;
use pvc_common::id::VmUuid;
use pvc_common::model::Vm;

use crate::listing::Listed;

/// A VM and what is shown of it.
#[derive(Debug)]
pub(crate) struct Shown {
    uuid: VmUuid,
    vm: Arc<Vm>,
    front: OnceLock<Box<[u8]>>,
}

/// What the JSON of a VM ends with while its definition is left out.
const NO_XML: &[u8] = b"\"\"}";

impl Shown {
    pub(super) fn new(uuid: VmUuid, vm: Arc<Vm>) -> Self {
        Self { uuid, vm, front: OnceLock::new() }
    }

    /// Whether this is of that very object.
    pub(super) fn shows(&self, vm: &Arc<Vm>) -> bool {
        Arc::ptr_eq(&self.vm, vm)
    }

    pub(crate) fn uuid(&self) -> VmUuid {
        self.uuid
    }

    pub(crate) fn vm(&self) -> &Vm {
        &self.vm
    }

    /// Its name; empty if that is missing or cannot be understood.
    pub(crate) fn name(&self) -> &str {
        self.vm.name.get().map_or("", |name| name.as_str())
    }

    /// Whether it has this tag.
    pub(crate) fn has_tag(&self, tag: &str) -> bool {
        let mut tags = self.vm.details.iter().flat_map(|details| details.tags.keys());
        tags.any(|name| name.as_str() == tag)
    }

    /// The JSON object up to the definition.
    fn render(&self) -> Box<[u8]> {
        let vm: api::Vm = super::vm::vm(self.uuid, &self.vm);
        let mut json = serde_json::to_vec(&vm).expect("plain fields and text keys are JSON");
        debug_assert!(json.ends_with(NO_XML), "the definition is last and left out");
        json.truncate(json.len() - NO_XML.len());
        json.into_boxed_slice()
    }
}

impl Listed for Shown {
    fn warm(&self) {
        self.front.get_or_init(|| self.render());
    }

    /// The definition is the larger half and is kept once only, so it is added here.
    fn write_json(&self, out: &mut Vec<u8>) {
        // The age of a snapshot changes by itself.
        if self.vm.details.as_ref().is_some_and(|details| !details.snapshots.is_empty()) {
            out.extend_from_slice(&self.render());
        } else {
            out.extend_from_slice(self.front.get_or_init(|| self.render()));
        }
        let xml = self.vm.details.as_deref().and_then(|details| details.xml.get());
        let xml = super::vm::shown_xml(xml.map_or("", |xml| xml));
        let written = serde_json::to_writer(&mut *out, &*xml);
        written.expect("a text is JSON and a vector takes it");
        out.push(b'}');
    }
}
