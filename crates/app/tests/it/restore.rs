//! Restore with the real program: what comes back, and what must not.

use std::fs;
use std::path::{Path, PathBuf};

use accounts::{LookKind, LookReason};
use kernel::{EmailAddress, Id};
use platform::folder::DataFolder;
use serde_json::json;

use crate::program::{Server, client, report, safelight};
use crate::site::{ADDRESS, Site, copy_dir, damage, delete, develop, open, refused};
use crate::until;

#[tokio::test]
async fn older_rows_bring_back_nothing_that_was_deleted_since() {
    let site = Site::new();
    site.import(0, 3);
    fs::write(site.at("words.jsonl"), r#"{"id": "words", "prompt": "words without a picture"}"#).unwrap();
    site.run(&["import", site.at("words.jsonl").to_str().unwrap()]);
    let key = site.key();
    let server = Server::start(&site.data()).await;
    let (gone, kept) = (develop(&server, &key).await, develop(&server, &key).await);
    site.backup();
    let (folder, old) = (site.at("backup"), site.at("old"));
    copy_dir(&folder, &old);
    for number in 1..=3 {
        fs::copy(site.share(number), site.at(&format!("old-share{number}"))).unwrap();
    }
    let older = site.rows();
    delete(&server, &key, &gone).await;
    site.run(&["artwork", "remove", "1"]);
    site.run(&["artwork", "remove", "words"]);
    let newer = develop(&server, &key).await;
    // The key of the command line is a new one; the one before it ends, and must not come back either.
    let second = site.key();
    site.backup();
    drop(server);
    assert!(!folder.join("blobs").join(&gone.id[..2]).join(&gone.id).exists(), "its files went too");
    // As a file is where a run was cut off before it came to overwriting the older share.
    let both = [site.at("old-share1"), site.share(1)].map(|path| fs::read(path).unwrap()).concat();
    fs::write(site.share(1), both).unwrap();
    let shares = [site.share(1), site.share(2)];

    let restored = site.restore(&folder, &shares, "new", &["--rows", &older[0]]);
    assert!(restored.status.success(), "{}", report(&restored));
    assert!(report(&restored).contains("3 records were deleted since"), "{}", report(&restored));
    let house = open(&site.at("new")).await;
    let kinds = [vault::Kind::Original, vault::Kind::Thumbnail(480)];
    let [gone_id, kept_id, newer_id]: [Id; 3] = [&gone, &kept, &newer].map(|made| made.id.parse().unwrap());
    assert!(house.blobs.get(kept_id, kinds[0]).await.is_ok());
    for id in [gone_id, newer_id] {
        assert_eq!(house.blobs.get(id, kinds[0]).await.unwrap_err().kind, kernel::Kind::Gone);
    }
    assert_eq!(house.gallery.len().await.unwrap(), 2);
    // Whoever kept the sealed file has no key for it.
    let keys = house.blobs.keys();
    let records = keys.records().await.unwrap();
    let keys = keys.get_all(&records).await.unwrap();
    assert_eq!(keys.len(), 4, "an account, a generation, two artworks");
    for kind in kinds {
        let sealed = fs::read(old.join("blobs").join(&gone.id[..2]).join(&gone.id).join(kind.to_string()));
        let sealed = sealed.unwrap();
        for (record, key) in &keys {
            assert!(vault::open(key, gone_id, kind, &sealed).is_err());
            assert!(vault::open(key, *record, kind, &sealed).is_err());
        }
    }
    house.close().await;
    drop(house);
    let server = Server::start(&site.at("new")).await;
    for revoked in [&key, &second] {
        let asked = client().post(server.url("/api/generate/v2")).bearer_auth(revoked).json(&json!({}));
        assert_eq!(asked.send().await.unwrap().status(), 401, "its row is older, or it was revoked since");
    }
    drop(server);

    // A copy of the whole folder with the shares of today, as it is and with its manifest bent to fit them.
    refused(&site.restore(&old, &shares, "other", &[]), &["old folder"], "another run of this backup");
    let old_shares = [site.at("old-share1"), site.at("old-share2")];
    refused(&site.restore(&folder, &old_shares, "other", &[]), &["old shares"], "another run of this backup");
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let (theirs, ours) = (site.keys_file("old"), site.keys_file("backup"));
    fs::rename(&theirs, old.join(name(&ours))).unwrap();
    let set = |path: &Path| name(path)["keys-".len()..].trim_end_matches(".db").to_owned();
    let manifest = fs::read_to_string(old.join("manifest.json")).unwrap();
    fs::write(old.join("manifest.json"), manifest.replace(&set(&theirs), &set(&ours))).unwrap();
    refused(&site.restore(&old, &shares, "other", &[]), &["bent folder"], "do not open the keys");
    assert!(!site.at("other").exists() && !site.at("other.part").exists());
}

#[tokio::test]
async fn older_rows_bring_back_no_voucher_that_was_used_since_and_hide_no_look() {
    let site = Site::new();
    site.key();
    let codes = site.run(&["voucher", "create", "--credits", "5", "--count", "3"]);
    let codes: Vec<&str> = codes.lines().collect();
    site.backup();
    let older = site.rows();
    let house = open(&site.data()).await;
    let account = house.accounts.records().await[0];
    let code = |text: &str| accounts::read_voucher(&text.into()).unwrap();
    assert_eq!(house.accounts.redeem_voucher(account, &code(codes[0])).await.unwrap(), 5);
    assert_eq!(house.accounts.void_vouchers(&[code(codes[1])]).await.unwrap(), 1);
    let address = EmailAddress::parse(&ADDRESS.into()).unwrap();
    let look = |kind, reason| house.accounts.look(&address, kind, reason);
    look(LookKind::Inquiry, LookReason::Support).await.unwrap();
    look(LookKind::Disclosure, LookReason::CourtOrder).await.unwrap();
    house.close().await;
    drop(house);
    site.backup();
    let shares = [site.share(1), site.share(2)];
    let restored = site.restore(&site.at("backup"), &shares, "new", &["--rows", &older[0]]);
    assert!(restored.status.success(), "{}", report(&restored));
    let house = open(&site.at("new")).await;
    let account = house.accounts.records().await[0];
    let redeemed = async |text: &str| house.accounts.redeem_voucher(account, &code(text)).await;
    assert_eq!(redeemed(codes[0]).await.unwrap_err().kind, kernel::Kind::Conflict, "used since");
    assert_eq!(redeemed(codes[1]).await.unwrap_err().kind, kernel::Kind::Gone, "withdrawn since");
    assert_eq!(redeemed(codes[2]).await.unwrap(), 5);
    let looks = house.accounts.export(account).await.unwrap()["look"].len();
    assert_eq!((looks, house.accounts.disclosures().await.unwrap()[0].count), (2, 1));
    house.close().await;
}

#[tokio::test]
async fn a_restore_that_is_killed_leaves_nothing_that_looks_whole() {
    let site = Site::new();
    site.import(0, 60);
    site.backup();
    let shares = [site.share(1), site.share(2)];
    let mut command = safelight(&site.at("new"));
    command
        .arg("restore")
        .arg(site.at("backup"))
        .arg("--share")
        .arg(&shares[0])
        .arg("--share")
        .arg(&shares[1]);
    let mut killed = command.spawn().unwrap();
    until("nothing was restored", || site.at("new.part/blobs").exists().then_some(())).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Where the machine was faster than the signal, it is whole.
    assert!(site.at("new.part/restore-unfinished").exists() || site.at("new").exists());
    let again = site.restore(&site.at("backup"), &shares, "again", &[]);
    assert!(again.status.success(), "{}", report(&again));
    assert_eq!(open(&site.at("again")).await.gallery.len().await.unwrap(), 60);

    let unfinished = site.at("third.part");
    let held = DataFolder::take(&unfinished).unwrap();
    fs::write(unfinished.join("restore-unfinished"), "").unwrap();
    fs::write(unfinished.join("safelight.db"), "half a database").unwrap();
    refused(&site.restore(&site.at("backup"), &shares, "third", &[]), &["two at once"], "at work in");
    drop(held);
    let third = site.restore(&site.at("backup"), &shares, "third", &[]);
    assert!(third.status.success(), "{}", report(&third));
    assert!(!unfinished.exists());

    fs::create_dir(site.at("fresh.part")).unwrap();
    fs::write(site.at("fresh.part/letter"), "x").unwrap();
    let foreign = site.restore(&site.at("backup"), &shares, "fresh", &[]);
    refused(&foreign, &["foreign part"], "not of a restore");
    assert!(site.at("fresh.part/letter").exists());
}

#[tokio::test]
async fn what_is_wrong_with_a_restore_is_explained_and_makes_nothing() {
    let site = Site::new();
    site.import(0, 2);
    let folder = site.at("backup");
    let printed = site.run(&["backup", folder.to_str().unwrap(), "--needed", "3", "--shares", "4"]);
    assert!(printed.contains("Give each to another person") && !printed.contains("Destroy the shares"));
    let starts: Vec<usize> = printed.match_indices("Safelight share").map(|(at, _)| at).collect();
    assert_eq!(starts.len(), 4);
    let shares: Vec<PathBuf> = (0..3).map(|number| site.at(&format!("paper{number}"))).collect();
    for (share, at) in shares.iter().zip(&starts) {
        fs::write(share, printed[*at..].split("\n\n").next().unwrap()).unwrap();
    }
    let other = Site::new();
    other.import(0, 1);
    other.backup();
    let typo = site.at("typo");
    let text = fs::read_to_string(&shares[1]).unwrap();
    let line = text.lines().nth(3).unwrap();
    let at = line.len() - 1;
    let wrong = if line.ends_with('7') { "8" } else { "7" };
    fs::write(&typo, text.replace(line, &format!("{}{wrong}", &line[..at]))).unwrap();
    fs::write(site.at("garbage"), [0xff; 300]).unwrap();
    fs::create_dir(site.at("full")).unwrap();
    fs::write(site.at("full/x"), "x").unwrap();
    let with = |some: &[PathBuf]| some.to_vec();
    for (new, backup, some, more, word) in [
        ("new", &folder, vec![], &[][..], "3 of the 4 shares of this backup are needed, and none"),
        ("new", &folder, with(&shares[..2]), &[], "3 shares are needed, and 2 given"),
        (
            "new",
            &folder,
            vec![shares[0].clone(), shares[1].clone(), shares[0].clone()],
            &[],
            "Share 1 was given twice",
        ),
        (
            "new",
            &folder,
            vec![shares[0].clone(), other.share(1), shares[1].clone()],
            &[],
            "of another backup",
        ),
        ("new", &folder, vec![typo], &[], "typing error in line 2"),
        ("new", &folder, vec![site.at("garbage")], &[], "no share in this file"),
        ("new", &folder, vec![site.at("nowhere")], &[], "cannot be read"),
        ("new", &folder, with(&shares), &["--rows", "2001"], "no such rows. It has 20"),
        ("full", &folder, with(&shares), &[], "not empty"),
        ("backup/new", &folder, with(&shares), &[], "cannot lie in each other"),
        ("new", &site.at("full"), with(&shares), &[], "no backup in this folder"),
    ] {
        refused(&site.restore(backup, &some, new, more), &[new, word], word);
    }
    let server = Server::start(&site.data()).await;
    refused(&site.restore(&folder, &shares, "data", &[]), &["held"], "holds this data folder");
    drop(server);

    for (file, word) in [
        (site.keys_file("backup"), "keys of the backup are damaged"),
        (site.at("backup/rows").join(&site.rows()[0]), "rows of the backup are damaged"),
    ] {
        let whole = fs::read(&file).unwrap();
        damage(&file);
        refused(&site.restore(&folder, &shares, "new", &[]), &["damaged"], word);
        fs::remove_file(&file).unwrap();
        refused(&site.restore(&folder, &shares, "new", &[]), &["missing"], "missing");
        fs::write(&file, whole).unwrap();
    }
    assert!(!site.at("new").exists() && !site.at("new.part").exists());
}

#[tokio::test]
async fn files_that_do_not_open_are_counted_and_left_out() {
    let site = Site::new();
    site.import(0, 3);
    site.backup();
    let shelves = fs::read_dir(site.at("backup/blobs")).unwrap().flatten();
    let records: Vec<PathBuf> = shelves
        .flat_map(|shelf| fs::read_dir(shelf.path()).unwrap().flatten())
        .map(|entry| entry.path())
        .collect();
    damage(&records[0].join("original"));
    fs::write(records[0].join("what is this"), "garbage").unwrap();
    fs::remove_dir_all(&records[1]).unwrap();
    let restored = site.restore(&site.at("backup"), &[site.share(1), site.share(2)], "new", &[]);
    let said = report(&restored);
    assert_eq!(restored.status.code(), Some(1), "{said}");
    assert!(said.contains("2 files do not open") && said.contains("1 records have no picture"), "{said}");
    assert_eq!(open(&site.at("new")).await.gallery.len().await.unwrap(), 3);
}
