//! This owns the one mail that exists: the sign-in code, in three languages, as plain text and HTML.

use kernel::{Locale, SignInCode, purpose};
use platform::mail::Mail;

/// The mail with a code. The site's name is the operator's; nothing else varies.
pub(crate) fn code_mail(site: &str, code: &SignInCode, locale: Locale) -> Mail {
    let code = code.reveal(purpose::SendSignInCode);
    let spaced = code.split_at_checked(4).map_or_else(|| code.to_owned(), |(a, b)| format!("{a} {b}"));
    let (subject, line, life, ignore) = match locale {
        Locale::English => (
            format!("{site}: your sign-in code"),
            "Your sign-in code is",
            "It works for ten minutes, in the browser where you asked for it.",
            "If you did not ask for it, do nothing: without it nobody can sign in. Your address is not kept.",
        ),
        Locale::Chinese => (
            format!("{site}：您的登录验证码"),
            "您的登录验证码是",
            "十分钟内有效，仅限在您请求它的浏览器中使用。",
            "如果不是您本人请求，请忽略此邮件：没有验证码，任何人都无法登录。我们不保存您的地址。",
        ),
        Locale::Japanese => (
            format!("{site}：サインインコード"),
            "サインインコードは次のとおりです",
            "コードは 10 分間、リクエストしたブラウザーでのみ有効です。",
            "心当たりがない場合は何もしないでください。コードがなければ誰もサインインできません。アドレスは保存されません。",
        ),
    };
    let text = format!("{line}: {spaced}\n\n{life}\n{ignore}\n");
    let html = format!(
        "<!doctype html><html lang=\"{}\"><body><p>{line}</p><p><strong><big>{spaced}</big></strong></p><p>{life}<br>{ignore}</p></body></html>",
        locale.tag()
    );
    Mail { subject, text, html }
}
