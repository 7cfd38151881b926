//! This owns telling a page how its picture develops, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use accounts::Member;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use kernel::{Id, Locale};
use platform::http::{Reply, Visitor};
use platform::ui::say_failure;
use serde_json::json;

use crate::generation::State as Stored;
use crate::{Live, Phase, Studio, store};

/// How often a waiting page hears its place in line.
const POSITION_INTERVAL: Duration = Duration::from_secs(1);

/// `GET /studio/generations/{id}/events`: `state` while it develops, then `done` or `failed`, then the end; `signed-out`
/// where the session ends before.
pub async fn events(
    State(studio): State<Studio>,
    visitor: Visitor,
    member: Member,
    Path(id): Path<Id>,
) -> Reply<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    studio.check_owner(member.account(), id).await?;
    let stream = futures_util::stream::unfold(
        Some(Watch {
            studio: studio.clone(),
            id,
            member,
            locale: visitor.locale,
            live: studio.live(id),
            first: true,
        }),
        next,
    );
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

struct Watch {
    studio: Studio,
    id: Id,
    member: Member,
    locale: Locale,
    live: Option<Live>,
    first: bool,
}

/// The next event; nothing after the last one.
async fn next(watch: Option<Watch>) -> Option<(Result<Event, Infallible>, Option<Watch>)> {
    let mut watch = watch?;
    if !std::mem::replace(&mut watch.first, false) {
        watch.changed().await;
    }
    // The door was opened by a session: once that has ended, nothing more is told.
    if !watch.studio.accounts.is_signed_in(&watch.member).await.unwrap_or(false) {
        return Some((Ok(Event::default().event("signed-out").data("{}")), None));
    }
    let phase = watch.live.as_ref().map(|live| live.phase.borrow().clone());
    let event = match phase {
        Some(Phase::Queued | Phase::Drawing) => return Some((Ok(watch.state()), Some(watch))),
        Some(Phase::Completed) => watch.done(),
        Some(Phase::Failed(reason)) => watch.failed(&reason),
        None => watch.stored().await,
    };
    Some((Ok(event), None))
}

impl Watch {
    async fn changed(&mut self) {
        if let Some(live) = &mut self.live {
            // The sender is gone once the job has ended; its last phase stays readable.
            tokio::select! {
                _ = live.phase.changed() => {}
                Ok(()) = live.drawing.changed() => {}
                () = tokio::time::sleep(POSITION_INTERVAL) => {}
            }
        }
    }

    fn state(&self) -> Event {
        let Some(live) = &self.live else { return Event::default() };
        let status = if *live.phase.borrow() == Phase::Queued { "queued" } else { "drawing" };
        let drawing = live.drawing.borrow();
        let preview = drawing
            .preview
            .is_some()
            .then(|| format!("/studio/generations/{}/preview?step={}", self.id, drawing.step));
        let state = json!({
            "status": status,
            "position": self.studio.position(self.id),
            "step": drawing.step,
            "steps": drawing.steps,
            "preview": preview,
        });
        Event::default().event("state").data(state.to_string())
    }

    fn done(&self) -> Event {
        Event::default()
            .event("done")
            .data(json!({ "id": self.id, "picture": format!("/g/{}/720", self.id) }).to_string())
    }

    /// What the database says of a job that is not in memory any more.
    async fn stored(&self) -> Event {
        match store::find(&self.studio.db, self.studio.blobs.keys(), self.id).await {
            Ok(Some(found)) if found.state == Stored::Completed => self.done(),
            Ok(Some(found)) => self.failed(&found.details.failure),
            _ => self.failed(""),
        }
    }

    fn failed(&self, reason: &str) -> Event {
        let said = say_failure(self.locale, reason).text;
        Event::default().event("failed").data(json!({ "message": said, "credits": "returned" }).to_string())
    }
}
