//! A data folder, its backup, those who keep shares, and pictures in it, for tests of the real program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use app::house::House;
use imaging::Picture;
use platform::config::{Settings, arguments};
use platform::folder::{DataFolder, Taken};
use serde_json::{Value, json};

use crate::program::{Server, client, report, safelight};

pub(crate) const ADDRESS: &str = "ada.lovelace@example.org";
pub(crate) const CANARY: &str = "zanzibarquokka";
/// Where the key stands in the slot of a root.
const ROOT_KEY: std::ops::Range<usize> = 16..48;
const SLOT_BYTES: usize = 4096;

/// A data folder, a backup of it, and three who keep shares.
pub(crate) struct Site {
    pub(crate) dir: tempfile::TempDir,
}

/// A member's picture.
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) address: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self { dir: tempfile::tempdir().unwrap() };
        for keeper in 1..=3 {
            fs::create_dir(site.keeper(keeper)).unwrap();
        }
        site
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.at("data")
    }

    pub(crate) fn keeper(&self, number: usize) -> PathBuf {
        self.at(&format!("stick{number}"))
    }

    pub(crate) fn share(&self, number: usize) -> PathBuf {
        self.keeper(number).join("safelight-share.txt")
    }

    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = safelight(&self.data()).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", report(&output));
        report(&output)
    }

    pub(crate) fn refused(&self, args: &[&str], word: &str) {
        refused(&safelight(&self.data()).args(args).output().unwrap(), args, word);
    }

    pub(crate) fn backup_command(&self) -> std::process::Command {
        let mut command = safelight(&self.data());
        command.arg("backup").arg(self.at("backup"));
        for keeper in 1..=3 {
            command.arg("--escrow").arg(self.keeper(keeper));
        }
        command
    }

    pub(crate) fn backup(&self) -> String {
        let output = self.backup_command().output().unwrap();
        assert!(output.status.success(), "{}", report(&output));
        report(&output)
    }

    pub(crate) fn restore(&self, backup: &Path, shares: &[PathBuf], new: &str, more: &[&str]) -> Output {
        let mut command = safelight(&self.at(new));
        command.arg("restore").arg(backup).args(more);
        for share in shares {
            command.arg("--share").arg(share);
        }
        command.output().unwrap()
    }

    pub(crate) fn key(&self) -> String {
        let made = self.run(&["account", "create", ADDRESS, "--credits", "20", "--json"]);
        serde_json::from_str::<Value>(&made).unwrap()["api_key"].as_str().unwrap().to_owned()
    }

    /// Artworks with a picture each.
    pub(crate) fn import(&self, from: u32, count: u32) {
        let mut lines = String::new();
        for number in from..from + count {
            let rgba =
                (0..160 * 120).flat_map(|at: u32| [(at ^ number) as u8, (at >> 8) as u8, 7, 255]).collect();
            let png = imaging::encode_png(&Picture { width: 160, height: 120, rgba }).unwrap();
            fs::write(self.at(&format!("{number}.png")), png).unwrap();
            let prompt = format!("a heron, number {number}, on a pier");
            let image = format!("{number}.png");
            lines += &json!({ "id": number.to_string(), "prompt": prompt, "image": image }).to_string();
            lines.push('\n');
        }
        fs::write(self.at("posts.jsonl"), lines).unwrap();
        self.run(&["import", self.at("posts.jsonl").to_str().unwrap()]);
    }

    /// The keys of the live root.
    pub(crate) fn roots(&self) -> Vec<Vec<u8>> {
        let bytes = fs::read(self.data().join("root")).unwrap();
        let slots = bytes.chunks(SLOT_BYTES).filter(|slot| slot.iter().any(|byte| *byte != 0));
        slots.map(|slot| slot[ROOT_KEY].to_vec()).collect()
    }

    pub(crate) fn rows(&self) -> Vec<String> {
        let files = fs::read_dir(self.at("backup/rows")).unwrap().flatten();
        let mut names: Vec<_> = files.map(|file| file.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn keys_file(&self, backup: &str) -> PathBuf {
        let mut files = fs::read_dir(self.at(backup)).unwrap().flatten().map(|file| file.path());
        files.find(|path| path.file_name().unwrap().to_string_lossy().starts_with("keys-")).unwrap()
    }
}

pub(crate) fn refused(output: &Output, what: &[&str], word: &str) {
    let said = report(output);
    assert_eq!(output.status.code(), Some(1), "{what:?}: {said}");
    assert!(said.contains("safelight: ") && said.contains(word), "{what:?}: {said}");
}

pub(crate) async fn develop(server: &Server, key: &str) -> Made {
    let body = json!({ "prompt": format!("a lake at night, {CANARY}"), "resolution": "512" });
    let asked = client().post(server.url("/api/generate/v2")).bearer_auth(key).json(&body);
    let accepted: Value = asked.send().await.unwrap().json().await.unwrap();
    let id = accepted["generationId"].as_str().unwrap().to_owned();
    let mut turn = tokio::time::interval(crate::POLL);
    for _ in 0..crate::POLLS_MAX {
        turn.tick().await;
        let status: Value = status(server, &id).await.json().await.unwrap();
        if status["status"] == "completed" {
            let address = status["imageUrl"].as_str().unwrap();
            let address = format!("/{}", address.splitn(4, '/').nth(3).unwrap());
            return Made { id, address };
        }
    }
    panic!("no picture was made");
}

pub(crate) async fn status(server: &Server, id: &str) -> reqwest::Response {
    client().get(server.url(&format!("/api/generate/v2/status/{id}"))).send().await.unwrap()
}

pub(crate) async fn delete(server: &Server, key: &str, made: &Made) {
    let deleted = client().delete(server.url(&format!("/api/generations/{}", made.id))).bearer_auth(key);
    assert_eq!(deleted.send().await.unwrap().status(), 200);
}

pub(crate) async fn picture(server: &Server, made: &Made) -> reqwest::Response {
    client().get(server.url(&made.address)).send().await.unwrap()
}

pub(crate) async fn open(data: &Path) -> House {
    let text = data.display().to_string();
    let args = ["t", "--data", &text, "--mail", "terminal"];
    let settings =
        Settings::resolve(&clap::Command::new("t").args(arguments()).get_matches_from(args)).unwrap();
    let Taken::Here(folder) = DataFolder::take(data).unwrap() else { panic!("the folder is taken") };
    House::open(settings, folder).await.unwrap()
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).map(drop).unwrap()
        }
    }
}

pub(crate) fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}
