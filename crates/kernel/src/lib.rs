//! This owns the words every other crate speaks: ids, time, errors, limits and private values.
//! It does not know SQL, HTTP, files or tokio.

pub mod address;
pub mod clock;
pub mod credential;
pub mod crockford;
pub mod error;
pub mod id;
pub mod limits;
pub mod locale;
pub mod private;
pub mod prompt;
pub mod ratio;
pub mod typed;

pub use address::EmailAddress;
pub use clock::{Clock, SystemClock};
pub use credential::{ApiKey, SignInCode, Token, VoucherCode};
pub use error::{Error, Kind, Result};
pub use id::Id;
pub use locale::Locale;
pub use private::{Private, Secret, purpose};
pub use prompt::Prompt;
pub use ratio::Ratio;
pub use typed::Typed;
