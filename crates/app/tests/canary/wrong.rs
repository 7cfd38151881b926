//! This owns making a good request wrong in every way, one at a time, with a canary in the place that is wrong.

use serde_json::{Value, json};

use crate::asks::{Ask, Then};
use crate::script::{Visit, Who};

/// Names of fields and parameters that some route reads.
const FIELDS: [&str; 37] = [
    "address",
    "aspectRatio",
    "back",
    "category",
    "code",
    "count",
    "credential",
    "from",
    "id",
    "idempotencyKey",
    "lang",
    "limit",
    "model",
    "modelId",
    "name",
    "next",
    "pack",
    "page",
    "picture",
    "prompt",
    "purchase",
    "q",
    "ratio",
    "rawId",
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
/// Bytes of a body that no form may have.
const LARGE_BYTES: usize = 200_000;
/// Headers that clients, proxies and libraries send.
const HEADERS: [&str; 27] = [
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
    "stripe-signature",
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
        let mut asks = self.wrong_addresses(route, good);
        asks.extend(self.wrong_forms(route, good));
        asks.extend(self.wrong_json(route, good));
        asks.extend(self.wrong_heads(route, good));
        for ask in asks {
            let shown =
                |(name, value): &(String, String)| name == "authorization" || value.contains("session=");
            let ask = if ask.headers.iter().any(shown) { ask } else { self.by(who, ask) };
            self.ask(route, &ask).await;
        }
        self.ask_brokenly(route, good).await;
    }

    /// A canary for each name that something could have.
    fn named(&mut self, route: &str, what: &str) -> Vec<(&'static str, String)> {
        FIELDS.iter().map(|name| (*name, self.canary(&format!("{route}: {what} {name}")))).collect()
    }

    fn wrong_addresses(&mut self, route: &str, good: &Ask) -> Vec<Ask> {
        let pairs = self.named(route, "parameter").into_iter().map(|(name, value)| format!("{name}={value}"));
        let pairs: Vec<String> = pairs.collect();
        let path = good.target.split('?').next().unwrap_or_default().to_owned();
        let mut asks = vec![Ask { target: format!("{path}?{}", pairs.join("&")), ..good.clone() }];
        // Only where the route itself is still met.
        let open = route.split('/').enumerate().skip(1).filter(|(_, part)| part.starts_with('{'));
        for (place, _) in open {
            let canary = self.canary(&format!("{route}: part {place} of the path"));
            let parts = path.split('/').enumerate();
            let parts: Vec<&str> =
                parts.map(|(n, part)| if n == place { canary.as_str() } else { part }).collect();
            asks.push(Ask { target: parts.join("/"), ..good.clone() });
        }
        asks
    }

    fn wrong_forms(&mut self, route: &str, good: &Ask) -> Vec<Ask> {
        let form = self.named(route, "field");
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let [field, file, content, kind, large] = [
            "name of a part",
            "name of a file",
            "content of a file",
            "a body of another type",
            "a body that is too large",
        ]
        .map(|what| self.canary(&format!("{route}: {what}")));
        let content = content.as_bytes();
        vec![
            good.clone().form(&form),
            good.clone().parts(&[(&field, Some(&file), content)]),
            good.clone().parts(&[("picture", Some(&file), content), ("prompt", None, content)]),
            good.clone().body(&format!("text/{kind}"), kind.clone()),
            good.clone().form(&[("prompt", &large.repeat(LARGE_BYTES / large.len()))]),
        ]
    }

    fn wrong_json(&mut self, route: &str, good: &Ask) -> Vec<Ask> {
        let whole = |values: &[(&str, Value)]| {
            Value::Object(values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
        };
        let texts = self.named(route, "text of JSON").into_iter();
        let texts: Vec<_> = texts.map(|(name, value)| (name, json!(value))).collect();
        let lists = self.named(route, "list of JSON").into_iter();
        let lists: Vec<_> = lists.map(|(name, value)| (name, json!([value, { value.clone(): 1 }]))).collect();
        let mut asks = vec![good.clone().json(&whole(&texts)), good.clone().json(&whole(&lists))];
        // Each alone as well, so that the first wrong one does not hide the others.
        if let Ok(body @ Value::Object(_)) = serde_json::from_slice::<Value>(&good.body) {
            for (name, value) in texts.iter().chain(&lists) {
                let mut body = body.clone();
                body[*name] = value.clone();
                asks.push(good.clone().json(&body));
            }
        }
        let canary = self.canary(&format!("{route}: broken JSON"));
        let broken = format!("{{\"prompt\": \"{canary}\", \"{canary}");
        asks.push(good.clone().body("application/json", broken));
        asks
    }

    fn wrong_heads(&mut self, route: &str, good: &Ask) -> Vec<Ask> {
        let mut asks = vec![Ask { method: "PATCH".to_owned(), ..good.clone() }];
        for name in HEADERS {
            let canary = self.canary(&format!("{route}: header {name}"));
            let value = match name {
                "authorization" => format!("Bearer {canary}"),
                "cookie" => format!(
                    "session={canary}; sign-in={canary}; passkey={canary}; lang={canary}; theme={canary}"
                ),
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
        asks
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
