//! This owns the one mail that exists: the sign-in code, in the language of whoever asked for it.

use kernel::{Locale, SignInCode, purpose};
use platform::mail::{Letter, Part};
use platform::ui::say;

/// The mail with a code. The site's name is the operator's; nothing else varies.
pub(crate) fn code_letter(site: &str, code: &SignInCode, locale: Locale) -> Letter {
    let code = code.reveal(purpose::SendSignInCode);
    let spaced = code.split_at_checked(4).map_or_else(|| code.to_owned(), |(a, b)| format!("{a} {b}"));
    Letter {
        locale,
        subject: format!("{site} · {}", say(locale, "mail-subject")),
        parts: vec![
            Part::Words(say(locale, "mail-code")),
            Part::Code(spaced),
            Part::Words(say(locale, "mail-life")),
            Part::Aside(say(locale, "mail-unasked")),
        ],
    }
}
