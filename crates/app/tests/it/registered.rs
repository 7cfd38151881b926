//! Which routes there are, read from the routing table as it is written.

use std::collections::BTreeSet;

const ROUTES: &str = include_str!("../../src/routes.rs");

/// Methods and routes in the routing table.
pub(crate) fn registered() -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for part in ROUTES.split(".route(").skip(1) {
        let path = part.split('"').nth(1).unwrap().to_owned();
        let handlers = part.split(".route(").next().unwrap();
        for (word, method) in [("get(", "GET"), ("post(", "POST"), ("delete(", "DELETE"), ("put(", "PUT")] {
            let named = [",", ", ", ".", "\n            "]
                .iter()
                .any(|before| handlers.contains(&format!("{before}{word}")));
            if named {
                all.insert((method.to_owned(), path.clone()));
            }
        }
    }
    all
}
