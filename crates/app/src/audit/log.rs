//! This owns the probe of a log file: every line of it is one of the closed list.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use trust::audit::{Finding, Probe};

const ADVICE: &str =
    "find out what wrote them: another program, or a defect to report; delete them from the file";

pub(super) fn look(file: Option<&Path>) -> Finding {
    let Some(file) = file else {
        return Finding::not_checked(Probe::Log, "no log file was given; name one with --log-file");
    };
    let Ok(opened) = File::open(file) else {
        return Finding::breach(Probe::Log, "the log file cannot be read; check its name and its owner");
    };
    let (mut count, mut faults) = (0_u64, Vec::new());
    let routes = crate::routes::table().into_routes();
    for line in BufReader::new(opened).split(b'\n') {
        count += 1;
        let known = line.is_ok_and(|line| {
            std::str::from_utf8(&line).is_ok_and(|line| platform::log::knows(line, &routes))
        });
        if !known {
            // The line itself stays where it is: it may be anybody's.
            faults.push(format!("line {count} is none of the program's"));
        }
    }
    Finding::of(Probe::Log, &faults, format!("{count} lines, each one of the closed list"), ADVICE)
}
