//! This owns the turns: writes that erase. A turn takes every deed that waits into one transaction, gives the paths of
//! what goes new keys under a new root, and answers once the old root is overwritten on the disk.

use std::collections::HashSet;
use std::sync::Arc;

use kernel::{Error, Id, Kind, Result};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use vault::receipt::{Deletion, RECORDS_MAX, Receipt};
use vault::{NodeId, Place, Root, SecretPage, Tree};

use super::{Core, Keys, log, store};
pub use crate::db::Deed;
use crate::db::{Writing, attempt, commit, sql};

/// Deeds that share a turn at most.
const DEEDS_MAX: usize = 256;
/// Nodes of the lowest level that one turn of a rotation gives new keys.
const ROTATED_NODES: u32 = 256;

/// Writes rows in the turn's transaction and says which records go.
type Work = Box<dyn for<'a> FnOnce(&'a mut Writing) -> Deed<'a, Vec<Id>> + Send>;

/// What came of a deed.
#[derive(Debug)]
pub struct Erased<T> {
    /// What the deed returned.
    pub value: T,
    /// The records that had keys and have none any more.
    pub records: Vec<Id>,
    /// Signed receipts for them; more than one only for very many records.
    pub receipts: Vec<String>,
}

/// A deed that waits for its turn.
pub(super) struct Waiting {
    work: Work,
    answer: oneshot::Sender<Result<Gone>>,
}

/// What a turn has erased for a deed.
#[derive(Clone, Default)]
struct Gone {
    records: Vec<Id>,
    receipts: Vec<String>,
}

/// The root that a turn is about to put in place.
struct Next {
    epoch: u64,
    page: SecretPage,
    /// Writes it to the disk beside the one that lives.
    prepared: JoinHandle<Result<()>>,
}

impl Next {
    /// Waits until it is on the disk.
    async fn prepared(self) -> Result<SecretPage> {
        self.prepared.await.map_err(|_| stopped())??;
        Ok(self.page)
    }
}

/// Takes turns until the last [`Keys`] is dropped.
pub(super) fn start(core: Arc<Core>) -> mpsc::UnboundedSender<Waiting> {
    let (sender, mut waiting) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut deeds = Vec::new();
        while waiting.recv_many(&mut deeds, DEEDS_MAX).await > 0 {
            let (works, answers): (Vec<_>, Vec<_>) =
                deeds.drain(..).map(|one: Waiting| (one.work, one.answer)).unzip();
            let ended = core.take_turn(works).await;
            for (place, answer) in answers.into_iter().enumerate() {
                let _ = answer.send(match &ended {
                    Ok(each) => each.get(place).map_or_else(|| Err(stopped()), same),
                    Err(error) => Err(error.copy()),
                });
            }
        }
    });
    sender
}

impl Keys {
    /// Carries out a deed: it writes rows in a transaction and returns a value and the records that go. When this
    /// returns, all of it is on the disk, and the keys of these records cannot be had from the disk any more. The deed is
    /// carried out even if its caller leaves.
    ///
    /// # Errors
    /// What the deed says, and then it has changed nothing; `Internal` when the disk refuses. May be repeated.
    pub async fn turn<T, F>(&self, deed: F) -> Result<Erased<T>>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Writing) -> Deed<'a, (T, Vec<Id>)> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let work: Work = Box::new(move |writing| {
            Box::pin(async move {
                let (value, records) = deed(writing).await?;
                let _ = tell.send(value);
                Ok(records)
            })
        });
        let (answer, answered) = oneshot::channel();
        self.turns.send(Waiting { work, answer }).map_err(|_| stopped())?;
        let Gone { records, receipts } = answered.await.map_err(|_| stopped())??;
        Ok(Erased { value: told.await.map_err(|_| stopped())?, records, receipts })
    }

    /// Gives every node of the tree a new key, some at a time, while all else goes on; `step` hears how far it is and
    /// may stop it. What was done stays done.
    ///
    /// # Errors
    /// As a turn, and what `step` says.
    pub async fn rotate(&self, step: impl Fn(u64, u64) -> Result<()>) -> Result<()> {
        let all = store::count_lowest_nodes(&self.core.db).await?;
        let (mut behind, mut done) = (None, 0);
        loop {
            let core = Arc::clone(&self.core);
            // In a task of its own: a turn that its caller left half-way could write its root under the next one's feet.
            let nodes = tokio::spawn(async move { core.rotate_some(behind).await });
            let nodes = nodes.await.map_err(|_| stopped())??;
            done += nodes.len() as u64;
            step(done.min(all), all)?;
            match nodes.last() {
                Some(last) => behind = Some(*last),
                None => return Ok(()),
            }
        }
    }
}

impl Core {
    /// One turn; what each deed has erased, or why it could not.
    async fn take_turn(&self, works: Vec<Work>) -> Result<Vec<Result<Gone>>> {
        let _alone = self.turning.lock().await;
        self.settle().await?;
        let mut writing = self.db.write_to_erase().await?;
        let alone = works.len() == 1;
        let (mut asked, mut all) = (Vec::new(), Vec::new());
        for work in works {
            // A deed that is alone takes the whole transaction with it when it fails.
            let records =
                if alone { Ok(work(&mut writing).await?) } else { attempt(&mut writing, work).await? };
            all.extend(records.iter().flatten().copied());
            asked.push(records);
        }
        let taken = store::take_out(&mut writing, &all).await?;
        let all: HashSet<Id> = all.into_iter().collect();
        if taken.is_empty() {
            self.commit_without(writing, &all).await?;
            return Ok(asked.into_iter().map(|records| records.map(|_| Gone::default())).collect());
        }
        let places: Vec<Place> = taken.iter().map(|(_, place)| *place).collect();
        let taken: HashSet<Id> = taken.into_iter().map(|(record, _)| record).collect();
        let next = self.rewrap(&mut writing, &places, &places).await?;
        let ended = self.receive_all(&mut writing, asked, &taken, next.epoch).await;
        self.put_in_place(writing, next, &all, ended).await
    }

    /// Commits, and drops what is kept open of these records: also where it remains unknown whether they are gone.
    async fn commit_without(&self, writing: Writing, gone: &HashSet<Id>) -> Result<()> {
        let committed = commit(writing).await;
        self.shelf.erase(gone);
        committed
    }

    /// What each deed has erased, with its receipts.
    async fn receive_all(
        &self,
        writing: &mut Writing,
        asked: Vec<Result<Vec<Id>>>,
        taken: &HashSet<Id>,
        epoch: u64,
    ) -> Result<Vec<Result<Gone>>> {
        let mut ended = Vec::with_capacity(asked.len());
        for records in asked {
            let records = records.map(|all| all.into_iter().filter(|one| taken.contains(one)).collect());
            ended.push(match records {
                Ok(records) => Ok(self.receive(writing, records, epoch).await?),
                Err(error) => Err(error),
            });
        }
        Ok(ended)
    }

    /// Writes what goes into the public log of a deed, and the receipts that its owner gets once the turn has ended.
    async fn receive(&self, writing: &mut Writing, records: Vec<Id>, epoch: u64) -> Result<Gone> {
        let mut receipts = Vec::new();
        for part in records.chunks(RECORDS_MAX) {
            let receipt = Receipt::new(Deletion { records: part.to_vec(), epoch, time: self.clock.now() });
            log::insert_pending(writing, &receipt.commitment()).await?;
            receipts.push(receipt.sign(&self.signer));
        }
        Ok(Gone { records, receipts })
    }

    /// Gives every node on the paths to these places a new key; `erased` go with it. The new root is on its way to the
    /// disk when this returns, since rows can be written meanwhile.
    async fn rewrap(&self, writing: &mut Writing, paths: &[Place], erased: &[Place]) -> Result<Next> {
        let nodes = store::nodes(writing, paths).await?;
        let (mut state, file) = (self.state.write().await, Arc::clone(&self.file));
        let mut tree = Tree::open(state.root.key.bytes(), nodes)?;
        let root = tree.erase(erased);
        let (written, epoch) = (tree.writes()?, state.root.epoch + 1);
        // From here on a failure leaves open which of the two roots lives, until `settle` has asked the database.
        state.torn = true;
        drop(state);
        let page = SecretPage::new(&root);
        let prepared = tokio::task::spawn_blocking(move || file.prepare(epoch, &root));
        let next = Next { epoch, page, prepared };
        let rows = async {
            store::write_nodes(writing, written).await?;
            store::set_epoch(writing, epoch).await
        };
        match rows.await {
            Ok(()) => Ok(next),
            Err(error) => {
                next.prepared().await?;
                Err(error)
            }
        }
    }

    /// Commits under the next root, if all went well so far, and overwrites the old one.
    async fn put_in_place<T>(
        &self,
        writing: Writing,
        next: Next,
        gone: &HashSet<Id>,
        ended: Result<T>,
    ) -> Result<T> {
        let epoch = next.epoch;
        let page = next.prepared().await?;
        let ended = ended?;
        let mut state = self.state.write().await;
        self.commit_without(writing, gone).await?;
        state.root = Root { epoch, key: page };
        // Reading goes on while the old root is overwritten.
        drop(state);
        let file = Arc::clone(&self.file);
        blocking(move || file.keep_only(epoch)).await.map_err(unfinished)?;
        self.state.write().await.torn = false;
        Ok(ended)
    }

    /// After a turn that failed half-way: the root that fits the database lives, the other is overwritten.
    async fn settle(&self) -> Result<()> {
        let mut state = self.state.write().await;
        if state.torn {
            let mut connection = self.db.read().acquire().await.map_err(sql)?;
            let missing = || Error::internal("the tree of keys is missing");
            let epoch = store::find_epoch(&mut connection).await?.ok_or_else(missing)?;
            let file = Arc::clone(&self.file);
            state.root = blocking(move || file.recover(epoch)).await.map_err(unfinished)?;
            state.torn = false;
        }
        Ok(())
    }

    async fn rotate_some(&self, behind: Option<NodeId>) -> Result<Vec<NodeId>> {
        let _alone = self.turning.lock().await;
        self.settle().await?;
        let mut writing = self.db.write().await?;
        let nodes = store::lowest_nodes(&mut writing, behind, ROTATED_NODES).await?;
        if !nodes.is_empty() {
            let paths: Vec<Place> = nodes.iter().map(|node| node.first_place()).collect();
            let next = self.rewrap(&mut writing, &paths, &[]).await?;
            self.put_in_place(writing, next, &HashSet::new(), Ok(())).await?;
        }
        Ok(nodes)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| stopped())?
}

fn stopped() -> Error {
    Error::internal("erasing stopped")
}

fn unfinished(cause: Error) -> Error {
    let words = "The deletion is not finished: the disk refused to overwrite the old key. It is tried again with the next deletion; please repeat it.";
    Error { place: Some("the old root could not be overwritten"), ..Error::new(Kind::Internal, words) }
        .because(cause)
}

fn same(result: &Result<Gone>) -> Result<Gone> {
    match result {
        Ok(gone) => Ok(gone.clone()),
        Err(error) => Err(error.copy()),
    }
}
