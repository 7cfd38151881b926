//! This owns the table of settings: their names, defaults and words, for the command line, the variables and the documentation.

use clap::Arg;

/// One setting, as documented and as read.
#[derive(Debug)]
pub struct Setting {
    /// Flag (`--name`), TOML key (`name`) and, in upper case with `SAFELIGHT_`, environment variable.
    pub name: &'static str,
    /// What is taken when nobody sets it; empty means none.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl Setting {
    /// The environment variable of this setting.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("SAFELIGHT_{}", self.name.replace('-', "_").to_uppercase())
    }
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, help }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    setting("data", "data", "Folder that holds everything: database, keys, sealed pictures, search index"),
    setting(
        "anchor",
        "",
        "Folder for the root of the keys, on a file system that overwrites in place; DATA unless set",
    ),
    setting(
        "anchor-check",
        "refuse",
        "refuse stops where overwriting the root would not erase it; accept goes on, and the site says so",
    ),
    setting(
        "swap-check",
        "refuse",
        "refuse stops where memory could be swapped to a disk; accept goes on, and the log and the doctor say so",
    ),
    setting("config", "", "TOML file with settings; DATA/safelight.toml is read if it exists"),
    setting("listen", "127.0.0.1:8080", "Address and port to serve on"),
    setting(
        "metrics",
        "",
        "Address and port to serve metrics on for Prometheus, such as 127.0.0.1:9464; empty for none, and never that of listen",
    ),
    setting(
        "trusted-proxies",
        "",
        "Networks of your own reverse proxies, such as 127.0.0.1,10.0.0.0/8: only their X-Forwarded-For is believed",
    ),
    setting(
        "public-url",
        "",
        "Address under which visitors reach the site; http://LISTEN unless set. https makes cookies Secure; passkeys want it, and a host with a name",
    ),
    setting("site-name", "Safelight", "Name of the site on every page"),
    setting("contact", "", "Email address or web page of the operator, shown on every page"),
    setting(
        "mail",
        "terminal",
        "How sign-in codes leave: smtp://USER:PASSWORD@HOST:PORT, smtps://…, dir:PATH or terminal",
    ),
    setting("mail-from", "Safelight <no-reply@localhost>", "The From line of sign-in mails"),
    setting(
        "sandbox",
        "try",
        "try locks the server in as far as the kernel can: its files, its ports, no other programs; require stops where that is not all of it; off does not",
    ),
    setting("log", "pretty", "Form of the log on standard error: pretty or json"),
    setting(
        "daily-credits",
        "20",
        "Credits granted to each member each day, for basic models; 0 grants none",
    ),
    setting(
        "welcome-credits",
        "0",
        "Credits granted once to each new account, for every model; who closes an account and comes back is new again",
    ),
    setting(
        "starter-gallery",
        "on",
        "on fills an empty gallery at first start with pictures made here; off leaves it empty",
    ),
    setting("drawing-threads", "1", "Pictures that the built-in engine draws at the same time"),
    setting(
        "picture-hosts",
        "pbs.twimg.com,images.meigen.ai",
        "Hosts from which an import may fetch the pictures of posts, by https; empty fetches none",
    ),
    setting(
        "openai-url",
        "",
        "Base address of an OpenAI-compatible image API, such as https://api.example.com/v1; empty for none",
    ),
    setting("openai-key", "", "Key for that API; better set by its variable than by its flag"),
    setting(
        "openai-models",
        "",
        "Models offered from that API with their price in credits, such as gpt-image-1=5,flux=2",
    ),
    setting(
        "packs",
        "",
        "Credits for sale with their prices, such as 100=5.00 EUR,500=20.00 EUR; empty sells none, and no page mentions payments",
    ),
    setting("stripe-key", "", "Key for payments by Stripe; better set by its variable than by its flag"),
    setting(
        "stripe-webhook-secrets",
        "",
        "Signing secret of the webhook, or, while it is replaced, the old and the new one with a comma; better set by its variable",
    ),
    setting("stripe-url", "https://api.stripe.com", "Another address of Stripe's API, for tests"),
];

/// The command-line arguments of [`SETTINGS`], for every command.
pub fn arguments() -> impl Iterator<Item = Arg> {
    SETTINGS.iter().map(|setting| {
        let arg = Arg::new(setting.name).long(setting.name).env(setting.variable()).global(true);
        let arg = arg.hide_env_values(true).help(setting.help).help_heading("Settings");
        if setting.default.is_empty() {
            arg
        } else {
            arg.long_help(format!("{} [default: {}]", setting.help, setting.default))
        }
    })
}

/// The settings as a Markdown table, for `docs/settings.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Settings\n\nGenerated by `cargo x docs`. A flag wins over its variable, a variable over the TOML file, the file over the default.\n\n| flag and TOML key | variable | default | what it does |\n|---|---|---|---|\n",
    );
    for setting in SETTINGS {
        let default =
            if setting.default.is_empty() { "–".to_owned() } else { format!("`{}`", setting.default) };
        page +=
            &format!("| `--{}` | `{}` | {default} | {} |\n", setting.name, setting.variable(), setting.help);
    }
    page
}

/// What is taken when nobody sets it.
pub(super) fn default_of(name: &str) -> &'static str {
    SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default)
}
