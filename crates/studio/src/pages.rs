//! This owns the studio's pages: the rack, the table, the history.

use std::sync::Arc;

use accounts::Member;
use axum::Json;
use axum::extract::{Form, Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use gallery::artwork::ArtworkId;
use kernel::limits::{PICTURES_PER_REQUEST_MAX, PROMPT_CHARS_MAX};
use kernel::{Error, Id, Kind, Prompt, Result, Typed};
use platform::http::{Heard, Html, Reply, Visitor};
use platform::statistics::{Counter, Who};
use platform::ui::{Nav, Page, Said, Site, receipt_page, say, say_failure};
use serde::Deserialize;
use serde_json::json;

use crate::generation::{Generation, State as Stored};
use crate::order::{Asked, Door, Order};
use crate::view::{ComparePage, Day, DeletePage, Developing, ModelView, Print, StudioPage};
use crate::{Studio, store};

/// With fewer generations than this, the page offers prompts to begin with.
const FEW: usize = 6;
/// Generations on the page.
const HISTORY_MAX: u32 = 200;
/// Bytes of a text field.
const FIELD_BYTES_MAX: usize = 80 * 1024;

/// Pictures shown before they are deleted.
const PICTURED_MAX: usize = 24;
/// Pictures that are held side by side.
const COMPARED: usize = 2;
/// Prompts of ours to begin with, as keys of the locale files.
const STARTERS: [&str; 3] = ["starter-1", "starter-2", "starter-3"];

/// Query of `GET /studio`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct From {
    from: String,
    start: String,
}

/// The pairs of a form or query in which a name may come more than once.
type Pairs = Vec<(String, String)>;

/// The generations that a form or query names, each once; what is no id is left out.
fn chosen(pairs: &Pairs) -> Vec<Id> {
    let mut ids: Vec<Id> = Vec::new();
    for id in pairs.iter().filter(|(name, _)| name == "id").filter_map(|(_, id)| id.parse().ok()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// `GET /studio`.
pub async fn studio(
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    Query(query): Query<From>,
) -> Reply<impl IntoResponse> {
    // A prompt travels by the id of its artwork or its number among ours, never in an address.
    let starter = query.start.parse::<usize>().ok().and_then(|n| STARTERS.get(n.checked_sub(1)?));
    let prompt = match (ArtworkId::parse(&query.from), starter) {
        (Ok(id), _) => {
            studio.counters.count(Counter::PromptUsed, Who::Account(member.account()));
            studio.gallery.get(&id).await.map(|artwork| artwork.prompt).unwrap_or_default()
        }
        (_, Some(key)) => say(visitor.locale, key),
        _ => String::new(),
    };
    Ok(Html(studio.page(&site, &visitor, member, prompt, None).await?))
}

/// The fields of the form as they arrive; the prompt lives in memory only.
#[derive(Default)]
struct Fields {
    prompt: Typed,
    asked: Asked,
    count: u32,
    reference: String,
    upload: Vec<u8>,
}

async fn fields(form: &mut Multipart) -> Result<Fields> {
    let unreadable =
        |_| Error::new(Kind::Invalid, "The form broke off, or a picture in it is larger than 32 MiB.");
    let mut fields = Fields { count: 1, ..Fields::default() };
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(unreadable)?;
        if name == "picture" {
            fields.upload = bytes.to_vec();
            continue;
        }
        if bytes.len() > FIELD_BYTES_MAX {
            return Err(Error::invalid(
                "prompt",
                format!("The prompt is longer than {PROMPT_CHARS_MAX} characters. Please shorten it."),
            ));
        }
        let text = String::from_utf8(bytes.to_vec())
            .map_err(|_| Error::invalid("prompt", "The form is not UTF-8 text."))?;
        match name.as_str() {
            "prompt" => fields.prompt = text.into(),
            "model" => fields.asked.model = text,
            "ratio" => fields.asked.ratio = text,
            "resolution" => fields.asked.resolution = text,
            "technique" => fields.asked.technique = text,
            "seed" => fields.asked.seed = text,
            "reference" => fields.reference = text,
            "count" => {
                let wrong =
                    || Error::invalid("count", format!("Choose 1 to {PICTURES_PER_REQUEST_MAX} frames."));
                fields.count = text.parse().map_err(|_| wrong())?;
                if !(1..=PICTURES_PER_REQUEST_MAX).contains(&fields.count) {
                    return Err(wrong());
                }
            }
            _ => {}
        }
    }
    Ok(fields)
}

/// `POST /studio/generations`: JSON for scripts, the page again for forms.
pub async fn develop(
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    headers: HeaderMap,
    mut form: Multipart,
) -> Reply {
    let wants_json = wants_json(&headers);
    match studio.develop(member.account(), &mut form).await {
        Ok(generations) if wants_json => {
            let ids: Vec<_> = generations.iter().map(|generation| json!({ "id": generation.id })).collect();
            Ok(Json(json!({ "generations": ids })).into_response())
        }
        Ok(_) => Ok(Redirect::to("/studio").into_response()),
        Err(error) if wants_json || error.kind.http_status() >= 500 => Err(error.into()),
        Err(error) => {
            let status = StatusCode::from_u16(error.kind.http_status()).unwrap_or_default();
            let words = say_failure(visitor.locale, &error.public);
            let page = studio.page(&site, &visitor, member, String::new(), Some(words)).await?;
            Ok((status, Html(page)).into_response())
        }
    }
}

/// `POST /studio/generations/{id}/cancel`.
pub async fn cancel(State(studio): State<Studio>, member: Member, Path(id): Path<Id>) -> Reply<Redirect> {
    studio.check_owner(member.account(), id).await?;
    studio.cancel(id);
    Ok(Redirect::to("/studio"))
}

/// `GET /studio/generations/{id}/delete`.
pub async fn confirm_delete(
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    Path(id): Path<Id>,
) -> Reply<impl IntoResponse> {
    studio.check_owner(member.account(), id).await?;
    Ok(Html(studio.delete_page(&site, &visitor, &member, &[id]).await))
}

/// `POST /studio/generations/delete`, with `id` once or more: asks once more unless the form says `sure`.
/// Gone for good when this answers with the receipt, as a page or for scripts as JSON; again is fine.
pub async fn delete(
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    headers: HeaderMap,
    Form(pairs): Form<Pairs>,
) -> Reply<Response> {
    let ids = chosen(&pairs);
    if ids.is_empty() {
        return Err(Error::invalid("id", "Choose at least one picture.").into());
    }
    if !pairs.iter().any(|(name, value)| name == "sure" && value == "yes") {
        return Ok(Html(studio.delete_page(&site, &visitor, &member, &ids).await).into_response());
    }
    let erased = studio.erase(member.account(), &ids).await?;
    let clear = [(header::HeaderName::from_static("clear-site-data"), "\"cache\"")];
    if wants_json(&headers) {
        return Ok((clear, Json(json!({ "receipts": erased.receipts }))).into_response());
    }
    let page = Page::new(&site, &visitor, Nav::Studio, say(visitor.locale, "erased-title"));
    Ok((clear, receipt_page(page.for_member(Some(&member)), erased.receipts, "/studio")).into_response())
}

fn wants_json(headers: &HeaderMap) -> bool {
    Heard::Accept.of(headers).is_some_and(|accept| accept.starts_with("application/json"))
}

/// `GET /studio/compare`, with `id` twice: two pictures side by side.
pub async fn compare(
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    Query(pairs): Query<Pairs>,
) -> Reply<impl IntoResponse> {
    let ids = chosen(&pairs);
    if ids.len() != COMPARED {
        return Err(Error::invalid("id", "Choose exactly two pictures to compare.").into());
    }
    let mut prints = Vec::new();
    for id in ids {
        prints.push(studio.print(&visitor, &studio.own_picture(member.account(), id).await?));
    }
    let page = Page::new(&site, &visitor, Nav::Studio, say(visitor.locale, "compare"));
    Ok(Html(ComparePage { page: page.for_member(Some(&member)), prints }))
}

impl Studio {
    async fn develop(&self, account: Id, form: &mut Multipart) -> Result<Vec<Generation>> {
        let mut fields = fields(form).await?;
        let prompt = Arc::new(Prompt::parse(fields.prompt)?);
        if !fields.upload.is_empty() {
            fields.reference = self.keep_reference(account, &fields.upload).await?.to_string();
        }
        let seed =
            fields.asked.seed.trim().parse::<u64>().ok().unwrap_or_else(|| rand::random::<u32>().into());
        let mut generations = Vec::new();
        for n in 0..fields.count {
            let asked = Asked {
                seed: seed.wrapping_add(n.into()).to_string(),
                references: match fields.reference.as_str() {
                    "" => Vec::new(),
                    name => vec![self.reference(account, name).await?],
                },
                ..fields.asked.clone()
            };
            let order = Order::parse(Arc::clone(&prompt), asked, &self.models)?;
            generations.push(self.submit(account, Door::Page, order).await?);
        }
        Ok(generations)
    }

    async fn page(
        &self,
        site: &Arc<Site>,
        visitor: &Visitor,
        member: Member,
        prompt: String,
        wrong: Option<Said>,
    ) -> Result<StudioPage> {
        let account = member.account();
        let all = store::list(&self.db, self.blobs.keys(), account, HISTORY_MAX).await?;
        let (running, ended): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| one.state == Stored::Processing);
        let balance = self.accounts.ledger().balance(account).await?;
        let first = self.models.all().next();
        Ok(StudioPage {
            page: Page::new(site, visitor, Nav::Studio, say(visitor.locale, "studio-title"))
                .for_member(Some(&member)),
            prompt,
            models: self
                .models
                .all()
                .enumerate()
                .map(|(place, model)| model_view(visitor, model, place))
                .collect(),
            techniques: first.map(|model| model.techniques.clone()).unwrap_or_default(),
            ratios: first
                .map(|model| model.ratios.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            resolution: first
                .and_then(|model| model.resolutions.first().map(|(name, _)| name.clone()))
                .unwrap_or_default(),
            resolutions: first.map(by_size).unwrap_or_default(),
            credits: balance.daily + balance.welcome + balance.purchased,
            developing: running.iter().map(|one| self.developing(one)).collect(),
            few: running.len() + ended.len() < FEW,
            history: self.history(visitor, &ended),
            wrong,
        })
    }

    async fn delete_page(
        &self,
        site: &Arc<Site>,
        visitor: &Visitor,
        member: &Member,
        ids: &[Id],
    ) -> DeletePage {
        let mut pictured = Vec::new();
        for id in ids.iter().take(PICTURED_MAX) {
            if self.own_picture(member.account(), *id).await.is_ok() {
                pictured.push(id.to_string());
            }
        }
        let page = Page::new(site, visitor, Nav::Studio, say(visitor.locale, "delete-title"));
        let ids = ids.iter().map(ToString::to_string).collect();
        DeletePage { page: page.for_member(Some(member)), ids, pictured }
    }

    fn developing(&self, generation: &Generation) -> Developing {
        let drawing = self.live(generation.id).map(|live| live.drawing.borrow().clone()).unwrap_or_default();
        Developing {
            id: generation.id.to_string(),
            position: self.position(generation.id),
            step: drawing.step,
            steps: drawing.steps,
            width: generation.details.width,
            height: generation.details.height,
        }
    }

    fn history(&self, visitor: &Visitor, ended: &[Generation]) -> Vec<Day> {
        let today = accounts::day_text(self.clock.today());
        let mut days: Vec<Day> = Vec::new();
        for generation in ended {
            let mut print = self.print(visitor, generation);
            if print.day == today {
                print.day = say(visitor.locale, "today");
            }
            match days.last_mut().filter(|day| day.name == print.day) {
                Some(day) => day.prints.push(print),
                None => days.push(Day { name: print.day.clone(), prints: vec![print] }),
            }
        }
        days
    }

    fn print(&self, visitor: &Visitor, generation: &Generation) -> Print {
        let model = self.models.get(&generation.details.model);
        Print {
            id: generation.id.to_string(),
            completed: generation.state == Stored::Completed,
            failure: say_failure(visitor.locale, &generation.details.failure),
            width: generation.details.width,
            height: generation.details.height,
            model: model.map_or(generation.details.model.clone(), |(_, model)| model.name.clone()),
            day: accounts::day_text(generation.created_at.div_euclid(kernel::clock::DAY_SECONDS)),
        }
    }
}

/// Names of a model's resolutions, the smallest first.
fn by_size(model: &engines::Model) -> Vec<String> {
    let mut resolutions = model.resolutions.clone();
    resolutions.sort_by_key(|(_, pixels)| *pixels);
    resolutions.into_iter().map(|(name, _)| name).collect()
}

fn model_view(visitor: &Visitor, model: &engines::Model, place: usize) -> ModelView {
    let description = match model.place {
        engines::Place::Here => say(visitor.locale, "papercut-words"),
        engines::Place::Remote(_) => say(visitor.locale, "remote-words"),
    };
    ModelView {
        id: model.id.clone(),
        name: model.name.clone(),
        description,
        host: match &model.place {
            engines::Place::Here => None,
            engines::Place::Remote(host) => Some(host.clone()),
        },
        credits: model.credits,
        chosen: place == 0,
    }
}
