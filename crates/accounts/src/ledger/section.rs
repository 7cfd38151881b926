//! This owns credits on the account page: the buckets and the lines of the ledger.

use kernel::{Id, Locale, Result};
use platform::ui::{say, say_count};

use super::{Balance, Line};
use crate::{Accounts, day_text};

/// Ledger lines on the page.
const LINES_MAX: u32 = 60;

/// Credits, as the account page shows them.
pub(crate) struct CreditsSection {
    /// Key of each bucket's name, with its balance.
    pub(crate) buckets: Vec<(&'static str, u32)>,
    /// The ledger, the newest first.
    pub(crate) lines: Vec<LineView>,
}

/// A ledger line.
pub(crate) struct LineView {
    pub(crate) day: String,
    /// What happened, in words.
    pub(crate) what: String,
    /// The buckets that changed, in words.
    pub(crate) buckets: String,
    /// With a sign.
    pub(crate) amount: String,
}

impl Accounts {
    pub(crate) async fn credits_section(&self, account: Id, locale: Locale) -> Result<CreditsSection> {
        let lines = self.ledger.lines(account, LINES_MAX).await?;
        Ok(CreditsSection {
            buckets: buckets(self.ledger.balance(account).await?),
            lines: lines.iter().map(|line| line_view(locale, line)).collect(),
        })
    }
}

/// The buckets to show: the daily one, and others that have something in them.
fn buckets(balance: Balance) -> Vec<(&'static str, u32)> {
    let others = [
        ("bucket-welcome", balance.welcome),
        ("bucket-purchased", balance.purchased),
        ("bucket-held", balance.held),
        ("bucket-owed", balance.owed),
    ];
    let filled = others.into_iter().filter(|(_, credits)| *credits > 0);
    [("bucket-daily", balance.daily)].into_iter().chain(filled).collect()
}

fn line_view(locale: Locale, line: &Line) -> LineView {
    let names = line.buckets.split(',').map(|bucket| say(locale, &format!("bucket-{bucket}")));
    LineView {
        day: day_text(line.day),
        what: say_count(locale, &format!("line-{}", line.reason), line.credits.into()),
        buckets: names.collect::<Vec<_>>().join(" + "),
        amount: if line.amount == 0 { "0".to_owned() } else { format!("{:+}", line.amount) },
    }
}
