//! Tidy is a test: what the tree promises about its own shape. Each rule reads the same map of paths to texts, and each
//! is shown a tree that breaks it.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Paths of the project, with `/`, and what is in them.
type Tree = BTreeMap<String, String>;
/// What breaks a rule, each with its place.
type Faults = Vec<String>;

/// Order of knowledge: a crate knows only those before it.
const CRATES: [&str; 13] = [
    "wipe", "kernel", "vault", "imaging", "search", "outgoing", "engines", "platform", "accounts", "gallery",
    "studio", "trust", "app",
];
const LINES_MAX: usize = 500;
const README_LINES_MAX: usize = 8;
const DEPENDENCIES_MAX: usize = 90;
/// Folders that are not ours, or not sources.
const FOREIGN: [&str; 6] = ["target", "vendor", "data", "node_modules", ".git", "fuzz"];
const SOURCES: [&str; 12] =
    ["rs", "toml", "md", "html", "css", "js", "mjs", "sql", "ftl", "svg", "json", "txt"];
/// File names that say nothing.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "helpers", "manager", "service", "common"];

/// A rule: its name, what finds the faults, and files that break it.
type Rule = (&'static str, fn(&Tree) -> Faults, &'static [(&'static str, &'static str)]);
const RULES: [Rule; 13] = [
    ("sizes", sizes, &[("crates/app/src/long.rs", LONG)]),
    ("headers", headers, &[("crates/app/src/bare.rs", "fn main() {}")]),
    ("names", names, &[("crates/app/src/utils.rs", "//! This owns nothing.")]),
    ("order", order, &[("crates/kernel/Cargo.toml", "[dependencies]\ngallery.workspace = true\n")]),
    ("readmes", readmes, &[("crates/extra/Cargo.toml", "[package]\n")]),
    ("inline", inline, &[("crates/app/src/a.html", "<p style=\"color:red\">")]),
    ("notes", notes, &[("crates/app/src/b.rs", "//! x\n// TO\u{44}O later\n")]),
    ("tests", tests, &[("crates/app/tests/it/c.rs", "//! x\n#[ign\u{6f}re]\nfn x() {}")]),
    ("dependencies", dependencies, &[("Cargo.toml", "[workspace.dependencies]\nleftpad = \"1.0\"\n")]),
    (
        "dependencies",
        dependencies,
        &[("e2e/package.json", "{ \"dependencies\": { \"@left/pad\": \"1.0.0\" } }")],
    ),
    ("dependencies", dependencies, &[("assets/requirements.txt", "leftpad==1.0 --hash=sha256:00\n")]),
    (
        "tables",
        tables,
        &[
            ("migrations/0100_accounts.sql", "CREATE TABLE account (id)"),
            ("crates/gallery/src/d.rs", "//! x\nconst X: &str = \"SELECT id FROM account\";"),
        ],
    ),
    ("assets", assets, &[("assets/js/dead.js", "export {}")]),
];
/// A text with far more lines than any source may have.
const LONG: &str = include_str!("../../Cargo.lock");

#[test]
fn the_tree_keeps_its_rules() {
    let mut tree = Tree::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), "", &mut tree);
    assert!(tree.len() > 150, "only {} files were read", tree.len());
    let faults: Faults = RULES
        .iter()
        .flat_map(|(name, rule, _)| rule(&tree).into_iter().map(move |fault| format!("{name}: {fault}")))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn each_rule_notices_what_breaks_it() {
    for (name, rule, broken) in RULES {
        let tree = broken.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        assert!(!rule(&tree).is_empty(), "{name} let it pass");
    }
}

fn collect(folder: &Path, below: &str, tree: &mut Tree) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if FOREIGN.contains(&name.as_str()) {
            continue;
        }
        let inner = if below.is_empty() { name } else { format!("{below}/{name}") };
        if path.is_dir() {
            collect(&path, &inner, tree);
        } else if SOURCES.iter().any(|kind| inner.ends_with(&format!(".{kind}"))) {
            tree.insert(inner, std::fs::read_to_string(path).unwrap());
        }
    }
}

fn of<'a>(tree: &'a Tree, kinds: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    tree.iter()
        .filter(move |(path, _)| kinds.iter().any(|kind| path.ends_with(&format!(".{kind}"))))
        .map(|(path, text)| (path.as_str(), text.as_str()))
}

/// The crate that a path is in.
fn owner(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.split('/').next()
}

fn sizes(tree: &Tree) -> Faults {
    of(tree, &["rs", "css", "js", "mjs", "html"])
        .filter(|(_, text)| text.lines().count() > LINES_MAX)
        .map(|(path, text)| format!("{path} has {} lines, at most {LINES_MAX}", text.lines().count()))
        .collect()
}

fn headers(tree: &Tree) -> Faults {
    of(tree, &["rs"])
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| format!("{path} does not begin by saying what it owns"))
        .collect()
}

fn names(tree: &Tree) -> Faults {
    let empty = |path: &str| path.split(['/', '.']).any(|part| EMPTY_NAMES.contains(&part));
    tree.keys()
        .filter(|path| empty(path))
        .map(|path| format!("{path} has a name that says nothing"))
        .collect()
}

fn order(tree: &Tree) -> Faults {
    let place = |name: &str| CRATES.iter().position(|known| *known == name);
    let mut faults = Faults::new();
    for (path, text) in of(tree, &["toml"]).filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        let Some(own) = owner(path).map(|name| place(name).ok_or(name)) else { continue };
        let Ok(own) = own else {
            faults.push(format!("{path} is not in the order of crates"));
            continue;
        };
        let known = text.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).filter_map(place);
        faults.extend(
            known.filter(|other| *other > own).map(|other| format!("{path} knows {}", CRATES[other])),
        );
    }
    faults
}

fn readmes(tree: &Tree) -> Faults {
    let short = |folder: &str| {
        tree.get(&format!("{folder}README.md")).is_some_and(|text| text.lines().count() <= README_LINES_MAX)
    };
    tree.keys()
        .filter_map(|path| path.strip_suffix("Cargo.toml"))
        .filter(|folder| !folder.is_empty() && !short(folder))
        .map(|folder| format!("{folder}README.md is missing or has more than {README_LINES_MAX} lines"))
        .collect()
}

/// The pages' policy allows no inline style or script, so a template with one would be broken.
fn inline(tree: &Tree) -> Faults {
    let broken = |text: &str| {
        ["style=\"", "<style", "<script>", " onclick=", " onload=", " onerror=", "javascript:"]
            .into_iter()
            .find(|part| text.contains(part))
    };
    of(tree, &["html"])
        .filter_map(|(path, text)| broken(text).map(|part| format!("{path} has {part}")))
        .collect()
}

/// Unfinished notes, and paths of somebody's machine. The words are put together so that this file does not hold them.
fn notes(tree: &Tree) -> Faults {
    let words = [["TO", "DO"], ["FIX", "ME"], ["X", "XX "], ["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"]]
        .map(|parts| parts.concat());
    of(tree, &["rs", "md", "toml", "html", "css", "js", "mjs", "sql", "ftl"])
        .filter_map(|(path, text)| {
            words.iter().find(|word| text.contains(*word)).map(|word| format!("{path} has {word}"))
        })
        .collect()
}

/// Tests neither sleep nor are passed over.
fn tests(tree: &Tree) -> Faults {
    let words = [["#[ig", "nore"], ["thread::", "sleep"], ["time::", "sleep("]].map(|parts| parts.concat());
    of(tree, &["rs"])
        .filter(|(path, text)| path.contains("/tests/") || text.contains("#[cfg(test)]"))
        .filter_map(|(path, text)| {
            let tests = if path.contains("/tests/") { text } else { text.split_once("#[cfg(test)]")?.1 };
            words.iter().find(|word| tests.contains(*word)).map(|word| format!("{path} has {word}"))
        })
        .collect()
}

/// Every direct dependency is explained, with its version, and none that is gone still is.
fn dependencies(tree: &Tree) -> Faults {
    let explained = tree.get("docs/dependencies.md").map(String::as_str).unwrap_or_default();
    let mut faults = Faults::new();
    let (mut direct, mut crates) = (BTreeSet::new(), 0);
    for (path, text) in tree {
        let found = match path.rsplit('/').next() {
            Some("Cargo.toml") => declared(text),
            Some("package.json") => pinned(text, "\": \""),
            Some("requirements.txt") => pinned(text, "=="),
            _ => continue,
        };
        for (name, version) in found {
            if !explained.contains(&format!("- {name} {version}: ")) {
                faults.push(format!(
                    "{path} has {name} {version}, which docs/dependencies.md does not explain"
                ));
            }
            crates += usize::from(direct.insert(name) && path.ends_with("Cargo.toml"));
        }
    }
    let lines = explained.lines().filter_map(|line| line.strip_prefix("- ")?.split(' ').next());
    faults.extend(
        lines.filter(|name| !direct.contains(name)).map(|name| format!("{name} is explained and not used")),
    );
    if crates > DEPENDENCIES_MAX {
        faults.push(format!("{crates} direct dependencies, at most {DEPENDENCIES_MAX}"));
    }
    faults
}

/// Names and versions of packages that are pinned as `name`, a mark, and a version.
fn pinned<'a>(text: &'a str, mark: &str) -> Vec<(&'a str, &'a str)> {
    let ends = |c: char| c == '"' || c.is_whitespace();
    let place = |(at, _): (usize, _)| {
        let name = text.get(..at)?.rsplit(ends).next()?;
        let version = text.get(at + mark.len()..)?.split(ends).next()?;
        version.starts_with(|c: char| c.is_ascii_digit()).then_some((name, version))
    };
    text.match_indices(mark).filter_map(place).collect()
}

/// Names and versions in the tables of dependencies of a Cargo.toml; those of the workspace stand in its own.
fn declared(text: &str) -> Vec<(&str, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
        } else if let Some((name, value)) =
            line.split_once(" = ").filter(|_| inside && !line.contains("path = "))
        {
            let version = value.split_once("version = ").map_or(value, |(_, rest)| rest);
            let version = version.trim_start_matches('"').split('"').next().unwrap_or_default();
            if version.starts_with(|c: char| c.is_ascii_digit()) {
                found.push((name, version));
            }
        }
    }
    found
}

/// All SQL for a table stands in the crate that owns it, which its migration names.
fn tables(tree: &Tree) -> Faults {
    let mut owners = BTreeMap::new();
    for (path, text) in of(tree, &["sql"]) {
        let crate_name = path.trim_end_matches(".sql").rsplit('_').next().unwrap_or_default();
        let names = text.split("CREATE TABLE ").skip(1).filter_map(|rest| rest.split([' ', '(']).next());
        owners.extend(names.map(|table| (table, crate_name)));
    }
    let mut faults = Faults::new();
    for (path, text) in of(tree, &["rs"]).filter(|(path, _)| path.contains("/src/")) {
        for verb in ["FROM ", "INTO ", "UPDATE ", "JOIN "] {
            for rest in text.split(verb).skip(1) {
                let table =
                    rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap_or_default();
                match owners.get(table) {
                    Some(crate_name) if owner(path) != Some(crate_name) => {
                        faults.push(format!("{path} reads or writes {table}, which {crate_name} owns"));
                    }
                    _ => {}
                }
            }
        }
    }
    faults
}

/// Scripts, styles and icons that nothing names.
fn assets(tree: &Tree) -> Faults {
    let used: Vec<&str> = of(tree, &["rs", "html", "js", "css"]).map(|(_, text)| text).collect();
    tree.keys()
        .filter(|path| {
            ["assets/js/", "assets/css/", "assets/icons/"].iter().any(|start| path.starts_with(start))
        })
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap_or_default();
            !used.iter().any(|text| text.contains(name))
        })
        .map(|path| format!("{path} is not used"))
        .collect()
}
