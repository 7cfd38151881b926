//! The command line, on a folder of its own and beside a server that holds it.

use std::path::Path;

use serde_json::Value;

use crate::program::{Server, report, safelight};

/// Runs a command that must succeed; returns what it printed.
fn run(data: &Path, args: &[&str]) -> String {
    let output = safelight(data).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", report(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn run_json(data: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&run(data, args)).unwrap()
}

#[tokio::test]
async fn every_command_works_without_a_server_and_beside_one() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file, picture) =
        (dir.path().join("data"), dir.path().join("one.jsonl"), dir.path().join("fox.png"));
    let (file, picture) = (file.to_str().unwrap(), picture.to_str().unwrap());
    std::fs::write(file, r#"{"id": "one", "prompt": "a heron on a pier"}"#).unwrap();
    for beside in [false, true] {
        let server = if beside { Some(Server::start(&data).await) } else { None };
        assert_eq!(run_json(&data, &["import", file, "--json"])["added"], 1);
        assert_eq!(run_json(&data, &["search", "heron", "--json"])["data"][0]["id"], "one");
        assert!(run(&data, &["search", "heron"]).starts_with("one  a heron on a pier"));

        let made = run_json(&data, &["account", "create", "ada@example.org", "--credits", "2", "--json"]);
        let key = made["api_key"].as_str().unwrap();
        assert!(key.starts_with("meigen_sk_") && key.len() == "meigen_sk_".len() + 32, "{key}");
        assert!(made["account_id"].is_string());

        run(&data, &["generate", "a fox", "-o", picture, "--resolution", "512", "--ratio", "3:2"]);
        let drawn = imaging::decode(&std::fs::read(picture).unwrap()).unwrap();
        assert_eq!((drawn.width, drawn.height), (512, 344));

        assert_eq!(run_json(&data, &["ledger", "check"])["adds_up"], true);
        assert_eq!(run(&data, &["artwork", "remove", "one"]).trim(), "Removed for good.");
        assert_eq!(run_json(&data, &["search", "heron", "--json"])["data"], Value::Array(Vec::new()));
        drop(server);
    }
}

#[tokio::test]
async fn what_is_wrong_is_explained_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    std::fs::create_dir(&out).unwrap();
    let (picture, nowhere) = (out.join("p.png"), out.join("nowhere/p.png"));
    let (picture, nowhere) = (picture.to_str().unwrap(), nowhere.to_str().unwrap());
    for (args, word) in [
        (&["import", "nothing.json"][..], "nothing.json"),
        (&["account", "create", "no address"], "address"),
        (&["artwork", "remove", "none"], "no artwork"),
        (&["generate", "", "-o", picture], "prompt"),
        (&["generate", "a fox", "-o", nowhere], "output file"),
        (&["generate", "a fox", "-o", picture, "--ratio", "7:1"], "aspect ratio"),
        (&["generate", "a fox", "-o", picture, "--model", "none"], "model"),
        (&["generate", "a fox", "-o", picture, "--seed", "first"], "seed"),
        (&["serve", "--listen", "here"], "listen"),
    ] {
        let output = safelight(&data).args(args).output().unwrap();
        let said = report(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.starts_with("safelight: ") && said.contains(word), "{args:?}: {said}");
    }
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0, "no half-written file stays");
}
