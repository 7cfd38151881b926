//! What is typed leaves no trace: canaries in every part of a request, to every route, with every kind of answer, while the
//! system calls, the disk, the memory and the output of the shipped program are searched for them in every encoding. Leaks
//! that are planted into the same program are found by the same search in the same run.
//!
//! `SAFELIGHT_CANARY_ROUNDS` says how often everything is asked; `cargo x canary --rounds N` sets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // It is a test.
#![allow(clippy::disallowed_methods)] // A client goes where it likes.

mod asks;
#[path = "../it/authenticator.rs"]
#[allow(dead_code)] // What is wrong with a passkey is the other suite's.
mod authenticator;
#[path = "../forensics/device.rs"]
#[allow(dead_code)] // Power cuts are the other suite's.
mod device;
mod good;
mod leaks;
#[path = "../it/registered.rs"]
mod registered;
#[path = "../forensics/scan.rs"]
#[allow(dead_code)] // Long texts of canaries are the other suite's.
mod scan;
mod script;
#[path = "../it/stripe/mod.rs"]
#[allow(dead_code)] // Stories and lists are the other suite's.
mod stripe;
mod watched;
mod wrong;

use std::collections::BTreeSet;

use device::Device;
use scan::Scanner;
use script::Visit;
use watched::Watched;

const DISK_MIB: u64 = 384;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A disk to watch a program on; none, with a line that says so, where that cannot be done.
fn disk(test: &str) -> Option<Device> {
    let watching = std::process::Command::new("strace").arg("-V").output().is_ok();
    let disk = Device::new(DISK_MIB, "").filter(|_| watching);
    if disk.is_none() {
        println!("skipped: {test}: system calls cannot be watched here, or no disk can be made and mounted");
    }
    disk
}

/// Run by the other tests in a process of its own. Alone it does nothing.
#[test]
fn serve_with_leaks() {
    if let Some(folder) = std::env::var_os("SAFELIGHT_LEAKS") {
        leaks::serve(folder.as_ref());
    }
}

#[test]
fn nothing_that_is_typed_leaves_a_trace() {
    let Some(disk) = disk("nothing_that_is_typed_leaves_a_trace") else { return };
    let scanner = Scanner::new([]);
    let rounds =
        std::env::var("SAFELIGHT_CANARY_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_u32);
    let mut server = Watched::start(disk, Watched::program);
    let mut visit = runtime().block_on(async {
        let mut visit = Visit::begin(&server).await;
        for round in 1..=rounds {
            visit.ask_everything().await;
            println!("round {round} of {rounds}: {} requests", visit.asked);
        }
        visit.ask_with_a_broken_database().await;
        visit
    });
    visit.told.extend(runtime().block_on(visit.metrics()));
    let told = visit
        .told
        .iter()
        .flat_map(|(what, text)| scanner.find(text).into_iter().map(move |name| format!("{name} in {what}")));
    let told: BTreeSet<String> = told.filter(|name| !visit.is_shown_to_its_owner(name)).collect();
    let in_memory = server.memory(&scanner);
    let traces = server.end(&scanner);
    println!(
        "{} canaries in {} requests; routes that answered, refused, failed: {:?} of {}; {} system calls",
        visit.sent.len(),
        visit.asked,
        visit.kinds(),
        visit.seen.len(),
        traces.calls
    );
    let channels = [
        ("failures and metrics", &told),
        ("memory", &in_memory),
        ("system calls", &traces.in_calls),
        ("output", &traces.in_output),
        ("disk", &traces.on_disk),
    ];
    let found: Vec<String> = channels
        .iter()
        .flat_map(|(channel, found)| found.iter().map(move |name| format!("{channel}: {name}")))
        .map(|name| format!("{name} ({})", visit.sent_as(&name)))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    assert!(traces.connections.is_empty(), "it spoke to others: {:?}", traces.connections);
    assert!(traces.files_elsewhere.is_empty(), "it wrote elsewhere: {:?}", traces.files_elsewhere);
    visit.require_every_route();
}

#[test]
fn every_planted_leak_is_found() {
    let Some(disk) = disk("every_planted_leak_is_found") else { return };
    let scanner = Scanner::new([]);
    let mut server = Watched::start(disk, Watched::leaking);
    let answer = runtime().block_on(leaks::provoke(server.address));
    let in_memory = server.memory_now(&scanner);
    let traces = server.end(&scanner);
    leaks::require_all(&scanner.find(&answer), &in_memory, &traces);
}
