//! This owns what a mail server hears, with TLS and without: one connection, one mail, and nothing before it is safe.
#![expect(clippy::disallowed_methods, reason = "the list is not what these tests are about")]

use std::sync::Arc;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::client::Certificate;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

/// A certificate for mail.example that signed itself, and its key; both are for these tests alone.
const PAPERS: &[u8] = include_bytes!("mail.example.pem");

fn acceptor() -> TlsAcceptor {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let certificate = CertificateDer::from_pem_slice(PAPERS).unwrap();
    let key = PrivateKeyDer::from_pem_slice(PAPERS).unwrap();
    TlsAcceptor::from(Arc::new(
        config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap(),
    ))
}

fn trusting() -> TlsParameters {
    let root = Certificate::from_pem(PAPERS).unwrap();
    TlsParameters::builder("mail.example".into()).add_root_certificate(root).build().unwrap()
}

fn message() -> Message {
    let address = |text: &str| text.parse::<Mailbox>().unwrap();
    let builder = Message::builder().from(address("s@example.org")).to(address("ada@example.org"));
    let body = MultiPart::alternative_plain_html("1234 5678".to_owned(), "<p>1234 5678</p>".to_owned());
    builder.multipart(body).unwrap()
}

/// What was said to a server.
#[derive(Default)]
struct Heard {
    plain: String,
    sealed: String,
}

/// Answers as a mail server until the other side stops or asks for TLS.
async fn answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    greeting: &str,
    offer: &str,
) -> (String, bool) {
    let mut stream = BufReader::new(stream);
    stream.write_all(greeting.as_bytes()).await.unwrap();
    let (mut said, mut line, mut in_data) = (String::new(), String::new(), false);
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let answer = match line.get(..4).unwrap_or_default() {
            _ if in_data && line != ".\r\n" => String::new(),
            "EHLO" => format!("250-mail.example\r\n{offer}250 AUTH PLAIN\r\n"),
            "STAR" => "220 go on\r\n".into(),
            "AUTH" => "235 welcome\r\n".into(),
            "DATA" => "354 go on\r\n".into(),
            "QUIT" => "221 bye\r\n".into(),
            _ => "250 ok\r\n".into(),
        };
        let starts_tls = line.starts_with("STAR");
        in_data = answer.starts_with("354") || (in_data && answer.is_empty());
        said.push_str(&line);
        line.clear();
        if stream.write_all(answer.as_bytes()).await.is_err() || starts_tls {
            return (said, starts_tls);
        }
    }
    (said, false)
}

/// A mail server for one connection.
async fn serve(tls: Tls, offer: &'static str) -> (u16, JoinHandle<Heard>) {
    let always = tls == Tls::Always;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::task::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut heard, greeting) = (Heard::default(), "220 mail.example ESMTP\r\n");
        let mut wants_tls = always;
        if !always {
            (heard.plain, wants_tls) = answer(&mut stream, greeting, offer).await;
        }
        if wants_tls && let Ok(mut stream) = acceptor().accept(stream).await {
            let greeting = if always { greeting } else { "" };
            (heard.sealed, _) = answer(&mut stream, greeting, "").await;
        }
        heard
    });
    (port, served)
}

/// Hands a mail over to such a server, which is called by this address.
async fn send(scheme: &str, rest: &str, offer: &'static str) -> (Result<(), Fault>, Heard) {
    let begin = if scheme == "smtps" { Tls::Always } else { Tls::Offered };
    let (port, served) = serve(begin, offer).await;
    let server: Server = format!("{scheme}://ada:s%40cret@mail.example:{port}{rest}").parse().unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let tls = (server.tls != Tls::Never).then(trusting);
    let sent = server.talk(stream, tls, &message()).await;
    (sent, served.await.unwrap())
}

fn holds_the_mail(said: &str) -> bool {
    said.contains("1234 5678") && said.contains("AUTH PLAIN") && said.matches("RCPT TO").count() == 1
}

const OFFER: &str = "250-STARTTLS\r\n";

#[tokio::test]
async fn under_smtps_every_byte_is_sealed() {
    let (sent, heard) = send("smtps", "", "").await;
    sent.unwrap();
    assert!(heard.plain.is_empty() && holds_the_mail(&heard.sealed), "{}", heard.sealed);
}

#[tokio::test]
async fn where_tls_is_offered_or_required_credentials_and_mail_wait_for_it() {
    for wish in ["?tls=opportunistic", "?tls=required", "/my.name?tls=required"] {
        let (sent, heard) = send("smtp", wish, OFFER).await;
        sent.unwrap();
        let greeted = if wish.starts_with('/') { "EHLO my.name" } else { "EHLO " };
        assert!(heard.plain.starts_with(greeted) && heard.plain.ends_with("STARTTLS\r\n"), "{}", heard.plain);
        assert!(!heard.plain.contains("AUTH") && holds_the_mail(&heard.sealed), "{wish}");
    }
}

#[tokio::test]
async fn without_an_offer_it_goes_on_where_it_may_and_says_nothing_where_it_must_not() {
    let (sent, heard) = send("smtp", "?tls=opportunistic", "").await;
    assert!(sent.is_ok() && holds_the_mail(&heard.plain));
    let (sent, heard) = send("smtp", "?tls=required", "").await;
    assert!(
        sent == Err(Fault::Setup) && !heard.plain.contains("AUTH") && !heard.plain.contains("1234"),
        "{}",
        heard.plain
    );
    let (sent, heard) = send("smtp", "", OFFER).await;
    assert!(sent.is_ok() && holds_the_mail(&heard.plain), "as the address says");
}

#[tokio::test]
async fn a_stranger_with_a_certificate_of_its_own_hears_nothing() {
    for (scheme, wish, tls) in [("smtps", "", Tls::Always), ("smtp", "?tls=required", Tls::Required)] {
        let (port, served) = serve(tls, OFFER).await;
        let server: Server = format!("{scheme}://ada:secret@localhost:{port}{wish}").parse().unwrap();
        let outgoing = Outgoing::new(vec![server.peer()]);
        assert_eq!(server.hand_over(&outgoing, &message()).await, Err(Fault::Setup));
        assert!(served.await.unwrap().sealed.is_empty());
    }
}

#[tokio::test]
async fn a_server_that_is_not_on_the_list_is_not_called() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server: Server = format!("smtp://127.0.0.1:{port}").parse().unwrap();
    assert_eq!(server.hand_over(&Outgoing::new(Vec::new()), &message()).await, Err(Fault::Setup));
    let mut byte = [0];
    let called = async { listener.accept().await.unwrap().0.read(&mut byte).await };
    assert!(tokio::time::timeout(Duration::from_millis(50), called).await.is_err());
}

#[test]
fn addresses_are_read_as_before() {
    let read = |text: &str| text.parse::<Server>().unwrap();
    let ports = [
        ("smtp://mail.example", Tls::Never, 25),
        ("smtp://mail.example?tls=opportunistic", Tls::Offered, 587),
        ("smtp://mail.example?tls=required", Tls::Required, 587),
        ("smtps://mail.example", Tls::Always, 465),
        ("smtp://mail.example:2525", Tls::Never, 2525),
    ];
    for (address, tls, port) in ports {
        let server = read(address);
        assert_eq!((server.tls, server.port, server.login), (tls, port, None), "{address}");
    }
    let server = read("smtps://ada%40example.org:p%2Fw@Mail.Example/my.name");
    let login = Credentials::new("ada@example.org".into(), "p/w".into());
    assert_eq!((server.login, server.hello), (Some(login), ClientId::Domain("my.name".into())));
    assert_eq!((server.host.as_str(), read("smtp://[::1]").host.as_str()), ("mail.example", "[::1]"));
    assert!(!format!("{:?}", read("smtp://ada:hush@mail.example")).contains("hush"));
}
