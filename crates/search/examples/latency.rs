//! This owns the figures of search on real posts, as `name value` lines: processor time of each query with its
//! embedding, recall, and answers to nonsense; beside it SQLite's FTS5 with trigrams over the same documents.
//! It judges nothing; budgets belong to whoever calls it. Run from the project root: `latency [SHARED_DATA]`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use search::meaning::Encoder;
use search::{Document, Index};
use serde_json::Value;
use sqlx::{Connection, Row, SqliteConnection};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Words that no post means.
const NONSENSE: [&str; 8] = [
    "qzxv wpfk",
    "blorptangle frumious snark",
    "asdfghjkl",
    "xkcdzz qqq",
    "ぬぺぽがふ",
    "龘靐齉爩",
    "zyzzyva qoph",
    "фывапролд",
];

/// Hits that are asked for.
const FOUND_MAX: usize = 50;
/// Words of an excerpt.
const EXCERPT_WORDS: usize = 5;
/// What people would look for, some of it in languages in which no post is written.
const PLAIN: [&str; 12] = [
    "sunset over the sea",
    "赛博朋克城市",
    "夜の街",
    "Katze im Schnee",
    "котёнок",
    "고양이",
    "une tasse de café",
    "czerwona sukienka",
    "可爱的动物",
    "fashion model in a red dress",
    "perfume bottle",
    "水彩画",
];

struct Question {
    words: String,
    key: i64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let shared = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let packed = Path::new("vendor/pack/encoder.bin");
    if !packed.is_file() || !shared.join("artworks/posts.json").is_file() {
        return print(&format!("skipped: latency: no {} or no shared data", packed.display()));
    }
    let (mut documents, titles) = read_artworks(&shared)?;
    documents.extend(read_prompts(&shared, documents.len())?);
    let excerpts = excerpts(&documents);
    let encoder = Arc::new(Encoder::from_bytes(std::fs::read(packed)?)?);
    report("documents", documents.len() as f64)?;

    let folder = tempfile::tempdir()?;
    let (both, plain) = (folder.path().join("both"), folder.path().join("words"));
    let started = Instant::now();
    Index::open(&both, Some(Arc::clone(&encoder)))?.put(&documents)?;
    report("put_ms_each", milliseconds(started) / documents.len() as f64)?;
    let started = Instant::now();
    let index = Index::open(&both, Some(encoder))?;
    report("open_ms", milliseconds(started))?;
    let words = Index::open(&plain, None)?;
    words.put(&documents)?;

    for (questions, kind) in [(&titles, "translated"), (&excerpts, "excerpt")] {
        for (name, index) in [("fused", &index), ("words_only", &words)] {
            let answers = questions.iter().map(|question| {
                let started = processor();
                let keys = index.search(&question.words, FOUND_MAX)?.iter().map(|hit| hit.key).collect();
                Ok((processor() - started, keys))
            });
            measure(&format!("{name}_{kind}"), questions, answers.collect::<Outcome<Vec<_>>>()?)?;
        }
        let answers = fts5(&documents, questions).await?;
        measure(&format!("fts5_{kind}"), questions, answers)?;
    }
    report("resident_mib", resident_mib()?)?;
    let found = PLAIN.iter().map(|words| index.search(words, 10)).collect::<Result<Vec<_>, _>>()?;
    report("plain_without_hits", found.iter().filter(|hits| hits.is_empty()).count() as f64)?;
    let answered = NONSENSE.iter().map(|words| index.search(words, 10)).collect::<Result<Vec<_>, _>>()?;
    report("nonsense_hits", answered.iter().map(Vec::len).sum::<usize>() as f64)?;
    let started = Instant::now();
    index.erase(&[documents[0].key])?;
    report("erase_ms", milliseconds(started))
}

/// Reports the time of every answer and how often the right document came first, or among five or twenty.
fn measure(name: &str, questions: &[Question], answers: Vec<(f64, Vec<i64>)>) -> Outcome<()> {
    let place = |(question, (_, keys)): (&Question, &(f64, Vec<i64>))| {
        keys.iter().position(|key| *key == question.key)
    };
    let places: Vec<_> = questions.iter().zip(&answers).map(place).collect();
    let mut times: Vec<f64> = answers.into_iter().map(|(time, _)| time).collect();
    times.sort_by(f64::total_cmp);
    report(&format!("{name}_p50_cpu_ms"), times[times.len() / 2])?;
    report(&format!("{name}_p95_cpu_ms"), times[times.len() * 95 / 100])?;
    for within in [1, 5, 20] {
        let found = places.iter().flatten().filter(|place| **place < within).count();
        report(&format!("{name}_recall_at_{within}"), found as f64 / questions.len() as f64)?;
    }
    Ok(())
}

/// What SQLite's own full-text index answers: any of the words, the best first by BM25.
async fn fts5(documents: &[Document], questions: &[Question]) -> Outcome<Vec<(f64, Vec<i64>)>> {
    let mut db = SqliteConnection::connect("sqlite::memory:").await?;
    sqlx::query("CREATE VIRTUAL TABLE t USING fts5(body, tokenize = 'trigram')").execute(&mut db).await?;
    for document in documents {
        let body = format!("{}\n{}\n{}", document.title, document.text, document.extra);
        let insert = sqlx::query("INSERT INTO t (rowid, body) VALUES (?, ?)").bind(document.key).bind(body);
        insert.execute(&mut db).await?;
    }
    let mut answers = Vec::new();
    for question in questions {
        let words = question.words.split_whitespace().map(|word| format!("\"{}\"", word.replace('"', "")));
        let query = words.collect::<Vec<_>>().join(" OR ");
        // SQLite works on a thread of its own, so the time is the whole process's.
        let started = process();
        let rows = sqlx::query("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank LIMIT 50")
            .bind(query)
            .fetch_all(&mut db)
            .await?;
        answers.push((process() - started, rows.iter().map(|row| row.get(0)).collect()));
    }
    Ok(answers)
}

/// The real artworks, and their English titles as questions.
fn read_artworks(shared: &Path) -> Outcome<(Vec<Document>, Vec<Question>)> {
    let posts: Value = serde_json::from_slice(&std::fs::read(shared.join("artworks/posts.json"))?)?;
    let posts = posts["data"].as_array().ok_or("posts.json has no data")?;
    let lines = std::fs::read_to_string(shared.join("artworks/attribution.jsonl"))?;
    let titles = lines.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let (mut documents, mut questions) = (Vec::new(), Vec::new());
    for (key, post) in (1..).zip(posts) {
        let text = post["text"].as_str().unwrap_or_default();
        let (title, rest) = text.split_once('\n').unwrap_or(("", text));
        documents.push(Document { key, title: title.into(), text: rest.trim().into(), extra: String::new() });
        let title =
            titles.iter().find(|line| line["id"] == post["id"]).and_then(|line| line["title_en"].as_str());
        questions.extend(title.map(|words| Question { words: words.to_owned(), key }));
    }
    Ok((documents, questions))
}

/// The trending prompts, which only stand in the way of the questions.
fn read_prompts(shared: &Path, after: usize) -> Outcome<Vec<Document>> {
    let prompts: Value =
        serde_json::from_slice(&std::fs::read(shared.join("prompts/trending-prompts.json"))?)?;
    let prompts = prompts.as_array().ok_or("the prompts are not a list")?;
    let word = |prompt: &Value, name: &str| prompt[name].as_str().unwrap_or_default().to_owned();
    Ok((after as i64 + 1..)
        .zip(prompts)
        .map(|(key, prompt)| Document {
            key,
            title: String::new(),
            text: word(prompt, "prompt"),
            extra: format!("{}\n{}", word(prompt, "author"), word(prompt, "model")),
        })
        .collect())
}

/// Five words in a row from the midst of every tenth prompt, as somebody remembers a post.
fn excerpts(documents: &[Document]) -> Vec<Question> {
    let question = |document: &Document| {
        let words: Vec<&str> = document.text.split_whitespace().collect();
        let words = words.get(words.len() / 2..words.len() / 2 + EXCERPT_WORDS)?.join(" ");
        Some(Question { words, key: document.key })
    };
    documents.iter().step_by(10).filter_map(question).collect()
}

/// Milliseconds of processor time that this thread has used.
fn processor() -> f64 {
    clock(ClockId::ThreadCPUTime)
}

/// Milliseconds of processor time that the whole process has used.
fn process() -> f64 {
    clock(ClockId::ProcessCPUTime)
}

fn clock(id: ClockId) -> f64 {
    let now = clock_gettime(id);
    now.tv_sec as f64 * 1_000.0 + now.tv_nsec as f64 / 1_000_000.0
}

/// Memory of the process that is in use, in MiB.
fn resident_mib() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1_024.0)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

fn report(name: &str, value: f64) -> Outcome<()> {
    print(&format!("{name} {value:.3}"))
}

fn print(line: &str) -> Outcome<()> {
    use std::io::Write;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
