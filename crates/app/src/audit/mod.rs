//! This owns `safelight audit`: it holds the promises against a live data folder, beside a running server or without one,
//! and keeps the outcomes for the site to show. One file per probe; what a report is, is in `trust::audit`.

mod advisories;
mod disk;
mod folder;
mod headers;
mod ledger;
mod log;
mod memory;
mod orphans;
mod peers;
mod receipts;
mod sandbox;
mod schema;
mod sealed;
mod traces;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use kernel::{Error, Result};
use platform::config::Settings;
use serde::{Deserialize, Serialize};
use trust::audit::{Finding, LastAudit, Probe, Report};

use crate::command::{Place, print};
use crate::house::House;
use crate::operator::Request;

pub(crate) use orphans::{Unmatched, unmatched};

/// What the operator asks for.
#[derive(Args)]
pub(crate) struct Audit {
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Folder with the RustSec advisory database, to hold the packages of the program against.
    #[arg(long)]
    advisories: Option<PathBuf>,
    /// A log file of the server, to hold its lines against the closed list.
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Where to look at the headers; where the running server listens, unless given.
    #[arg(long, value_name = "ADDRESS")]
    headers_at: Option<SocketAddr>,
}

/// What a house knows that its probes ask for.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The file with the root of the keys.
    pub(crate) root: PathBuf,
    /// Where a server over this house listens.
    pub(crate) listen: SocketAddr,
    /// Whom the settings let it speak to.
    pub(crate) peers: Vec<peers::Peer>,
}

impl Facts {
    /// The facts of these settings.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            data: settings.data.clone(),
            root: settings.root_file(),
            listen: settings.listen,
            peers: peers::of(settings),
        }
    }
}

/// What the process that holds the data folder found.
#[derive(Serialize, Deserialize)]
pub(crate) struct Inside {
    findings: Vec<Finding>,
    listen: SocketAddr,
    process: u32,
}

/// The probes of the process that holds the data folder.
pub(crate) async fn inside(house: &House) -> Inside {
    let findings = vec![
        told(Probe::Schema, schema::look(house).await),
        told(Probe::Sealed, sealed::look(house).await),
        told(Probe::Traces, traces::look(house).await),
        told(Probe::Orphans, orphans::look(house).await),
        told(Probe::Folder, folder::look(&house.facts)),
        disk::look(house),
        memory::look(house).await,
        peers::look(&house.facts.peers),
        told(Probe::Ledger, ledger::look(house).await),
        told(Probe::Receipts, receipts::look(house).await),
    ];
    Inside { findings, listen: house.facts.listen, process: std::process::id() }
}

/// A probe that cannot look finds nothing good.
fn told(probe: Probe, found: Result<Finding>) -> Finding {
    found.unwrap_or_else(|error| {
        let place = error.place.map(|place| format!(" ({place})")).unwrap_or_default();
        Finding::breach(probe, format!("this cannot be looked at: {error}{place}"))
    })
}

/// Audits, keeps the outcomes, and prints the report; the value is the exit status.
///
/// # Errors
/// Where the folder cannot be reached, or the outcomes cannot be kept.
pub(crate) async fn run(settings: Settings, asked: Audit) -> Result<i32> {
    let last = LastAudit::of(&settings.data);
    let place = Place::find(settings).await?;
    let inside = place.get(Request::Audit).await;
    let beside = matches!(place, Place::Beside(_));
    place.leave().await;
    let inside: Inside = serde_json::from_value(inside?)
        .map_err(|cause| Error::internal("an audit did not arrive whole").because(cause))?;
    let report = complete(inside, beside, &asked).await;
    last.replace(&report.summary())?;
    print(&if asked.json {
        serde_json::to_string_pretty(&report.json()?).unwrap_or_default()
    } else {
        report.text()
    })?;
    Ok(i32::from(report.has_breach()))
}

/// The probes that look from outside, put to the others in the order of a report.
async fn complete(inside: Inside, beside: bool, asked: &Audit) -> Report {
    let Inside { mut findings, listen, process } = inside;
    let server = beside.then_some(process);
    let headers_at = asked.headers_at.or(beside.then_some(listen));
    findings.push(sandbox::look(server));
    findings.push(log::look(asked.log_file.as_deref()));
    findings.push(headers::look(headers_at).await);
    findings.push(advisories::look(asked.advisories.as_deref()));
    findings.sort_by_key(|finding| finding.probe);
    Report { time: kernel::clock::utc_text(now()), findings }
}

fn now() -> kernel::clock::UnixSeconds {
    kernel::Clock::now(&kernel::SystemClock)
}
