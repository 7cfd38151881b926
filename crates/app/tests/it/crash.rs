//! The real program, killed where it hurts.

use std::path::Path;

use imaging::Picture;
use serde_json::{Value, json};

use crate::program::{Server, report, safelight};
use crate::until;

/// Entries of the import that is killed.
const ENTRIES: u32 = 80;

fn records(data: &Path) -> usize {
    let shelves = std::fs::read_dir(data.join("blobs")).into_iter().flatten().flatten();
    shelves.map(|shelf| std::fs::read_dir(shelf.path()).into_iter().flatten().count()).sum()
}

#[tokio::test]
async fn an_import_that_is_killed_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("posts.jsonl"));
    let mut lines = String::new();
    for n in 0..ENTRIES {
        let rgba =
            (0..640 * 480).flat_map(|at: u32| [(at ^ n) as u8, (at >> 8) as u8, n as u8, 255]).collect();
        let png = imaging::encode_png(&Picture { width: 640, height: 480, rgba }).unwrap();
        std::fs::write(dir.path().join(format!("{n}.png")), png).unwrap();
        let prompt = format!("a fox, number {n}, in the snow");
        lines += &json!({ "id": n.to_string(), "prompt": prompt, "image": format!("{n}.png") }).to_string();
        lines.push('\n');
    }
    std::fs::write(&file, lines).unwrap();
    let mut killed = safelight(&data).arg("import").arg(&file).spawn().unwrap();
    until("nothing was imported", || (records(&data) > 4).then_some(())).await;
    killed.kill().unwrap();
    killed.wait().unwrap();

    let again = safelight(&data).arg("import").arg(&file).output().unwrap();
    assert!(again.status.success(), "{}", report(&again));
    let third = safelight(&data).arg("import").arg(&file).output().unwrap();
    assert!(report(&third).contains("0 new, 0 updated, 80 unchanged"), "{}", report(&third));
    assert_eq!(records(&data), ENTRIES as usize, "what the killed run left half-done is gone");
    let found = safelight(&data).args(["search", "number 79", "--json"]).output().unwrap();
    assert!(report(&found).contains("\"79\""), "{}", report(&found));
}

#[tokio::test]
async fn a_server_that_is_killed_gives_credits_back_and_serves_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let made =
        safelight(&data).args(["account", "create", "a@example.org", "--credits", "3", "--json"]).output();
    let made: Value = serde_json::from_slice(&made.unwrap().stdout).unwrap();
    let key = made["api_key"].as_str().unwrap();
    let server = Server::start(&data).await;
    let second = safelight(&data).args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1), "two servers on one folder: {}", report(&second));
    for _ in 0..3 {
        assert_eq!(server.generate(key, "4K").await, 200);
    }
    assert_eq!(server.generate(key, "512").await, 402, "all three are held");
    // SIGKILL, in the middle of the first picture.
    drop(server);

    let server = Server::start(&data).await;
    for _ in 0..3 {
        assert_eq!(server.generate(key, "512").await, 200);
    }
    let checked = safelight(&data).args(["ledger", "check"]).output().unwrap();
    assert!(checked.status.success(), "{}", report(&checked));
}
