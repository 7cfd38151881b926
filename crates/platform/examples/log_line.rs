//! What a line of the log costs, beside the way it was made before (a map of JSON values and a formatted time), as
//! `name value` lines. Lines go to standard error; send them to a file, as a server does.

use std::io::Write;
use std::time::{Duration, Instant};

use platform::log::{Event, Form, Log, Method, Routes};
use serde_json::{Map, Value};

/// Lines of a round, and rounds; the medians count.
const LINES: u32 = 20_000;
const ROUNDS: usize = 15;
const TEMPLATE: &str = "/p/{record}/{form}";

#[allow(clippy::print_stdout)] // It is a measuring program.
fn main() {
    for (name, form) in [("json", Form::Json), ("pretty", Form::Pretty)] {
        let log = Log::new(form, Routes::new([TEMPLATE]));
        let (mut now, mut before, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            now.push(time(|micros| {
                let route = log.route(Some(TEMPLATE));
                log.write(Event::Request { method: Method::Get, route, status: 200, micros });
            }));
            before.push(time(|micros| former(form, micros)));
            bare.push(time(|_| write(&[b'x'; 110])));
        }
        let [now, before, bare] = [now, before, bare].map(median_nanos);
        println!("{name}_ns {now:.0}\n{name}_former_ns {before:.0}\n{name}_ratio {:.2}", before / now);
        println!("{name}_bare_write_ns {bare:.0}");
    }
}

fn time(one: impl Fn(u64)) -> Duration {
    let started = Instant::now();
    (0..LINES).for_each(|n| one(n.into()));
    started.elapsed() / LINES
}

fn median_nanos(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_nanos() as f64)
}

fn write(line: &[u8]) {
    let _ = std::io::stderr().lock().write_all(line);
}

/// As lines were made until November 2026.
fn former(form: Form, micros: u64) {
    let now = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default();
    let fields: Vec<(&str, Value)> = vec![
        ("method", "GET".into()),
        ("route", TEMPLATE.into()),
        ("status", 200.into()),
        ("millis", micros.into()),
    ];
    let line = match form {
        Form::Json => {
            let mut object = Map::new();
            object.insert("time".into(), now.to_string().into());
            object.insert("event".into(), "request".into());
            object.extend(fields.into_iter().map(|(key, value)| (key.to_owned(), value)));
            Value::Object(object).to_string()
        }
        Form::Pretty => fields.iter().fold(format!("{now} request  "), |line, (key, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{line} {key}={value}")
        }),
    };
    write((line + "\n").as_bytes());
}
