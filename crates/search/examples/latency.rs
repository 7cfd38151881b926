//! This owns the figures of search on real posts, as `name value` lines: time, recall, and answers to nonsense.
//! It judges nothing; budgets belong to whoever calls it. Run from the project root: `latency [SHARED_DATA]`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use search::meaning::Encoder;
use search::{Document, Index};
use serde_json::Value;

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

fn main() -> Outcome<()> {
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

    for (name, index) in [("fused", &index), ("words_only", &words)] {
        measure(&format!("{name}_translated"), index, &titles)?;
        measure(&format!("{name}_excerpt"), index, &excerpts)?;
    }
    let found = PLAIN.iter().map(|words| index.search(words, 10)).collect::<Result<Vec<_>, _>>()?;
    report("plain_without_hits", found.iter().filter(|hits| hits.is_empty()).count() as f64)?;
    let answered = NONSENSE.iter().map(|words| index.search(words, 10)).collect::<Result<Vec<_>, _>>()?;
    report("nonsense_hits", answered.iter().map(Vec::len).sum::<usize>() as f64)?;
    let started = Instant::now();
    index.erase(&[documents[0].key])?;
    report("erase_ms", milliseconds(started))
}

/// Asks every question and reports the time and how often the right document came first, or among five or twenty.
fn measure(name: &str, index: &Index, questions: &[Question]) -> Outcome<()> {
    let (mut times, mut places) = (Vec::new(), Vec::new());
    for question in questions {
        let started = Instant::now();
        let hits = index.search(&question.words, 50)?;
        times.push(milliseconds(started));
        places.push(hits.iter().position(|hit| hit.key == question.key));
    }
    times.sort_by(f64::total_cmp);
    report(&format!("{name}_p50_ms"), times[times.len() / 2])?;
    report(&format!("{name}_p95_ms"), times[times.len() * 95 / 100])?;
    for within in [1, 5, 20] {
        let found = places.iter().flatten().filter(|place| **place < within).count();
        report(&format!("{name}_recall_at_{within}"), found as f64 / questions.len() as f64)?;
    }
    Ok(())
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
