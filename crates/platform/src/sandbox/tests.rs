//! The sandbox, tried out in threads that end with it.
#![allow(clippy::disallowed_methods)] // It tries what the program must not.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;

use super::*;

/// Does something in a thread that was started by one that is held; nothing where this kernel holds nothing.
fn held<T: Send + 'static>(reach: &Reach, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let tried =
        try_out(reach, |sandbox| sandbox.gaps().is_empty().then(|| std::thread::spawn(work).join().unwrap()));
    let done = tried.unwrap();
    if done.is_none() {
        println!("skipped: this kernel cannot hold a thread to all that is asked of it");
    }
    done
}

fn denied<T>(done: io::Result<T>) -> bool {
    done.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

fn settings(args: &[&str]) -> Settings {
    let command = clap::Command::new("t").args(crate::config::arguments());
    Settings::resolve(&command.get_matches_from([&["t"], args].concat())).unwrap()
}

#[test]
fn files_can_be_worked_with_inside_and_neither_read_nor_written_outside() {
    let [inside, outside] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (work, other) = (inside.path().to_owned(), outside.path().join("other"));
    fs::write(&other, "secret").unwrap();
    std::os::unix::fs::symlink(&other, work.join("link")).unwrap();
    let reach = Reach { work: vec![work.clone()], ..Reach::default() };
    let try_all = move |work: &Path, other: &Path| {
        for folder in ["a", "b"] {
            fs::create_dir_all(work.join(folder)).unwrap();
        }
        fs::write(work.join("a/x"), "text").unwrap();
        fs::rename(work.join("a/x"), work.join("b/x")).unwrap();
        assert_eq!(fs::read_to_string(work.join("b/x")).unwrap(), "text");
        let moved = fs::rename(work.join("b/x"), other.with_file_name("moved"));
        [
            denied(fs::read(other)),
            denied(fs::write(other, "changed")),
            denied(fs::read(work.join("link"))),
            denied(fs::read_dir("/")),
            denied(fs::write(other.with_file_name("new"), "")),
            denied(moved) || work.join("b/x").exists(),
        ]
    };
    let paths = (work.clone(), other.clone());
    let Some(found) = held(&reach, move || try_all(&paths.0, &paths.1)) else { return };
    assert_eq!(found, [true; 6]);
    assert_eq!(fs::read_to_string(&other).unwrap(), "secret");
    assert_eq!(try_all(&work, &other), [false; 6], "outside of the sandbox");
}

#[test]
fn no_program_can_be_started_and_no_other_root_taken() {
    let try_all = || {
        let run = |program: &str| Command::new(program).output();
        [denied(run("/bin/true")), denied(run("/proc/self/exe")), denied(std::os::unix::fs::chroot("/"))]
    };
    let reach = Reach { work: vec!["/".into()], ..Reach::default() };
    let Some(found) = held(&reach, try_all) else { return };
    assert_eq!(found, [true; 3]);
    assert!(!denied(Command::new("/bin/true").output()), "outside of the sandbox");
}

#[test]
fn only_named_ports_can_be_listened_on_and_connected_to() {
    let [peer, stranger] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [peer_at, stranger_at] = [&peer, &stranger].map(|listener| listener.local_addr().unwrap());
    let reach = Reach { connect: vec![peer_at.port()], listen: vec![0], ..Reach::default() };
    let try_all = move || {
        let free = TcpListener::bind("127.0.0.1:0");
        [
            denied(TcpStream::connect(stranger_at)),
            denied(TcpListener::bind("127.0.0.1:1")),
            denied(TcpStream::connect(peer_at)),
            denied(free),
        ]
    };
    let Some(found) = held(&reach, try_all) else { return };
    assert_eq!(found, [true, true, false, false]);
    assert!(!denied(TcpStream::connect(stranger_at)), "outside of the sandbox");
}

#[test]
fn names_are_still_looked_up_and_threads_still_started() {
    let looked_up = || {
        use std::net::ToSocketAddrs;
        std::thread::spawn(|| ("localhost", 80).to_socket_addrs().map(|found| found.count())).join()
    };
    let Some(found) = held(&Reach::of(&settings(&[])), looked_up) else { return };
    assert!(found.unwrap().unwrap() > 0);
}

#[test]
fn who_asks_too_late_is_refused_and_not_half_held() {
    let (stop, stopped) = mpsc::channel::<()>();
    let other = std::thread::spawn(move || stopped.recv());
    let error = enter(&settings(&[])).unwrap_err();
    assert!(error.public.contains("too late"), "{}", error.public);
    assert_eq!(enter(&settings(&["--sandbox=off"])).unwrap(), Sandbox::default());
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    assert!(status.contains("NoNewPrivs:\t0"), "{status}");
    drop(stop);
    assert!(other.join().unwrap().is_err());
}

#[test]
fn what_a_kernel_leaves_open_is_said() {
    let whole = Sandbox { landlock: Some(6), calls: Some(1) };
    assert!(whole.gaps().is_empty() && whole.holds());
    let older = Sandbox { landlock: Some(3), ..whole };
    assert!(older.holds() && older.gaps().len() == 3 && older.gaps()[0] == Notice::PortsAreOpen);
    assert_eq!(Sandbox::default().gaps().len(), GAPS.len() + 1);
    assert!(!Sandbox { calls: None, ..whole }.holds());
}
