//! This owns all SQL for the key tree.

use std::collections::{BTreeSet, HashSet};

use kernel::{Error, Id, Result};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
use vault::{NodeId, Place, Written};

use crate::db::{Db, Writing, sql};
use crate::export;

/// Values bound to one statement.
const BOUND_MAX: usize = 500;

/// The leaf of a record, and that of its owner.
pub(super) struct Leaf {
    pub(super) record: Id,
    pub(super) place: Place,
    pub(super) owner: Option<Place>,
}

/// The epoch of the root that the first node is sealed under, if there is a tree.
pub(super) async fn find_epoch(connection: &mut SqliteConnection) -> Result<Option<u64>> {
    let epoch: Option<i64> =
        sqlx::query_scalar("SELECT epoch FROM key_state").fetch_optional(connection).await.map_err(sql)?;
    Ok(epoch.map(i64::unsigned_abs))
}

pub(super) async fn set_epoch(writing: &mut Writing, epoch: u64) -> Result<()> {
    let epoch = i64::try_from(epoch).map_err(|_| Error::internal("the epochs are used up"))?;
    sqlx::query(
        "INSERT INTO key_state (one, epoch, places) VALUES (1, ?1, 0) ON CONFLICT (one) DO UPDATE SET epoch = ?1",
    )
    .bind(epoch)
    .execute(&mut **writing)
    .await
    .map_err(sql)?;
    Ok(())
}

/// Takes the lowest place that is free.
pub(super) async fn take_place(writing: &mut Writing) -> Result<Place> {
    let free: Option<u32> = sqlx::query_scalar(
        "DELETE FROM key_free WHERE place = (SELECT min(place) FROM key_free) RETURNING place",
    )
    .fetch_optional(&mut **writing)
    .await
    .map_err(sql)?;
    let number = match free {
        Some(place) => place,
        None => sqlx::query_scalar("UPDATE key_state SET places = places + 1 RETURNING places - 1")
            .fetch_one(&mut **writing)
            .await
            .map_err(sql)?,
    };
    Place::new(number)
}

pub(super) async fn insert_leaf(
    writing: &mut Writing,
    record: Id,
    place: Place,
    owner: Option<Id>,
) -> Result<()> {
    let done =
        sqlx::query("INSERT INTO key_leaf (record, place, owner) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(record.as_bytes().as_slice())
            .bind(place.number())
            .bind(owner.map(|owner| owner.as_bytes().to_vec()))
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::internal("a record was made twice")) }
}

/// The leaves of those records that have one. A record whose owner has none counts as erased.
pub(super) async fn leaves(connection: &mut SqliteConnection, records: &[Id]) -> Result<Vec<Leaf>> {
    let mut found = Vec::with_capacity(records.len());
    for part in records.chunks(BOUND_MAX) {
        let mut query = QueryBuilder::new(
            "SELECT l.record, l.place, o.place AS owner FROM key_leaf l LEFT JOIN key_leaf o ON o.record = l.owner \
             WHERE (l.owner IS NULL OR o.place IS NOT NULL) AND l.record IN (",
        );
        bind_all(&mut query, part.iter().map(|record| record.as_bytes().to_vec()));
        for row in query.build().fetch_all(&mut *connection).await.map_err(sql)? {
            let owner: Option<u32> = row.try_get("owner").map_err(sql)?;
            found.push(Leaf {
                record: Id::from_column(row.try_get("record").map_err(sql)?)?,
                place: Place::new(row.try_get("place").map_err(sql)?)?,
                owner: owner.map(Place::new).transpose()?,
            });
        }
    }
    Ok(found)
}

/// Takes leaves out; returns the records that had one, and their places. Their files are to be swept.
pub(super) async fn take_out(writing: &mut Writing, records: &[Id]) -> Result<Vec<(Id, Place)>> {
    let mut taken = Vec::new();
    for part in records.chunks(BOUND_MAX) {
        let mut query = QueryBuilder::new("DELETE FROM key_leaf WHERE record IN (");
        bind_all(&mut query, part.iter().map(|record| record.as_bytes().to_vec()));
        query.push(" RETURNING record, place");
        for row in query.build().fetch_all(&mut **writing).await.map_err(sql)? {
            let record = Id::from_column(row.try_get("record").map_err(sql)?)?;
            taken.push((record, Place::new(row.try_get("place").map_err(sql)?)?));
        }
    }
    for part in taken.chunks(BOUND_MAX) {
        let mut query = QueryBuilder::new("INSERT INTO key_free (place) ");
        query.push_values(part, |mut row, (_, place)| {
            row.push_bind(place.number());
        });
        query.build().execute(&mut **writing).await.map_err(sql)?;
        let mut query = QueryBuilder::new("INSERT OR IGNORE INTO sweep (record) ");
        query.push_values(part, |mut row, (record, _)| {
            row.push_bind(record.as_bytes().to_vec());
        });
        query.build().execute(&mut **writing).await.map_err(sql)?;
    }
    Ok(taken)
}

/// The sealed nodes on the paths to these places, as far as they exist.
pub(super) async fn nodes(
    connection: &mut SqliteConnection,
    places: &[Place],
) -> Result<Vec<(NodeId, Vec<u8>)>> {
    let numbers: BTreeSet<u32> = places.iter().flat_map(|place| place.path().map(NodeId::number)).collect();
    let numbers: Vec<u32> = numbers.into_iter().collect();
    let mut found = Vec::with_capacity(numbers.len());
    for part in numbers.chunks(BOUND_MAX) {
        let mut query = QueryBuilder::new("SELECT number, sealed FROM key_node WHERE number IN (");
        bind_all(&mut query, part.iter().copied());
        for row in query.build().fetch_all(&mut *connection).await.map_err(sql)? {
            let number = row.try_get("number").map_err(sql)?;
            found.push((NodeId::from_number(number), row.try_get("sealed").map_err(sql)?));
        }
    }
    Ok(found)
}

pub(super) async fn write_nodes(writing: &mut Writing, nodes: Vec<Written>) -> Result<()> {
    let (written, removed): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|(_, sealed)| sealed.is_some());
    for part in written.chunks(BOUND_MAX / 2) {
        let mut query = QueryBuilder::new("INSERT OR REPLACE INTO key_node (number, sealed) ");
        query.push_values(part, |mut row, (id, sealed)| {
            row.push_bind(id.number()).push_bind(sealed.clone());
        });
        query.build().execute(&mut **writing).await.map_err(sql)?;
    }
    for part in removed.chunks(BOUND_MAX) {
        let mut query = QueryBuilder::new("DELETE FROM key_node WHERE number IN (");
        bind_all(&mut query, part.iter().map(|(id, _)| id.number()));
        query.build().execute(&mut **writing).await.map_err(sql)?;
    }
    Ok(())
}

/// Every record that belongs to an owner.
pub(super) async fn owned(writing: &mut Writing, owner: Id) -> Result<Vec<Id>> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT record FROM key_leaf WHERE owner = ?")
        .bind(owner.as_bytes().as_slice())
        .fetch_all(&mut **writing)
        .await
        .map_err(sql)?;
    rows.iter().map(|record| Id::from_column(record)).collect()
}

/// The leaves of an owner and of what belongs to it, as they stand.
pub(super) async fn rows_of(db: &Db, owner: Id) -> Result<Vec<export::Row>> {
    let rows = sqlx::query("SELECT * FROM key_leaf WHERE record = ?1 OR owner = ?1 ORDER BY place")
        .bind(owner.as_bytes().as_slice())
        .fetch_all(db.read())
        .await
        .map_err(sql)?;
    rows.iter().map(export::row).collect()
}

/// Every record that has a leaf.
pub(super) async fn records(db: &Db) -> Result<Vec<Id>> {
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT record FROM key_leaf").fetch_all(db.read()).await.map_err(sql)?;
    rows.iter().map(|record| Id::from_column(record)).collect()
}

/// Every record that has a leaf, and whose owner, if it has one, has a leaf too.
pub(super) async fn living(db: &Db) -> Result<HashSet<Id>> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT l.record FROM key_leaf l LEFT JOIN key_leaf o ON o.record = l.owner \
         WHERE l.owner IS NULL OR o.place IS NOT NULL",
    )
    .fetch_all(db.read())
    .await
    .map_err(sql)?;
    rows.iter().map(|record| Id::from_column(record)).collect()
}

/// A place in each node of the lowest level behind this one, in order; for going through the tree.
pub(super) async fn lowest_nodes(
    writing: &mut Writing,
    behind: Option<NodeId>,
    limit: u32,
) -> Result<Vec<NodeId>> {
    let rows: Vec<u32> =
        sqlx::query_scalar("SELECT number FROM key_node WHERE number > ? ORDER BY number LIMIT ?")
            .bind(behind.map_or(NodeId::LOWEST_FIRST - 1, NodeId::number))
            .bind(limit)
            .fetch_all(&mut **writing)
            .await
            .map_err(sql)?;
    Ok(rows.into_iter().map(NodeId::from_number).collect())
}

/// How many nodes the lowest level has.
pub(super) async fn count_lowest_nodes(db: &Db) -> Result<u64> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM key_node WHERE number >= ?")
        .bind(NodeId::LOWEST_FIRST)
        .fetch_one(db.read())
        .await
        .map_err(sql)?;
    Ok(count.unsigned_abs())
}

fn bind_all<T>(query: &mut QueryBuilder<Sqlite>, values: impl Iterator<Item = T>)
where
    T: for<'q> sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + 'static,
{
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}
