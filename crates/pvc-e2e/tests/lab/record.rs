//! The checker, checked: a VM that runs twice is noticed.

use std::time::Duration;

use pvc_e2e::lab::{Lab, until};

const VM: &str = "e2e-twice";

/// Ends both, however the test ends: PVC, which knows nothing of them, does not.
struct Ended<'a>(&'a Lab);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        for host in &self.0.hosts()[..2] {
            self.0.try_on(host, &["virsh", "destroy", VM]);
        }
    }
}

#[test]
fn a_vm_that_runs_twice_shows_in_its_record() {
    let lab = Lab::take();
    let _ended = Ended(&lab);
    let file = lab.definition("writer", VM, |xml| xml);
    let xml = std::fs::read_to_string(file).unwrap();
    let virsh = |host: &str, words: &str| lab.on(host, &["sh", "-c", &format!("virsh {words}")]);
    let create = format!("create /dev/stdin <<'EOF'\n{xml}\nEOF");

    lab.forget(VM).unwrap();
    virsh(&lab.hosts()[0], &create);
    lab.await_boot(VM, 1);
    virsh(&lab.hosts()[1], &create);
    let wrong = until("the second writer to be noticed", Duration::from_secs(30), || {
        lab.try_boots(VM).err().ok_or_else(|| format!("{:?}", lab.try_boots(VM)))
    });

    assert!(wrong.contains("wrote"), "{wrong}");
}
