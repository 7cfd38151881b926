//! This owns the studio's pages: the rack, the table, the history.

use std::sync::Arc;

use accounts::Member;
use axum::Json;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use gallery::artwork::ArtworkId;
use kernel::limits::PICTURES_PER_REQUEST_MAX;
use kernel::{Error, Id, Kind, Result};
use platform::http::{Html, Reply, Visitor};
use platform::ui::{Nav, Page, Site, say};
use serde::Deserialize;
use serde_json::json;

use crate::generation::{Generation, State as Stored};
use crate::order::{Asked, Door, Order};
use crate::view::{Day, DeletePage, Developing, ModelView, Print, StudioPage};
use crate::{Studio, store};

/// Generations on the page.
const HISTORY_MAX: u32 = 200;
/// Bytes of a text field.
const FIELD_BYTES_MAX: usize = 80 * 1024;

/// Query of `GET /studio`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct From {
    from: String,
}

/// `GET /studio`.
pub async fn studio(
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    Query(query): Query<From>,
) -> Reply<impl IntoResponse> {
    // A prompt travels by the id of its artwork, never in an address.
    let prompt = match ArtworkId::parse(&query.from) {
        Ok(id) => studio.gallery.get(&id).await.map(|artwork| artwork.prompt).unwrap_or_default(),
        Err(_) => String::new(),
    };
    Ok(Html(studio.page(&site, &visitor, member, prompt, None).await?))
}

/// The fields of the form as they arrive; the prompt lives in memory only.
#[derive(Default)]
struct Fields {
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
                "The prompt is longer than 16384 characters. Please shorten it.",
            ));
        }
        let text = String::from_utf8(bytes.to_vec())
            .map_err(|_| Error::invalid("prompt", "The form is not UTF-8 text."))?;
        match name.as_str() {
            "prompt" => fields.asked.prompt = text,
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
    let wants_json =
        headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"));
    match studio.develop(member.account(), &mut form).await {
        Ok(generations) if wants_json => {
            let ids: Vec<_> = generations.iter().map(|generation| json!({ "id": generation.id })).collect();
            Ok(Json(json!({ "generations": ids })).into_response())
        }
        Ok(_) => Ok(Redirect::to("/studio").into_response()),
        Err(error) if wants_json || error.kind.http_status() >= 500 => Err(error.into()),
        Err(error) => {
            let status = StatusCode::from_u16(error.kind.http_status()).unwrap_or_default();
            let words = error.public.to_string();
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
    let page = Page::new(&site, &visitor, Nav::Studio, say(visitor.locale, "delete-title"))
        .for_member(Some(&member));
    Ok(Html(DeletePage { page, id: id.to_string() }))
}

/// `POST /studio/generations/{id}/delete`: gone for good when this answers; again is fine.
pub async fn delete(State(studio): State<Studio>, member: Member, Path(id): Path<Id>) -> Reply<Response> {
    studio.erase(member.account(), &[id]).await?;
    let clear = [(header::HeaderName::from_static("clear-site-data"), "\"cache\"")];
    Ok((clear, Redirect::to("/studio")).into_response())
}

impl Studio {
    async fn develop(&self, account: Id, form: &mut Multipart) -> Result<Vec<Generation>> {
        let mut fields = fields(form).await?;
        if !fields.upload.is_empty() {
            fields.reference = self.keep_reference(account, &fields.upload).await?.to_string();
        }
        let seed =
            fields.asked.seed.trim().parse::<u64>().ok().unwrap_or_else(|| rand::random::<u32>().into());
        let mut generations = Vec::new();
        for n in 0..fields.count {
            let asked = Asked {
                prompt: fields.asked.prompt.clone(),
                model: fields.asked.model.clone(),
                ratio: fields.asked.ratio.clone(),
                resolution: fields.asked.resolution.clone(),
                technique: fields.asked.technique.clone(),
                seed: seed.wrapping_add(n.into()).to_string(),
                references: match fields.reference.as_str() {
                    "" => Vec::new(),
                    name => vec![self.reference(account, name).await?],
                },
            };
            generations.push(self.submit(account, Door::Page, Order::parse(asked, &self.models)?).await?);
        }
        zeroize::Zeroize::zeroize(&mut fields.asked.prompt);
        Ok(generations)
    }

    async fn page(
        &self,
        site: &Arc<Site>,
        visitor: &Visitor,
        member: Member,
        prompt: String,
        wrong: Option<String>,
    ) -> Result<StudioPage> {
        let account = member.account();
        let all = store::list(&self.db, account, HISTORY_MAX).await?;
        let (running, ended): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| one.state == Stored::Processing);
        let balance = self.accounts.balance(account).await?;
        let first = self.models.all().next();
        Ok(StudioPage {
            page: Page::new(site, visitor, Nav::Studio, say(visitor.locale, "studio-title"))
                .for_member(Some(&member)),
            prompt,
            models: self.models.all().enumerate().map(|(place, model)| model_view(model, place)).collect(),
            techniques: first.map(|model| model.techniques.clone()).unwrap_or_default(),
            ratios: first
                .map(|model| model.ratios.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            resolutions: first
                .map(|model| model.resolutions.iter().map(|(name, _)| name.clone()).collect())
                .unwrap_or_default(),
            credits: balance.daily + balance.welcome + balance.purchased,
            developing: running.iter().map(|one| self.developing(one)).collect(),
            history: self.history(&ended),
            wrong,
        })
    }

    fn developing(&self, generation: &Generation) -> Developing {
        let drawing = self.live(generation.id).map(|live| live.drawing.borrow().clone()).unwrap_or_default();
        Developing {
            id: generation.id.to_string(),
            position: self.position(generation.id),
            step: drawing.step,
            steps: drawing.steps,
        }
    }

    fn history(&self, ended: &[Generation]) -> Vec<Day> {
        let mut days: Vec<Day> = Vec::new();
        for generation in ended {
            let name = accounts::day_text(generation.created_at.div_euclid(kernel::clock::DAY_SECONDS));
            let model = self
                .models
                .get(&generation.model)
                .map_or(generation.model.clone(), |(_, model)| model.name.clone());
            let print = Print {
                id: generation.id.to_string(),
                completed: generation.state == Stored::Completed,
                failure: generation.failure.clone(),
                width: generation.width,
                height: generation.height,
                model,
                day: name.clone(),
            };
            match days.last_mut().filter(|day| day.name == name) {
                Some(day) => day.prints.push(print),
                None => days.push(Day { name, prints: vec![print] }),
            }
        }
        days
    }
}

fn model_view(model: &engines::Model, place: usize) -> ModelView {
    ModelView {
        id: model.id.clone(),
        name: model.name.clone(),
        description: model.description.clone(),
        host: match &model.place {
            engines::Place::Here => None,
            engines::Place::Remote(host) => Some(host.clone()),
        },
        credits: model.credits,
        chosen: place == 0,
    }
}
