//! This owns the probe of what the running server has given up: new privileges and system calls it does not need.

use std::fs;

use trust::audit::{Finding, Probe};

/// What the kernel says of a process that cannot gain privileges, and of one whose calls are filtered.
const WANTED: [(&str, &str); 2] = [("NoNewPrivs", "1"), ("Seccomp", "2")];

pub(super) fn look(server: Option<u32>) -> Finding {
    let Some(process) = server else {
        return Finding::not_checked(Probe::Sandbox, "no server runs over this folder");
    };
    match fs::read_to_string(format!("/proc/{process}/status")) {
        Ok(status) => judge(&status),
        Err(_) => Finding::not_checked(
            Probe::Sandbox,
            "the server's process cannot be seen from here; run this in its container",
        ),
    }
}

fn judge(status: &str) -> Finding {
    let found = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map_or("unknown", str::trim)
    };
    let told: Vec<String> = WANTED.iter().map(|(name, _)| format!("{name} {}", found(name))).collect();
    let told = told.join(", ");
    if WANTED.iter().all(|(name, wanted)| found(name) == *wanted) {
        Finding::good(Probe::Sandbox, told)
    } else {
        Finding::breach(
            Probe::Sandbox,
            format!("the server runs without a sandbox ({told}); set sandbox to try, and use a newer kernel"),
        )
    }
}

#[cfg(test)]
mod tests {
    use trust::audit::Outcome;

    use super::*;

    #[test]
    fn only_what_the_kernel_says_counts() {
        let status = "Name:\tx\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n";
        assert_eq!(judge(status).outcome, Outcome::Good);
        for broken in [status.replace("Privs:\t1", "Privs:\t0"), status.replace("Seccomp:\t2", "Seccomp:\t0")]
        {
            assert_eq!(judge(&broken).outcome, Outcome::Breach);
        }
        assert_eq!(look(None).outcome, Outcome::NotChecked);
    }
}
