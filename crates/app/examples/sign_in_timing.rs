//! Whether the time of an answer tells known addresses from unknown ones, as `name value` lines: both are asked for a code
//! in turns, through a real connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::connections::{self, Bounds};
use app::house::House;
use app::operator::{Asker, Request, execute};
use app::routes::router;
use kernel::clock::SetClock;
use kernel::{Clock, SystemClock};
use platform::config::{Settings, arguments};
use platform::folder::{DataFolder, Taken};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Requests of each kind.
const ROUNDS: usize = 600;
/// After so long, every limit has a new window.
const WINDOW_SECONDS: i64 = 3601;

type Failed = Box<dyn std::error::Error>;

#[tokio::main]
#[allow(clippy::print_stdout)] // It is a measuring program.
async fn main() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let clock = Arc::new(SetClock::at(SystemClock.now()));
    let house = open(dir.path(), Arc::clone(&clock) as Arc<dyn Clock>).await?;
    let known = |n: usize| format!("known{n}@example.org");
    for n in 0..ROUNDS {
        let (steps, _heard) = mpsc::unbounded_channel();
        execute(&house, Request::CreateAccount { address: known(n), credits: 0 }, Asker::new(steps)).await?;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (bounds, proxies) = (Bounds::default(), Arc::clone(&house.proxies));
    let router = router(house.clone(), bounds);
    tokio::spawn(connections::serve(listener, router, bounds, proxies, CancellationToken::new()));
    let times = tokio::task::spawn_blocking(move || -> std::io::Result<[Vec<Duration>; 2]> {
        let mut times = [Vec::new(), Vec::new()];
        for n in 0..ROUNDS {
            // The first of a pair changes, so that neither gains by its place.
            for side in [n % 2, 1 - n % 2] {
                let text = if side == 0 { known(n) } else { format!("nobody{n}@example.org") };
                if let Some(times) = times.get_mut(side) {
                    times.push(ask(&address, &text)?);
                }
            }
            clock.advance(WINDOW_SECONDS);
        }
        Ok(times)
    });
    let [known, unknown] = times.await??.map(median_millis);
    println!("known_ms {known:.4}\nunknown_ms {unknown:.4}\ndifference_ms {:.4}", (known - unknown).abs());
    Ok(())
}

async fn open(dir: &std::path::Path, clock: Arc<dyn Clock>) -> Result<House, Failed> {
    let (data, mail) = (dir.join("data"), format!("dir:{}", dir.join("mail").display()));
    let text = data.display().to_string();
    let args = ["t", "--data", &text, "--mail", &mail, "--anchor-check", "accept"];
    let settings = Settings::resolve(&clap::Command::new("t").args(arguments()).get_matches_from(args))?;
    let Taken::Here(folder) = DataFolder::take(&data)? else { return Err("the folder is taken".into()) };
    Ok(House::open_at(settings, folder, clock).await?)
}

/// Asks for a code; the time from the last byte sent to the first received.
#[expect(clippy::disallowed_methods, reason = "it asks the server that it has started")]
fn ask(server: &str, address: &str) -> std::io::Result<Duration> {
    let mut stream = TcpStream::connect(server)?;
    let body = format!("address={}", address.replace('@', "%40"));
    let head = "POST /sign-in HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded";
    let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let started = Instant::now();
    stream.write_all(request.as_bytes())?;
    let mut first = [0; 12];
    stream.read_exact(&mut first)?;
    let time = started.elapsed();
    if &first != b"HTTP/1.1 303" {
        return Err(std::io::Error::other("a code was not sent"));
    }
    stream.read_to_end(&mut Vec::new())?;
    Ok(time)
}

fn median_millis(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
}
