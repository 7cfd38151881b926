//! This owns looks of the operator on the account page.

use kernel::{Id, Result};

use crate::{Accounts, day_text};

/// Looks on the page; the export has all.
const SHOWN_MAX: u32 = 200;

/// Looks, as the account page shows them.
pub(crate) struct LooksSection {
    pub(crate) looks: Vec<LookView>,
}

/// A look.
pub(crate) struct LookView {
    pub(crate) day: String,
    /// Key of what was asked for.
    pub(crate) kind: String,
    /// Key of why.
    pub(crate) reason: String,
}

impl Accounts {
    pub(crate) async fn looks_section(&self, account: Id) -> Result<LooksSection> {
        let view = |look: super::Look| LookView {
            day: day_text(look.day),
            kind: format!("look-{}", look.kind),
            reason: format!("reason-{}", look.reason),
        };
        Ok(LooksSection { looks: self.looks(account, SHOWN_MAX).await?.into_iter().map(view).collect() })
    }
}
