//! This owns what the gallery's pages show: plain data, and the templates beside it.

use data_encoding::BASE64;
use platform::ui::Page;

use crate::artwork::{Artwork, Origin};

/// Rows of the masonry grid that a tile as wide as its column has.
const ROWS_PER_SQUARE: f32 = 20.0;
/// Rows of the gutter below a tile, about.
const ROWS_OF_GUTTER: f32 = 0.8;
/// Characters of a prompt on a tile without a picture.
const TILE_CHARS_MAX: usize = 420;

/// A tile of a sheet.
pub struct Tile {
    /// Address of the artwork.
    pub href: String,
    /// Its title or the beginning of its prompt.
    pub title: String,
    /// Text for who cannot see the picture.
    pub alt: String,
    /// Handle of its creator, where known.
    pub creator: String,
    /// Language of title and prompt.
    pub lang: String,
    /// Id of its first picture.
    pub picture: Option<TilePicture>,
    /// The beginning of its prompt, where there is no picture.
    pub words: String,
    /// Whether it was made on this server.
    pub made_here: bool,
    /// Rows of the grid, 9 to 41.
    pub rows: u32,
}

/// The picture on a tile.
pub struct TilePicture {
    /// Beginning of its addresses: `/p/{record}`.
    pub base: String,
    /// Its thumbhash in base64, for a glimpse before it has loaded.
    pub glimpse: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Tile {
    /// The tile of an artwork.
    #[must_use]
    pub fn of(artwork: &Artwork) -> Self {
        let picture = artwork.pictures.first();
        let rows =
            picture.map_or(24.0, |picture| ROWS_PER_SQUARE * picture.height as f32 / picture.width as f32);
        let title = title(artwork);
        Self {
            href: format!("/a/{}", artwork.id.as_str()),
            alt: if artwork.alt.is_empty() { title.clone() } else { artwork.alt.clone() },
            title,
            creator: artwork.creator_handle.clone(),
            lang: artwork.prompt_lang.clone(),
            picture: picture.map(|picture| TilePicture {
                base: format!("/p/{}", picture.record),
                glimpse: BASE64.encode(&picture.placeholder),
                width: picture.width,
                height: picture.height,
            }),
            words: artwork.prompt.chars().take(TILE_CHARS_MAX).collect(),
            made_here: artwork.origin == Origin::Here,
            rows: (rows + ROWS_OF_GUTTER).round().clamp(9.0, 41.0) as u32,
        }
    }
}

/// The title of an artwork, or the first words of its prompt.
#[must_use]
pub fn title(artwork: &Artwork) -> String {
    const CHARS_MAX: usize = 64;
    if !artwork.title.is_empty() {
        return artwork.title.clone();
    }
    let line = artwork
        .prompt
        .lines()
        .map(str::trim)
        .find(|line| line.chars().any(char::is_alphabetic))
        .unwrap_or_default();
    let line = line.trim_matches(|c: char| !c.is_alphanumeric());
    match line.char_indices().nth(CHARS_MAX) {
        None => line.to_owned(),
        Some((end, _)) => {
            let cut = line.get(..end).unwrap_or_default();
            format!("{}…", cut.rsplit_once(' ').map_or(cut, |(whole, _)| whole))
        }
    }
}

/// A filter or order to choose, as a link.
pub struct Chip {
    /// Its words.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// `GET /`.
#[derive(askama::Template)]
#[template(path = "browse.html")]
pub struct BrowsePage {
    /// The frame.
    pub page: Page,
    /// Words that were searched for.
    pub query: String,
    /// How many artworks there are on all sheets.
    pub all: u32,
    /// Filters and orders.
    pub chips: Vec<Chip>,
    /// The sheet's number, from 1.
    pub sheet: usize,
    /// Number of the first frame on the sheet.
    pub first: usize,
    /// Number of the last frame on the sheet.
    pub last: usize,
    /// The frames.
    pub tiles: Vec<Tile>,
    /// Address of the next sheet.
    pub next: Option<String>,
    /// Address of the sheet before.
    pub previous: Option<String>,
    /// Where nothing was found: each filter that could be dropped.
    pub drops: Vec<Chip>,
    /// Where nothing was found: others of the gallery.
    pub others: Vec<Tile>,
    /// Whether a filter or an order is on.
    pub filtered: bool,
    /// Whether there is nothing in the gallery at all yet.
    pub bare: bool,
}

/// `GET /a/{id}`.
#[derive(askama::Template)]
#[template(path = "artwork.html")]
pub struct ArtworkPage {
    /// The frame.
    pub page: Page,
    /// The artwork.
    pub artwork: Artwork,
    /// Its title.
    pub title: String,
    /// Text for who cannot see the picture.
    pub alt: String,
    /// Day of the post.
    pub posted: String,
    /// Artworks like it; where there are none, others of the gallery.
    pub near: Vec<Tile>,
    /// What to call those.
    pub near_title: String,
    /// Whether it was made on this server.
    pub made_here: bool,
    /// Address of the operator.
    pub contact: Option<String>,
}
