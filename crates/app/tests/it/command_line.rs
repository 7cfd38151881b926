//! The command line, on a folder of its own and beside a server that holds it.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use app::operator::Request;
use serde_json::{Value, json};

use crate::TestApp;
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

/// Runs a command with this on its standard input.
fn told(data: &Path, args: &[&str], typed: &[u8]) -> Output {
    let mut child = safelight(data).args(args).stdin(Stdio::piped()).spawn().unwrap();
    // One that is refused before it reads has closed it.
    let _ = child.stdin.take().unwrap().write_all(typed);
    child.wait_with_output().unwrap()
}

fn tell(data: &Path, args: &[&str], typed: &str) -> String {
    let output = told(data, args, typed.as_bytes());
    assert!(output.status.success(), "{args:?}: {}", report(&output));
    String::from_utf8(output.stdout).unwrap()
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
async fn the_desk_reads_addresses_and_codes_from_standard_input_without_a_server_and_beside_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    run(&data, &["account", "create", "ada@example.org"]);
    let (ask, all) = (["inquiry", "--reason", "own-request"], ["disclose", "--reason", "court-order"]);
    let json = |args: &[&str]| serde_json::from_str::<Value>(&tell(&data, args, "ada@example.org")).unwrap();
    for (beside, voided) in [(false, 1), (true, 2)] {
        let server = if beside { Some(Server::start(&data).await) } else { None };
        let granted = tell(&data, &["account", "grant", "--credits", "30"], "Ada@Example.org\n");
        assert_eq!(granted, "Granted 30 credits.\n");
        let codes = run(&data, &["voucher", "create", "--credits", "5", "--count", "3"]);
        assert!(codes.lines().count() == 3 && codes.lines().all(|code| code.len() == 24), "{codes}");
        let lost = format!("\n{}\r\n\n", codes.lines().next().unwrap());
        assert!(tell(&data, &["voucher", "void"], &lost).starts_with("Voided 1 of 1 vouchers."));
        let listed = run_json(&data, &["voucher", "list", "--json"]);
        assert_eq!(listed[1], json!({ "state": "voided", "vouchers": voided, "credits": voided * 5 }));
        assert!(run(&data, &["voucher", "list"]).starts_with("open"));

        let found = tell(&data, &ask, "ada@example.org");
        assert!(found.starts_with("There is an account, made on 20"), "{found}");
        assert!(found.contains(if beside { "purchased 60" } else { "purchased 30" }), "{found}");
        assert!(found.contains("\nlooks  look ") && !found.contains("command line"), "{found}");
        assert!(json(&[&ask[..], &["--json"]].concat())["parts"].is_array());
        let held = tell(&data, &all, "ada@example.org\nbob@example.org\n");
        assert!(
            held.starts_with("Everything that this site holds") && held.contains("command line"),
            "{held}"
        );
        assert!(json(&[&all[..], &["--json"]].concat())["sections"].is_array());
        for args in [&ask[..], &all[..]] {
            assert_eq!(
                tell(&data, args, "bob@example.org"),
                "Nothing is held on this address. It has no account here.\n"
            );
            let json = [args, &["--json"]].concat();
            assert_eq!(tell(&data, &json, "bob@example.org"), "null\n");
        }
        if let Some(server) = server {
            assert!(!server.said().contains("example.org"), "{}", server.said());
        }
    }
}

#[test]
fn what_the_desk_is_asked_wrongly_is_explained_and_shows_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    run(&data, &["account", "create", "ada@example.org"]);
    for (args, typed, status, word) in [
        (&["inquiry"][..], &b"ada@example.org"[..], 2, "--reason"),
        (&["disclose"], b"ada@example.org", 2, "--reason"),
        (&["inquiry", "--reason", "curiosity"], b"ada@example.org", 2, "own-request"),
        (&["inquiry", "--reason", "support", "ada@example.org"], b"", 2, "unexpected argument"),
        (&["inquiry", "--reason", "support"], b"", 1, "email address"),
        (&["inquiry", "--reason", "support"], b"not an address\n", 1, "email address"),
        (&["disclose", "--reason", "support"], b"\xff\xfe@example.org\n", 1, "not text"),
        (&["account", "grant", "--credits", "0"], b"ada@example.org", 1, "from 1 to 1000000"),
        (&["account", "grant", "--credits", "-5"], b"ada@example.org", 1, "from 1 to 1000000"),
        (&["account", "grant", "--credits", "5000000"], b"ada@example.org", 1, "from 1 to 1000000"),
        (&["account", "grant", "--credits", "many"], b"ada@example.org", 2, "invalid value"),
        (&["account", "grant", "--credits", "5"], b"bob@example.org", 1, "No account"),
        (&["voucher", "create", "--credits", "0", "--count", "1"], b"", 1, "credits is a whole number"),
        (&["voucher", "void"], b"0000-0000\n", 1, "not a voucher code"),
    ] {
        let output = told(&data, args, typed);
        let said = report(&output);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        assert!(output.stdout.is_empty() && said.contains(word), "{args:?}: {said}");
    }
    let found = tell(&data, &["inquiry", "--reason", "support", "--json"], "ada@example.org");
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["credits"], json!({}), "nothing was granted");
    let looks = found["parts"].as_array().unwrap().iter().find(|part| part["id"] == "looks").unwrap();
    assert_eq!(looks["counts"]["look"], 1, "what was refused is no look");
}

#[tokio::test]
async fn on_a_full_disk_no_look_is_recorded_and_nothing_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut mount = std::process::Command::new("mount");
    let done = mount.args(["-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs"]).arg(&data).output();
    if !done.is_ok_and(|output| output.status.success()) {
        println!(
            "skipped: on_a_full_disk_no_look_is_recorded_and_nothing_is_shown: nothing can be mounted here"
        );
        return;
    }
    let _mounted = Mounted(data.clone());
    let server = Server::start(&data).await;
    run(&data, &["account", "create", "ada@example.org"]);
    let filler = data.join("filler");
    let mut filling = std::fs::File::create(&filler).unwrap();
    while filling.write_all(&[1; 4096]).is_ok() {}
    for args in [["inquiry", "--reason", "support"], ["disclose", "--reason", "support"]] {
        let output = told(&data, &args, b"ada@example.org");
        let said = report(&output);
        assert!(output.status.code() == Some(1) && output.stdout.is_empty(), "{args:?}: {said}");
        assert!(said.contains("disk of this server is full"), "{said}");
    }
    drop(filling);
    std::fs::remove_file(&filler).unwrap();
    let found = tell(&data, &["inquiry", "--reason", "support"], "ada@example.org");
    assert!(found.contains("\nlooks  look 1\n"), "{found}");
    drop(server);
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

#[tokio::test]
async fn the_operator_gets_no_key_to_the_account_of_somebody_else() {
    let app = TestApp::start().await;
    let create = |address: &str| Request::CreateAccount { address: address.into(), credits: 5 };
    app.operate(create("own@example.org")).await.unwrap();
    app.operate(create("own@example.org")).await.unwrap();
    app.sign_in("ada@example.org").await;
    let refused = app.operate(create("ada@example.org")).await.unwrap_err();
    assert_eq!(refused.kind, kernel::Kind::Conflict);
    let address = kernel::EmailAddress::parse(&"ada@example.org".into()).unwrap();
    let account = app.house.accounts.find(&address).await.unwrap();
    assert!(app.house.accounts.keys(account).await.unwrap().is_empty());
    assert_eq!(app.house.accounts.ledger().balance(account).await.unwrap().purchased, 0);
}
