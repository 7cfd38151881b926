//! This owns the probe of outgoing connections: who the settings let the program speak to, and whether others could listen.

use std::net::IpAddr;

use platform::config::Settings;
use platform::mail::Route;
use trust::audit::{Finding, Probe};

/// Someone whom the program speaks to.
#[derive(Debug)]
pub(crate) struct Peer {
    host: String,
    setting: &'static str,
    /// Others on the way can read what is said.
    in_the_clear: bool,
}

impl Peer {
    /// The peer of an address; nothing of it but scheme and host is kept.
    fn of(setting: &'static str, url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let (authority, options) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
        let host = authority.rsplit('@').next().unwrap_or_default();
        let encrypted = matches!(scheme, "https" | "smtps") || options.contains("tls=required");
        Self { host: host.to_owned(), setting, in_the_clear: !encrypted && !is_here(host) }
    }
}

/// Whether an address is on this machine.
fn is_here(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Everyone whom these settings name.
pub(super) fn of(settings: &Settings) -> Vec<Peer> {
    let mail = match &settings.mail {
        Route::Smtp(url) => Some(Peer::of("mail", url)),
        Route::Folder(_) | Route::Terminal => None,
    };
    let engine = settings.remote.iter().map(|api| Peer::of("openai-url", &api.url));
    let pictures = settings.picture_hosts.iter().map(|host| Peer::of("picture-hosts", host));
    mail.into_iter().chain(engine).chain(pictures).collect()
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
        for (url, host, clear) in [
            ("smtp://ada:secret@mail.example:587", "mail.example:587", true),
            ("smtp://ada:secret@mail.example?tls=required", "mail.example", false),
            ("smtps://mail.example", "mail.example", false),
            ("http://127.0.0.1:8188/v1", "127.0.0.1:8188", false),
            ("http://[::1]:8188/v1", "[::1]:8188", false),
            ("http://engine.example/v1", "engine.example", true),
            ("pictures.example", "pictures.example", false),
        ] {
            let peer = Peer::of("x", url);
            assert_eq!((peer.host.as_str(), peer.in_the_clear), (host, clear), "{url}");
        }
    }
}
