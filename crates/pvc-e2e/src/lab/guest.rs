//! The VMs that tests make, and all of them are named `e2e-...`.

use std::fs;
use std::path::PathBuf;
use std::thread;

use super::{COMMAND, Lab, PREFIX};

impl Lab {
    /// The definition of a VM of the lab's kind `tick` or `linux`, in a file.
    ///
    /// `edit` may change it first.
    ///
    /// # Panics
    /// When the lab does not make it.
    #[must_use]
    #[track_caller]
    pub fn definition(&self, kind: &str, vm: &str, edit: impl Fn(String) -> String) -> PathBuf {
        let said = self.program.run(COMMAND, &["guest", kind, vm]).and_then(super::Said::ok);
        let xml = said.unwrap_or_else(|error| panic!("{error:#}"));
        let file = self.dir.path().join(format!("{vm}.xml"));
        fs::write(&file, edit(xml)).expect("a definition can be written");
        file
    }

    /// Defines a VM of a kind and returns its name; `options` are those of `pvc vm define`.
    ///
    /// # Panics
    /// When it is refused.
    #[track_caller]
    pub fn define(&self, kind: &str, name: &str, options: &[&str]) -> String {
        let vm = format!("{PREFIX}{name}");
        let file = self.definition(kind, &vm, |xml| xml);
        self.define_from(&file, options);
        vm
    }

    /// Defines a VM by a file.
    ///
    /// # Panics
    /// When it is refused.
    #[track_caller]
    pub fn define_from(&self, file: &std::path::Path, options: &[&str]) {
        let file = file.to_str().expect("the directory's name is text");
        let words: Vec<&str> = ["vm", "define", file].iter().chain(options).copied().collect();
        self.pvc(&words);
    }

    /// Defines VMs on a node, starts them and waits until all run there.
    ///
    /// # Panics
    /// When one does not.
    #[track_caller]
    pub fn crowd(&self, node: &str, count: usize) -> Vec<String> {
        let names: Vec<String> = (1..=count).map(|number| format!("vm{number:02}")).collect();
        let one = |name: &String| {
            let vm = self.define("tick", name, &["--target", node]);
            self.pvc(&["vm", "start", &vm]);
            vm
        };
        let vms: Vec<String> = thread::scope(|scope| {
            let all: Vec<_> = names.iter().map(|name| scope.spawn(|| one(name))).collect();
            all.into_iter().map(|each| each.join().expect("the VM is defined")).collect()
        });
        for vm in &vms {
            assert_eq!(self.await_running(vm), node);
        }
        vms
    }
}
