//! This owns the probe of outgoing connections: who the settings let the program speak to, and whether others could listen.

use std::net::IpAddr;

use platform::config::Settings;
use platform::mail::Route;
use platform::outgoing::{self, Scheme};
use trust::audit::{Finding, Probe};

/// Someone whom the program speaks to.
#[derive(Debug)]
pub(crate) struct Peer {
    host: String,
    setting: &'static str,
    /// Others on the way can read what is said.
    in_the_clear: bool,
}

/// Whether an address is on this machine.
fn is_here(host: &str) -> bool {
    let name = host.trim_matches(['[', ']']);
    name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Everyone whom these settings name.
pub(super) fn of(settings: &Settings) -> Vec<Peer> {
    let mail_is_secret = matches!(&settings.mail, Route::Smtp(server) if server.requires_tls());
    let peer = |peer: outgoing::Peer| {
        let encrypted = match peer.scheme {
            Scheme::Https | Scheme::Smtps => true,
            Scheme::Smtp => mail_is_secret,
            Scheme::Http => false,
        };
        let host = format!("{}:{}", peer.host, peer.port);
        Peer { host, setting: peer.setting, in_the_clear: !encrypted && !is_here(&peer.host) }
    };
    outgoing::peers(settings).into_iter().map(peer).collect()
}

pub(super) fn look(peers: &[Peer]) -> Finding {
    let named = |peer: &Peer| format!("{} ({})", peer.host, peer.setting);
    let open: Vec<String> = peers
        .iter()
        .filter(|peer| peer.in_the_clear)
        .map(|peer| format!("others can read what is said to {}", named(peer)))
        .collect();
    let all: Vec<String> = peers.iter().map(named).collect();
    let good =
        if all.is_empty() { "it speaks to nobody".to_owned() } else { format!("only {}", all.join(", ")) };
    Finding::of(Probe::Peers, &open, good, "use https:// or smtps:// there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_its_host_and_whether_others_can_listen() {
        for (setting, host, clear) in [
            ("--mail=smtp://ada:secret@mail.example:587", "mail.example:587", true),
            ("--mail=smtp://ada:secret@mail.example?tls=required", "mail.example:587", false),
            ("--mail=smtps://mail.example", "mail.example:465", false),
            ("--openai-url=http://127.0.0.1:8188/v1", "127.0.0.1:8188", false),
            ("--openai-url=http://[::1]:8188/v1", "[::1]:8188", false),
            ("--openai-url=http://engine.example/v1", "engine.example:80", true),
        ] {
            let args = ["t", "--picture-hosts=", "--openai-models=m=1", setting];
            let command = clap::Command::new("t").args(platform::config::arguments());
            let settings = Settings::resolve(&command.get_matches_from(args)).unwrap();
            let found = of(&settings).pop().unwrap();
            assert_eq!((found.host.as_str(), found.in_the_clear), (host, clear), "{setting}");
        }
    }
}
