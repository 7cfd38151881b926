//! This owns faults that are planted into the ledger on purpose: the oracle has to notice each.

use accounts::Terms;
use accounts::ledger::Reason;
use kernel::Id;
use kernel::clock::DAY_SECONDS;

use crate::world::{Step, Verdict, World};

/// What is done instead of what should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    CaptureGivesBack,
    ReleaseTakes,
    CaptureIsForgotten,
    GrantCountsTwice,
    GrantIsLost,
    VoucherGivesOneMore,
    RefundForgetsWhatIsSpent,
    HoldTakesFromAnyBucket,
    DailyCreditsLast,
    DailyCreditsComeTwice,
    HoldsOutliveACrash,
    HoldsDoNotLapse,
    RenewDoesNothing,
    ClosedAccountsKeepCredits,
    BalanceWithoutTransfer,
    PastIsRewritten,
    DebtIsNotPaidOff,
}

/// All of them.
pub(crate) const FAULTS: [Fault; 17] = [
    Fault::CaptureGivesBack,
    Fault::ReleaseTakes,
    Fault::CaptureIsForgotten,
    Fault::GrantCountsTwice,
    Fault::GrantIsLost,
    Fault::VoucherGivesOneMore,
    Fault::RefundForgetsWhatIsSpent,
    Fault::HoldTakesFromAnyBucket,
    Fault::DailyCreditsLast,
    Fault::DailyCreditsComeTwice,
    Fault::HoldsOutliveACrash,
    Fault::HoldsDoNotLapse,
    Fault::RenewDoesNothing,
    Fault::ClosedAccountsKeepCredits,
    Fault::BalanceWithoutTransfer,
    Fault::PastIsRewritten,
    Fault::DebtIsNotPaidOff,
];

impl Fault {
    /// Takes a step wrongly in the ledger and rightly in the oracle; none for a step that this fault leaves alone.
    pub(crate) async fn take(self, world: &mut World, step: Step) -> Option<Verdict> {
        match (self, step) {
            (Self::CaptureGivesBack, Step::Capture(place)) => {
                let hold = world.model.waits.get(place)?.id;
                world.write(async |ledger, writing| ledger.release(writing, hold).await).await;
                world.model.end(place, true);
            }
            (Self::ReleaseTakes, Step::Release(place)) => {
                let hold = world.model.waits.get(place)?.id;
                world.write(async |ledger, writing| ledger.capture(writing, hold).await).await;
                world.model.end(place, false);
            }
            (Self::CaptureIsForgotten, Step::Capture(place)) => drop(world.model.end(place, true)),
            (Self::RenewDoesNothing, Step::Renew(place)) => drop(world.model.renew(place)),
            (Self::HoldsDoNotLapse, Step::Lapse) => drop(world.model.lapse(world.model.now)),
            (Self::GrantCountsTwice, Step::Grant(account, credits)) => {
                let change = i64::from(credits) * 2;
                self.adjust(world, (account, credits.into()), change, Reason::Grant).await;
            }
            (Self::GrantIsLost, Step::Grant(account, credits)) => {
                world.model.adjust(Some(account), credits.into(), Reason::Grant);
            }
            (Self::VoucherGivesOneMore, Step::Adjust(Some(account), change, Reason::Voucher)) => {
                self.adjust(world, (account, change), change + 1, Reason::Voucher).await;
            }
            (Self::RefundForgetsWhatIsSpent, Step::Adjust(Some(account), change, Reason::Refund)) => {
                let there = world.model.purses.get(&account)?.purchased;
                self.adjust(world, (account, change), change.max(-there), Reason::Refund).await;
            }
            (Self::HoldTakesFromAnyBucket, Step::Hold(account, credits, Terms::PurchasedOnly)) => {
                let parts = world.model.hold(account, credits.into(), Terms::PurchasedOnly)?;
                let hold = async |ledger: &accounts::Ledger, writing: &mut _| {
                    ledger.hold(writing, account, credits, Terms::DailyFirst).await
                };
                let hold = world.write(hold).await;
                world.model.wait(hold, account, parts);
            }
            _ => return self.tamper(world, step).await,
        }
        Some(Ok(()))
    }

    async fn adjust(self, world: &mut World, (account, right): (Id, i64), wrong: i64, reason: Reason) {
        world.model.adjust(Some(account), right, reason);
        world.write(async |ledger, writing| ledger.adjust(writing, Some(account), wrong, reason).await).await;
    }

    /// Changes rows behind the ledger's back.
    async fn tamper(self, world: &mut World, step: Step) -> Option<Verdict> {
        let (statement, account) = match (self, step) {
            (Self::DailyCreditsLast, Step::Pass(DAY_SECONDS)) => (
                "UPDATE book SET granted_day = granted_day + 1 WHERE kind = 'daily' AND granted_day > 0",
                None,
            ),
            (Self::DailyCreditsComeTwice, Step::Read(account)) => {
                ("UPDATE book SET granted_day = 1 WHERE kind = 'daily' AND account = ?", Some(account))
            }
            (Self::ClosedAccountsKeepCredits, Step::Close(account)) => {
                world.model.close(account);
                ("UPDATE book SET account = NULL WHERE account = ?", Some(account))
            }
            (Self::BalanceWithoutTransfer, Step::Read(_)) => (
                "UPDATE book SET balance = balance + CASE kind WHEN 'spent' THEN 1 ELSE -1 END \
                 WHERE account IS NULL AND kind IN ('spent', 'issued')",
                None,
            ),
            (Self::PastIsRewritten, Step::Renew(_)) => (
                "DROP TRIGGER IF EXISTS transfer_stays; UPDATE transfer SET day = day - 1 WHERE id = 1",
                None,
            ),
            (Self::DebtIsNotPaidOff, Step::Adjust(Some(account), change, Reason::Purchase)) => {
                world.model.adjust(Some(account), change, Reason::Purchase);
                let insert = "INSERT INTO transfer (debit, credit, amount, reason, day) \
                    SELECT s.id, p.id, ?2, 'purchase', 0 FROM book s, book p \
                    WHERE s.kind = 'sold' AND p.kind = 'purchased' AND p.account = ?1";
                world.run(sqlx::query(insert).bind(account.as_bytes().to_vec()).bind(change)).await;
                return Some(Ok(()));
            }
            _ => return None,
        };
        for statement in statement.split(';') {
            let query = sqlx::query(statement);
            world
                .run(match account {
                    Some(account) => query.bind(account.as_bytes().to_vec()),
                    None => query,
                })
                .await;
        }
        // What was tampered with is met by the step itself, where there is one.
        (self != Self::DailyCreditsLast && self != Self::DailyCreditsComeTwice).then_some(Ok(()))
    }
}
