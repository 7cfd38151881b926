//! This owns the long runs of suites that the tests run in short: the forensic one, which kills the program and searches its
//! disk, the canaries, which ask for everything and search every channel, and the ledger beside its oracle.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::{Done, SELECTION, root, runs};

/// A suite, and what can be set: each option with its variable and what is taken when nobody sets it.
pub(crate) struct Suite {
    name: &'static str,
    options: &'static [(&'static str, &'static str, &'static str)],
}

/// `--seeds N` kills, from `--seed S` on, each printed as it ends; to go on after a stop, give the seed it stopped at.
pub(crate) const FORENSICS: Suite = Suite {
    name: "forensics",
    options: &[("--seeds", "SAFELIGHT_FORENSIC_SEEDS", "200"), ("--seed", "SAFELIGHT_FORENSIC_FIRST", "1")],
};
/// `--rounds N` times everything is asked of one server, each round printed as it ends.
pub(crate) const CANARY: Suite =
    Suite { name: "canary", options: &[("--rounds", "SAFELIGHT_CANARY_ROUNDS", "10")] };

/// `--steps N` of lives that are cut off at any write, from life `--seed S` on.
pub(crate) const LEDGER: Suite = Suite {
    name: "simulation",
    options: &[
        ("--steps", "SAFELIGHT_SIMULATION_STEPS", "1000000"),
        ("--seed", "SAFELIGHT_SIMULATION_SEED", "1"),
    ],
};

impl Suite {
    /// Runs it with these words of the command line.
    pub(crate) fn run(&self, rest: &[String]) -> Done {
        let known = |word: &str| self.options.iter().any(|(option, ..)| *option == word);
        if let Some(word) = rest.iter().find(|word| !known(word) && word.parse::<u64>().is_err()) {
            let all: Vec<&str> = self.options.iter().map(|(option, ..)| *option).collect();
            return Err(format!("{word} is not known; it takes {}, each with a number", all.join(" and ")));
        }
        // In a view of mounts of its own, which ends with it: whatever stops it leaves no disk mounted.
        let alone = ["--mount", "cargo"];
        let (program, first) =
            if runs("unshare", &["--mount", "true"]) { ("unshare", &alone[..]) } else { ("cargo", &[][..]) };
        let mut command = Command::new(program);
        command.args(first).args(["test", "--quiet"]).args(SELECTION);
        command.args(["--test", self.name, "--", "--nocapture", "--test-threads=1"]);
        for (option, variable, otherwise) in self.options {
            command.env(variable, number(rest, option, otherwise)?);
        }
        let started = command.current_dir(root()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|cause| cause.to_string())?;
        let lines = child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
        for line in lines.map_while(Result::ok) {
            println!("{line}");
        }
        let ended = child.wait().map_err(|cause| cause.to_string())?;
        if ended.success() { Ok(()) } else { Err("something was found, or lost; see above".into()) }
    }
}

/// The number behind an option.
fn number(rest: &[String], option: &str, otherwise: &str) -> Result<String, String> {
    let place = rest.iter().position(|word| word == option);
    let value = place.map_or(Some(otherwise.to_owned()), |place| rest.get(place + 1).cloned());
    let number = value.filter(|text| text.parse::<u64>().is_ok_and(|number| number > 0));
    number.ok_or_else(|| format!("{option} takes a whole number from 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_refused_or_the_usual_one() {
        let number = |rest: &[&str]| {
            let rest: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
            number(&rest, "--seeds", "200")
        };
        assert_eq!(number(&["--seed", "7"]).unwrap(), "200");
        assert_eq!(number(&["--seeds", "12"]).unwrap(), "12");
        for wrong in [&["--seeds"][..], &["--seeds", "0"], &["--seeds", "many"]] {
            assert!(number(wrong).is_err());
        }
    }
}
