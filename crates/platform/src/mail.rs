//! This owns handing over a mail: by SMTP, into a folder, or on the operator's terminal.
//! It does not write the mail; there is one template, and sign-in owns it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kernel::{EmailAddress, Error, Id, Kind, Result, purpose};
use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::folder::create_private_dir;

/// What a mail says.
pub struct Mail {
    /// Subject line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The same as HTML, without pictures or addresses of other hosts.
    pub html: String,
}

/// How mail leaves, as set by `mail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `smtp://USER:PASSWORD@HOST:PORT` or `smtps://…`, as lettre reads it.
    Smtp(String),
    /// `dir:PATH`: one file a mail, for machines without mail and for tests.
    Folder(PathBuf),
    /// `terminal`: on standard error of the server, for trying things out.
    Terminal,
}

impl FromStr for Route {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("smtp" | "smtps", _)) => Ok(Self::Smtp(text.to_owned())),
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            None if text == "terminal" => Ok(Self::Terminal),
            _ => Err(Error::invalid("mail", "mail is smtp://USER:PASSWORD@HOST, dir:PATH or terminal.")),
        }
    }
}

/// Hands mails over.
pub struct Mailer {
    transport: Transport,
    from: Mailbox,
}

enum Transport {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Folder(PathBuf),
    Terminal,
}

impl Mailer {
    /// A mailer for this route; `from` is the address in the From line.
    ///
    /// # Errors
    /// `Invalid` when the address or the SMTP URL cannot be read, or the folder cannot be made.
    pub fn new(route: &Route, from: &str) -> Result<Self> {
        let from = from.parse().map_err(|cause| {
            Error::invalid("mail-from", "mail-from is an address such as Safelight <no-reply@example.org>.")
                .because(cause)
        })?;
        let transport = match route {
            Route::Smtp(url) => Transport::Smtp(Box::new(
                AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
                    .map_err(|cause| {
                        Error::invalid(
                            "mail",
                            "The SMTP address in mail cannot be read: smtp://USER:PASSWORD@HOST:PORT.",
                        )
                        .because(cause)
                    })?
                    .build(),
            )),
            Route::Folder(dir) => {
                create_private_dir(dir)?;
                Transport::Folder(dir.clone())
            }
            Route::Terminal => Transport::Terminal,
        };
        Ok(Self { transport, from })
    }

    /// Hands a mail to the receiving side; nothing of it is kept here.
    ///
    /// # Errors
    /// `Upstream` when the mail server refuses it or cannot be reached.
    pub async fn send(&self, to: &EmailAddress, mail: Mail) -> Result<()> {
        let refused = || {
            Error::new(
                Kind::Upstream,
                "The mail could not be sent. Please check the address, or try again in a minute.",
            )
        };
        if let Transport::Terminal = self.transport {
            // The address is left out: the person at the terminal knows whom they typed in.
            writeln!(
                std::io::stderr().lock(),
                "\n  {}\n  {}\n",
                mail.subject,
                mail.text.replace('\n', "\n  ")
            )?;
            return Ok(());
        }
        let to: Mailbox = to.reveal(purpose::SendSignInCode).parse().map_err(|cause| {
            Error::invalid("address", "Mail cannot be sent to this address. Please check it.").because(cause)
        })?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject)
            .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))
            .map_err(|cause| refused().because(cause))?;
        match &self.transport {
            Transport::Smtp(smtp) => {
                smtp.send(message).await.map(drop).map_err(|cause| refused().because(cause))
            }
            Transport::Folder(dir) => keep(dir, &message.formatted()).await.map_err(Error::from),
            Transport::Terminal => Ok(()),
        }
    }
}

/// Writes a mail whole or not at all, under a name that sorts by time.
async fn keep(dir: &Path, message: &[u8]) -> std::io::Result<()> {
    let name = format!("{:015}-{}", jiff::Timestamp::now().as_millisecond(), Id::random());
    let part = dir.join(format!("{name}.part"));
    tokio::fs::write(&part, message).await?;
    tokio::fs::rename(part, dir.join(format!("{name}.eml"))).await
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

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

    fn mail() -> Mail {
        Mail { subject: "登录码".into(), text: "1234 5678".into(), html: "<p>1234 5678</p>".into() }
    }

    async fn send_through(route: &str) -> Result<()> {
        let mailer = Mailer::new(&route.parse().unwrap(), "Safelight <s@example.org>").unwrap();
        mailer.send(&EmailAddress::parse(&"ada@example.org".into()).unwrap(), mail()).await
    }

    #[tokio::test]
    async fn smtp_hands_over_one_message_to_one_recipient() {
        let (address, served) = mail_server("250 ok\r\n").await;
        send_through(&address).await.unwrap();
        let said = served.await.unwrap();
        assert!(
            said.contains("MAIL FROM:<s@example.org>") && said.contains("RCPT TO:<ada@example.org>"),
            "{said}"
        );
        assert!(said.contains("multipart/alternative") && said.contains("1234 5678"), "{said}");
        assert_eq!(said.matches("RCPT TO").count(), 1);
    }

    #[tokio::test]
    async fn a_mail_server_that_refuses_or_is_gone_is_told_without_the_address() {
        let (address, served) = mail_server("550 no such mailbox ada@example.org\r\n").await;
        let error = send_through(&address).await.unwrap_err();
        assert_eq!(error.kind, Kind::Upstream);
        assert!(!error.public.contains("ada@"), "{}", error.public);
        let said = served.await.unwrap();
        assert!(!said.contains("1234 5678"), "{said}");
        assert_eq!(send_through(&address).await.unwrap_err().kind, Kind::Upstream);
    }

    #[test]
    fn routes_are_read_or_explained() {
        assert_eq!("terminal".parse::<Route>().unwrap(), Route::Terminal);
        assert_eq!("dir:/var/mail".parse::<Route>().unwrap(), Route::Folder("/var/mail".into()));
        assert!(matches!("smtp://localhost:25".parse::<Route>().unwrap(), Route::Smtp(_)));
        for wrong in ["", "dir:", "pigeon", "http://x"] {
            assert!(wrong.parse::<Route>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_mail_in_a_folder_is_one_whole_message() {
        let dir = tempfile::tempdir().unwrap();
        let mailer = Mailer::new(&Route::Folder(dir.path().into()), "Safelight <s@example.org>").unwrap();
        let to = EmailAddress::parse(&"ada@example.org".into()).unwrap();
        let mail = Mail { subject: "Code".into(), text: "123 456".into(), html: "<p>123 456</p>".into() };
        mailer.send(&to, mail).await.unwrap();
        let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(files.len(), 1);
        let text = std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
        assert!(text.contains("To: ada@example.org") && text.contains("123 456"));
    }
}
