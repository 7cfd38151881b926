//! This owns the operator's desk: what is asked about one address, credits granted to it, and vouchers. What is typed here
//! comes from standard input, since an argument stays in the shell's history and is seen by others on the machine.

mod text;
mod typed;

use accounts::{LookReason, NewVouchers};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use kernel::Result;
use platform::config::Settings;
use serde_json::Value;

use crate::command::{Place, pretty, print};
use crate::operator::{Desk, Request};

pub use text::disclosure as disclosure_text;

/// What is typed, as it is asked for at the terminal.
const ADDRESS: &str = "Email address";
const CODES: &str = "Voucher codes, one a line, and Ctrl-D";

/// A look at one address, which is asked for, or read from standard input.
#[derive(Args)]
pub(crate) struct Asked {
    /// Why; the account is told.
    #[arg(long, value_parser = reasons())]
    reason: LookReason,
    #[command(flatten)]
    form: Form,
}

/// How an answer is printed.
#[derive(Args)]
pub(crate) struct Form {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Form {
    fn print(&self, answer: &Value, text: fn(&Value) -> String) -> Result<i32> {
        print(&if self.json { pretty(answer) } else { text(answer) }).map(|()| 0)
    }
}

/// What the operator does with vouchers.
#[derive(Subcommand)]
pub(crate) enum Voucher {
    /// Make vouchers, and print their codes this once.
    Create {
        /// Credits of each.
        #[arg(long)]
        credits: u32,
        /// How many.
        #[arg(long)]
        count: u32,
        /// Days for which they are good.
        #[arg(long, value_name = "DAYS", default_value_t = 365)]
        expires_in_days: u32,
        #[command(flatten)]
        form: Form,
    },
    /// Say how many are open, used, voided and expired; codes are not kept.
    List {
        #[command(flatten)]
        form: Form,
    },
    /// Take the worth of vouchers; their codes are asked for, or read from standard input.
    Void,
}

fn reasons() -> impl TypedValueParser<Value = LookReason> {
    PossibleValuesParser::new(LookReason::ALL.map(LookReason::name))
        .try_map(|name| LookReason::from_name(&name).ok_or("no such reason"))
}

/// `safelight inquiry`.
pub(crate) async fn inquire(settings: Settings, asked: Asked) -> Result<i32> {
    let Asked { reason, form } = asked;
    let found = ask(settings, Desk::Inquire { address: typed::line(ADDRESS)?, reason }).await?;
    form.print(&found, text::inquiry)
}

/// `safelight disclose`.
pub(crate) async fn disclose(settings: Settings, asked: Asked) -> Result<i32> {
    let Asked { reason, form } = asked;
    let held = ask(settings, Desk::Disclose { address: typed::line(ADDRESS)?, reason }).await?;
    form.print(&held, text::disclosure)
}

/// `safelight account grant`.
pub(crate) async fn grant(settings: Settings, credits: i64) -> Result<i32> {
    ask(settings, Desk::Grant { address: typed::line(ADDRESS)?, credits }).await?;
    print(&format!("Granted {credits} credits.")).map(|()| 0)
}

/// `safelight voucher`.
pub(crate) async fn vouchers(settings: Settings, asked: Voucher) -> Result<i32> {
    match asked {
        Voucher::Create { credits, count, expires_in_days, form } => {
            let new = NewVouchers { credits, count, days: expires_in_days };
            let codes = ask(settings, Desk::CreateVouchers(new)).await?;
            form.print(&codes, text::codes)
        }
        Voucher::List { form } => form.print(&ask(settings, Desk::CountVouchers).await?, text::vouchers),
        Voucher::Void => {
            let codes = typed::lines(CODES)?;
            let given = codes.len();
            let voided = ask(settings, Desk::VoidVouchers { codes }).await?;
            let voided = voided.get("voided").and_then(Value::as_u64).unwrap_or_default();
            print(&format!("Voided {voided} of {given} vouchers. The others were not open.")).map(|()| 0)
        }
    }
}

async fn ask(settings: Settings, asked: Desk) -> Result<Value> {
    let place = Place::find(settings).await?;
    let answer = place.get(Request::Desk(asked)).await;
    place.leave().await;
    answer
}
