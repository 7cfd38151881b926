//! This owns running every test and counting them: Rust, then the journeys in a browser.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::setup::npm_install;
use crate::{Done, Profile, SELECTION, build, root, run, runs, setup};

/// What the mail server of the tests is made of.
const MAIL_SERVER: &str = "crates/app/tests/mail_server/requirements.txt";
/// Test files per call of Node: all journeys.
const JOURNEYS: &str = "e2e/journeys";

/// What was counted.
#[derive(Default)]
struct Count {
    passed: usize,
    failed: usize,
    /// Tests that could not run here, in their own words.
    skipped: BTreeSet<String>,
}

/// Runs every test; prints `N passed, N failed, N skipped` last. With words, only the Rust tests so named.
pub(crate) fn test(rest: &[String]) -> Done {
    setup::setup(Profile::Dev);
    install_tools();
    if let Err(why) = install_mail_server() {
        eprintln!("  left out: the mail server: {why}");
    }
    let binary = build(Profile::Dev, "--bin", "safelight")?;
    let mut count = Count::default();
    let rust = rust_tests(rest, &mut count);
    let journeys = if rest.is_empty() { journeys(&binary, &mut count) } else { Ok(()) };
    for skipped in &count.skipped {
        println!("skipped: {skipped}");
    }
    println!("{} passed, {} failed, {} skipped", count.passed, count.failed, count.skipped.len());
    rust.and(journeys)
}

fn rust_tests(words: &[String], count: &mut Count) -> Done {
    let args = [&["test", "--no-fail-fast"], &SELECTION[..], &["--", "--show-output"]].concat();
    let ended = stream(Command::new("cargo").args(args).args(words), &mut Report::default(), count)?;
    if ended && count.failed == 0 {
        return Ok(());
    }
    if count.failed == 0 {
        count.failed = 1;
        return Err("the Rust tests did not build or did not end".into());
    }
    Err("Rust tests failed".into())
}

/// Runs a program whose output is read line by line as it comes; says whether it ended well.
fn stream(command: &mut Command, report: &mut Report, count: &mut Count) -> Result<bool, String> {
    let started = command.current_dir(root()).stdout(Stdio::piped()).spawn();
    let mut child = started.map_err(|cause| cause.to_string())?;
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        report.read(&line.map_err(|cause| cause.to_string())?, count);
    }
    child.wait().map(|status| status.success()).map_err(|cause| cause.to_string())
}

/// Reads what Rust's and Node's test runners print; passes on what a person wants to see.
#[derive(Default)]
struct Report {
    /// Between `failures:` and the result, every line matters; between `successes:` and it, only what was skipped.
    failing: bool,
}

impl Report {
    fn read(&mut self, line: &str, count: &mut Count) {
        if let Some(result) = line.strip_prefix("test result: ") {
            count.passed += number(result, "passed");
            count.failed += number(result, "failed");
            self.failing = false;
            println!("  {result}");
        } else if let Some(skipped) = line.trim_start_matches("# ").strip_prefix("skipped: ") {
            count.skipped.insert(skipped.to_owned());
        } else if line.starts_with("test ") && line.ends_with("ignored") {
            count.skipped.insert(format!("{line}: it is marked so"));
        } else {
            self.failing |= line == "failures:";
            let tap = line.starts_with("ok ") || line.starts_with("not ok ");
            self.failing |= line.starts_with("not ok ");
            self.failing &= !line.starts_with("ok ");
            count.passed += usize::from(line.starts_with("ok "));
            count.failed += usize::from(line.starts_with("not ok "));
            if self.failing || tap || line.ends_with("FAILED") {
                println!("  {line}");
            }
        }
    }
}

/// The number before a word, as in `3 passed; 0 failed`.
fn number(line: &str, word: &str) -> usize {
    line.split([';', '.']).find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok()).unwrap_or(0)
}

/// The journeys of a person in Chromium, against the program just built.
fn journeys(binary: &Path, count: &mut Count) -> Done {
    let browser = std::env::var_os("CHROME_PATH").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from);
    if !browser.exists() || !runs("node", &["--version"]) || !runs("npm", &["--version"]) {
        count.skipped.insert("journeys: Chromium or Node is missing; install them, for example with: apt-get install chromium nodejs npm".into());
        return if std::env::var_os("CI").is_some() {
            count.failed += 1;
            Err("journeys cannot be skipped in CI".into())
        } else {
            Ok(())
        };
    }
    if let Err(why) = npm_install("e2e") {
        count.failed += 1;
        return Err(format!("the journeys' packages could not be installed: {why}"));
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join(JOURNEYS))
        .map_err(|cause| cause.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    // Without a way out of this machine, where that can be had: whoever needs another host fails.
    let alone = runs("unshare", &["--net", "ip", "link", "set", "lo", "up"]);
    let mut command = Command::new(if alone { "unshare" } else { "node" });
    if alone {
        command.args(["--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", "node"]);
    } else {
        count.skipped.insert(
            "journeys without a route: a network of its own can be had by root alone, with iproute2".into(),
        );
    }
    // One after another: each drives a browser and a server, and two cores are all there is.
    command.args(["--test", "--test-reporter=tap", "--test-concurrency=1"]).args(files);
    command.env("CHROME_PATH", browser).env("SAFELIGHT_BINARY", binary);
    let before = count.failed;
    if stream(&mut command, &mut Report::default(), count)? {
        return Ok(());
    }
    count.failed += usize::from(count.failed == before);
    Err("journeys failed".into())
}

/// On a machine of Debian's family where we are root, what the tests drive can be installed as part of them.
fn install_tools() {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let browser = std::env::var_os("CHROME_PATH").is_some() || runs("chromium", &["--version"]);
    let there = browser && runs("strace", &["-V"]) && runs("ip", &["-V"]);
    if !root || there || !runs("apt-get", &["--version"]) {
        return;
    }
    let apt =
        |args: &[&str]| run(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"));
    let packages =
        ["install", "-y", "-qq", "chromium", "fonts-noto-cjk", "nodejs", "npm", "strace", "iproute2"];
    if let Err(why) = apt(&["update", "-qq"]).and_then(|()| apt(&packages)) {
        eprintln!("  left out: Chromium, strace: {why}");
    }
}

/// The mail server that tests deliver to, as its requirements pin it; those tests are skipped where it is missing.
fn install_mail_server() -> Done {
    let (pins, folder) = (root().join(MAIL_SERVER), root().join("vendor/mail-server"));
    let there = |path: &Path| std::fs::read(path).unwrap_or_default();
    let stamp = folder.join("requirements.txt");
    if there(&stamp) == there(&pins) {
        return Ok(());
    }
    // What an earlier version left would lie beside the new one.
    let _ = std::fs::remove_dir_all(&folder);
    let pinned = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--target", "vendor/mail-server"];
    run(Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"])
        .args(pinned)
        .args(["--requirement", MAIL_SERVER]))?;
    std::fs::copy(&pins, &stamp).map(drop).map_err(|cause| cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_both_runners_are_counted() {
        let (mut report, mut count) = (Report::default(), Count::default());
        let rust = "test a ... ok\ntest b ... FAILED\ntest c ... ignored\nskipped: d: no disk\ntest result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out";
        rust.lines()
            .chain(["ok 1 - e", "not ok 2 - f", "# skipped: g: no net"])
            .for_each(|line| report.read(line, &mut count));
        assert_eq!((count.passed, count.failed, count.skipped.len()), (2, 2, 3));
    }
}
