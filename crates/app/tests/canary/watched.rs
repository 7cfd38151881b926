//! This owns the watched program: the shipped binary, or the same with planted leaks, under strace, on a disk of its own,
//! and what is found in its channels.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::device::Device;
use crate::scan::Scanner;
use crate::stripe::Stripe;

/// System calls that can carry something out of the process, and those that open and close what they carry it to.
const CALLS: &str = "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,open,openat,openat2,creat,rename,renameat,\
renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,setxattr,fsetxattr,connect,execve,\
execveat,memfd_create,prctl,accept4,close";
/// Bytes of each argument that are seen.
const ARGUMENT_BYTES: &str = "4194304";
/// How long it may take until it is ready, and until it has forgotten.
const READY_MAX: Duration = Duration::from_secs(120);
const FORGET_MAX: Duration = Duration::from_secs(60);

/// What was found in the channels of a program that has ended.
pub(crate) struct Traces {
    pub(crate) calls: usize,
    pub(crate) in_calls: BTreeSet<String>,
    pub(crate) in_output: BTreeSet<String>,
    pub(crate) on_disk: BTreeSet<String>,
    /// Others that it connected or sent to.
    pub(crate) connections: BTreeSet<String>,
    /// Files outside its folders that it opened for writing.
    pub(crate) files_elsewhere: BTreeSet<String>,
}

/// A running program.
pub(crate) struct Watched {
    strace: Child,
    dir: tempfile::TempDir,
    disk: Option<Device>,
    pub(crate) address: SocketAddr,
    pub(crate) metrics: SocketAddr,
    /// The one that it may speak to.
    pub(crate) stripe: Stripe,
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A stand-in for Stripe, on a thread of its own.
fn stand_in() -> Stripe {
    let (give, take) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        crate::runtime().block_on(async {
            give.send(Stripe::start().await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    take.recv().unwrap()
}

impl Watched {
    /// A program, as `make` says, that answers.
    pub(crate) fn start(disk: Device, make: fn(&Self) -> Command) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (address, metrics) = (free(), free());
        let nobody = Command::new("true").spawn().unwrap();
        let mut watched =
            Self { strace: nobody, dir, disk: Some(disk), address, metrics, stripe: stand_in() };
        watched.strace.wait().unwrap();
        let program = make(&watched);
        let mut strace = Command::new("strace");
        strace.args(["-f", "--seccomp-bpf", "-qq", "-yy", "-xx", "-s", ARGUMENT_BYTES, "-e"]);
        strace.arg(format!("trace={CALLS}")).arg("-o").arg(watched.path("trace")).arg("--");
        strace.arg(program.get_program()).args(program.get_args());
        strace.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = File::create(watched.path("output")).unwrap();
        strace.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        watched.strace = strace.spawn().unwrap();
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = watched.strace.try_wait().unwrap();
            assert!(
                ended.is_none() && started.elapsed() < READY_MAX,
                "it did not start: {}",
                watched.output()
            );
            std::thread::yield_now();
        }
        watched
    }

    /// The shipped program.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_safelight"));
        command.env("SAFELIGHT_DATA", self.data()).env("SAFELIGHT_STARTER_GALLERY", "off");
        command.env("SAFELIGHT_ANCHOR_CHECK", "accept").env("SAFELIGHT_SWAP_CHECK", "accept");
        // Where passkeys can be had.
        command.env("SAFELIGHT_PUBLIC_URL", "http://localhost");
        command.env("SAFELIGHT_PICTURE_HOSTS", "").env("SAFELIGHT_DAILY_CREDITS", "200");
        command.env("SAFELIGHT_MAIL", format!("dir:{}", self.mail().display()));
        command.args([
            "serve",
            "--listen",
            &self.address.to_string(),
            "--metrics",
            &self.metrics.to_string(),
        ]);
        command.args(self.stripe.settings());
        command
    }

    /// The same with leaks.
    pub(crate) fn leaking(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "serve_with_leaks", "--nocapture"]);
        command.env("SAFELIGHT_LEAKS", self.data()).env("SAFELIGHT_LEAKS_LISTEN", self.address.to_string());
        command.env("PATH", "/usr/bin:/bin");
        command
    }

    /// A command beside it.
    pub(crate) fn command(&self, args: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_safelight"));
        let output = command.env_clear().env("SAFELIGHT_DATA", self.data()).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.disk.as_ref().unwrap().folder().join("data")
    }

    pub(crate) fn mail(&self) -> PathBuf {
        self.path("mail")
    }

    fn output(&self) -> String {
        fs::read_to_string(self.path("output")).unwrap_or_default()
    }

    /// The program itself: the first that strace told of.
    fn process(&self) -> u32 {
        let mut first = String::new();
        BufReader::new(File::open(self.path("trace")).unwrap()).read_line(&mut first).unwrap();
        first.split(' ').next().unwrap().parse().unwrap()
    }

    /// What stands in its memory once it had time to forget.
    pub(crate) fn memory(&mut self, scanner: &Scanner) -> BTreeSet<String> {
        let started = Instant::now();
        loop {
            let found = self.memory_now(scanner);
            if found.is_empty() || started.elapsed() > FORGET_MAX {
                return found;
            }
        }
    }

    /// What stands in its memory.
    pub(crate) fn memory_now(&mut self, scanner: &Scanner) -> BTreeSet<String> {
        let process = self.process();
        let memory = File::open(format!("/proc/{process}/mem")).expect("memory is read as root");
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        let mut found = BTreeSet::new();
        for line in
            maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|may| may.starts_with("rw")))
        {
            let (start, end) = line.split(' ').next().and_then(|range| range.split_once('-')).unwrap();
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
            let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
            // A mapping may have gone meanwhile.
            if memory.read_exact_at(&mut bytes, start).is_ok() {
                found.extend(scanner.find(&bytes));
            }
        }
        found
    }

    /// Ends it in good order and looks through what it has left.
    pub(crate) fn end(mut self, scanner: &Scanner) -> Traces {
        let ended = Command::new("kill").arg(self.process().to_string()).status().unwrap();
        assert!(ended.success());
        self.strace.wait().unwrap();
        let in_output = scanner.find(self.output().as_bytes()).into_iter().collect();
        let mut traces = self.calls(scanner);
        traces.in_output = in_output;
        traces.on_disk = scanner.find(&self.disk.take().unwrap().unmount().bytes()).into_iter().collect();
        traces
    }

    fn calls(&self, scanner: &Scanner) -> Traces {
        let mut traces = Traces {
            calls: 0,
            in_calls: BTreeSet::new(),
            in_output: BTreeSet::new(),
            on_disk: BTreeSet::new(),
            connections: BTreeSet::new(),
            files_elsewhere: BTreeSet::new(),
        };
        let (mut clients, mail) = (HashSet::new(), self.mail());
        let stripe = format!("htons({})", self.stripe.base.rsplit(':').next().unwrap());
        let inside = [self.data(), mail.clone(), PathBuf::from("/proc"), PathBuf::from("/dev/null")];
        for line in BufReader::new(File::open(self.path("trace")).unwrap()).split(b'\n') {
            let call = Call::read(&line.unwrap());
            traces.calls += 1;
            match call.name.as_str() {
                "accept4" => clients.extend(call.result()),
                "close" => drop(call.first_descriptor().map(|fd| clients.remove(&fd))),
                "connect" | "sendto" | "sendmsg" | "sendmmsg"
                    if call.arguments().contains("AF_INET") && !call.arguments().contains(&stripe) =>
                {
                    traces.connections.insert(call.text.clone());
                }
                "open" | "openat" | "openat2" | "creat" if call.may_write() && !call.is_in(&inside) => {
                    traces.files_elsewhere.insert(call.text.clone());
                }
                _ => {}
            }
            let to_a_client = call.first_descriptor().is_some_and(|fd| clients.contains(&fd));
            if !to_a_client && !call.is_in(std::slice::from_ref(&mail)) {
                let found = scanner.find(&call.bytes).into_iter();
                traces.in_calls.extend(found.map(|name| format!("{name} by {}", call.name)));
            }
        }
        traces
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Without strace the program would go on.
        if let Ok(None) = self.strace.try_wait() {
            let _ = Command::new("kill").args(["-9", &self.process().to_string()]).status();
        }
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}

/// One line of a trace.
struct Call {
    name: String,
    /// The line, with its strings as they are.
    bytes: Vec<u8>,
    text: String,
}

impl Call {
    fn read(line: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(line.len());
        let mut rest = line;
        while let Some((first, after)) = rest.split_first() {
            let hex = rest.strip_prefix(b"\\x").and_then(|rest| std::str::from_utf8(rest.get(..2)?).ok());
            match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &rest[4..];
                }
                None => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let after = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        // What was interrupted by another thread goes on in a line of its own.
        let name = after.trim_start_matches("<... ").split(['(', ' ']).next().unwrap_or_default().to_owned();
        Self { name, bytes, text }
    }

    fn arguments(&self) -> &str {
        self.text.split_once('(').map_or("", |(_, arguments)| arguments)
    }

    fn first_descriptor(&self) -> Option<u32> {
        self.arguments().split(['<', ',', ')']).next()?.parse().ok()
    }

    fn result(&self) -> Option<u32> {
        self.text.rsplit_once(" = ")?.1.split('<').next()?.parse().ok()
    }

    fn may_write(&self) -> bool {
        ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| self.arguments().contains(flag))
    }

    /// Whether one of the files it names is below one of these.
    fn is_in(&self, folders: &[PathBuf]) -> bool {
        let named = |folder: &Path| self.arguments().contains(&folder.display().to_string());
        folders.iter().any(|folder| named(folder))
    }
}
