//! What a connection may take: heads and addresses that are too long, bodies that are too large, and clients that are slow.

use std::sync::Arc;
use std::time::Duration;

use app::connections::Bounds;
use kernel::SystemClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::TestApp;

/// So short that a test can wait for it, so long that a busy machine keeps it.
const SHORT: Duration = Duration::from_millis(700);

async fn app(bounds: Bounds) -> TestApp {
    TestApp::start_with(Arc::new(SystemClock), bounds, &[]).await
}

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap()
}

/// What the server says until it hangs up.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn ask(app: &TestApp, request: &str) -> String {
    let mut stream = connect(app).await;
    // It may hang up before it has read all of it.
    let _ = stream.write_all(request.as_bytes()).await;
    rest(stream).await
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test]
async fn heads_addresses_and_bodies_have_an_end() {
    let app = app(Bounds::default()).await;
    let close = "host: x\r\nconnection: close\r\n";
    let many: String = (0..70).map(|n| format!("x-{n}: y\r\n")).collect();
    assert_eq!(status(&ask(&app, &format!("GET / HTTP/1.1\r\n{close}{many}\r\n")).await), "431");
    let long = "a".repeat(40 * 1024);
    assert_eq!(status(&ask(&app, &format!("GET / HTTP/1.1\r\n{close}x: {long}\r\n\r\n")).await), "431");
    let long = "a".repeat(9 * 1024);
    let answer =
        ask(&app, &format!("GET /?q={long} HTTP/1.1\r\n{close}accept: application/json\r\n\r\n")).await;
    assert_eq!(status(&answer), "414");
    assert!(answer.contains("This address is longer"), "{answer}");
    for (path, bytes) in [("/sign-in", 65 * 1024), ("/verify", 1025 * 1024), ("/preferences", 65 * 1024)] {
        let form = format!("{close}content-type: application/x-www-form-urlencoded\r\n");
        let request = format!("POST {path} HTTP/1.1\r\n{form}content-length: {bytes}\r\n\r\n");
        let answer = ask(&app, &(request + &"a".repeat(bytes))).await;
        assert_eq!(status(&answer), "413", "{path}: {answer}");
    }
    assert_eq!(status(&ask(&app, &format!("GET /healthz HTTP/1.1\r\n{close}\r\n")).await), "200");
}

#[tokio::test]
async fn a_slow_head_is_hung_up_on_and_a_slow_body_is_told_while_others_are_served() {
    let app = app(Bounds { head: SHORT, answer: SHORT, ..Bounds::default() }).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = connect(&app).await;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
        slow.push(stream);
    }
    let mut body = connect(&app).await;
    let head = "POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    body.write_all(format!("{head}content-length: 100\r\n\r\naddress=").as_bytes()).await.unwrap();
    assert_eq!(app.browser().get(app.url("/")).send().await.unwrap().status(), 200, "others are served");
    assert_eq!(status(&rest(body).await), "408");
    for stream in slow {
        let answer = rest(stream).await;
        assert!(answer.is_empty() || status(&answer) == "408", "{answer}");
    }
}

#[tokio::test]
async fn one_network_does_not_take_every_place() {
    let bounds = Bounds { connections: 3, connections_of_one: 2, ..Bounds::default() };
    let app = app(bounds).await;
    let (first, second) = (connect(&app).await, connect(&app).await);
    let third = connect(&app).await;
    assert_eq!(rest(third).await, "", "it is hung up on");
    drop(first);
    let served = async || {
        let mut stream = connect(&app).await;
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        rest(stream).await
    };
    let mut turn = tokio::time::interval(crate::POLL);
    for _ in 0..crate::POLLS_MAX {
        turn.tick().await;
        if status(&served().await) == "200" {
            drop(second);
            return;
        }
    }
    panic!("a place that was left is not free again");
}
