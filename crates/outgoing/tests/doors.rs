//! The one place that opens connections, against local servers: who is reached, who is not, and what they are told.
#![allow(clippy::unwrap_used, clippy::panic)] // It is a test.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use kernel::Secret;
use outgoing::{Fault, Limits, Looking, Lookup, Outgoing, Peer, Purpose, Url};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const LIMITS: Limits = Limits { bytes_max: 1000, silence_max: Duration::from_secs(5) };
const METADATA: &str = "169.254.169.254";

/// Names that lead where the test says: the answers in turn, the last one from then on.
struct Names {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Names {
    fn new(answers: &[&[&'static str]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        Arc::new(Self { answers, asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Lookup for Names {
    fn lookup<'a>(&'a self, _: &'a str) -> Looking<'a> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        let found: Vec<IpAddr> = self.answers[turn].iter().map(|address| address.parse().unwrap()).collect();
        Box::pin(async move { Ok(found) })
    }
}

/// A server that tells the headers of every request, and gives each a cookie; its port.
async fn server(
    answer: impl Fn() -> axum::response::Response + Clone + Send + Sync + 'static,
) -> (u16, UnboundedReceiver<HeaderMap>) {
    let (told, heard) = unbounded_channel();
    let any = move |State(told): State<tokio::sync::mpsc::UnboundedSender<HeaderMap>>, headers: HeaderMap| async move {
        told.send(headers).unwrap();
        ([("set-cookie", "who=you"), ("connection", "close")], answer()).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = Router::new().fallback(get(any.clone()).post(any)).with_state(told);
    tokio::spawn(async move { axum::serve(listener, app).await });
    (port, heard)
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn peer(address: &str, purpose: Purpose) -> Peer {
    Peer::at(&url(address), purpose, "a-setting").unwrap()
}

fn names(headers: &HeaderMap) -> BTreeSet<&str> {
    headers.keys().map(axum::http::HeaderName::as_str).collect()
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    let (elsewhere, mut other) = server(|| "secret".into_response()).await;
    let location = format!("http://127.0.0.1:{elsewhere}/");
    let (port, mut heard) =
        server(move || (StatusCode::FOUND, [("location", location.clone())]).into_response()).await;
    let address = format!("http://127.0.0.1:{port}/");
    // Even where both are on the list.
    let peers = vec![
        peer(&address, Purpose::Engine),
        peer(&format!("http://127.0.0.1:{elsewhere}"), Purpose::Engine),
    ];
    let client = Outgoing::new(peers).client(Purpose::Engine).unwrap();
    let answer = client.get(url(&address), LIMITS).unwrap().send().await.unwrap();
    assert_eq!(answer.status(), 302);
    assert!(heard.try_recv().is_ok() && other.try_recv().is_err());
}

#[tokio::test]
async fn nobody_but_the_peers_of_a_purpose_is_reached() {
    let outgoing = Outgoing::new(vec![
        peer("https://engine.example/v1/", Purpose::Engine),
        peer("https://pictures.example", Purpose::PictureSource),
    ]);
    assert_eq!(outgoing.peers().len(), 2);
    let client = outgoing.client(Purpose::Engine).unwrap();
    assert!(client.get(url("https://engine.example/other/path?query"), LIMITS).is_ok());
    for address in [
        "http://engine.example/",
        "https://engine.example:8443/",
        "https://engine.example.evil.example/",
        "https://engine.example@evil.example/",
        "https://engine.example./",
        "https://pictures.example/",
        "https://127.0.0.1/",
        "ftp://engine.example/",
        "data:text/plain,x",
    ] {
        let refused = client.post(url(address), LIMITS);
        assert!(matches!(refused, Err(Fault::NotListed)), "{address}");
    }
    let stream = outgoing.connect(Purpose::Mail, "engine.example", 443).await;
    assert!(matches!(stream, Err(Fault::NotListed)));
}

#[tokio::test]
async fn an_address_that_is_no_name_is_checked_as_well() {
    let refused = [
        ("http://169.254.169.254/latest/meta-data", Purpose::Engine),
        ("http://[::ffff:169.254.169.254]/", Purpose::Engine),
        ("http://[fd00:ec2::254]/", Purpose::Engine),
        ("http://0.0.0.0/", Purpose::Engine),
        ("http://127.0.0.1/", Purpose::PictureSource),
        ("http://2130706433/", Purpose::PictureSource),
        ("http://0x7f.1/", Purpose::PictureSource),
        ("http://[::1]/", Purpose::PictureSource),
        ("http://[64:ff9b::10.0.0.1]/", Purpose::PictureSource),
    ];
    for (address, purpose) in refused {
        let listed = peer(address, purpose);
        let outgoing = Outgoing::new(vec![listed.clone()]);
        let asked = outgoing.client(purpose).unwrap().get(url(address), LIMITS);
        assert!(matches!(asked, Err(Fault::Forbidden(_))), "{address}");
        let stream = outgoing.connect(purpose, &listed.host, listed.port).await;
        assert!(matches!(stream, Err(Fault::Forbidden(_))), "{address}");
    }
}

#[tokio::test]
async fn one_bad_address_among_good_ones_refuses_all() {
    let (port, mut heard) = server(|| "hello".into_response()).await;
    let address = format!("http://engine.example:{port}/");
    for answer in [["127.0.0.1", METADATA], [METADATA, "127.0.0.1"]] {
        let outgoing = Outgoing::with_lookup(vec![peer(&address, Purpose::Engine)], Names::new(&[&answer]));
        let ask = outgoing.client(Purpose::Engine).unwrap().get(url(&address), LIMITS).unwrap();
        let failed = ask.send().await.err();
        assert!(matches!(failed, Some(Fault::Forbidden("metadata of clouds"))), "{failed:?}");
        let stream = outgoing.connect(Purpose::Engine, "engine.example", port).await;
        assert!(matches!(stream, Err(Fault::Forbidden(_))));
    }
    let source = format!("http://pictures.example:{port}/");
    let names = Names::new(&[&["1.1.1.1", "192.168.1.1"]]);
    let outgoing = Outgoing::with_lookup(vec![peer(&source, Purpose::PictureSource)], names);
    let ask = outgoing.client(Purpose::PictureSource).unwrap().get(url(&source), LIMITS).unwrap();
    assert!(matches!(ask.send().await, Err(Fault::Forbidden("private"))));
    assert!(heard.try_recv().is_err(), "nobody was connected to");
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let (port, mut heard) = server(|| "hello".into_response()).await;
    let address = format!("http://engine.example:{port}/");
    let names = Names::new(&[&["127.0.0.1"], &[METADATA]]);
    let outgoing = Outgoing::with_lookup(vec![peer(&address, Purpose::Engine)], names.clone());
    let client = outgoing.client(Purpose::Engine).unwrap();
    let answer = client.get(url(&address), LIMITS).unwrap().send().await.unwrap();
    assert_eq!((answer.bytes().await.unwrap(), names.asked()), (b"hello".to_vec(), 1));
    assert!(heard.try_recv().is_ok());
    // The next connection asks anew, and hears what has changed.
    let again = client.get(url(&address), LIMITS).unwrap().send().await;
    assert!(matches!(again, Err(Fault::Forbidden(_))) && names.asked() == 2);

    let names = Names::new(&[&["127.0.0.1"], &[METADATA]]);
    let outgoing = Outgoing::with_lookup(vec![peer(&address, Purpose::Engine)], names.clone());
    let stream = outgoing.connect(Purpose::Engine, "engine.example", port).await.unwrap();
    assert_eq!((stream.peer_addr().unwrap().port(), names.asked()), (port, 1));
}

#[tokio::test]
async fn a_request_says_what_it_must_and_nothing_of_who_asks() {
    let (port, mut heard) = server(|| "hello".into_response()).await;
    let address = format!("http://127.0.0.1:{port}/");
    let client = Outgoing::new(vec![peer(&address, Purpose::Engine)]).client(Purpose::Engine).unwrap();
    client.get(url(&address), LIMITS).unwrap().send().await.unwrap();
    // The second time the server has given a cookie and there is a page to come from.
    client.get(url(&address), LIMITS).unwrap().send().await.unwrap();
    for _ in 0..2 {
        assert_eq!(names(&heard.recv().await.unwrap()), BTreeSet::from(["accept", "host"]));
    }
    let key = Secret::new("k".to_owned());
    let body = serde_json::json!({ "a": 1 });
    client.post(url(&address), LIMITS).unwrap().bearer(&key).json(&body).send().await.unwrap();
    let headers = heard.recv().await.unwrap();
    let expected = ["accept", "authorization", "content-length", "content-type", "host"];
    assert_eq!(names(&headers), BTreeSet::from(expected));
    assert_eq!(
        (&headers["accept"], &headers["host"]),
        (&"*/*".parse().unwrap(), &format!("127.0.0.1:{port}").parse().unwrap())
    );
}

#[tokio::test]
async fn an_answer_has_an_end_in_bytes_and_in_time() {
    let (port, _heard) = server(|| "x".repeat(1001).into_response()).await;
    let address = format!("http://127.0.0.1:{port}/");
    let client = Outgoing::new(vec![peer(&address, Purpose::Engine)]).client(Purpose::Engine).unwrap();
    let answer = client.get(url(&address), LIMITS).unwrap().send().await.unwrap();
    assert!(matches!(answer.bytes().await, Err(Fault::TooLong)));

    let endless = || {
        Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>()).into_response()
    };
    let (port, _heard) = server(endless).await;
    let address = format!("http://127.0.0.1:{port}/");
    let client = Outgoing::new(vec![peer(&address, Purpose::Engine)]).client(Purpose::Engine).unwrap();
    let short = Limits { silence_max: Duration::from_millis(100), ..LIMITS };
    let answer = client.get(url(&address), short).unwrap().send().await.unwrap();
    assert!(matches!(answer.bytes().await, Err(Fault::Silent)));
}

#[tokio::test]
async fn nobody_at_the_port_is_unreachable() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}/");
    let outgoing = Outgoing::new(vec![peer(&address, Purpose::Engine)]);
    let asked = outgoing.client(Purpose::Engine).unwrap().get(url(&address), LIMITS).unwrap().send().await;
    assert!(matches!(asked, Err(Fault::Unreachable(Some(_)))));
    assert!(matches!(
        outgoing.connect(Purpose::Engine, "127.0.0.1", port).await,
        Err(Fault::Unreachable(Some(_)))
    ));
}
