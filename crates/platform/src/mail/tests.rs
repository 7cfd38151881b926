//! This owns what each way of handing a mail over does with it.

use kernel::Locale;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::log::{Form, Routes};

/// A mail server for one connection, which answers `RCPT TO` as told; returns what it was sent.
async fn mail_server(recipient: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("smtp://{}", listener.local_addr().unwrap());
    let served = tokio::task::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
        let (mut said, mut line, mut in_data) = (String::new(), String::new(), false);
        while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
            let answer = match line.get(..4).unwrap_or_default() {
                _ if in_data && line != ".\r\n" => "",
                "EHLO" => "250 mail.example\r\n",
                "RCPT" => recipient,
                "DATA" => "354 go on\r\n",
                "QUIT" => "221 bye\r\n",
                _ => "250 ok\r\n",
            };
            in_data = answer.starts_with("354") || (in_data && answer.is_empty());
            said.push_str(&line);
            line.clear();
            if stream.write_all(answer.as_bytes()).await.is_err() {
                break;
            }
        }
        said
    });
    (address, served)
}

fn letter() -> Letter {
    let parts = vec![Part::Words("您的登录验证码".into()), Part::Code("1234 5678".into())];
    Letter { locale: Locale::Chinese, subject: "登录码".into(), parts }
}

/// How far a mail comes with its first try.
async fn send_through(route: &str) -> Progress {
    let route: Route = route.parse().unwrap();
    let peers = match &route {
        Route::Smtp(server) => vec![server.peer()],
        _ => Vec::new(),
    };
    let log = Log::kept(Form::Json, Routes::default());
    let mailer =
        Mailer::new(&route, "Safelight <s@example.org>", &Outgoing::new(peers), log.clone()).unwrap();
    let to = EmailAddress::parse(&"ada@example.org".into()).unwrap();
    let ticket = mailer.post(&to, &letter(), Duration::from_secs(600)).unwrap();
    let mut progress = ticket.watch();
    let progress = *progress.wait_for(|progress| *progress != Progress::Waiting).await.unwrap();
    assert!(!log.lines().contains("ada") && log.lines().contains("mail"), "{}", log.lines());
    progress
}

#[tokio::test]
async fn smtp_hands_over_one_message_to_one_recipient() {
    let (address, served) = mail_server("250 ok\r\n").await;
    assert_eq!(send_through(&address).await, Progress::Accepted);
    let said = served.await.unwrap();
    assert!(
        said.contains("MAIL FROM:<s@example.org>") && said.contains("RCPT TO:<ada@example.org>"),
        "{said}"
    );
    assert!(said.contains("multipart/alternative") && said.contains("1234 5678"), "{said}");
    assert_eq!(said.matches("RCPT TO").count(), 1);
}

#[tokio::test]
async fn a_server_that_refuses_for_good_or_for_now_or_is_gone_is_told_apart() {
    let refusals = [
        ("550 no such mailbox ada@example.org\r\n", Progress::Refused),
        ("451 come again\r\n", Progress::Delayed),
    ];
    for (answer, wanted) in refusals {
        let (address, served) = mail_server(answer).await;
        assert_eq!(send_through(&address).await, wanted);
        let said = served.await.unwrap();
        assert!(!said.contains("1234 5678"), "{said}");
        assert_eq!(send_through(&address).await, Progress::Delayed, "nobody is there any more");
    }
}

#[test]
fn routes_are_read_or_explained() {
    assert_eq!("terminal".parse::<Route>().unwrap(), Route::Terminal);
    assert_eq!("dir:/var/mail".parse::<Route>().unwrap(), Route::Folder("/var/mail".into()));
    assert!(matches!("smtp://localhost:25".parse::<Route>().unwrap(), Route::Smtp(_)));
    for wrong in ["", "dir:", "pigeon", "http://x", "smtp://", "smtp://h?tls=perhaps", "smtp://h:99999"] {
        assert!(wrong.parse::<Route>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_mail_in_a_folder_is_one_whole_message() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(send_through(&format!("dir:{}", dir.path().display())).await, Progress::Accepted);
    let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(files.len(), 1);
    let text = std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
    assert!(text.contains("To: ada@example.org") && text.contains("1234 5678"), "{text}");
}
