//! The server that has locked itself in: what the kernel says of it, and what it cannot do any more.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use imaging::Picture;
use platform::config::{Settings, arguments};
use platform::sandbox::{self, Reach};
use serde_json::{Value, json};

use crate::program::{Server, client, report, safelight};
use crate::until;

/// Entries of the import that is killed.
const ENTRIES: u32 = 40;

/// Threads of a process: how many are held by seccomp and have no way to new rights, and which are not.
fn look(process: u32) -> (usize, Vec<String>) {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten();
    // A thread may end while its fellows are looked at.
    let threads = tasks.filter_map(|task| {
        let status = std::fs::read_to_string(task.path().join("status")).ok()?;
        let says = |line: &str| status.lines().any(|other| other == line);
        let held = says("Seccomp:\t2") && says("NoNewPrivs:\t1");
        Some((task.file_name().into_string().unwrap(), held))
    });
    let (held, open): (Vec<_>, Vec<_>) = threads.partition(|(_, held)| *held);
    (held.len(), open.into_iter().map(|(thread, _)| thread).collect())
}

/// Whether this kernel can hold a server to all that is asked of it.
pub(crate) fn holds() -> bool {
    sandbox::try_out(&Reach::default(), |held| held.gaps().is_empty()).unwrap()
}

fn skipped(name: &str) -> bool {
    let whole = holds();
    if !whole {
        println!("skipped: {name}: this kernel does not hold a server to all that is asked of it");
    }
    !whole
}

fn png(tone: u8) -> Vec<u8> {
    let rgba = (0..160 * 120_u32).flat_map(|at| [tone, (at % 251) as u8, (at / 160) as u8, 255]).collect();
    imaging::encode_png(&Picture { width: 160, height: 120, rgba }).unwrap()
}

fn run(data: &Path, args: &[&str]) -> Value {
    let output = safelight(data).args(args).arg("--json").output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", report(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn every_thread_of_a_server_is_held_and_one_that_is_not_would_be_seen() {
    if skipped("every_thread_of_a_server_is_held_and_one_that_is_not_would_be_seen") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("one.jsonl"));
    std::fs::write(&file, r#"{"id": "one", "prompt": "a heron on a pier"}"#).unwrap();
    let server = Server::start_with(&data, &["--sandbox", "require"]).await;
    // Threads that are started for work come from those that are there.
    run(&data, &["import", file.to_str().unwrap()]);
    let key = run(&data, &["account", "create", "ada@example.org", "--credits", "1"]);
    assert_eq!(server.generate(key["api_key"].as_str().unwrap(), "512").await, 200);
    let (held, open) = look(server.id());
    assert!(held > 3 && open.is_empty(), "{held} threads are held, and {open:?} are not");

    // The same look at this process, of which one thread is held: it started after the others.
    let settings = clap::Command::new("t").args(arguments()).get_matches_from(["t"]);
    let reach = Reach::of(&Settings::resolve(&settings).unwrap());
    let own = |_| (look(std::process::id()), std::fs::read_link("/proc/thread-self").unwrap());
    let ((held, open), this) = sandbox::try_out(&reach, own).unwrap();
    let this = this.file_name().unwrap().to_str().unwrap();
    assert!(held > 0 && !open.is_empty() && open.iter().all(|thread| thread != this), "{held}, {open:?}");
}

#[tokio::test]
async fn the_operator_sees_what_holds_the_server() {
    if skipped("the_operator_sees_what_holds_the_server") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let sandbox_check = |data: &Path| {
        let output = safelight(data).args(["doctor", "--json"]).output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = found["checks"].as_array().unwrap().clone();
        let check = checks.into_iter().find(|check| check["check"] == "sandbox").unwrap();
        (check["good"].as_bool().unwrap(), check["words"].as_str().unwrap().to_owned())
    };
    let nobody = sandbox_check(dir.path());
    assert!(nobody.0 && nobody.1.starts_with("a server would be kept"), "{nobody:?}");
    let server = Server::start(dir.path()).await;
    let held = sandbox_check(dir.path());
    assert!(
        held.0 && held.1.starts_with("the server is kept to its files and ports by Landlock"),
        "{held:?}"
    );
    drop(server);
    let server = Server::start_with(dir.path(), &["--sandbox", "off"]).await;
    let open = sandbox_check(dir.path());
    assert!(!open.0 && open.1.starts_with("the server is held by nothing"), "{open:?}");
    assert!(!look(server.id()).1.is_empty());
}

/// Has a server with this setting send a mail into a folder that has become a link to another. Says whether it came there.
async fn led_astray(setting: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let [data, mail, elsewhere] = ["data", "mail", "elsewhere"].map(|name| dir.path().join(name));
    let route = format!("dir:{}", mail.display());
    let args = ["--sandbox", setting, "--mail", &route];
    let server = Server::start_with(&data, &args).await;

    std::fs::rename(&mail, dir.path().join("before")).unwrap();
    std::fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &mail).unwrap();
    let form = [("address", "ada@example.org")];
    let asked = client().post(server.url("/sign-in")).header("sec-fetch-site", "same-origin").form(&form);
    asked.send().await.unwrap();
    // Mails are sent after the answer.
    until("no mail was tried", || server.said().contains(" mail ").then_some(())).await;
    std::fs::read_dir(&elsewhere).unwrap().count() > 0
}

#[tokio::test]
async fn a_server_that_is_led_to_another_folder_does_not_get_there() {
    if skipped("a_server_that_is_led_to_another_folder_does_not_get_there") {
        return;
    }
    assert!(!led_astray("require").await);
    assert!(led_astray("off").await, "without the sandbox it gets there");
}

#[tokio::test]
async fn an_import_beside_a_server_brings_pictures_from_files_that_the_server_cannot_open() {
    let dir = tempfile::tempdir().unwrap();
    let (data, posts) = (dir.path().join("data"), dir.path().join("posts"));
    std::fs::create_dir_all(posts.join("media")).unwrap();
    std::fs::write(posts.join("1.png"), png(1)).unwrap();
    std::fs::write(posts.join("media/2.png"), png(2)).unwrap();
    std::fs::write(dir.path().join("above.png"), png(3)).unwrap();
    let huge = std::fs::File::create(posts.join("huge.png")).unwrap();
    huge.set_len(kernel::limits::PICTURE_BYTES_MAX as u64 + 1).unwrap();
    let images = [
        ("one", "1.png"),
        ("two", "media/2.png"),
        ("none", "none.png"),
        ("above", "../above.png"),
        ("huge", "huge.png"),
    ];
    let entry =
        |(id, image)| json!({ "id": id, "prompt": "a fox in snow", "image": image }).to_string() + "\n";
    let file = posts.join("posts.jsonl");
    std::fs::write(&file, images.map(entry).concat()).unwrap();

    let server = Server::start(&data).await;
    let imported = run(&data, &["import", file.to_str().unwrap()]);
    assert_eq!((&imported["added"], &imported["skipped"]), (&json!(5), &json!({})), "{imported}");
    let missing = imported["without_picture"].as_object().unwrap();
    let why = |id: &str| {
        let of = missing.iter().find(|(_, tally)| tally["examples"].as_array().unwrap().contains(&json!(id)));
        of.map(|(why, _)| why.as_str()).unwrap_or_default()
    };
    assert_eq!(why("none"), "its picture file is missing");
    assert_eq!(why("above"), "its source names no picture");
    assert_eq!(why("huge"), "its picture is larger than 32 MiB");
    for id in ["one", "two"] {
        let found = client().get(server.url(&format!("/api/images/{id}"))).send().await.unwrap();
        let found: Value = found.json().await.unwrap();
        assert!(found["data"]["thumbnail_url"].is_string(), "{found}");
    }
    let again = run(&data, &["import", file.to_str().unwrap()]);
    assert_eq!(again["unchanged"], 5, "{again}");
}

#[tokio::test]
async fn an_import_beside_a_server_that_is_killed_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("posts.jsonl"));
    let mut lines = String::new();
    for n in 0..ENTRIES {
        std::fs::write(dir.path().join(format!("{n}.png")), png(n as u8)).unwrap();
        lines += &json!({ "id": n.to_string(), "prompt": format!("fox {n} in snow"), "image": format!("{n}.png") })
            .to_string();
        lines.push('\n');
    }
    std::fs::write(&file, lines).unwrap();
    let _server = Server::start(&data).await;
    let mut killed = safelight(&data).arg("import").arg(&file).spawn().unwrap();
    let shelves = || std::fs::read_dir(data.join("blobs")).map_or(0, Iterator::count);
    until("nothing was imported", || (shelves() > 4).then_some(())).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let again = run(&data, &["import", file.to_str().unwrap()]);
    assert_eq!(again["entries"], ENTRIES, "{again}");
    let third = run(&data, &["import", file.to_str().unwrap()]);
    assert_eq!(third["unchanged"], ENTRIES, "{third}");
}

#[tokio::test]
async fn a_command_that_brings_other_bytes_than_it_says_ends_its_request_alone() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    for answer in ["{\"Ok\":9999999999999}\n", "{\"Ok\":5}\nabc", "nonsense\n", ""] {
        let mut socket = UnixStream::connect(dir.path().join("operator.sock")).unwrap();
        socket.write_all(b"{\"Import\":{\"file\":\"x\"}}\n").unwrap();
        let mut said = BufReader::new(socket.try_clone().unwrap()).lines().map_while(Result::ok);
        let wanted = said.find(|line| line.contains("Wanted")).unwrap();
        assert!(wanted.contains("\"name\":\"x\""), "{wanted}");
        socket.write_all(answer.as_bytes()).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(said.next(), None, "{answer}");
    }
    assert_eq!(client().get(server.url("/healthz")).send().await.unwrap().status(), 200);
}
