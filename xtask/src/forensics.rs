//! This owns the long run of the forensic suite: the program killed at many seeded points, every byte of its disk searched.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::{Done, SELECTION, root, runs};

/// Kills where nobody says how many.
const SEEDS: &str = "200";

/// `--seeds N` kills, from `--seed S` on, each printed as it ends; to go on after a stop, give the seed it stopped at.
pub(crate) fn forensics(rest: &[String]) -> Done {
    let value = |name: &str, otherwise: &str| {
        let place = rest.iter().position(|word| word == name);
        let value = place.map_or(Some(otherwise.to_owned()), |place| rest.get(place + 1).cloned());
        let number = value.filter(|text| text.parse::<u64>().is_ok_and(|number| number > 0));
        number.ok_or_else(|| format!("{name} takes a whole number from 1"))
    };
    let known = |word: &String| ["--seeds", "--seed"].contains(&word.as_str()) || word.parse::<u64>().is_ok();
    if let Some(word) = rest.iter().find(|word| !known(word)) {
        return Err(format!("{word} is not known; it takes --seeds N and --seed S"));
    }
    // In a view of mounts of its own, which ends with it: whatever stops it leaves no disk mounted.
    let alone = ["--mount", "cargo"];
    let (program, first) =
        if runs("unshare", &["--mount", "true"]) { ("unshare", &alone[..]) } else { ("cargo", &[][..]) };
    let mut command = Command::new(program);
    command.args(first).args(["test", "--quiet"]).args(SELECTION).args([
        "--test",
        "forensics",
        "--",
        "--nocapture",
        "--test-threads=1",
    ]);
    command.env("SAFELIGHT_FORENSIC_SEEDS", value("--seeds", SEEDS)?);
    command.env("SAFELIGHT_FORENSIC_FIRST", value("--seed", "1")?);
    let started = command.current_dir(root()).stdout(Stdio::piped()).spawn();
    let mut child = started.map_err(|cause| cause.to_string())?;
    for line in
        child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok)
    {
        println!("{line}");
    }
    let ended = child.wait().map_err(|cause| cause.to_string())?;
    if ended.success() { Ok(()) } else { Err("something was found, or lost; see above".into()) }
}
