//! This owns the first gallery: prompts written for it, drawn by the built-in engine, labelled as made here.

use std::sync::Arc;

use engines::{Progress, State};
use gallery::artwork::{ArtworkId, Origin};
use gallery::extract::Extracted;
use gallery::source::Entry;
use kernel::{Clock, Error, Prompt, Result, SystemClock};
use platform::log::Event;
use serde::Deserialize;
use studio::{Asked, Order};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::house::House;

const FILE: &str = include_str!("../starter.toml");

#[derive(Deserialize)]
struct Starter {
    picture: Vec<StarterPicture>,
}

#[derive(Deserialize)]
struct StarterPicture {
    title: String,
    prompt: String,
    category: String,
    #[serde(default)]
    ratio: String,
    #[serde(default)]
    technique: String,
}

/// Fills a gallery that holds nothing but an unfinished start; goes on where a stop has cut it off.
pub(crate) async fn fill(house: &House, stop: &CancellationToken) -> Result<()> {
    let starter: Starter =
        toml::from_str(FILE).map_err(|cause| Error::internal("the starter list is broken").because(cause))?;
    let ids: Vec<String> = (1..=starter.picture.len()).map(|n| format!("here-{n:02}")).collect();
    let mut missing = Vec::new();
    for (id, picture) in ids.iter().zip(starter.picture) {
        if house.gallery.get(&ArtworkId::parse(id)?).await.is_err() {
            missing.push((id.clone(), picture));
        }
    }
    let made = ids.len() - missing.len();
    // Someone else's gallery, or one from which pictures of the start were removed on purpose, is left alone.
    let untouched = house.gallery.len().await? == made as u64
        && (made == 0 || missing.iter().all(|(id, _)| *id > ids.get(made - 1).cloned().unwrap_or_default()));
    if !untouched || missing.is_empty() {
        return Ok(());
    }
    let mut added = 0;
    for (seed, (id, picture)) in missing.into_iter().enumerate() {
        if stop.is_cancelled() {
            break;
        }
        draw(house, id, picture, (made + seed) as u64, stop).await?;
        added += 1;
    }
    house.log.write(Event::Imported { added, skipped: 0 });
    Ok(())
}

async fn draw(
    house: &House,
    id: String,
    picture: StarterPicture,
    seed: u64,
    stop: &CancellationToken,
) -> Result<()> {
    let asked = Asked {
        ratio: picture.ratio,
        technique: picture.technique,
        seed: (seed + 11).to_string(),
        ..Asked::default()
    };
    let (state, _seen) = watch::channel(State::default());
    let prompt = Arc::new(Prompt::parse(picture.prompt.as_str())?);
    let order = Order::parse(prompt, asked, house.studio.models())?;
    let licence = house.studio.credit(order.model());
    let drawn = house.studio.draw_now(order, Progress::new(state, stop.clone())).await?;
    let entry = Entry {
        id,
        origin: Some(Origin::Here),
        prompt: Some(Extracted { title: picture.title, prompt: picture.prompt }),
        model: "Papercut".to_owned(),
        category: picture.category,
        creator_name: "Papercut".to_owned(),
        licence,
        posted_day: Some(SystemClock.today()),
        ..Entry::default()
    };
    house.gallery.add_own(entry, drawn).await
}
