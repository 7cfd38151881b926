//! This owns finding documents by their words, in a Tantivy index that stores nothing but keys.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use kernel::{Error, Result};
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term};

use crate::terms::{DocumentTerms, Side, terms};
use crate::{Document, Hit};

/// Memory of the writer.
const WRITER_BYTES: usize = 20_000_000;
/// Terms of a query that are looked up.
const QUERY_TERMS_MAX: usize = 64;
/// How much a field counts.
const TITLE_BOOST: f32 = 2.0;
const EXTRA_BOOST: f32 = 1.2;
const TOKENIZER: &str = "safelight";

pub(crate) struct Words {
    fields: Fields,
    reader: IndexReader,
    writer: Mutex<IndexWriter>,
}

#[derive(Clone, Copy)]
struct Fields {
    key: Field,
    title: Field,
    text: Field,
    extra: Field,
}

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let key = schema.add_i64_field("key", INDEXED | FAST);
    let indexing =
        TextFieldIndexing::default().set_tokenizer(TOKENIZER).set_index_option(IndexRecordOption::WithFreqs);
    let text = TextOptions::default().set_indexing_options(indexing);
    let fields = Fields {
        key,
        title: schema.add_text_field("title", text.clone()),
        text: schema.add_text_field("text", text.clone()),
        extra: schema.add_text_field("extra", text),
    };
    (schema.build(), fields)
}

fn failed(cause: TantivyError) -> Error {
    Error::internal("the word index failed").because(cause)
}

impl Words {
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let (schema, fields) = schema();
        std::fs::create_dir_all(dir)?;
        let directory = tantivy::directory::MmapDirectory::open(dir).map_err(|cause| failed(cause.into()))?;
        let index = Index::open_or_create(directory, schema).map_err(failed)?;
        let damaged = index.validate_checksum().map_err(failed)?;
        if !damaged.is_empty() {
            return Err(Error::internal("the word index is damaged"));
        }
        index.tokenizers().register(TOKENIZER, DocumentTerms);
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(failed)?;
        let writer = index.writer_with_num_threads(1, WRITER_BYTES).map_err(failed)?;
        Ok(Self { fields, reader, writer: Mutex::new(writer) })
    }

    /// Puts documents, in place of those with the same keys; visible when this returns.
    pub(crate) fn put(&self, documents: &[Document]) -> Result<()> {
        self.change(|writer| {
            for document in documents {
                writer.delete_term(Term::from_field_i64(self.fields.key, document.key));
                let mut new = TantivyDocument::default();
                new.add_i64(self.fields.key, document.key);
                new.add_text(self.fields.title, &document.title);
                new.add_text(self.fields.text, &document.text);
                new.add_text(self.fields.extra, &document.extra);
                writer.add_document(new)?;
            }
            Ok(())
        })
    }

    pub(crate) fn erase(&self, keys: &[i64]) -> Result<()> {
        self.change(|writer| {
            for key in keys {
                writer.delete_term(Term::from_field_i64(self.fields.key, *key));
            }
            Ok(())
        })
    }

    fn change(&self, change: impl FnOnce(&mut IndexWriter) -> tantivy::Result<()>) -> Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut writer).and_then(|()| writer.commit()).and_then(|_| self.reader.reload());
        if changed.is_err() {
            writer.rollback().map_err(failed)?;
        }
        changed.map_err(failed)
    }

    /// The documents in which words of the query stand. The score is the share of the best document's BM25, times the
    /// share of the query's words that the document has: 1 is the best possible.
    pub(crate) fn search(&self, query: &str, limit: usize) -> Result<Vec<Hit>> {
        let mut wanted = terms(query, Side::Query);
        wanted.dedup();
        wanted.truncate(QUERY_TERMS_MAX);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let fields =
            [(self.fields.text, 1.0), (self.fields.title, TITLE_BOOST), (self.fields.extra, EXTRA_BOOST)];
        let one = |field, term: &str| -> Box<dyn Query> {
            Box::new(TermQuery::new(Term::from_field_text(field, term), IndexRecordOption::WithFreqs))
        };
        let ranked = wanted.iter().flat_map(|term| {
            fields.map(|(field, boost)| {
                (Occur::Should, Box::new(BoostQuery::new(one(field, term), boost)) as Box<dyn Query>)
            })
        });
        // One point for each word of the query that stands anywhere in the document.
        let covered = wanted.iter().map(|term| {
            let anywhere = BooleanQuery::union(fields.map(|(field, _)| one(field, term)).into());
            (Occur::Should, Box::new(ConstScoreQuery::new(Box::new(anywhere), 1.0)) as Box<dyn Query>)
        });
        let scores = self.top(&BooleanQuery::new(ranked.collect()), limit)?;
        let cover = self.top(&BooleanQuery::new(covered.collect()), limit)?;
        let cover: HashMap<i64, f32> = cover.into_iter().map(|hit| (hit.key, hit.score)).collect();
        let best = scores.first().map_or(1.0, |hit| hit.score).max(f32::MIN_POSITIVE);
        let share = |hit: &Hit| cover.get(&hit.key).copied().unwrap_or(1.0) / wanted.len() as f32;
        Ok(scores.into_iter().map(|hit| Hit { score: hit.score / best * share(&hit), ..hit }).collect())
    }

    fn top(&self, query: &dyn Query, limit: usize) -> Result<Vec<Hit>> {
        let searcher = self.reader.searcher();
        let found = searcher.search(query, &TopDocs::with_limit(limit).order_by_score()).map_err(failed)?;
        found
            .into_iter()
            .map(|(score, address)| {
                let segment = searcher.segment_reader(address.segment_ord);
                let keys = segment.fast_fields().i64("key").map_err(failed)?;
                let key =
                    keys.first(address.doc_id).ok_or_else(|| Error::internal("an index entry has no key"))?;
                Ok(Hit { key, score })
            })
            .collect()
    }

    /// Every key in the index.
    pub(crate) fn keys(&self) -> Result<Vec<i64>> {
        let mut all = Vec::new();
        for segment in self.reader.searcher().segment_readers() {
            let keys = segment.fast_fields().i64("key").map_err(failed)?;
            all.extend(segment.doc_ids_alive().filter_map(|doc| keys.first(doc)));
        }
        Ok(all)
    }
}
