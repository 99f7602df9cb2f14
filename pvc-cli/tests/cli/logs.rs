//! Logs of nodes and VMs.

use std::io::{BufRead, BufReader};

use serde_json::json;

use crate::support::Desk;

#[test]
fn a_log_is_printed_as_it_is_when_nobody_can_page() {
    let desk = Desk::new();
    desk.api.on("GET /vm/web1/console", 200, json!({"name": "web1", "data": "boot\nlogin:"}));
    assert_eq!(desk.lab("vm log web1 -l 2").stdout, "boot\nlogin:\n");
    assert_eq!(desk.asked(), ["GET /vm/web1/console?lines=2"]);
}

#[test]
fn a_followed_log_shows_its_end_and_then_what_is_added() {
    let desk = Desk::new();
    for data in ["1\n2\n3\nlog", "1\n2\n3\nlogin:", "2\n3\nlogin: root\nok\n"] {
        desk.api.on("GET /node/hv1/log", 200, json!({"name": "hv1", "data": data}));
    }
    let mut child = desk.command("-q -c lab node log hv1 -f -l 2").spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let lines: Vec<String> = stdout.lines().take(3).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(lines, ["3", "login: root", "ok"]);
}
