//! This owns the settings: one table, read from flags, `SAFELIGHT_*` variables and one TOML file, in this order.
//! It does not act on them.

mod table;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ArgMatches;
use kernel::{Error, Kind, Result, Secret};
use outgoing::Url;

use crate::http::Proxies;
use crate::log::Form;
use crate::mail::Route;
use crate::payments::Payments;
use crate::sandbox::Mode;
use table::default_of;
pub use table::{SETTINGS, Setting, arguments, markdown};

/// Name of the file with the root of the keys.
const ROOT_FILE: &str = "root";

/// A remote model and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteModel {
    /// Id at the remote API.
    pub id: String,
    /// Credits for one picture.
    pub credits: u32,
}

/// An OpenAI-compatible API that the operator has chosen.
#[derive(Debug)]
pub struct RemoteApi {
    /// Base address, with a slash at its end.
    pub url: Url,
    /// Its key, if it wants one.
    pub key: Option<Secret<String>>,
    /// What it offers.
    pub models: Vec<RemoteModel>,
}

/// The settings, parsed.
#[derive(Debug)]
#[allow(missing_docs)] // Each stands in SETTINGS with its help text.
pub struct Settings {
    pub data: PathBuf,
    pub anchor: Option<PathBuf>,
    pub anchor_check: Stance,
    pub swap_check: Stance,
    pub listen: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub trusted_proxies: Proxies,
    pub public_url: String,
    pub site_name: String,
    pub contact: Option<String>,
    pub mail: Route,
    pub mail_from: String,
    pub sandbox: Mode,
    pub log: Form,
    pub daily_credits: u32,
    pub welcome_credits: u32,
    pub starter_gallery: Switch,
    pub drawing_threads: usize,
    pub picture_hosts: Vec<Url>,
    pub remote: Option<RemoteApi>,
    pub payments: Option<Payments>,
}

/// What to do where this machine cannot keep a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// Stop.
    Refuse,
    /// Go on, and say so.
    Accept,
}

impl FromStr for Stance {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "accept" => Ok(Self::Accept),
            _ => Err(Error::new(Kind::Invalid, "refuse or accept")),
        }
    }
}

/// Whether a part is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl FromStr for Switch {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(Error::new(Kind::Invalid, "on or off")),
        }
    }
}

impl Settings {
    /// Reads the settings from the command line, the environment and the TOML file.
    ///
    /// # Errors
    /// `Invalid` with the name of the setting and what it should look like.
    pub fn resolve(matches: &ArgMatches) -> Result<Self> {
        let given = |name: &str| matches.get_one::<String>(name).cloned();
        let data = PathBuf::from(given("data").unwrap_or_else(|| "data".into()));
        let file = read_file(given("config").as_deref(), &data)?;
        let value = |name: &'static str| {
            given(name).or_else(|| file.get(name).map(text_of)).unwrap_or_else(|| default_of(name).to_owned())
        };
        let listen: SocketAddr =
            parse("listen", &value("listen"), "an address and port such as 127.0.0.1:8080")?;
        let public_url = match value("public-url") {
            url if url.is_empty() => format!("http://{listen}"),
            url if url.starts_with("http://") || url.starts_with("https://") => {
                url.trim_end_matches('/').to_owned()
            }
            _ => return Err(wrong("public-url", "an address such as https://pictures.example.org")),
        };
        Ok(Self {
            anchor: Some(PathBuf::from(value("anchor"))).filter(|path| path != Path::new("")),
            anchor_check: parse("anchor-check", &value("anchor-check"), "refuse or accept")?,
            swap_check: parse("swap-check", &value("swap-check"), "refuse or accept")?,
            data,
            listen,
            metrics: metrics(&value("metrics"), listen)?,
            trusted_proxies: parse(
                "trusted-proxies",
                &value("trusted-proxies"),
                "networks such as 127.0.0.1,10.0.0.0/8",
            )?,
            public_url,
            site_name: value("site-name"),
            contact: Some(value("contact")).filter(|contact| !contact.is_empty()),
            mail: value("mail").parse()?,
            mail_from: value("mail-from"),
            sandbox: parse("sandbox", &value("sandbox"), "try, require or off")?,
            log: match value("log").as_str() {
                "pretty" => Form::Pretty,
                "json" => Form::Json,
                _ => return Err(wrong("log", "pretty or json")),
            },
            daily_credits: parse("daily-credits", &value("daily-credits"), "a whole number of credits")?,
            welcome_credits: parse(
                "welcome-credits",
                &value("welcome-credits"),
                "a whole number of credits",
            )?,
            starter_gallery: parse("starter-gallery", &value("starter-gallery"), "on or off")?,
            drawing_threads: match parse(
                "drawing-threads",
                &value("drawing-threads"),
                "a number from 1 to 64",
            )? {
                threads @ 1..=64 => threads,
                _ => return Err(wrong("drawing-threads", "a number from 1 to 64")),
            },
            picture_hosts: picture_hosts(&value("picture-hosts"))?,
            remote: remote(&value("openai-url"), value("openai-key"), &value("openai-models"))?,
            payments: Payments::of(value)?,
        })
    }
}

impl Settings {
    /// Folder of the root of the keys.
    #[must_use]
    pub fn anchor(&self) -> &Path {
        self.anchor.as_deref().unwrap_or(&self.data)
    }

    /// The file with the root of the keys.
    #[must_use]
    pub fn root_file(&self) -> PathBuf {
        self.anchor().join(ROOT_FILE)
    }
}

/// Metrics are the operator's; on the address of the site anybody could read them.
fn metrics(text: &str, listen: SocketAddr) -> Result<Option<SocketAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    let expected = "an address and port other than that of listen, such as 127.0.0.1:9464";
    let chosen: SocketAddr = parse("metrics", text, expected)?;
    let everywhere = chosen.ip().is_unspecified() || listen.ip().is_unspecified();
    let same = chosen.port() == listen.port() && (everywhere || chosen.ip() == listen.ip());
    if same && chosen.port() != 0 { Err(wrong("metrics", expected)) } else { Ok(Some(chosen)) }
}

/// Where this machine says that the roots which TLS trusts lie, if elsewhere than usual; read by the TLS library as well.
pub(crate) fn tls_roots() -> Vec<PathBuf> {
    let named = |name| std::env::var_os(name).unwrap_or_default();
    let (file, folders) = (named("SSL_CERT_FILE"), named("SSL_CERT_DIR"));
    [file].iter().map(PathBuf::from).chain(std::env::split_paths(&folders)).collect()
}

fn remote(url: &str, key: String, models: &str) -> Result<Option<RemoteApi>> {
    if url.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(&format!("{}/", url.trim_end_matches('/')))
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| wrong("openai-url", "an address such as https://api.example.com/v1"))?;
    let expected = "a list such as gpt-image-1=5,flux=2";
    let models = models
        .split(',')
        .filter(|entry| !entry.trim().is_empty())
        .map(|entry| {
            let (id, credits) = entry.split_once('=').ok_or_else(|| wrong("openai-models", expected))?;
            Ok(RemoteModel {
                id: id.trim().to_owned(),
                credits: parse("openai-models", credits.trim(), expected)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if models.is_empty() {
        return Err(wrong("openai-models", expected));
    }
    let key = Some(key).filter(|key| !key.is_empty()).map(Secret::new);
    Ok(Some(RemoteApi { url, key, models }))
}

/// Hosts, with a port where it is not that of https, as the addresses of their roots.
fn picture_hosts(text: &str) -> Result<Vec<Url>> {
    let hosts = text.split(',').map(str::trim).filter(|host| !host.is_empty());
    let root = |host: &str| Url::parse(&format!("https://{host}/")).ok().filter(|url| url.path() == "/");
    hosts
        .map(|host| {
            root(host).ok_or_else(|| wrong("picture-hosts", "a list of hosts such as a.example,b.example"))
        })
        .collect()
}

fn read_file(chosen: Option<&str>, data: &Path) -> Result<toml::Table> {
    let path = chosen.map_or_else(|| data.join("safelight.toml"), PathBuf::from);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && chosen.is_none() => String::new(),
        Err(cause) => return Err(wrong("config", "a file that can be read").because(cause)),
    };
    let table: toml::Table = text.parse().map_err(|cause: toml::de::Error| {
        let before = cause.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.lines().count().max(1);
        let words = format!("Line {line} of the settings file is not TOML such as: listen = \"0.0.0.0:80\".");
        Error::invalid("config", words).because(cause)
    })?;
    match table.keys().find(|key| !SETTINGS.iter().any(|setting| setting.name == key.as_str())) {
        Some(key) => Err(Error::invalid(
            "config",
            format!(
                "The settings file has the key {key}, which is no setting. All of them stand in docs/settings.md."
            ),
        )),
        None => Ok(table),
    }
}

fn text_of(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn parse<T: FromStr>(name: &'static str, text: &str, expected: &'static str) -> Result<T> {
    text.parse().map_err(|_| wrong(name, expected))
}

fn wrong(name: &'static str, expected: &'static str) -> Error {
    Error::invalid(name, format!("The setting {name} should be {expected}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(args: &[&str]) -> Result<Settings> {
        let command = clap::Command::new("t").args(arguments()).subcommand(clap::Command::new("serve"));
        Settings::resolve(&command.get_matches_from([&["t"], args].concat()))
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().to_str().unwrap();
        std::fs::write(dir.path().join("safelight.toml"), "site-name = \"Lab\"\ndaily-credits = 7\n")
            .unwrap();
        let settings = resolve(&["serve", "--data", data, "--daily-credits", "3"]).unwrap();
        assert_eq!((settings.site_name.as_str(), settings.daily_credits), ("Lab", 3));
        assert_eq!(settings.public_url, "http://127.0.0.1:8080");
    }

    #[test]
    fn wrong_values_name_the_setting() {
        for (flag, value) in [
            ("listen", "here"),
            ("mail", "pigeon"),
            ("metrics", "9464"),
            ("metrics", "127.0.0.1:8080"),
            ("metrics", "0.0.0.0:8080"),
            ("trusted-proxies", "proxy.example.org"),
            ("log", "loud"),
            ("anchor-check", "perhaps"),
            ("swap-check", "perhaps"),
            ("sandbox", "sand"),
            ("daily-credits", "-1"),
            ("starter-gallery", "maybe"),
            ("drawing-threads", "0"),
            ("public-url", "x"),
            ("openai-url", "x"),
            ("picture-hosts", "a.example/pictures"),
            ("config", "/nowhere.toml"),
        ] {
            let error = resolve(&["serve", &format!("--{flag}={value}")]).unwrap_err();
            assert_eq!(error.field, Some(flag));
        }
        assert!(resolve(&["serve", "--openai-url=http://x", "--openai-models=a"]).is_err());
        let error = resolve(&["serve", "--packs=100=5.00 EUR"]).unwrap_err();
        assert_eq!(error.field, Some("stripe-key"));
    }

    #[test]
    fn an_unknown_key_and_a_broken_line_of_the_file_are_named() {
        let dir = tempfile::tempdir().unwrap();
        for (text, named) in [("listne = \"x\"", "listne"), ("log = \"json\"\nlisten = ", "Line 2")] {
            std::fs::write(dir.path().join("safelight.toml"), text).unwrap();
            let error = resolve(&["--data", dir.path().to_str().unwrap()]).unwrap_err();
            assert!(error.public.contains(named), "{}", error.public);
        }
    }
}
