//! This owns public pictures that are kept open in memory, so that a picture many look at is not opened for each of them.
//! A record that goes takes its pictures off the shelf in the turn that erases it, before the answer leaves, and whoever
//! had read them before that cannot put them back. It does not know what is public: whoever puts a picture here says so.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use kernel::Id;
use vault::Kind;

/// Bytes that the shelf holds at most.
const SHELF_BYTES_MAX: usize = 32 * 1024 * 1024;
/// A larger picture is not kept, since it would push out many small ones.
const PICTURE_BYTES_MAX: usize = 1024 * 1024;
/// What a picture costs beside its bytes, about.
const ENTRY_BYTES: usize = 256;

type Name = (Id, Kind);

/// Public pictures in memory.
#[derive(Clone, Default)]
pub struct Shelf {
    inner: Arc<Mutex<Inner>>,
}

/// When someone began to read a picture: before or after which erasures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

#[derive(Default)]
struct Inner {
    pictures: HashMap<Name, Picture>,
    /// The same names, as they came; one that was looked at since is passed over once when room is made.
    queue: VecDeque<Name>,
    bytes: usize,
    erasures: u64,
}

struct Picture {
    bytes: Bytes,
    used: bool,
}

impl Shelf {
    /// A picture, if it is here; then its record is not erased. Nothing is copied.
    #[must_use]
    pub fn get(&self, record: Id, kind: Kind) -> Option<Bytes> {
        let mut inner = self.lock();
        let picture = inner.pictures.get_mut(&(record, kind))?;
        picture.used = true;
        Some(picture.bytes.clone())
    }

    /// To be taken before anything is read that says whether the picture may be shown.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        Ticket(self.lock().erasures)
    }

    /// Keeps a public picture that was read after `ticket` was taken; not if anything was erased since.
    pub fn put(&self, ticket: Ticket, record: Id, kind: Kind, bytes: &Bytes) {
        let mut inner = self.lock();
        let known = inner.pictures.contains_key(&(record, kind));
        if ticket != Ticket(inner.erasures) || known || bytes.len() > PICTURE_BYTES_MAX {
            return;
        }
        inner.bytes += bytes.len() + ENTRY_BYTES;
        inner.pictures.insert((record, kind), Picture { bytes: bytes.clone(), used: false });
        inner.queue.push_back((record, kind));
        inner.make_room();
    }

    /// Drops the pictures of records that were erased, and turns away those that were read before.
    pub(crate) fn erase(&self, records: &HashSet<Id>) {
        let mut inner = self.lock();
        inner.erasures += 1;
        if inner.pictures.is_empty() {
            return;
        }
        let mut freed = 0;
        inner.pictures.retain(|(record, _), picture| {
            let stays = !records.contains(record);
            freed += if stays { 0 } else { picture.bytes.len() + ENTRY_BYTES };
            stays
        });
        inner.bytes -= freed;
        inner.queue.retain(|(record, _)| !records.contains(record));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn make_room(&mut self) {
        while self.bytes > SHELF_BYTES_MAX {
            let Some(name) = self.queue.pop_front() else { return };
            match self.pictures.get_mut(&name) {
                Some(picture) if picture.used => {
                    picture.used = false;
                    self.queue.push_back(name);
                }
                _ => {
                    let gone = self.pictures.remove(&name);
                    self.bytes -= gone.map_or(0, |picture| picture.bytes.len() + ENTRY_BYTES);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind::Thumbnail(240);

    fn put(shelf: &Shelf, record: Id, bytes: usize) {
        shelf.put(shelf.ticket(), record, KIND, &Bytes::from(vec![7; bytes]));
    }

    #[test]
    fn what_was_read_before_an_erasure_cannot_be_put_back() {
        let (shelf, erased, other) = (Shelf::default(), Id::random(), Id::random());
        put(&shelf, erased, 10);
        put(&shelf, other, 10);
        let before = shelf.ticket();
        let read = shelf.get(erased, KIND).unwrap();
        shelf.erase(&HashSet::from([erased]));
        assert!(shelf.get(erased, KIND).is_none());
        shelf.put(before, erased, KIND, &read);
        assert!(shelf.get(erased, KIND).is_none());
        assert!(shelf.get(other, KIND).is_some());
        let inner = shelf.lock();
        assert_eq!((inner.queue.len(), inner.bytes), (1, 10 + ENTRY_BYTES));
    }

    #[test]
    fn it_stays_within_its_bytes_and_keeps_what_is_looked_at() {
        let (shelf, liked) = (Shelf::default(), Id::random());
        put(&shelf, liked, 1000);
        for _ in 0..100 {
            put(&shelf, Id::random(), PICTURE_BYTES_MAX);
            assert!(shelf.get(liked, KIND).is_some());
            let inner = shelf.lock();
            assert!(inner.bytes <= SHELF_BYTES_MAX);
            assert_eq!(inner.queue.len(), inner.pictures.len());
            let held = inner.pictures.values().map(|picture| picture.bytes.len() + ENTRY_BYTES);
            assert_eq!(inner.bytes, held.sum::<usize>());
        }
        let large = Id::random();
        put(&shelf, large, PICTURE_BYTES_MAX + 1);
        assert!(shelf.get(large, KIND).is_none());
        assert!(shelf.get(liked, Kind::Original).is_none());
    }
}
