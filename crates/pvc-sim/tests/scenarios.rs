//! Every scenario's folder: no guarantee is broken, and what happens is what its log says.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use pvc_sim::play;

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

#[test]
fn every_scenario_plays_as_its_log_says_and_breaks_no_guarantee() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let played = play::play(&folder).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        for violation in &played.world.violations {
            wrong.push(format!("{name}: {violation}"));
        }
        let (log, golden) = (played.world.story.log(), play::golden(&folder).unwrap());
        let golden = golden.unwrap_or_else(|| panic!("{name} has no log: bless it"));
        if log != golden {
            let diff = similar::TextDiff::from_lines(&golden, &log);
            wrong.push(format!("{name}:\n{}", diff.unified_diff()));
        }
    }
    assert!(wrong.is_empty(), "{}\n`cargo xtask sim bless` what is right", wrong.join("\n"));
}

#[test]
fn every_scenario_says_what_it_is_about() {
    for folder in folders() {
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(readme.starts_with("# ") && readme.lines().count() >= 3, "{}", folder.display());
    }
    assert!(folders().len() >= 60);
}

#[test]
fn the_last_line_for_programs_says_where_everything_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/power-cut-with-bmc");
    let mut played = play::play(&folder).unwrap();
    let last = played.last();
    assert_eq!(last["final"]["vms"]["vm1"]["running_on"][0], "hv2");
    assert_eq!(last["final"]["nodes"]["hv3"]["daemon_state"], "fenced");
    assert_eq!(last["final"]["nodes"]["hv3"]["power"], "off");
    assert_eq!(last["final"]["primary"], "hv1");
    assert_eq!(last["final"]["violations"], 0);
    for line in played.world.story.json().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["t"].is_number() && event["event"].is_string(), "{line}");
        assert!(event["node"].is_string() || event["vm"].is_string(), "{line}");
    }
}
