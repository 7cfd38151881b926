//! This owns what every slice stands on: settings, the data folder, SQL, blobs, mail, HTTP manners, pages, counters and the log.
//! It does not know accounts, artworks or generations.

pub mod backup;
pub mod blobs;
pub mod config;
pub mod db;
pub mod export;
pub mod folder;
pub mod http;
pub mod inspect;
pub mod keys;
pub mod log;
pub mod mail;
pub mod outgoing;
pub mod payments;
mod reserve;
pub mod sandbox;
pub mod shelf;
pub mod statistics;
pub mod ui;
