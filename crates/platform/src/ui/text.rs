//! This owns the words of the interface, in Fluent files under `assets/locales`.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use kernel::Locale;

/// The Fluent file of each language, in the order of [`Locale::ALL`].
const FILES: [&str; 3] = [
    include_str!("../../../../assets/locales/en.ftl"),
    include_str!("../../../../assets/locales/zh-Hans.ftl"),
    include_str!("../../../../assets/locales/ja.ftl"),
];

static BUNDLES: LazyLock<Vec<FluentBundle<FluentResource>>> =
    LazyLock::new(|| Locale::ALL.iter().zip(FILES).map(|(locale, file)| bundle(*locale, file)).collect());

fn bundle(locale: Locale, file: &str) -> FluentBundle<FluentResource> {
    let language = locale.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    // A file with an error still gives the messages that are whole; the tests find the rest.
    let resource = FluentResource::try_new(file.to_owned()).unwrap_or_else(|(whole, _)| whole);
    bundle.add_resource_overriding(resource);
    bundle
}

/// The words for a key; the key itself where there are none, which the tests forbid.
#[must_use]
pub fn say(locale: Locale, key: &str) -> String {
    format(locale, key, None)
}

/// The words for a key with the number `n`.
#[must_use]
pub fn say_count(locale: Locale, key: &str, n: f64) -> String {
    let mut args = FluentArgs::new();
    args.set("n", n);
    format(locale, key, Some(&args))
}

fn format(locale: Locale, key: &str, args: Option<&FluentArgs<'_>>) -> String {
    let place = Locale::ALL.iter().position(|other| *other == locale).unwrap_or(0);
    let Some(bundle) = BUNDLES.get(place) else { return key.to_owned() };
    let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
        return key.to_owned();
    };
    bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn keys(file: &str) -> BTreeSet<&str> {
        file.lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
            .filter_map(|line| line.split_once(" ="))
            .map(|(key, _)| key)
            .collect()
    }

    /// Text of every template, handler and script.
    fn sources(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else if path.extension().is_some_and(|kind| kind == "html" || kind == "rs" || kind == "js") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_language_has_every_key_and_no_file_has_errors() {
        for file in FILES {
            assert!(FluentResource::try_new(file.to_owned()).is_ok());
            assert_eq!(keys(file), keys(FILES[0]));
        }
    }

    #[test]
    fn every_key_is_used_and_every_key_used_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut text = String::new();
        sources(&root.join("crates"), &mut text);
        sources(&root.join("assets/js"), &mut text);
        let known = keys(FILES[0]);
        // Keys that are put together from data are listed here with the data.
        let made = |key: &str| {
            [
                "error-",
                "line-",
                "strength-",
                "bucket-",
                "theme-",
                "technique-",
                "counter-",
                "audit-",
                "outcome-",
                "probe-",
                "whose-",
                "look-",
                "reason-",
            ]
            .iter()
            .any(|start| key.starts_with(start))
        };
        let unused: Vec<_> =
            known.iter().filter(|key| !text.contains(&format!("\"{key}\"")) && !made(key)).collect();
        assert!(unused.is_empty(), "unused: {unused:?}");
        let asked = text
            .split(".t(\"")
            .skip(1)
            .chain(text.split(".count(\"").skip(1))
            .filter_map(|rest| rest.split('"').next());
        let missing: BTreeSet<_> = asked.filter(|key| !known.contains(key) && key.contains('-')).collect();
        assert!(missing.is_empty(), "missing: {missing:?}");
    }

    #[test]
    fn plurals_follow_the_language() {
        assert_eq!(say_count(Locale::English, "artworks", 1.0), "1 artwork");
        assert_eq!(say_count(Locale::English, "artworks", 2.0), "2 artworks");
        assert!(say_count(Locale::Japanese, "artworks", 2.0).contains('2'));
    }
}
