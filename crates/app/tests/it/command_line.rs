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
    let (pictured, receipt) = (dir.path().join("two.jsonl"), dir.path().join("receipt.txt"));
    let (pictured, receipt) = (pictured.to_str().unwrap(), receipt.to_str().unwrap());
    let rgba = vec![120; 64 * 64 * 4];
    let png = imaging::encode_png(&imaging::Picture { width: 64, height: 64, rgba }).unwrap();
    std::fs::write(dir.path().join("two.png"), png).unwrap();
    std::fs::write(pictured, r#"{"id": "two", "prompt": "a pier at noon", "image": "two.png"}"#).unwrap();
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
        let checkup = run_json(&data, &["doctor", "--json"]);
        let checks = checkup["checks"].as_array().unwrap();
        let of_us = |check: &&Value| check["check"] != "disk";
        assert!(
            checks.len() > 5 && checks.iter().filter(of_us).all(|check| check["good"] == true),
            "{checkup}"
        );
        assert!(run(&data, &["doctor"]).contains("good  keys"));

        // An entry without a picture has no key, and so no receipt.
        assert_eq!(run(&data, &["artwork", "remove", "one"]).trim(), "Removed for good.");
        assert_eq!(run_json(&data, &["import", pictured, "--json"])["added"], 1);
        let removed = run(&data, &["artwork", "remove", "two"]);
        let (words, text) = removed.split_once("\n\n").unwrap();
        assert_eq!(words, "Removed for good.");
        std::fs::write(receipt, text).unwrap();
        assert!(run(&data, &["verify", receipt]).starts_with("Genuine. 1 records erased at "));
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

/// A mount that ends with its test.
struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_disk_that_keeps_what_is_overwritten_is_refused_and_another_anchor_helps() {
    let name = "a_disk_that_keeps_what_is_overwritten_is_refused_and_another_anchor_helps";
    let dir = tempfile::tempdir().unwrap();
    let layers = ["lower", "upper", "work", "layered"].map(|layer| dir.path().join(layer));
    layers.iter().for_each(|layer| std::fs::create_dir(layer).unwrap());
    let [lower, upper, work, layered] = layers.clone().map(|layer| layer.display().to_string());
    let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
    let mut mount = std::process::Command::new("mount");
    let done = mount.args(["-t", "overlay", "overlay", "-o", &options, &layered]).output();
    if !done.is_ok_and(|output| output.status.success()) {
        println!("skipped: {name}: no layered file system can be mounted here");
        return;
    }
    let _mounted = Mounted(layers[3].clone());
    let data = layers[3].join("data");
    let checked = |args: &[&str]| {
        let mut command = safelight(&data);
        command.env("SAFELIGHT_ANCHOR_CHECK", "refuse").args(["ledger", "check"]).args(args);
        command.output().unwrap()
    };
    let refused = checked(&[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        report(&refused).contains("overlay") && report(&refused).contains("--anchor"),
        "{}",
        report(&refused)
    );
    assert!(!data.join("root").exists(), "no root was made");
    let anchor = dir.path().join("anchor");
    let anchored = checked(&["--anchor", anchor.to_str().unwrap()]);
    if report(&anchored).contains("does not erase") {
        println!("skipped: {name}: the folder for temporary files does not erase either");
        return;
    }
    assert!(anchored.status.success(), "{}", report(&anchored));
    assert!(anchor.join("root").exists() && !data.join("root").exists());
    assert_eq!(checked(&[]).status.code(), Some(1), "without it again");
    let accepted = checked(&["--anchor", anchor.to_str().unwrap(), "--anchor-check", "accept"]);
    assert!(accepted.status.success());
}
