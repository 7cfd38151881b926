//! This owns what the queue does with time and trouble; the time is tokio's, and stands still until everyone waits.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::log::{Form, Routes};

const LIFE: Duration = Duration::from_secs(600);

type Answer = Result<(), Fault>;

/// Answers of a mail server, the last again and again, and how often it was asked.
#[derive(Clone)]
struct Server(Arc<(Vec<Answer>, AtomicUsize)>);

impl Server {
    fn saying(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self(Arc::new((answers.into_iter().collect(), AtomicUsize::new(0))))
    }

    fn asked(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }

    fn post(&self, queue: &Queue) -> Ticket {
        let server = self.clone();
        let ask = move || {
            let (answers, asked) = &*server.0;
            let turn = asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            std::future::ready(answers[turn])
        };
        queue.post(LIFE, ask).unwrap()
    }
}

fn queue() -> (Queue, Log) {
    let log = Log::kept(Form::Json, Routes::default());
    (Queue::new(log.clone()), log)
}

/// How a mail ends.
async fn end(ticket: &Ticket) -> Progress {
    *ticket.watch().wait_for(|progress| progress.is_end()).await.unwrap()
}

fn counted(log: &Log, word: &str) -> usize {
    log.lines().matches(&format!("\"{word}\"")).count()
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_is_not() {
    let (queue, log) = queue();
    let moody = Server::saying([Err(Fault::Later), Err(Fault::Later), Ok(())]);
    let ticket = moody.post(&queue);
    assert_eq!(ticket.progress(), Progress::Waiting);
    let started = Instant::now();
    assert_eq!((end(&ticket).await, moody.asked()), (Progress::Accepted, 3));
    assert_eq!(started.elapsed().as_secs(), 1 + 2, "each wait is twice the one before");
    for (fault, wanted) in [(Fault::Refused, Progress::Refused), (Fault::Setup, Progress::Setup)] {
        let server = Server::saying([Err(fault)]);
        assert_eq!((end(&server.post(&queue)).await, server.asked()), (wanted, 1));
    }
    let counts = ["delayed", "accepted", "refused", "setup", "given_up"].map(|word| counted(&log, word));
    assert_eq!(counts, [2, 1, 1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_mail_is_given_up_when_its_code_has_ended_and_not_before() {
    let (queue, _) = queue();
    let gone = Server::saying([Err(Fault::Later)]);
    let (ticket, started) = (gone.post(&queue), Instant::now());
    assert_eq!(end(&ticket).await, Progress::GivenUp);
    assert_eq!(started.elapsed(), LIFE);
    // After 1, 2, 4, 8, 16 and 32 seconds, then each minute.
    assert_eq!(gone.asked(), 1 + 6 + 8);
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_nobody_waits_for_is_not_tried_again() {
    let (queue, _) = queue();
    let gone = Server::saying([Err(Fault::Later)]);
    let ticket = gone.post(&queue);
    let mut progress = ticket.watch();
    progress.wait_for(|progress| *progress == Progress::Delayed).await.unwrap();
    drop(ticket);
    queue.tasks.close();
    queue.tasks.wait().await;
    assert_eq!((*progress.borrow(), gone.asked()), (Progress::GivenUp, 1));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_wait_and_only_so_many_are_spoken_of_at_a_time() {
    let (queue, _) = queue();
    let (door, open) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let post = || {
        let (door, open) = (Arc::clone(&door), Arc::clone(&open));
        queue.post(LIFE, move || {
            let (door, open) = (Arc::clone(&door), Arc::clone(&open));
            async move {
                open.fetch_add(1, Ordering::SeqCst);
                door.acquire().await.unwrap().forget();
                open.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        })
    };
    let tickets: Vec<_> = (0..MAILS_MAX).map(|_| post().unwrap()).collect();
    assert_eq!(post().err().unwrap().kind, Kind::Unavailable);
    tokio::task::yield_now().await;
    assert_eq!(open.load(Ordering::SeqCst), CONVERSATIONS_MAX);
    door.add_permits(MAILS_MAX);
    for ticket in &tickets {
        assert_eq!(end(ticket).await, Progress::Accepted);
    }
    queue.tasks.close();
    queue.tasks.wait().await;
    assert!(post().is_ok(), "there is room again");
}

#[tokio::test(start_paused = true)]
async fn stopping_drops_what_waits_and_lets_what_has_begun_end() {
    let (queue, _) = queue();
    let waiting = Server::saying([Err(Fault::Later)]).post(&queue);
    waiting.watch().wait_for(|progress| *progress == Progress::Delayed).await.unwrap();
    let begun = queue.post(LIFE, || async {
        sleep(Duration::from_secs(3)).await;
        Ok(())
    });
    let begun = begun.unwrap();
    tokio::task::yield_now().await;
    let stuck = queue.post(LIFE, std::future::pending).unwrap();
    tokio::task::yield_now().await;
    let started = Instant::now();
    queue.drain().await;
    assert_eq!(started.elapsed(), DRAIN_TIMEOUT, "and no longer");
    let ends = [waiting, begun, stuck].map(|ticket| ticket.progress());
    assert_eq!(ends, [Progress::GivenUp, Progress::Accepted, Progress::Waiting]);
}
