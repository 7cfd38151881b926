//! This owns words that data carries in every language: a file without one of them, or with one too many, cannot be read.
//! It owns the words for failures too, which the code says in English.

use std::sync::LazyLock;

use kernel::Locale;
use serde::{Deserialize, Serialize};

/// A text in every language of the interface.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    en: String,
    #[serde(rename = "zh-Hans")]
    zh_hans: String,
    ja: String,
}

impl Words {
    /// The text in this language.
    #[must_use]
    pub fn in_language(&self, locale: &Locale) -> &str {
        match locale {
            Locale::English => &self.en,
            Locale::Chinese => &self.zh_hans,
            Locale::Japanese => &self.ja,
        }
    }
}

#[derive(Deserialize)]
struct Failures {
    failure: Vec<Words>,
}

// A file that cannot be read leaves every failure in English; a test forbids that.
static FAILURES: LazyLock<Vec<Words>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../../assets/locales/failures.toml"))
        .map(|file: Failures| file.failure)
        .unwrap_or_default()
});

/// What the program says, with the language that it says it in.
#[derive(Clone, Debug)]
pub struct Said {
    /// The words.
    pub text: String,
    /// Their language, for the `lang` attribute.
    pub lang: &'static str,
}

/// What the program says of a failure, in this language; in English where it is not among the known words.
#[must_use]
pub fn say_failure(locale: Locale, english: &str) -> Said {
    let translated = FAILURES.iter().find_map(|known| {
        let values = values(&known.en, english)?;
        Some(values.iter().fold(known.in_language(&locale).to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        }))
    });
    match translated {
        Some(text) => Said { text, lang: locale.tag() },
        None => Said { text: english.to_owned(), lang: Locale::English.tag() },
    }
}

/// What stands where `pattern` has `{names}`, if `text` is of that pattern.
fn values<'a>(pattern: &'a str, text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let mut parts = pattern.split('{');
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    for part in parts {
        let (name, after) = part.split_once('}')?;
        // The last one reaches to the end of the text; a list may hold what stands after it.
        let at = if pattern.ends_with(part) { rest.strip_suffix(after)?.len() } else { rest.find(after)? };
        let (value, behind) = rest.split_at_checked(at)?;
        found.push((name, value));
        rest = behind.strip_prefix(after)?;
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Files whose words only the operator reads, at the terminal, or programs, through the API.
    const FOR_OTHERS: [&str; 21] = [
        "accounts/src/grants.rs",
        "accounts/src/vouchers/batch.rs",
        "app/src/audit",
        "app/src/backup.rs",
        "app/src/command.rs",
        "app/src/desk",
        "app/src/escrow.rs",
        "app/src/operator",
        "app/src/restore.rs",
        "app/src/runtime.rs",
        "app/src/serve.rs",
        "gallery/src/source/mod.rs",
        "platform/src/backup",
        "platform/src/config",
        "platform/src/folder.rs",
        "platform/src/keys/open.rs",
        "platform/src/payments.rs",
        "platform/src/sandbox",
        "studio/src/api.rs",
        "studio/src/store.rs",
        "vault/src",
    ];

    /// Beginnings of what is said of the operator's settings elsewhere.
    const OF_SETTINGS: [&str; 3] = ["mail is ", "mail-from is ", "The SMTP address "];

    fn files(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((path.display().to_string(), code));
            }
        }
    }

    /// A text in which every `{name}` is `{}`.
    fn bare(text: &str) -> String {
        let mut parts = text.split('{');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out = out + "{}" + part.split_once('}').map_or("", |(_, after)| after);
        }
        out
    }

    /// The first text in quotes after each place where a failure is made, or its words are put together.
    fn said(code: &str) -> Vec<String> {
        let made = ["Error::new(", "Error::invalid(", "Error::not_found(", "Self::new(", "let words ="];
        let mut found = Vec::new();
        for start in made {
            for after in code.split(start).skip(1) {
                let statement = after.split(';').next().unwrap_or_default();
                let texts = statement.split('"').skip(1).step_by(2);
                found
                    .extend(texts.filter(|text| text.contains(' ') && text.ends_with('.')).take(1).map(bare));
            }
        }
        found
    }

    #[test]
    fn every_failure_that_a_visitor_meets_is_translated_and_no_other() {
        let mut sources = Vec::new();
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut sources);
        let known: BTreeSet<String> = FAILURES.iter().map(|words| bare(&words.en)).collect();
        assert_eq!(known.len(), FAILURES.len(), "a failure stands there twice, or the file cannot be read");
        let for_others = |path: &str| FOR_OTHERS.iter().any(|other| path.contains(other));
        let visitors = sources.iter().filter(|(path, _)| path.contains("/src/") && !for_others(path));
        let of_settings = |text: &str| OF_SETTINGS.iter().any(|start| text.starts_with(start));
        let missing: Vec<String> = visitors
            .flat_map(|(_, code)| said(code))
            .filter(|text| !known.contains(text) && !of_settings(text))
            .collect();
        assert!(missing.is_empty(), "assets/locales/failures.toml lacks {missing:#?}");
        let literals: BTreeSet<String> =
            sources.iter().flat_map(|(_, code)| code.split('"').map(bare)).collect();
        let left: Vec<_> = known.iter().filter(|text| !literals.contains(*text)).collect();
        assert!(left.is_empty(), "nothing says {left:#?} any more");
    }

    #[test]
    fn every_language_has_the_same_names() {
        let names = |text: &str| {
            text.split('{').skip(1).filter_map(|part| part.split('}').next().map(str::to_owned)).collect()
        };
        for words in FAILURES.iter() {
            let all = Locale::ALL.map(|locale| -> BTreeSet<String> { names(words.in_language(&locale)) });
            assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{}", words.en);
        }
    }

    #[test]
    fn numbers_and_names_travel_into_the_other_language() {
        let said =
            say_failure(Locale::Japanese, "Not enough credits: this needs 4, and 1 can be spent here.");
        assert_eq!(said.text, "クレジットが足りません。必要なのは 4、ここで使えるのは 1 です。");
        let listed = "This aspect ratio is not supported by Papercut 1.0. It draws 1:1, 3:2.";
        assert_eq!(
            say_failure(Locale::Chinese, listed).text,
            "Papercut 1.0 不支持这个比例，可选：1:1, 3:2。"
        );
        assert_eq!(say_failure(Locale::English, listed).text, listed);
        let unknown = say_failure(Locale::Japanese, "Unknown.");
        assert_eq!((unknown.text.as_str(), unknown.lang), ("Unknown.", "en"));
    }
}
