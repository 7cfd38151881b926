//! Makes a folder in which a member has many pictures, for measuring an export of them: `export FOLDER [PICTURES]`. A few are
//! drawn, the others are copies under keys of their own. The same files lie beside it in the plain, for peers. Prints
//! `name value` lines: the member's cookie, and how many pictures there are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::connections::{self, Bounds};
use app::house::House;
use app::routes::router;
use kernel::{EmailAddress, Id, SystemClock};
use platform::config::{Settings, arguments};
use platform::folder::{DataFolder, Taken};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use vault::Kind;

/// Pictures where none are asked for.
const PICTURES: usize = 1_000;
const PROMPTS: [&str; 4] = [
    "a red fox in a snowy forest at night",
    "a sailboat on the sea at sunset",
    "a castle on a hill",
    "a cup of coffee on a table",
];
const ADDRESS: &str = "bench@example.org";
/// Forms of a picture that are kept.
const KINDS: [Kind; 5] =
    [Kind::Original, Kind::Thumbnail(240), Kind::Thumbnail(360), Kind::Thumbnail(480), Kind::Thumbnail(720)];
const SIDE: u32 = 1024;
/// When the first picture was made.
const FIRST: i64 = 1_764_000_000;

type Failed = Box<dyn std::error::Error>;
/// A picture in all its forms.
type Forms = Vec<(Kind, Vec<u8>)>;

#[tokio::main]
#[allow(clippy::print_stdout)] // It is a measuring program.
async fn main() -> Result<(), Failed> {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().ok_or("which folder?")?);
    let pictures = args.next().map_or(Ok(PICTURES), |text| text.parse())?;
    let house = open(&folder).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let (bounds, proxies) = (Bounds::default(), Arc::clone(&house.proxies));
    let router = router(house.clone(), bounds);
    tokio::spawn(connections::serve(listener, router, bounds, proxies, CancellationToken::new()));
    let cookie = sign_in(&base, &folder.join("mail")).await?;
    let mut drawn = Vec::new();
    for prompt in PROMPTS {
        drawn.push(draw(&house, &base, &cookie, prompt).await?);
    }
    let account = house.accounts.find_or_create(&EmailAddress::parse(&ADDRESS.into())?).await?;
    for (n, forms) in (PROMPTS.len()..pictures).zip(drawn.iter().cycle()) {
        keep(&house, account, FIRST + i64::try_from(n)? * 997, forms).await?;
    }
    write_plain(&folder.join("plain"), pictures, &drawn)?;
    house.close().await;
    println!("cookie {cookie}\npictures {pictures}");
    Ok(())
}

async fn open(folder: &Path) -> Result<House, Failed> {
    let (data, mail) = (folder.join("data"), format!("dir:{}", folder.join("mail").display()));
    let text = data.display().to_string();
    let args = ["t", "--data", &text, "--mail", &mail, "--anchor-check", "accept", "--swap-check", "accept"];
    let settings = Settings::resolve(&clap::Command::new("t").args(arguments()).get_matches_from(args))?;
    settings.mail.create_folder()?;
    let Taken::Here(folder) = DataFolder::take(&data)? else { return Err("the folder is taken".into()) };
    Ok(House::open_at(settings, folder, Arc::new(SystemClock)).await?)
}

#[expect(clippy::disallowed_methods, reason = "it asks the server that it has started")]
async fn post(address: String, cookie: &str, fields: &[(&str, &str)]) -> Result<Response, Failed> {
    let client = Client::builder().redirect(Policy::none()).build()?;
    let form = fields.iter().fold(reqwest::multipart::Form::new(), |form, (name, value)| {
        form.text((*name).to_owned(), (*value).to_owned())
    });
    let request = client.post(&address).header("sec-fetch-site", "same-origin").header("cookie", cookie);
    let request = request.header("accept", "application/json");
    let multipart = address.ends_with("/generations");
    let answer = if multipart { request.multipart(form) } else { request.form(fields) }.send().await?;
    if answer.status().is_client_error() { Err(answer.text().await?.into()) } else { Ok(answer) }
}

/// The cookie that an answer sets, with its name.
#[expect(clippy::disallowed_methods, reason = "headers of an answer")]
fn cookie_of(answer: &Response, name: &str) -> Result<String, Failed> {
    let set = answer.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let own = set.filter_map(|value| value.split(';').next()).find(|pair| pair.starts_with(name));
    Ok(own.ok_or("no cookie was set")?.to_owned())
}

async fn sign_in(base: &str, mails: &Path) -> Result<String, Failed> {
    let asked = post(format!("{base}/sign-in"), "", &[("address", ADDRESS)]).await?;
    let browser = cookie_of(&asked, "sign-in=")?;
    // The mail is written beside the answer.
    let mail = loop {
        let written = std::fs::read_dir(mails)?.flatten().map(|entry| entry.path());
        match written.filter(|path| path.extension().is_some_and(|kind| kind == "eml")).last() {
            Some(mail) => break mail,
            None => tokio::task::yield_now().await,
        }
    };
    let text = std::fs::read_to_string(mail)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let half = |part: &&str| part.len() == 4 && part.parse::<u32>().is_ok();
    let code = words.windows(2).find(|pair| pair.iter().all(half)).ok_or("the mail has no code")?.concat();
    cookie_of(&post(format!("{base}/sign-in/code"), &browser, &[("code", &code)]).await?, "session=")
}

/// A picture that Papercut draws, in all its forms.
async fn draw(house: &House, base: &str, cookie: &str, prompt: &str) -> Result<Forms, Failed> {
    let fields = [("prompt", prompt), ("resolution", "1K")];
    let made: Value = post(format!("{base}/studio/generations"), cookie, &fields).await?.json().await?;
    let id: Id = made["generations"][0]["id"].as_str().ok_or("no picture was made")?.parse()?;
    if let Some(mut live) = house.studio.live(id) {
        let ended = |phase: &studio::Phase| !matches!(phase, studio::Phase::Queued | studio::Phase::Drawing);
        let _ = live.phase.wait_for(ended).await;
    }
    let mut forms = Vec::new();
    for kind in KINDS {
        forms.push((kind, house.blobs.get(id, kind).await?.to_vec()));
    }
    Ok(forms)
}

/// Keeps a copy as if it had been made at this time.
async fn keep(house: &House, account: Id, time: i64, forms: &Forms) -> Result<(), Failed> {
    let id = Id::random();
    let details = json!({ "failure": "", "model": "papercut", "ratio": "1:1", "width": SIDE, "height": SIDE, "credits": 1 });
    let mut writing = house.db.write().await?;
    let key = house.keys.create(&mut writing, id, Some(account)).await?;
    sqlx::query(
        "INSERT INTO generation (id, account, hold, state, details_sealed, created_at) VALUES (?, ?, ?, 'completed', ?, ?)",
    )
    .bind(id.as_bytes().as_slice())
    .bind(account.as_bytes().as_slice())
    .bind(Id::random().as_bytes().as_slice())
    .bind(vault::seal_field(&key, id, "details", details.to_string().as_bytes())?)
    .bind(time)
    .execute(&mut *writing)
    .await?;
    platform::db::commit(writing).await?;
    house.blobs.write(id, &key, forms)?;
    Ok(house.blobs.settle(&[id])?)
}

/// What an export holds of these pictures, as plain files.
fn write_plain(folder: &Path, pictures: usize, drawn: &[Forms]) -> Result<(), Failed> {
    std::fs::create_dir_all(folder)?;
    for (n, forms) in (0..pictures).zip(drawn.iter().cycle()) {
        for (kind, bytes) in forms {
            match kind {
                Kind::Original => std::fs::write(folder.join(format!("{n}.png")), bytes)?,
                Kind::Thumbnail(360) => std::fs::write(folder.join(format!("{n}.webp")), bytes)?,
                _ => {}
            }
        }
    }
    Ok(())
}
