//! This owns the operator's check-up: what this machine and this data folder look like, in words, with what to do.

mod engines;

use kernel::Result;
use platform::log::Word;
use platform::sandbox::{self, Reach, Sandbox};
use serde_json::{Value, json};

use crate::audit::{Unmatched, unmatched};
use crate::house::House;

struct Check {
    name: &'static str,
    /// Nothing is wrong.
    good: bool,
    words: String,
}

/// Looks at everything that can be looked at; files without a key are swept on the way.
///
/// # Errors
/// As every read.
pub(crate) async fn examine(house: &House) -> Result<Value> {
    let mut checks = vec![
        anchor(house),
        memory(house).await,
        sandbox(house)?,
        keys(house).await?,
        files(house).await?,
        sweep(house).await?,
        ledger(house).await?,
    ];
    checks.extend(engines::examine(house).await);
    let good = checks.iter().all(|check| check.good);
    let checks: Vec<Value> = checks
        .into_iter()
        .map(|check| json!({ "check": check.name, "good": check.good, "words": check.words }))
        .collect();
    Ok(json!({ "good": good, "checks": checks }))
}

fn anchor(house: &House) -> Check {
    let good = house.anchor.objection.is_none();
    let advice = if good { "" } else { "; give the root another folder with --anchor" };
    Check { name: "disk", good, words: format!("{}{advice}", house.anchor.words()) }
}

async fn memory(house: &House) -> Check {
    let root = house.keys.root_is_locked().await;
    let root_words = if root {
        "the root is kept out of swap and core dumps"
    } else {
        "the root could be swapped out or dumped; let the program lock memory (ulimit -l, or LimitMEMLOCK= of systemd)"
    };
    let safe = house.memory.require().is_ok();
    let advice = if safe { "" } else { "; let the program lock all of its memory, or switch swap off" };
    Check {
        name: "memory",
        good: root && safe,
        words: format!("{root_words}; {}{advice}", house.memory.words()),
    }
}

/// What holds the server; where none runs, what would hold one.
fn sandbox(house: &House) -> Result<Check> {
    let (whom, held) = match house.sandbox {
        Some(held) => ("the server is", held),
        None => ("a server would be", sandbox::try_out(&Reach::default(), |held: Sandbox| held)?),
    };
    let parts = match (held.landlock, held.calls) {
        (Some(version), Some(calls)) => {
            format!(
                "kept to its files and ports by Landlock {version}, and from {calls} system calls by seccomp"
            )
        }
        (Some(version), None) => format!("kept to its files and ports by Landlock {version} alone"),
        (None, Some(calls)) => format!("kept from {calls} system calls by seccomp alone"),
        (None, None) => "held by nothing; set sandbox to try, or update the kernel".to_owned(),
    };
    let words = std::iter::once(format!("{whom} {parts}"))
        .chain(held.gaps().into_iter().map(|gap| gap.word().to_owned()));
    Ok(Check { name: "sandbox", good: held.holds(), words: words.collect::<Vec<_>>().join("; ") })
}

/// A key and its row come and go together; one without the other is a defect, or a hand in the database.
async fn keys(house: &House) -> Result<Check> {
    let Unmatched { keys, keyless, rowless } = unmatched(house).await?;
    let epoch = house.keys.epoch().await;
    let words = format!(
        "{keys} keys after {epoch} turns; {keyless} rows without a key, {rowless} keys without a row"
    );
    Ok(Check { name: "keys", good: keyless + rowless == 0, words })
}

async fn files(house: &House) -> Result<Check> {
    let (swept, missing) = house.reconcile_files().await?;
    let advice = if missing == 0 { "" } else { "; restore them from a backup, or delete their records" };
    let words =
        format!("{missing} pictures without a file{advice}; {swept} records without a key, swept now");
    Ok(Check { name: "files", good: missing == 0, words })
}

async fn sweep(house: &House) -> Result<Check> {
    let waiting = house.blobs.count_unswept().await?;
    let advice = if waiting == 0 {
        ""
    } else {
        "; they are tried again every hour, check the disk and the owner of the folder"
    };
    Ok(Check {
        name: "sweep",
        good: waiting == 0,
        words: format!("{waiting} erased records with files left{advice}"),
    })
}

async fn ledger(house: &House) -> Result<Check> {
    let proof = house.accounts.ledger().check(house.keys.site()).await?;
    Ok(Check { name: "ledger", good: proof.holds(), words: proof.to_string() })
}

/// The findings as lines for a terminal.
#[must_use]
pub(crate) fn text(found: &Value) -> String {
    let checks = found.get("checks").and_then(Value::as_array).into_iter().flatten();
    let lines = checks.map(|check| {
        let word = |name: &str| check.get(name).and_then(Value::as_str).unwrap_or_default();
        let mark = if check.get("good") == Some(&Value::Bool(true)) { "good" } else { "BAD " };
        format!("{mark}  {:<8}{}", word("check"), word("words"))
    });
    lines.collect::<Vec<_>>().join("\n")
}
