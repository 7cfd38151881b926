//! This owns the tests that hold the data map against the sources: cookies, headers, scripts and erasers.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use platform::http::{Cookie, Heard};

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.extension().is_some_and(|kind| kind == ending) {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

fn sources(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(&root().join(folder), ending, &mut found);
    assert!(!found.is_empty(), "nothing under {folder}");
    found
}

fn mapped(of: impl Fn(&Stored) -> &Vec<String>) -> BTreeSet<String> {
    data_map().unwrap().stored.iter().flat_map(|stored| of(stored).clone()).collect()
}

#[test]
fn every_cookie_is_in_the_map_and_no_other() {
    let named: BTreeSet<String> = Cookie::ALL.iter().map(|cookie| cookie.name().to_owned()).collect();
    assert_eq!(named, mapped(|stored| &stored.cookies));
}

#[test]
fn every_header_that_is_read_is_in_the_map_and_no_other() {
    let heard: BTreeSet<String> = Heard::ALL.iter().map(|heard| heard.name().to_string()).collect();
    assert_eq!(heard, mapped(|stored| &stored.headers));
}

/// How many variants an enum has in its source, since a list of all of them could leave one out.
fn variants(file: &str, name: &str) -> usize {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let body = text.split(&format!("pub enum {name} {{")).nth(1).unwrap().split("\n}").next().unwrap();
    body.lines().filter(|line| line.ends_with(',') && !line.contains("//")).count()
}

#[test]
fn no_header_and_no_cookie_is_left_out_of_the_lists() {
    assert_eq!(variants("crates/platform/src/http/heard.rs", "Heard"), Heard::ALL.len());
    assert_eq!(variants("crates/platform/src/http/visitor.rs", "Cookie"), Cookie::ALL.len());
    for (path, text) in sources("crates", "rs").iter().filter(|(path, _)| !path.ends_with("http/visitor.rs"))
    {
        let by_hand = ["; HttpOnly", "; Max-Age", "; SameSite"].iter().find(|part| text.contains(**part));
        assert!(by_hand.is_none() || path.ends_with("drift.rs"), "{} sets a cookie by hand", path.display());
    }
}

/// What a private value may be opened for is a type; each stands among the purposes of the map.
#[test]
fn every_purpose_of_the_code_is_one_of_the_map() {
    let text = fs::read_to_string(root().join("crates/kernel/src/private.rs")).unwrap();
    let module = text.split("pub mod purpose {").nth(1).unwrap().split("\n}").next().unwrap();
    let types: Vec<&str> =
        module.split("pub struct ").skip(1).filter_map(|rest| rest.split(';').next()).collect();
    let listed = data_map().unwrap().purposes;
    assert!(types.len() > 3 && types.iter().all(|name| listed.iter().any(|one| one == name)), "{types:?}");
}

/// Pairs of a store of the browser and a key, as scripts name them.
fn kept_by(script: &str) -> BTreeSet<String> {
    let mut kept = BTreeSet::new();
    for store in ["localStorage", "sessionStorage"] {
        for use_of_it in script.split(store).skip(1) {
            let key = ["getItem(\"", "setItem(\"", "removeItem(\""]
                .iter()
                .find_map(|call| use_of_it.strip_prefix('.')?.strip_prefix(call)?.split('"').next());
            kept.insert(format!("{store} {}", key.unwrap_or("(a key that no test can read)")));
        }
    }
    for store in ["indexedDB", "caches.", "document.cookie", "navigator.storage"] {
        if script.contains(store) {
            kept.insert(format!("{store} (name it in the map, and here)"));
        }
    }
    kept
}

#[test]
fn what_scripts_keep_in_the_browser_is_in_the_map_and_nothing_else() {
    let kept: BTreeSet<String> =
        sources("assets/js", "js").iter().flat_map(|(_, script)| kept_by(script)).collect();
    assert_eq!(kept, mapped(|stored| &stored.browser));
    let unread = "localStorage[name] = 1; caches.open('x')";
    assert_eq!(kept_by(unread).len(), 2, "what cannot be read is noticed");
}

/// Whether `crate::Type::function` or `crate::module::function` is in its crate.
fn exists(eraser: &str) -> bool {
    let parts: Vec<&str> = eraser.split("::").collect();
    let [krate, .., holder, function] = parts.as_slice() else { return false };
    let folder = root().join("crates").join(krate).join("src");
    if !folder.exists() {
        return false;
    }
    let of_type = holder.starts_with(|letter: char| letter.is_ascii_uppercase());
    sources(&format!("crates/{krate}/src"), "rs").iter().any(|(path, text)| {
        let file = path.with_extension("");
        let here = text.contains(&format!("fn {function}(")) || text.contains(&format!("fn {function}<"));
        let held = if of_type {
            text.contains(&format!("impl {holder} {{"))
        } else {
            file.iter().any(|part| part == *holder)
        };
        here && held
    })
}

#[test]
fn every_eraser_is_a_function_that_exists_or_a_word_for_why_there_is_none() {
    for stored in data_map().unwrap().stored {
        let known = OTHER_ERASERS.contains(&stored.eraser.as_str()) || exists(&stored.eraser);
        assert!(known, "{}: {}", stored.id, stored.eraser);
    }
    for wrong in ["studio::Studio::vanish", "studio::Nobody::erase", "nowhere::Studio::erase", "studio"] {
        assert!(!exists(wrong), "{wrong}");
    }
}

/// The lints refuse the methods of a map of headers; this is for the operators, which no lint can name.
#[test]
fn no_header_is_read_beside_the_list() {
    for (path, text) in sources("crates", "rs") {
        let program = text.split("#[cfg(test)]").next().unwrap();
        let beside = ["headers()[", "headers[", "in headers", "in &headers", "TypedHeader"]
            .iter()
            .find(|word| !path.iter().any(|part| part == "tests") && program.contains(**word));
        assert!(beside.is_none() || path.ends_with("drift.rs"), "{}: {beside:?}", path.display());
    }
}
