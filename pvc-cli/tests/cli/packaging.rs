//! What a package is made of, and what costs no connection.

use crate::support::Desk;

#[test]
fn every_shell_gets_a_completion_script() {
    let desk = Desk::empty();
    for (shell, sign) in
        [("bash", "complete -F _pvc"), ("zsh", "#compdef pvc"), ("fish", "complete -c pvc")]
    {
        let ended = desk.run(&format!("completion {shell}"));
        assert_eq!(ended.code, Some(0), "{shell}");
        assert!(ended.stdout.contains(sign), "{shell}");
        assert!(ended.stdout.contains("is-primary"), "{shell}");
    }
    assert_eq!(desk.run("completion tcsh").code, Some(2));
}

#[test]
fn every_command_gets_a_manual_page() {
    let desk = Desk::empty();
    let directory = desk.path("man");
    assert_eq!(desk.run(&format!("man {}", directory.display())).code, Some(0));
    for page in ["pvc.1", "pvc-vm-migrate.1", "pvc-cluster-fault-ack.1", "pvc-storage-osd-add.1"] {
        let text = std::fs::read_to_string(directory.join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
}

#[test]
fn the_version_is_told_in_upstreams_words() {
    let desk = Desk::empty();
    let expected =
        concat!("Parallel Virtual Cluster CLI client version ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(desk.run("--version").stdout, expected);
}
