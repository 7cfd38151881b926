//! Receipts, checked by us and by an independent program.

use std::process::Command;

use super::*;

/// Places of a receipt that are changed, one at a time.
const CHANGES: usize = 40;

fn signer() -> Signer {
    Signer::from_seed(&[3; 32], "example.org/log").unwrap()
}

fn receipt() -> Receipt {
    let records = vec![Id::random(), Id::random()];
    Receipt::new(Deletion { records, epoch: 12, time: 1_764_046_800 })
}

/// A receipt that is completed by a log of three bundles.
fn completed(receipt: &Receipt) -> String {
    let mut entries: Vec<Hash> = (0..3 * BUNDLE_ENTRIES).map(|_| rand::random()).collect();
    entries[300] = receipt.commitment();
    let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let checkpoint = checkpoint(&signer(), hashes.len() as u64, &head(&hashes));
    complete(&receipt.sign(&signer()), 300, &path(&hashes, 300), &checkpoint)
}

#[test]
fn a_receipt_says_what_was_erased_and_a_completed_one_where_the_log_has_it() {
    let (receipt, key) = (receipt(), signer().verifier());
    let plain = verify(&receipt.sign(&signer()), &key).unwrap();
    assert_eq!((plain.deletion, plain.commitment), (receipt.deletion.clone(), receipt.commitment()));
    assert_eq!(plain.inclusion, None);
    let text = completed(&receipt);
    let whole = verify(&text, &key).unwrap();
    assert_eq!(whole.inclusion, Some(Inclusion { index: 300, size: 768 }));
    for pasted in [text.replace('\n', "\r\n"), format!("\n  {text}\n\n"), text.trim().to_owned()] {
        assert!(verify(&pasted, &key).is_ok());
    }
}

#[test]
fn the_same_deletion_never_has_the_same_commitment_and_the_order_of_records_does_not_matter() {
    let one = receipt();
    let two = Receipt::new(one.deletion.clone());
    assert_ne!(one.commitment(), two.commitment());
    let mut turned = one.deletion.clone();
    turned.records.reverse();
    assert_eq!(Receipt { deletion: turned, nonce: one.nonce }.commitment(), one.commitment());
}

#[test]
fn what_is_signed_and_no_receipt_is_refused() {
    let (key, receipt) = (signer().verifier(), receipt());
    let text = receipt.sign(&signer());
    let body = key.verify(&text).unwrap();
    let nonce = format!("nonce {}", BASE64.encode(&receipt.nonce));
    for other in [
        "example.org/log\n768\nAAAA\n".to_owned(),
        body.replace("epoch 12", "epoch 13"),
        body.replace("erased ", "erasing "),
        body.replace(&nonce, &format!("nonce {}", BASE64.encode(&[0; 32]))),
        body.lines().filter(|line| !line.starts_with("record")).map(|line| format!("{line}\n")).collect(),
        format!("{body}record x\n"),
    ] {
        assert!(verify(&signer().sign(&other), &key).is_err(), "{other}");
    }
    assert!(verify(&"x".repeat(10_000_000), &key).is_err());
    let stranger = Signer::from_seed(&[4; 32], "example.org/log").unwrap();
    assert!(verify(&receipt.sign(&stranger), &key).is_err());
}

#[test]
fn an_independent_program_agrees_on_every_receipt_and_every_change_of_one() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e/verify.mjs");
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!(
            "skipped: an_independent_program_agrees_on_every_receipt_and_every_change_of_one: Node is missing"
        );
        return;
    }
    let (dir, key) = (tempfile::tempdir().unwrap(), signer().verifier());
    let text = completed(&receipt());
    let plain = text.split(&format!("\n{PROOF}")).next().unwrap().to_owned();
    let mut files = vec![text.clone(), plain];
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    for at in places.iter().step_by(places.len() / CHANGES) {
        let changed = text[*at..].chars().next().map(|c| if c == 'A' { 'B' } else { 'A' }).unwrap();
        let rest: String = text[*at..].chars().skip(1).collect();
        files.push(format!("{}{changed}{rest}", &text[..*at]));
    }
    for other in ["index +300", "index 0300", "index 300 ", "index 301"] {
        files.push(text.replace("index 300", other));
    }
    files.push(format!("\u{feff}{text}"));
    let mut command = Command::new("node");
    command.arg(script).arg("--key").arg(key.to_string());
    for (n, text) in files.iter().enumerate() {
        let file = dir.path().join(format!("{n:03}"));
        std::fs::write(&file, text).unwrap();
        command.arg(file);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<bool> = said.lines().map(|line| line.starts_with("good")).collect();
    let ours: Vec<bool> = files.iter().map(|text| verify(text, &key).is_ok()).collect();
    assert_eq!(verdicts, ours, "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(ours.iter().filter(|good| **good).count(), 3, "only what was not changed is good");
    assert_eq!(output.status.code(), Some(1));
}
