//! What is typed, looked for in the memory of the running program, as whoever takes a copy of it would.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use crate::program::{Server, client};
use crate::site::{CANARY, Site, develop};
use crate::until;

const SEARCHED: &str = "walrusbagpipe";
/// What the program holds for as long as it runs, so that looking is shown to find.
const HELD: &str = "Marmaladelighthouse";

/// How often words stand in what a process has written to; nothing where its memory cannot be read.
fn count(process: u32, words: &str) -> Option<usize> {
    let memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let writable =
        maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|may| may.starts_with("rw")));
    let counts = writable.filter_map(|line| {
        let (start, end) = line.split(' ').next()?.split_once('-')?;
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap_or_default());
        let mut bytes = vec![0; usize::try_from(end - start).ok()?];
        memory.read_exact_at(&mut bytes, start).ok()?;
        let first = words.as_bytes()[0];
        Some(bytes.windows(words.len()).filter(|part| part[0] == first && *part == words.as_bytes()).count())
    });
    Some(counts.sum())
}

#[tokio::test]
async fn an_idle_server_remembers_nothing_of_what_was_typed() {
    let site = Site::new();
    fs::create_dir(site.data()).unwrap();
    fs::write(site.data().join("safelight.toml"), format!("site-name = \"{HELD}\"\n")).unwrap();
    let key = site.key();
    let server = Server::start(&site.data()).await;
    if count(server.id(), HELD).is_none() {
        println!(
            "skipped: an_idle_server_remembers_nothing_of_what_was_typed: memory can be read by root alone"
        );
        return;
    }
    for path in ["/api/search?q=", "/?q="] {
        let found = client().get(server.url(&format!("{path}{SEARCHED}+at+night"))).send().await.unwrap();
        assert_eq!(found.status(), 200);
    }
    develop(&server, &key).await;
    for typed in [SEARCHED, CANARY] {
        until(typed, || (count(server.id(), typed) == Some(0)).then_some(())).await;
    }
    assert!(count(server.id(), HELD) > Some(0), "looking finds nothing");
}
