//! The checker, checked: a VM that runs twice is noticed.

use std::time::Duration;

use pvc_e2e::lab::{Lab, until};

#[test]
fn a_vm_that_runs_twice_shows_in_its_record() {
    let lab = Lab::take();
    let vm = "e2e-twice";
    let file = lab.definition("writer", vm, |xml| xml);
    let xml = std::fs::read_to_string(file).unwrap();
    let virsh = |host: &str, words: &str| lab.on(host, &["sh", "-c", &format!("virsh {words}")]);
    let create = format!("create /dev/stdin <<'EOF'\n{xml}\nEOF");

    lab.forget(vm).unwrap();
    virsh(&lab.hosts()[0], &create);
    lab.await_boot(vm, 1);
    virsh(&lab.hosts()[1], &create);
    let wrong = until("the second writer to be noticed", Duration::from_secs(30), || {
        lab.try_boots(vm).err().ok_or_else(|| format!("{:?}", lab.try_boots(vm)))
    });

    for host in &lab.hosts()[..2] {
        virsh(host, &format!("destroy {vm}"));
    }
    assert!(wrong.contains("wrote"), "{wrong}");
}
