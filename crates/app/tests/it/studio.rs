//! Making pictures, paying for them, and deleting them for good.

use serde_json::{Value, json};

use crate::TestApp;

const CANARY: &str = "zanzibarquokka";

#[tokio::test]
async fn a_prompt_is_nowhere_on_the_disk_or_in_the_log() {
    let app = TestApp::start().await;
    let key = app.account(5).await;
    let (_, status) = app.develop(&key, &format!("a lake at night, {CANARY}")).await;
    assert_eq!(status["status"], "completed");
    assert!(!app.disk_holds(CANARY.as_bytes()));
    let refused =
        app.generate(&key, json!({ "prompt": CANARY, "aspectRatio": CANARY, "modelId": CANARY })).await;
    assert_eq!(refused.status(), 400);
    assert!(!refused.text().await.unwrap().contains(CANARY));
}

#[tokio::test]
async fn a_deleted_picture_is_gone_from_rows_files_keys_and_addresses() {
    let app = TestApp::start().await;
    let key = app.account(5).await;
    let (id, status) = app.develop(&key, "a meadow at dawn").await;
    let address = status["imageUrl"].as_str().unwrap();
    let picture = app.browser().get(address).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    let plain = picture.bytes().await.unwrap();
    assert!(!app.disk_holds(&plain[..64]), "stored pictures are sealed");
    let folder = app.dir.path().join("data/blobs").join(&id[..2]).join(&id);
    assert!(folder.is_dir());

    let delete = app.url(&format!("/api/generations/{id}"));
    let stranger = app.account(0).await;
    assert_eq!(app.browser().delete(&delete).bearer_auth(stranger).send().await.unwrap().status(), 404);
    assert_eq!(app.browser().delete(&delete).bearer_auth(&key).send().await.unwrap().status(), 200);
    app.house.blobs.sweep().await.unwrap();
    assert!(!folder.exists());
    let raw: kernel::Id = id.parse().unwrap();
    assert!(!app.disk_holds(raw.as_bytes()), "no row, journal or key slot names it");
    assert_eq!(app.browser().get(address).send().await.unwrap().status(), 410);
    assert_eq!(
        app.browser().get(app.url(&format!("/api/generate/v2/status/{id}"))).send().await.unwrap().status(),
        404
    );
    assert_eq!(app.browser().delete(&delete).bearer_auth(&key).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn closing_the_account_takes_everything_with_it() {
    let app = TestApp::start().await;
    let browser = app.sign_in("a@example.org").await;
    let form = reqwest::multipart::Form::new().text("prompt", "a quiet sea").text("resolution", "512");
    let made = browser
        .post(app.url("/studio/generations"))
        .header("sec-fetch-site", "same-origin")
        .header("accept", "application/json");
    let made: Value = made.multipart(form).send().await.unwrap().json().await.unwrap();
    let id = made["generations"][0]["id"].as_str().unwrap().to_owned();
    app.ended(&id).await;
    assert_eq!(browser.get(app.url(&format!("/g/{id}/480"))).send().await.unwrap().status(), 200);
    assert_eq!(app.browser().get(app.url(&format!("/g/{id}/480"))).send().await.unwrap().status(), 401);
    assert_eq!(app.form(&browser, "/account/close", &[]).await.status(), 400, "the box has to be ticked");
    assert_eq!(app.form(&browser, "/account/close", &[("sure", "yes")]).await.status(), 200);
    let raw: kernel::Id = id.parse().unwrap();
    app.house.blobs.sweep().await.unwrap();
    assert!(!app.disk_holds(raw.as_bytes()));
    assert!(app.house.studio.records().await.unwrap().is_empty());
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_charged() {
    let app = TestApp::start().await;
    let key = app.account(3).await;
    for (body, field) in [
        (json!({}), "prompt"),
        (json!({ "prompt": 7 }), "prompt"),
        (json!({ "prompt": "x".repeat(16_385) }), "prompt"),
        (json!({ "prompt": "a", "modelId": "nothing" }), "modelId"),
        (json!({ "prompt": "a", "aspectRatio": "7:1" }), "aspectRatio"),
        (json!({ "prompt": "a", "resolution": "9K" }), "resolution"),
        (json!({ "prompt": "a", "technique": "diffusion" }), "technique"),
        (json!({ "prompt": "a", "seed": -1 }), "seed"),
        (json!({ "prompt": "a", "referenceImages": "x" }), "referenceImages"),
        (json!({ "prompt": "a", "referenceImages": ["http://10.0.0.1/x.png"] }), "referenceImages"),
    ] {
        let answer = app.generate(&key, body).await;
        assert_eq!(answer.status(), 400, "{field}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(
            (answer["success"].as_bool(), answer["field"].as_str()),
            (Some(false), Some(field)),
            "{answer}"
        );
    }
    let raw = app
        .browser()
        .post(app.url("/api/generate/v2"))
        .bearer_auth(&key)
        .header("content-type", "application/json");
    let answer: Value = raw.body("{").send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["success"], false);
    let (_, status) = app.develop(&key, "still three credits").await;
    assert_eq!(status["status"], "completed");
    assert_eq!(app.generate("meigen_sk_nothing", json!({ "prompt": "a" })).await.status(), 401);
}

#[tokio::test]
async fn credits_run_out_with_the_documented_answer_and_failed_work_is_free() {
    let app = TestApp::start().await;
    let key = app.account(1).await;
    app.develop(&key, "a hill").await;
    let answer = app.generate(&key, json!({ "prompt": "a hill" })).await;
    assert_eq!(answer.status(), 402);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["code"], "insufficient_credits");
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
}

#[tokio::test]
async fn a_repeated_request_is_the_same_picture_and_paid_once() {
    let app = TestApp::start().await;
    let key = app.account(5).await;
    let body = |prompt: &str| json!({ "prompt": prompt, "resolution": "512", "idempotencyKey": "9b2f" });
    let first: Value = app.generate(&key, body("a hill")).await.json().await.unwrap();
    let id = first["generationId"].as_str().unwrap();
    app.ended(id).await;
    let again: Value = app.generate(&key, body("a hill")).await.json().await.unwrap();
    assert_eq!((&again["generationId"], &again["deduped"]), (&first["generationId"], &json!(true)));
    assert_eq!(app.generate(&key, body("another hill")).await.status(), 409);
    let unknown =
        app.browser().get(app.url("/api/generate/v2/requests/none")).bearer_auth(&key).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.json::<Value>().await.unwrap()["code"], "request_not_found");
    app.browser().delete(app.url(&format!("/api/generations/{id}"))).bearer_auth(&key).send().await.unwrap();
    assert_eq!(app.generate(&key, body("a hill")).await.status(), 410);
}
