//! This owns the gallery's pages: the sheets and the artwork.

use std::sync::Arc;

use accounts::MaybeMember;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use platform::http::{Html, Reply, Visitor};
use platform::statistics::{Counter, Visit};
use platform::ui::{Nav, Page, Site};
use serde::Deserialize;

use crate::Gallery;
use crate::artwork::{Artwork, ArtworkId, Origin, Shape};
use crate::discover::Browse;
use crate::store::{Filter, Order};
use crate::view::{ArtworkPage, BrowsePage, Chip, Tile, title};

/// Similar artworks on an artwork's page.
const SIMILAR_MAX: usize = 12;
/// Public pages may be kept for going back to where one was; before they are shown anew the server is asked.
const REVALIDATED: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "private, no-cache")];
/// Chips of one kind.
const CHIPS_MAX: usize = 8;

/// Query of `GET /`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct BrowseQuery {
    q: String,
    model: String,
    category: String,
    ratio: String,
    sort: String,
    page: Option<String>,
}

impl BrowseQuery {
    fn sheet(&self) -> usize {
        self.page.as_deref().and_then(|page| page.parse().ok()).unwrap_or(1).max(1)
    }

    fn filter(&self) -> Filter {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Filter {
            model: some(&self.model),
            category: some(&self.category),
            shape: Shape::ALL.into_iter().find(|shape| shape.name() == self.ratio),
        }
    }

    fn order(&self) -> Order {
        if self.sort == "new" { Order::Newest } else { Order::Liked }
    }

    /// The address of these choices; the first sheet and empty choices are left out.
    fn href(&self, sheet: usize) -> String {
        let number = if sheet > 1 { sheet.to_string() } else { String::new() };
        let parts = [
            ("q", &self.q),
            ("model", &self.model),
            ("category", &self.category),
            ("ratio", &self.ratio),
            ("sort", &self.sort),
            ("page", &number),
        ];
        let query = parts.iter().filter(|(_, value)| !value.is_empty());
        let text = serde_urlencoded::to_string(query.collect::<Vec<_>>()).unwrap_or_default();
        if text.is_empty() { "/".to_owned() } else { format!("/?{text}") }
    }

    /// Each filter that is on, with the address without it.
    fn drops(&self, chips: &[Chip]) -> Vec<Chip> {
        let filters = chips.iter().skip(1).filter(|chip| chip.chosen);
        let mut drops: Vec<Chip> = filters
            .map(|chip| Chip { label: chip.label.clone(), href: chip.href.clone(), chosen: true })
            .collect();
        if !self.q.is_empty() && !drops.is_empty() {
            drops.push(self.chip(self.q.clone(), true, |changed| changed.q.clear()));
        }
        drops
    }

    fn chip(&self, label: String, chosen: bool, change: impl FnOnce(&mut Self)) -> Chip {
        let mut changed = self.clone();
        change(&mut changed);
        Chip { label, href: changed.href(1), chosen }
    }
}

/// `GET /`.
pub async fn browse(
    State(gallery): State<Gallery>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: MaybeMember,
    visit: Visit,
    Query(query): Query<BrowseQuery>,
) -> Reply<impl IntoResponse> {
    let sheet = query.sheet();
    let browse = Browse::sheet(query.q.clone(), query.filter(), query.order(), sheet);
    let found = gallery.browse(&browse).await?;
    let all = usize::try_from(found.all).unwrap_or(usize::MAX);
    let counter = match (query.q.is_empty(), all) {
        (true, _) => Counter::GalleryPage,
        (false, 0) => Counter::SearchWithoutResult,
        (false, _) => Counter::Search,
    };
    visit.count(counter, member.account());
    let key = if query.q.is_empty() { "nav-gallery" } else { "search" };
    let page = Page::new(&site, &visitor, Nav::Gallery, platform::ui::say(visitor.locale, key))
        .for_member(member.0.as_ref());
    let chips = chips(&gallery, &query, &page).await?;
    let drops = if all == 0 { query.drops(&chips) } else { Vec::new() };
    let others = if all == 0 { liked(&gallery).await? } else { Vec::new() };
    let last = browse.offset + found.artworks.len();
    let page = BrowsePage {
        drops,
        all: u32::try_from(all).unwrap_or(u32::MAX),
        sheet,
        first: browse.offset + 1,
        last,
        tiles: found.artworks.iter().map(Tile::of).collect(),
        next: (last < all && !found.artworks.is_empty()).then(|| query.href(sheet + 1)),
        previous: (sheet > 1).then(|| query.href(sheet - 1)),
        bare: all == 0 && others.is_empty(),
        others: others.iter().map(Tile::of).collect(),
        filtered: chips.first().is_some_and(|all| !all.chosen),
        query: query.q,
        chips,
        page,
    };
    Ok((REVALIDATED, Html(page)))
}

async fn chips(gallery: &Gallery, query: &BrowseQuery, page: &Page) -> kernel::Result<Vec<Chip>> {
    let plain = query.model.is_empty() && query.category.is_empty() && query.ratio.is_empty();
    let mut chips = vec![query.chip(page.t("all"), plain && query.sort.is_empty(), |all| {
        *all = BrowseQuery { q: std::mem::take(&mut all.q), ..BrowseQuery::default() };
    })];
    if query.q.is_empty() {
        let newest = query.sort == "new";
        chips.push(
            query.chip(page.t("newest"), newest, |q| {
                q.sort = if newest { String::new() } else { "new".into() }
            }),
        );
    }
    for shape in Shape::ALL {
        let chosen = query.ratio == shape.name();
        let label = match shape {
            Shape::Portrait => page.t("portrait"),
            Shape::Landscape => page.t("landscape"),
            Shape::Square => page.t("square"),
        };
        chips.push(
            query.chip(label, chosen, |q| q.ratio = if chosen { String::new() } else { shape.name().into() }),
        );
    }
    for category in gallery.categories().await?.into_iter().take(CHIPS_MAX) {
        let chosen = query.category == category;
        chips.push(
            query.chip(category.clone(), chosen, |q| {
                q.category = if chosen { String::new() } else { category }
            }),
        );
    }
    for model in gallery.models().await?.into_iter().take(CHIPS_MAX) {
        let chosen = query.model == model;
        chips.push(
            query.chip(model.clone(), chosen, |q| q.model = if chosen { String::new() } else { model }),
        );
    }
    Ok(chips)
}

/// `GET /a/{id}`.
pub async fn artwork(
    State(gallery): State<Gallery>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: MaybeMember,
    visit: Visit,
    Path(id): Path<String>,
) -> Reply<impl IntoResponse> {
    let artwork = gallery.get(&ArtworkId::parse(&id)?).await?;
    visit.count(Counter::ArtworkOpened, member.account());
    let (near, near_key) = near(&gallery, &artwork).await?;
    let title = title(&artwork);
    let page = ArtworkPage {
        page: Page::new(&site, &visitor, Nav::Gallery, title.clone()).for_member(member.0.as_ref()),
        alt: if artwork.alt.is_empty() { title.clone() } else { artwork.alt.clone() },
        title,
        posted: if artwork.posted_day == 0 { String::new() } else { accounts::day_text(artwork.posted_day) },
        near: near.iter().map(Tile::of).collect(),
        near_title: platform::ui::say(visitor.locale, near_key),
        made_here: artwork.origin == Origin::Here,
        contact: site.contact.clone(),
        artwork,
    };
    Ok((REVALIDATED, Html(page)))
}

/// Artworks like this one or, where nothing is, others of the gallery; with the key of what to call them.
async fn near(gallery: &Gallery, artwork: &Artwork) -> kernel::Result<(Vec<Artwork>, &'static str)> {
    let similar = gallery.similar(artwork, SIMILAR_MAX).await?;
    if !similar.is_empty() {
        return Ok((similar, "similar"));
    }
    let others = liked(gallery).await?.into_iter().filter(|other| other.key != artwork.key);
    Ok((others.collect(), "more"))
}

/// The artworks that are liked most.
async fn liked(gallery: &Gallery) -> kernel::Result<Vec<Artwork>> {
    let first = Browse { order: Order::Liked, limit: SIMILAR_MAX, ..Browse::default() };
    Ok(gallery.browse(&first).await?.artworks)
}
