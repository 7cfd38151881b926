//! This owns the step from settings to the list of those the program speaks to; `outgoing` holds everyone to it.

pub use outgoing::{Outgoing, Peer, Purpose, Scheme};

use crate::config::Settings;
use crate::mail::Route;

/// Everyone these settings let the program speak to, and nobody else.
#[must_use]
pub fn peers(settings: &Settings) -> Vec<Peer> {
    let mail = match &settings.mail {
        Route::Smtp(server) => Some(server.peer()),
        Route::Folder(_) | Route::Terminal => None,
    };
    let engine = settings.remote.iter().filter_map(|api| Peer::at(&api.url, Purpose::Engine, "openai-url"));
    let pictures = settings.picture_hosts.iter();
    let pictures = pictures.filter_map(|host| Peer::at(host, Purpose::PictureSource, "picture-hosts"));
    let payment = settings.payments.iter();
    let payment = payment.filter_map(|payments| Peer::at(&payments.url, Purpose::Payment, "stripe-url"));
    mail.into_iter().chain(engine).chain(pictures).chain(payment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Vec<String> {
        let command = clap::Command::new("t").args(crate::config::arguments());
        let settings = Settings::resolve(&command.get_matches_from([&["t"], args].concat())).unwrap();
        peers(&settings)
            .iter()
            .map(|peer| format!("{} {peer} by {}", peer.purpose.name(), peer.setting))
            .collect()
    }

    #[test]
    fn the_settings_name_everyone_there_is_to_speak_to() {
        assert_eq!(
            of(&[]),
            [
                "picture source https://pbs.twimg.com:443 by picture-hosts",
                "picture source https://images.meigen.ai:443 by picture-hosts"
            ]
        );
        assert_eq!(of(&["--picture-hosts", "", "--mail", "dir:mail"]), [""; 0]);
        assert_eq!(
            of(&[
                "--picture-hosts=Pictures.Example:8443",
                "--mail=smtp://ada:secret@Mail.Example?tls=required",
                "--openai-url=http://[::1]:8188/v1/",
                "--openai-models=m=1"
            ]),
            [
                "mail smtp://mail.example:587 by mail",
                "engine http://[::1]:8188 by openai-url",
                "picture source https://pictures.example:8443 by picture-hosts"
            ]
        );
        assert_eq!(
            of(&["--picture-hosts=", "--packs=9=1 EUR", "--stripe-key=k", "--stripe-webhook-secrets=s"]),
            ["payment https://api.stripe.com:443 by stripe-url"]
        );
        assert_eq!(
            of(&["--picture-hosts", "", "--mail", "smtps://mail.example"])[0],
            "mail smtps://mail.example:465 by mail"
        );
    }
}
