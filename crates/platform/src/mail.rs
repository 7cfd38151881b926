//! This owns handing over a mail: by SMTP, into a folder, or on the operator's terminal.
//! It does not write the mail; there is one template, and sign-in owns it.

use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use kernel::{EmailAddress, Error, Id, Kind, Purpose, Result};
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
        let to: Mailbox = to.reveal(Purpose::SendSignInCode).parse().map_err(|cause| {
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
            Transport::Folder(dir) => {
                let name = format!("{}.eml", Id::random());
                tokio::fs::write(dir.join(name), message.formatted()).await.map_err(Error::from)
            }
            Transport::Terminal => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let to = EmailAddress::parse("ada@example.org").unwrap();
        let mail = Mail { subject: "Code".into(), text: "123 456".into(), html: "<p>123 456</p>".into() };
        mailer.send(&to, mail).await.unwrap();
        let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(files.len(), 1);
        let text = std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
        assert!(text.contains("To: ada@example.org") && text.contains("123 456"));
    }
}
