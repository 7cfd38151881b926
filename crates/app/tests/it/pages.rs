//! What holds for every page and answer.

use crate::TestApp;

#[tokio::test]
async fn every_page_has_the_strict_headers_and_no_inline_code() {
    let app = TestApp::start().await;
    let member = app.sign_in("a@example.org").await;
    for path in [
        "/",
        "/?q=fox",
        "/sign-in",
        "/studio",
        "/account",
        "/transparency",
        "/statistics",
        "/nowhere",
        "/a/none",
        "/healthz",
        "/api/models",
    ] {
        let answer = member.get(app.url(path)).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        let text = answer.text().await.unwrap();
        for inline in ["<style", " style=", " onclick=", " onload=", "javascript:", "<script>"] {
            assert!(!text.contains(inline), "{path} has {inline}");
        }
        let outside =
            text.split(['"', '\'']).filter(|part| part.starts_with("http") && !part.starts_with(&app.base));
        assert_eq!(outside.count(), 0, "{path} names another host");
    }
}

#[tokio::test]
async fn private_pages_are_not_cached_and_foreign_pages_cannot_post() {
    let app = TestApp::start().await;
    let member = app.sign_in("a@example.org").await;
    for path in ["/studio", "/account"] {
        let answer = member.get(app.url(path)).send().await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
    let foreign =
        member.post(app.url("/sign-out")).header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    assert_eq!(member.get(app.url("/account")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn failures_speak_the_language_of_their_door() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let json = browser.get(app.url("/api/nothing")).send().await.unwrap();
    assert_eq!(
        (json.status().as_u16(), json.json::<serde_json::Value>().await.unwrap()["success"].as_bool()),
        (404, Some(false))
    );
    let page = browser.get(app.url("/nothing")).header("accept-language", "ja").send().await.unwrap();
    assert_eq!(page.status(), 404);
    assert!(page.text().await.unwrap().contains("ここには何もありません"));
    assert_eq!(browser.put(app.url("/")).send().await.unwrap().status(), 405);
    assert_eq!(browser.get(app.url("/assets/0/css/site.css")).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn language_and_theme_are_kept_in_the_browser_and_lead_nowhere_else() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let chosen = app
        .form(&browser, "/preferences", &[("lang", "zh-Hans"), ("theme", "dark"), ("back", "/transparency")])
        .await;
    assert_eq!(chosen.headers()["location"], "/transparency");
    let page = browser.get(app.url("/")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("lang=\"zh-Hans\" data-theme=\"dark\""));
    for back in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let answer = app.form(&browser, "/preferences", &[("back", back)]).await;
        assert_eq!(answer.headers()["location"], "/", "{back}");
    }
}
