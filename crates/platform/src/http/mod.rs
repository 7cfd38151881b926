//! This owns the manners of every HTTP answer: who may post, what headers go out, how failures look, what is logged.
//! It holds no route of any slice.

mod failure;
mod guard;
mod rate;
mod visitor;

pub use failure::{Door, Edge, Failure, Reply, edge};
pub use guard::{refuse_foreign_posts, security_headers};
pub(crate) use rate::DayKey;
pub use rate::{RateLimit, RateLimits, client_network};
pub use visitor::{Html, Theme, Visitor, cookie, expired_cookie, set_cookie};
