//! This owns credits on the account page: the buckets and the lines of the ledger.

use kernel::{Id, Locale, Result};
use platform::ui::{say, say_count};

use super::usage::UsageView;
use super::{Balance, Line};
use crate::{Accounts, day_text};

/// Ledger lines on the page.
const LINES_MAX: u32 = 60;

/// Credits, as the account page shows them.
pub(crate) struct CreditsSection {
    /// Key of each bucket's name, with its balance.
    pub(crate) buckets: Vec<(&'static str, u32)>,
    /// What was spent day by day.
    pub(crate) usage: UsageView,
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
            usage: self.usage_view(account).await?,
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
    LineView {
        day: day_text(line.day),
        what: line.words(locale),
        buckets: line.bucket_words(locale),
        amount: line.amount_text(),
    }
}

impl Line {
    /// What happened.
    #[must_use]
    pub fn words(&self, locale: Locale) -> String {
        say_count(locale, &format!("line-{}", self.reason), self.credits.into())
    }

    /// The buckets that changed.
    #[must_use]
    pub fn bucket_words(&self, locale: Locale) -> String {
        let names = self.buckets.split(',').map(|bucket| say(locale, &format!("bucket-{bucket}")));
        names.collect::<Vec<_>>().join(" + ")
    }

    /// What it changed, with a sign.
    #[must_use]
    pub fn amount_text(&self) -> String {
        if self.amount == 0 { "0".to_owned() } else { format!("{:+}", self.amount) }
    }
}
