//! This owns running every test and counting them: Rust, then the journeys in a browser.

use std::process::{Command, Stdio};

use crate::{Done, Profile, cargo, has, root, run, setup, target};

/// What was counted.
#[derive(Default)]
struct Count {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs every test; prints `N passed, N failed, N skipped` last.
pub(crate) fn test(rest: &[String]) -> Done {
    setup::setup(Profile::Dev)?;
    cargo(&["build", "--quiet", "--package", "app"])?;
    let mut count = Count::default();
    let rust = rust_tests(rest, &mut count);
    let journeys = if rest.is_empty() { journeys(&mut count) } else { Ok(()) };
    println!("{} passed, {} failed, {} skipped", count.passed, count.failed, count.skipped);
    rust.and(journeys)
}

fn rust_tests(rest: &[String], count: &mut Count) -> Done {
    let output = Command::new("cargo")
        .args(["test", "--workspace", "--no-fail-fast", "--"])
        .args(rest)
        .current_dir(root())
        .stdout(Stdio::piped())
        .spawn();
    let output = output.and_then(std::process::Child::wait_with_output).map_err(|cause| cause.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    for line in text.lines().filter(|line| !line.ends_with("... ok") && !line.is_empty()) {
        println!("{line}");
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("test result: ")) {
        let number = |word: &str| {
            line.split([';', '.'])
                .find_map(|part| part.trim().strip_suffix(word)?.trim().parse::<usize>().ok())
        };
        count.passed += number("passed").unwrap_or(0);
        count.failed += number("failed").unwrap_or(0);
        count.skipped += number("ignored").unwrap_or(0);
    }
    if output.status.success() { Ok(()) } else { Err("Rust tests failed".into()) }
}

/// The journeys of a person in Chromium, against the program just built.
fn journeys(count: &mut Count) -> Done {
    install_browser();
    let browser =
        std::env::var_os("CHROME_PATH").map_or_else(|| "/usr/bin/chromium".into(), std::path::PathBuf::from);
    if !browser.exists() || !has("node") {
        count.skipped += 1;
        println!(
            "skipped: journeys: Chromium or Node is missing; install them, for example with: apt-get install chromium nodejs npm"
        );
        return if std::env::var_os("CI").is_some() {
            Err("journeys cannot be skipped in CI".into())
        } else {
            Ok(())
        };
    }
    run(Command::new("npm").args([
        "ci",
        "--prefix",
        "e2e",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    let output = Command::new("node")
        .args(["--test", "--test-reporter=tap", "e2e/journeys/"])
        .env("CHROME_PATH", browser)
        .env("SAFELIGHT_BINARY", target().join("debug/safelight"))
        .current_dir(root())
        .output()
        .map_err(|cause| cause.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    let number = |word: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(&format!("# {word} "))?.parse::<usize>().ok())
            .unwrap_or(0)
    };
    count.passed += number("pass");
    count.failed += number("fail");
    count.skipped += number("skipped");
    if output.status.success() { Ok(()) } else { Err("journeys failed".into()) }
}

/// On a machine of Debian's family where we are root, the browser can be installed as part of the tests.
fn install_browser() {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if root && !has("chromium") && has("apt-get") {
        let apt =
            |args: &[&str]| run(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"));
        if let Err(why) = apt(&["update", "-qq"])
            .and_then(|()| apt(&["install", "-y", "-qq", "chromium", "fonts-noto-cjk"]))
        {
            eprintln!("  left out: Chromium: {why}");
        }
    }
}
