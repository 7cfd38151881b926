//! This owns `index.html` of an export: the same as its other files, for people, in their language. It needs no server, asks
//! nobody for anything and runs nothing.

use accounts::{Balance, DayUse, Line, day_text};
use askama::Template;
use kernel::clock::DAY_SECONDS;
use kernel::{Error, Locale, Result};
use platform::ui::{say, say_count};

use super::held::Held;
use super::packing::{Owner, Picture};

/// The page's own style. A file that is opened from a disk has no server to ask for one.
const STYLE: &str = concat!("<style>\n", include_str!("index.css"), "</style>");

/// What is shown.
pub(super) struct Shown<'a> {
    pub(super) owner: &'a Owner<'a>,
    pub(super) balance: Balance,
    /// The ledger, the newest first.
    pub(super) lines: &'a [Line],
    /// Days on which something was spent, the newest first.
    pub(super) usage: &'a [DayUse],
    pub(super) pictures: &'a [Picture],
    pub(super) held: &'a Held,
}

#[derive(Template)]
#[template(path = "export/index.html")]
struct IndexPage<'a> {
    locale: Locale,
    style: &'static str,
    site: &'a str,
    account: String,
    today: String,
    buckets: Vec<(&'static str, u32)>,
    lines: Vec<LineView>,
    usage: Vec<(String, u32, u32)>,
    days: Vec<Day<'a>>,
    held: &'a Held,
}

struct LineView {
    day: String,
    what: String,
    buckets: String,
    amount: String,
}

/// The pictures of a day.
struct Day<'a> {
    name: String,
    prints: Vec<Print<'a>>,
}

struct Print<'a> {
    file: &'a str,
    /// What is shown of it: its thumbnail, where there is one.
    small: &'a str,
    /// Width and height, where they are known.
    size: Option<(u32, u32)>,
    words: String,
}

impl IndexPage<'_> {
    fn t(&self, key: &str) -> String {
        say(self.locale, key)
    }

    fn count(&self, key: &str, number: &usize) -> String {
        say_count(self.locale, key, f64::from(u32::try_from(*number).unwrap_or(u32::MAX)))
    }
}

/// The page.
///
/// # Errors
/// `Internal` where it cannot be rendered.
pub(super) fn page(shown: &Shown<'_>) -> Result<String> {
    let Shown { owner, balance, lines, usage, pictures, held } = shown;
    let page = IndexPage {
        locale: owner.locale,
        style: STYLE,
        site: owner.site,
        account: owner.account.to_string(),
        today: day_text(owner.today),
        buckets: vec![
            ("bucket-daily", balance.daily),
            ("bucket-welcome", balance.welcome),
            ("bucket-purchased", balance.purchased),
            ("bucket-held", balance.held),
        ],
        lines: lines.iter().map(|line| line_view(owner.locale, line)).collect(),
        usage: usage.iter().map(|spent| (day_text(spent.day), spent.pictures, spent.credits)).collect(),
        days: days(owner.locale, pictures),
        held,
    };
    page.render().map_err(|cause| Error::internal("a page could not be rendered").because(cause))
}

fn line_view(locale: Locale, line: &Line) -> LineView {
    LineView {
        day: day_text(line.day),
        what: line.words(locale),
        buckets: line.bucket_words(locale),
        amount: line.amount_text(),
    }
}

fn days(locale: Locale, pictures: &[Picture]) -> Vec<Day<'_>> {
    let mut days: Vec<Day<'_>> = Vec::new();
    for picture in pictures {
        let made = picture.keepsake.made.as_ref();
        let day = day_text(picture.keepsake.created_at.div_euclid(DAY_SECONDS));
        let name = if made.is_some() { day } else { format!("{} · {day}", say(locale, "reference")) };
        let print = Print {
            file: &picture.name,
            small: picture.thumbnail.as_ref().map_or(&picture.name, |(name, _)| name),
            size: made.map(|made| (made.width, made.height)),
            words: made.map_or_else(|| say(locale, "reference"), |made| made.model.clone()),
        };
        match days.last_mut().filter(|day| day.name == name) {
            Some(day) => day.prints.push(print),
            None => days.push(Day { name, prints: vec![print] }),
        }
    }
    days
}
