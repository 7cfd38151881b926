//! This owns the table of good requests: one for each route, that it answers.

use serde_json::json;

use crate::asks::Ask;
use crate::script::Who::{self, Member, Program, Visitor};
use crate::script::{Visit, png};

impl Visit {
    /// For each route a request that it answers, those that end something last.
    #[allow(clippy::too_many_lines)] // It is a table.
    pub(crate) fn good(&self) -> Vec<(String, Who, Ask)> {
        let mut all = Vec::new();
        let mut add = |who, method: &str, route: &str, target: &str, fill: fn(Ask) -> Ask| {
            let ask = fill(Ask::new(method, target));
            all.push((format!("{method} {route}"), who, self.filled_in(ask)));
        };
        let plain: fn(Ask) -> Ask = |ask| ask;
        for path in [
            "/",
            "/sign-in",
            "/sign-in/code",
            "/sign-in/mail",
            "/verify",
            "/log/checkpoint",
            "/transparency",
            "/statistics",
            "/favicon.ico",
            "/robots.txt",
            "/healthz",
            "/api/search",
            "/api/models",
            "/.well-known/statistics.json",
            "/.well-known/privacy.json",
        ] {
            add(Visitor, "GET", path, path, plain);
        }
        add(Visitor, "GET", "/a/{id}", "/a/{artwork}", plain);
        add(Visitor, "GET", "/api/images/{id}", "/api/images/{artwork}", plain);
        add(Visitor, "GET", "/p/{record}/{form}", "/p/{record}/240.webp", plain);
        add(Visitor, "GET", "/assets/{digest}/{*path}", "/assets/{asset}", plain);
        add(Visitor, "GET", "/log/tile/{*path}", "/log/tile/0/000", plain);
        add(Visitor, "GET", "/r/{id}/{expiry}/{signature}", "/r/{result}", plain);
        add(Visitor, "POST", "/preferences", "/preferences", |ask| {
            ask.form(&[("lang", "ja"), ("back", "/")])
        });
        add(Visitor, "POST", "/verify", "/verify", |ask| ask.form(&[("receipt", "{receipt}")]));
        add(Visitor, "GET", "/receipt", "/receipt", plain);
        add(Visitor, "POST", "/receipt", "/receipt", |ask| {
            ask.form(&[("purchase", "{purchase}"), ("code", "{purchase_code}")])
        });
        add(Visitor, "POST", "/webhooks/stripe", "/webhooks/stripe", |ask| {
            ask.body("application/json", "{event}").header("stripe-signature", "{event_signature}")
        });
        add(Member, "POST", "/account/purchases", "/account/purchases", |ask| {
            ask.form(&[("purchase", "{purchase}"), ("pack", "100%3D5.00%20EUR")])
        });
        for end in ["", "/state"] {
            let path = format!("/account/purchases/{{id}}{end}");
            add(Member, "GET", &path, &format!("/account/purchases/{{purchase}}{end}"), plain);
        }
        add(Visitor, "GET", "/api/generate/v2/status/{id}", "/api/generate/v2/status/{mine}", plain);
        for path in ["/studio", "/account", "/api/tokens", "/account/export", "/account/export/events"] {
            add(Member, "GET", path, path, plain);
        }
        add(Member, "GET", "/studio/compare", "/studio/compare?id={mine}&id={also_mine}", plain);
        for end in ["events", "preview", "delete"] {
            add(
                Member,
                "GET",
                &format!("/studio/generations/{{id}}/{end}"),
                &format!("/studio/generations/{{mine}}/{end}"),
                plain,
            );
        }
        add(Member, "GET", "/g/{id}/{form}", "/g/{mine}/full", plain);
        add(Member, "GET", "/g/{id}/download", "/g/{mine}/download", plain);
        add(Member, "POST", "/studio/generations/{id}/cancel", "/studio/generations/{mine}/cancel", |ask| {
            ask.form(&[])
        });
        add(Member, "POST", "/studio/references", "/studio/references", |ask| {
            ask.parts(&[("picture", Some("holiday.png"), &png(7))])
        });
        add(Member, "POST", "/studio/generations", "/studio/generations", |ask| {
            ask.parts(&[("prompt", None, b"a heron"), ("resolution", None, b"512")])
        });
        add(Member, "POST", "/account/keys", "/account/keys", |ask| {
            ask.form(&[("name", "a key"), ("may", "make")])
        });
        add(Member, "POST", "/account/vouchers", "/account/vouchers", |ask| {
            ask.form(&[("code", "{voucher}")])
        });
        add(Member, "POST", "/account/sessions/dismiss", "/account/sessions/dismiss", |ask| {
            ask.form(&[("next", "/")])
        });
        add(Member, "POST", "/account/passkeys/question", "/account/passkeys/question", |ask| {
            ask.json(&json!({}))
        });
        add(Member, "POST", "/account/passkeys", "/account/passkeys", |ask| {
            let body = "{\"name\":\"a passkey\",\"credential\":{credential}}";
            ask.body("application/json", body).header("cookie", "passkey={credential_browser}")
        });
        add(Visitor, "POST", "/sign-in/passkey/question", "/sign-in/passkey/question", |ask| {
            ask.json(&json!({}))
        });
        add(Visitor, "POST", "/sign-in/passkey", "/sign-in/passkey", |ask| {
            ask.body("application/json", "{proof}").header("cookie", "passkey={proof_browser}")
        });
        add(Member, "POST", "/account/passkeys/{id}/remove", "/account/passkeys/{passkey}/remove", |ask| {
            ask.form(&[])
        });
        add(Member, "POST", "/api/tokens", "/api/tokens", |ask| ask.json(&json!({ "name": "a key" })));
        add(Program, "POST", "/api/generate/v2", "/api/generate/v2", |ask| {
            ask.json(&json!({ "prompt": "a fox", "resolution": "512", "idempotencyKey": "once" }))
        });
        add(Program, "GET", "/api/generate/v2/requests/{id}", "/api/generate/v2/requests/once", plain);
        add(Program, "DELETE", "/api/generations/{id}", "/api/generations/{of_program}", plain);
        add(Member, "DELETE", "/api/tokens/{id}", "/api/tokens/{key}", plain);
        add(Member, "POST", "/account/keys/{id}/revoke", "/account/keys/{other_key}/revoke", |ask| {
            ask.form(&[])
        });
        add(
            Member,
            "POST",
            "/studio/generations/delete",
            "/studio/generations/delete?id={to_delete}",
            |ask| {
                let id = ask.target.split_once("id=").map_or(String::new(), |(_, id)| id.to_owned());
                ask.form(&[("id", &id), ("sure", "yes")])
            },
        );
        add(Member, "POST", "/account/delete-all", "/account/delete-all", |ask| ask.form(&[("sure", "yes")]));
        add(Visitor, "POST", "/sign-in", "/sign-in", |ask| ask.form(&[("address", "ada@example.org")]));
        add(Visitor, "POST", "/sign-in/code", "/sign-in/code", |ask| ask.form(&[("code", "12345678")]));
        add(Member, "POST", "/account/sessions/{id}/revoke", "/account/sessions/{session}/revoke", |ask| {
            ask.form(&[])
        });
        add(Member, "POST", "/account/sessions/revoke-all", "/account/sessions/revoke-all", |ask| {
            ask.form(&[])
        });
        add(Member, "POST", "/sign-out", "/sign-out", |ask| ask.form(&[]));
        add(Member, "POST", "/account/close", "/account/close", |ask| ask.form(&[("sure", "yes")]));
        all
    }

    /// The request with what is known in place of each `{name}`.
    fn filled_in(&self, mut ask: Ask) -> Ask {
        for (name, value) in &self.known {
            let place = format!("{{{name}}}");
            ask.target = ask.target.replace(&place, value);
            for (_, header) in &mut ask.headers {
                *header = header.replace(&place, value);
            }
            if let Ok(body) = std::str::from_utf8(&ask.body) {
                ask.body = body.replace(&place, value).into();
            }
        }
        ask
    }
}
