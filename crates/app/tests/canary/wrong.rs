//! This owns making a good request wrong in every way, one at a time, with a canary in the place that is wrong.

use serde_json::{Value, json};

use crate::asks::{Ask, Then};
use crate::script::{Visit, Who};

/// Names of fields and parameters that some route reads.
const FIELDS: [&str; 33] = [
    "address",
    "aspectRatio",
    "back",
    "category",
    "code",
    "count",
    "from",
    "id",
    "idempotencyKey",
    "lang",
    "limit",
    "model",
    "modelId",
    "name",
    "next",
    "page",
    "picture",
    "prompt",
    "q",
    "ratio",
    "receipt",
    "reference",
    "referenceImages",
    "resolution",
    "seed",
    "similar",
    "sort",
    "start",
    "sure",
    "technique",
    "theme",
    "confirm",
    "offset",
];
/// Headers that clients, proxies and libraries send.
const HEADERS: [&str; 26] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "from",
    "host",
    "if-modified-since",
    "if-none-match",
    "origin",
    "range",
    "referer",
    "sec-fetch-site",
    "te",
    "traceparent",
    "true-client-ip",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-request-id",
];
impl Visit {
    /// The same request made wrong in every way, one at a time.
    pub(crate) async fn ask_badly(&mut self, route: &str, who: Who, good: &Ask) {
        let names = |visit: &mut Self, what: &str| -> Vec<(&'static str, String)> {
            FIELDS.iter().map(|name| (*name, visit.canary(&format!("{route}: {what} {name}")))).collect()
        };
        let mut asks = Vec::new();
        let parameters = names(self, "parameter");
        let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = good.target.split('?').next().unwrap_or_default().to_owned();
        asks.push(Ask { target: format!("{path}?{}", pairs.join("&")), ..good.clone() });
        let places = path.matches('/').count();
        for place in 1..=places {
            let canary = self.canary(&format!("{route}: part {place} of the path"));
            let parts = path.split('/').enumerate();
            let parts: Vec<&str> =
                parts.map(|(n, part)| if n == place { canary.as_str() } else { part }).collect();
            // Only where the route itself is still met.
            if route.split('/').nth(place).is_some_and(|part| part.starts_with('{')) {
                asks.push(Ask { target: parts.join("/"), ..good.clone() });
            }
        }
        let form = names(self, "field");
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        asks.push(good.clone().form(&form));
        let member = |values: &[(&str, Value)]| {
            Value::Object(values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
        };
        let texts: Vec<_> =
            names(self, "text of JSON").into_iter().map(|(name, value)| (name, json!(value))).collect();
        let lists: Vec<_> = names(self, "list of JSON")
            .into_iter()
            .map(|(name, value)| (name, json!([value, { value.clone(): 1 }])))
            .collect();
        asks.push(good.clone().json(&member(&texts)));
        asks.push(good.clone().json(&member(&lists)));
        // Known fields alone, so that the first wrong one does not hide the others.
        for (name, value) in texts.iter().chain(&lists) {
            if good.body.starts_with(b"{") {
                let mut body: Value = serde_json::from_slice(&good.body).unwrap();
                body[*name] = value.clone();
                asks.push(good.clone().json(&body));
            }
        }
        let canary = self.canary(&format!("{route}: broken JSON"));
        asks.push(good.clone().body("application/json", format!("{{\"prompt\": \"{canary}\", \"{canary}")));
        let [field, file, content] = ["name of a part", "name of a file", "content of a file"]
            .map(|what| self.canary(&format!("{route}: {what}")));
        asks.push(good.clone().parts(&[(&field, Some(&file), content.as_bytes())]));
        asks.push(
            good.clone()
                .parts(&[("picture", Some(&file), content.as_bytes()), ("prompt", None, content.as_bytes())]),
        );
        let canary = self.canary(&format!("{route}: a body of another type"));
        asks.push(good.clone().body(&format!("text/{canary}"), canary.clone()));
        let canary = self.canary(&format!("{route}: a body that is too large"));
        asks.push(good.clone().form(&[("prompt", &canary.repeat(200_000 / canary.len()))]));
        for name in HEADERS {
            let canary = self.canary(&format!("{route}: header {name}"));
            let value = match name {
                "authorization" => format!("Bearer {canary}"),
                "cookie" => format!("session={canary}; sign-in={canary}; lang={canary}; theme={canary}"),
                "range" => format!("bytes={canary}"),
                _ => canary,
            };
            let mut ask = good.clone();
            ask.headers.retain(|(other, _)| other != name);
            asks.push(ask.header(name, &value));
        }
        let canary = self.canary(&format!("{route}: name of a header"));
        asks.push(good.clone().header(&canary, &canary));
        let canary = self.canary(&format!("{route}: a method"));
        asks.push(Ask { method: canary, ..good.clone() });
        asks.push(Ask { method: "PATCH".to_owned(), ..good.clone() });
        for ask in asks {
            let ask =
                if ask.headers.iter().any(|(name, _)| ["cookie", "authorization"].contains(&name.as_str())) {
                    ask
                } else {
                    self.by(who, ask)
                };
            self.ask(route, &ask).await;
        }
        self.ask_brokenly(route, good).await;
    }

    /// Bytes that are no request, or only a part of one.
    async fn ask_brokenly(&mut self, route: &str, good: &Ask) {
        let whole = good.bytes();
        let canary = self.canary(&format!("{route}: a body that breaks off"));
        let cut = good.clone().header("content-length", "5000").body("application/json", canary);
        let canary = self.canary(&format!("{route}: bytes that are no request"));
        let line = format!("{} {} HTTP/1.1\r\n", good.method, good.target);
        let long = canary.repeat(12_000 / canary.len());
        let many = canary.repeat(80_000 / canary.len());
        for bytes in [
            cut.bytes(),
            format!("{canary}\r\n\r\n").into_bytes(),
            format!("{} /{canary} HTTP/9.9\r\n\r\n", good.method).into_bytes(),
            format!("{line}{canary}\r\n\r\n").into_bytes(),
            format!("{line}host: a\r\nx: {many}\r\n\r\n").into_bytes(),
            format!("{} {}?q={long} HTTP/1.1\r\nhost: a\r\n\r\n", good.method, good.target).into_bytes(),
            [format!("{line}host: a\r\nx: {canary}").as_bytes(), &[0xff, 0, 0x80], b"\r\n\r\n"].concat(),
            format!(
                "{} {}?%zz={canary}%ff HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
                good.method, good.target
            )
            .into_bytes(),
            whole.iter().take(20).copied().chain(canary.bytes()).collect(),
        ] {
            self.ask_bytes(route, &bytes, Then::Hang).await;
        }
    }
}
