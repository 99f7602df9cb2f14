//! The API's description: current, complete, and compared with upstream's endpoints.

use serde_json::Value;

const COMMITTED: &str = include_str!("../../../schema/openapi/pvc-v1.json");
const UPSTREAM: &str = include_str!("upstream-routes.txt");

fn document() -> Value {
    serde_json::to_value(pvcapid::api::openapi()).unwrap()
}

#[test]
fn the_committed_description_is_current() {
    let committed: Value = serde_json::from_str(COMMITTED).unwrap();
    assert!(
        committed == document(),
        "schema/openapi/pvc-v1.json is outdated: \
         run `cargo xtask openapi` and review the change"
    );
}

/// The names of an operation's arguments; `None` if it is not described.
fn arguments(document: &Value, method: &str, path: &str) -> Option<Vec<String>> {
    let operation = document["paths"][format!("/api/v1{path}")].get(method.to_lowercase())?;
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    Some(parameters.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn upstreams_endpoints_are_served_with_all_their_arguments_or_known_to_be_missing() {
    let document = document();
    let lines = UPSTREAM.lines().filter(|line| !line.starts_with('#'));
    let mut counted = 0;
    for line in lines {
        counted += 1;
        let mut words = line.split_whitespace();
        let (claim, method, path) =
            (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        match arguments(&document, method, path) {
            None => assert_eq!(claim, "missing", "{method} {path} is not served"),
            Some(known) => {
                assert_eq!(claim, "served", "{method} {path} is served now");
                for argument in words {
                    assert!(known.iter().any(|name| name == argument), "{line}: {argument}");
                }
            }
        }
    }
    assert_eq!(counted, 179, "upstream has 179 handlers");
}

#[test]
fn every_operation_has_a_name_of_its_own_and_says_what_it_does() {
    let mut names = std::collections::BTreeSet::new();
    for (path, operations) in document()["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(name), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
        }
    }
}
