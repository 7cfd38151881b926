//! Project chores: `cargo x setup | run | test | check | bench | forensics | canary | simulate | docs`. It owns no part of the product.
#![allow(clippy::print_stdout, clippy::print_stderr)] // It is a program for the terminal of a developer.

mod bench;
mod setup;
mod suite;
mod test;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What a chore ends with: nothing, or why it stopped.
type Done = Result<(), String>;

/// How the product is built for a chore.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    Dev,
    Release,
}

impl Profile {
    /// What Cargo is told, and where the result then lies.
    const fn flag_and_folder(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Dev => (&[], "debug"),
            Self::Release => (&["--release"], "release"),
        }
    }
}

/// Every chore builds from this selection: another would turn on other features of shared crates, and build them again.
const SELECTION: [&str; 3] = ["--workspace", "--features", "search/pack"];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (chore, rest) = args.split_first().map_or(("help", &[][..]), |(chore, rest)| (chore.as_str(), rest));
    let done = match chore {
        "setup" => {
            setup::setup(Profile::Release);
            Ok(())
        }
        "run" => run_product(rest),
        "test" => test::test(rest),
        "check" => check(),
        "bench" => bench::bench(rest),
        "forensics" => suite::FORENSICS.run(rest),
        "canary" => suite::CANARY.run(rest),
        "simulate" => match rest.split_first() {
            Some((what, rest)) if what == "ledger" => suite::LEDGER.run(rest),
            _ => Err("what is simulated is the ledger: cargo x simulate ledger".into()),
        },
        "docs" => docs(),
        _ => {
            println!(
                "cargo x setup   fetch what pages and models need\ncargo x run     set up, build, serve on http://127.0.0.1:8080\ncargo x test    set up, run every test\ncargo x check   format, lints and fast tests\ncargo x bench   measure, with peers\ncargo x forensics [--seeds N] [--seed S]   kill the program N times and search its disk\ncargo x canary [--rounds N]   ask for everything N times and search what is left of it\ncargo x simulate ledger [--steps N] [--seed S]   cut the books off at any write, beside an oracle\ncargo x docs    write generated documentation"
            );
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("cargo x {chore}: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The project's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The folder that builds go to.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn cargo(args: &[&str]) -> Done {
    run(Command::new("cargo").args(args))
}

/// Builds a program or an example; returns where it lies.
fn build(profile: Profile, kind: &str, name: &str) -> Result<PathBuf, String> {
    let (flag, folder) = profile.flag_and_folder();
    cargo(&[&["build"], flag, &SELECTION, &[kind, name]].concat())?;
    let examples = if kind == "--example" { "examples" } else { "" };
    Ok(target().join(folder).join(examples).join(name))
}

/// Runs a program in the project's folder; its output goes to the terminal.
fn run(command: &mut Command) -> Done {
    let name = command.get_program().to_string_lossy().into_owned();
    println!(
        "» {name} {}",
        command.get_args().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    );
    let status =
        command.current_dir(root()).status().map_err(|cause| format!("{name} cannot be started: {cause}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} ended with {status}")) }
}

/// Whether a program is installed and answers.
fn runs(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

fn run_product(rest: &[String]) -> Done {
    setup::setup(Profile::Release);
    let binary = build(Profile::Release, "--bin", "safelight")?;
    println!("» serving on http://127.0.0.1:8080 from ./data; Ctrl+C stops");
    let mut command = Command::new(binary);
    command.args(["serve", "--data", "data", "--listen", "127.0.0.1:8080"]).args(rest);
    // A machine for trying things out may have swap, or a disk that does not overwrite in place: it is said, and goes on.
    for stance in ["SAFELIGHT_ANCHOR_CHECK", "SAFELIGHT_SWAP_CHECK"] {
        if std::env::var_os(stance).is_none() {
            command.env(stance, "accept");
        }
    }
    run(&mut command)
}

fn check() -> Done {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&[&["clippy"], &SELECTION[..], &["--all-targets", "--", "-D", "warnings"]].concat())?;
    cargo(&[&["test", "--quiet"], &SELECTION[..], &["--lib", "--bin", "xtask", "--test", "tidy"]].concat())
}

/// Documents that the program writes about itself: what to ask it for, and where it goes.
const GENERATED: [(&str, &str); 3] =
    [("settings", "docs/settings.md"), ("data-map", "PRIVACY.md"), ("logging", "docs/logging.md")];

fn docs() -> Done {
    let binary = build(Profile::Dev, "--bin", "safelight")?;
    for (name, file) in GENERATED {
        let output = Command::new(&binary).args(["docs", name]).output();
        let output = output.map_err(|cause| format!("the program cannot be started: {cause}"))?;
        if !output.status.success() || output.stdout.is_empty() {
            return Err(format!("`safelight docs {name}` failed; {file} is left as it was"));
        }
        std::fs::write(root().join(file), output.stdout).map_err(|cause| format!("{file}: {cause}"))?;
    }
    Ok(())
}
