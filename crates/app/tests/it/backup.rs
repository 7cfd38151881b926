//! Backup and rotation with the real program.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{Server, report, safelight};
use crate::site::{ADDRESS, CANARY, Site, delete, develop, open, picture, status};
use crate::{holds, until};

#[tokio::test]
async fn a_backup_beside_a_server_comes_back_while_deletions_went_on() {
    let site = Site::new();
    site.import(0, 12);
    let key = site.key();
    fs::write(site.data().join("safelight.toml"), "site-name = \"Lamp\"").unwrap();
    let mut roots = site.roots();
    let server = Server::start(&site.data()).await;
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(develop(&server, &key).await);
    }
    let plain = picture(&server, &made[0]).await.bytes().await.unwrap();
    let gone = made.split_off(2);
    let deleting = async {
        for made in &gone {
            delete(&server, &key, made).await;
        }
        for id in ["0", "1", "2"] {
            let removed = tokio::process::Command::from({
                let mut command = safelight(&site.data());
                command.args(["artwork", "remove", id]);
                command
            });
            let mut removed = removed;
            assert!(removed.output().await.unwrap().status.success());
        }
    };
    let mut backup = tokio::process::Command::from(site.backup_command());
    let (output, ()) = tokio::join!(backup.output(), deleting);
    let output = output.unwrap();
    assert!(output.status.success(), "{}", report(&output));
    roots.extend(site.roots());
    site.backup();
    roots.extend(site.roots());
    drop(server);

    let folder = site.at("backup");
    for root in &roots {
        assert!(!holds(&folder, root), "the live root is in the backup");
    }
    for secret in [ADDRESS.as_bytes(), CANARY.as_bytes(), &plain[200..264]] {
        assert!(!holds(&folder, secret));
    }
    for (keeper, other) in [(1, 2), (2, 3)] {
        let [one, two] = [keeper, other].map(|number| fs::read(site.share(number)).unwrap());
        assert_ne!(one, two);
    }
    let restored = site.restore(&folder, &[site.share(3), site.share(1)], "new", &[]);
    assert!(restored.status.success(), "{}", report(&restored));
    assert!(!site.at("new.part").exists() && !site.at("new/restore-unfinished").exists());
    assert_eq!(fs::read_to_string(site.at("new/safelight.toml")).unwrap(), "site-name = \"Lamp\"");
    assert_ne!(fs::read(site.at("new/root")).unwrap(), fs::read(site.data().join("root")).unwrap());
    let checked = safelight(&site.at("new")).args(["ledger", "check"]).output().unwrap();
    assert!(checked.status.success(), "{}", report(&checked));

    let server = Server::start(&site.at("new")).await;
    for made in &made {
        assert_eq!(picture(&server, made).await.status(), 200);
    }
    for made in &gone {
        assert_eq!(picture(&server, made).await.status(), 410);
        assert_eq!(status(&server, &made.id).await.status(), 404);
    }
    let found =
        safelight(&site.at("new")).args(["search", "heron", "--limit", "20", "--json"]).output().unwrap();
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(found["data"].as_array().unwrap().len(), 9, "the index is made again");
    develop(&server, &key).await;
}

#[tokio::test]
async fn only_new_files_are_copied_and_a_killed_run_is_gone_on_with() {
    let site = Site::new();
    site.import(0, 60);
    let copied = || {
        let shelves = fs::read_dir(site.at("backup/blobs")).into_iter().flatten().flatten();
        shelves.map(|shelf| fs::read_dir(shelf.path()).into_iter().flatten().count()).sum::<usize>()
    };
    let stopped = site.backup_command().spawn().unwrap();
    until("nothing was copied", || (copied() > 0).then_some(())).await;
    let id = stopped.id().to_string();
    std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
    let stopped = stopped.wait_with_output().unwrap();
    // Where the machine was faster than the signal, it is whole.
    assert!(report(&stopped).contains("Stopped.") != stopped.status.success(), "{}", report(&stopped));
    assert_eq!(site.at("backup/manifest.json").exists(), stopped.status.success());
    let before = copied();
    let mut killed = site.backup_command().spawn().unwrap();
    until("nothing was copied", || (copied() > before || before == 60).then_some(())).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let first = site.backup();
    assert_eq!(copied(), 60);
    assert!(first.contains("any 2 of 3 open it"), "{first}");
    assert!(site.backup().contains(" 0 new, "), "nothing is copied twice");
    site.import(60, 1);
    let mut record_files = fs::read_dir(site.data().join("blobs")).unwrap().flatten();
    let record_files = record_files.find_map(|shelf| fs::read_dir(shelf.path()).unwrap().flatten().next());
    let files = fs::read_dir(record_files.unwrap().path()).unwrap().count();
    let third = site.backup();
    assert!(third.contains(&format!(" {files} new, {} were there", files * 60)), "{third}");
    site.run(&["artwork", "remove", "7"]);
    assert!(site.backup().contains("those of 1 deleted records removed"));
    for _ in 0..5 {
        site.backup();
    }
    assert_eq!(site.rows().len(), 7);
    let restored = site.restore(&site.at("backup"), &[site.share(1), site.share(2)], "new", &[]);
    assert!(report(&restored).contains("60 records"), "{}", report(&restored));
    assert!(restored.status.success(), "{}", report(&restored));
}

#[tokio::test]
async fn what_is_wrong_with_a_backup_is_explained() {
    let site = Site::new();
    let folder = site.at("backup");
    let [folder, data, stick1, stick2] = [&folder, &site.data(), &site.keeper(1), &site.keeper(2)]
        .map(|path| path.to_str().unwrap().to_owned());
    site.refused(&["backup", &folder], "nothing to back up");
    assert!(!site.data().exists());
    site.import(0, 1);
    let inside = format!("{data}/backup");
    let around = site.dir.path().to_str().unwrap();
    for (args, word) in [
        (&["backup", &inside][..], "cannot lie in each other"),
        (&["backup", around], "cannot lie in each other"),
        (&["backup", &folder, "--shares", "17"], "1 to 16"),
        (&["backup", &folder, "--shares", "0"], "1 to 16"),
        (&["backup", &folder, "--needed", "4"], "cannot be needed"),
        (&["backup", &folder, "--needed", "1"], "At least 2"),
        (&["backup", &folder, "--escrow", &stick1, "--escrow", &stick1], "given twice"),
        (&["backup", &folder, "--escrow", &stick1, "--escrow", &data], "with the backup or the data"),
        (&["backup", &folder, "--escrow", &stick1, "--escrow", around], "with the backup or the data"),
        (&["backup", &folder, "--escrow", &stick1, "--shares", "3"], "3 shares need 3 folders"),
        (&["backup", &folder, "--escrow", &stick1, "--escrow", "/nowhere"], "mounted"),
    ] {
        site.refused(args, word);
    }
    assert!(!Path::new(&folder).exists() && !site.share(1).exists());
    fs::create_dir(&folder).unwrap();
    fs::write(format!("{folder}/letter.txt"), "x").unwrap();
    site.refused(&["backup", &folder], "holds something else (letter.txt)");
    fs::remove_file(format!("{folder}/letter.txt")).unwrap();
    let inner = format!("{folder}/inner");
    fs::create_dir(&inner).unwrap();
    site.refused(
        &["backup", &folder, "--escrow", &inner, "--escrow", &stick1],
        "with the backup or the data",
    );
    fs::remove_dir(&inner).unwrap();

    // Two backups do not take each other's shares, and one with a single share is allowed.
    site.run(&["backup", &folder, "--escrow", &stick1, "--escrow", &stick2]);
    let second = site.at("second");
    site.refused(&["backup", second.to_str().unwrap(), "--escrow", &stick1], "the share of another backup");
    let alone = site.keeper(3).to_str().unwrap().to_owned();
    let said = site.run(&["backup", second.to_str().unwrap(), "--escrow", &alone]);
    assert!(said.contains("any 1 of 1"), "{said}");
    fs::write(format!("{folder}/manifest.json"), "{").unwrap();
    site.refused(&["backup", &folder], "manifest of the backup is damaged");
}

#[tokio::test]
async fn rotation_gives_new_keys_with_a_server_and_without() {
    let site = Site::new();
    site.import(0, 3);
    let mut roots = vec![site.roots()];
    site.run(&["rotate"]);
    roots.push(site.roots());
    let server = Server::start(&site.data()).await;
    site.run(&["rotate"]);
    roots.push(site.roots());
    drop(server);
    assert!(roots.iter().all(|roots| roots.len() == 1), "one root lives");
    assert!(roots[0] != roots[1] && roots[1] != roots[2]);
    let house = open(&site.data()).await;
    for record in house.gallery.records().await.unwrap() {
        assert!(house.blobs.get(record, vault::Kind::Original).await.is_ok());
    }
}
