//! This owns the manners of every HTTP answer: who may post, what headers go out, how failures look, what is logged.
//! It holds no route of any slice.

mod client;
mod failure;
mod guard;
mod heard;
pub mod limits;
mod range;
mod rate;
mod visitor;

pub use client::{Client, Clients, Proxies, count_request, know_client};
pub use failure::{Door, Edge, Failure, Reply, edge};
pub use guard::{Guard, STRICT_HEADERS, refuse_foreign_posts, refuse_long_addresses, security_headers};
pub use heard::Heard;
pub use range::ByteRange;
pub(crate) use rate::DayKey;
pub use rate::{RateLimit, RateLimits, client_network};
pub use visitor::{Cookie, Html, Theme, Visitor};
