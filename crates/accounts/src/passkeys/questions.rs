//! This owns the questions that wait for an authenticator's answer: in memory, bound to a browser, for five minutes, once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::clock::UnixSeconds;

use super::ceremony::Question;

/// Questions that wait; when full, the oldest make room.
const QUESTIONS_MAX: usize = 10_000;

/// Questions by the fingerprint of the browser they are bound to, each with its end.
#[derive(Default)]
pub(crate) struct Questions(Mutex<HashMap<[u8; 32], (Question, UnixSeconds)>>);

impl Questions {
    fn all(&self) -> MutexGuard<'_, HashMap<[u8; 32], (Question, UnixSeconds)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a question until then.
    pub(crate) fn keep(&self, browser: [u8; 32], question: Question, now: UnixSeconds, until: UnixSeconds) {
        let mut all = self.all();
        all.retain(|_, (_, end)| *end > now);
        if all.len() >= QUESTIONS_MAX
            && let Some(oldest) = all.iter().min_by_key(|(_, (_, end))| *end).map(|(browser, _)| *browser)
        {
            all.remove(&oldest);
        }
        all.insert(browser, (question, until));
    }

    /// Takes the question of a browser: it is answered once, rightly or not.
    pub(crate) fn take(&self, browser: &[u8; 32], now: UnixSeconds) -> Option<Question> {
        let (question, end) = self.all().remove(browser)?;
        (end > now).then_some(question)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ceremony::Ceremony;
    use super::*;

    fn print(number: usize) -> [u8; 32] {
        let mut print = [0; 32];
        print[..8].copy_from_slice(&number.to_be_bytes());
        print
    }

    #[test]
    fn a_question_is_taken_once_in_time_and_the_oldest_make_room() {
        let ceremony = Ceremony::at("http://localhost", "Safelight").unwrap();
        let question = || ceremony.ask_for_proof().unwrap().1;
        let questions = Questions::default();
        questions.keep(print(0), question(), 0, 300);
        assert!(questions.take(&print(1), 0).is_none(), "another browser's");
        assert!(questions.take(&print(0), 299).is_some());
        assert!(questions.take(&print(0), 299).is_none(), "it is answered once");
        questions.keep(print(0), question(), 0, 300);
        assert!(questions.take(&print(0), 300).is_none(), "it is too late");
        for number in 0..=QUESTIONS_MAX {
            let end = 300 + i64::try_from(number).unwrap();
            questions.keep(print(number), question(), 0, end);
        }
        assert_eq!(questions.all().len(), QUESTIONS_MAX);
        assert!(questions.take(&print(0), 0).is_none(), "the oldest made room");
        assert!(questions.take(&print(QUESTIONS_MAX), 0).is_some());
    }
}
