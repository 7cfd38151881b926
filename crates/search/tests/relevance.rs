//! What search finds, on real posts where they are at hand, and on a few of our own in any case.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // It is a test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use search::meaning::Encoder;
use search::{Document, Index};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn encoder() -> Option<Arc<Encoder>> {
    let bytes = std::fs::read(root().join("vendor/pack/encoder.bin")).ok()?;
    Some(Arc::new(Encoder::from_bytes(bytes).unwrap()))
}

fn shared(name: &str) -> Option<String> {
    let folder = std::env::var_os("SAFELIGHT_SHARED_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    std::fs::read_to_string(folder.join(name)).ok()
}

fn document(key: i64, text: &str) -> Document {
    Document { key, text: text.into(), ..Document::default() }
}

#[test]
fn words_are_found_in_every_script_and_erased_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), None).unwrap();
    let texts = [
        "A red fox in fresh snow",
        "赛博朋克城市的夜晚",
        "猫が窓辺で眠る",
        "Café crème on a marble table",
        "(title:fox AND *) \"quoted\"",
    ];
    let documents: Vec<_> = texts.iter().enumerate().map(|(key, text)| document(key as i64, text)).collect();
    index.put(&documents).unwrap();
    let keys = |query: &str| index.search(query, 10).unwrap().iter().map(|hit| hit.key).collect::<Vec<_>>();
    assert_eq!(keys("FOX snow")[0], 0);
    assert_eq!(keys("朋克"), [1]);
    assert_eq!(keys("猫"), [2]);
    assert_eq!(keys("cafe"), [3]);
    assert_eq!(keys("quoted"), [4]);
    for nothing in ["", "   ", "🦊", "xyzzyq", "\0", "AND OR NOT", "\"", "field:(", "שלום"] {
        let found = keys(nothing);
        assert!(found.is_empty() || nothing.contains("AND"), "{nothing:?} found {found:?}");
    }
    keys(&"fox ".repeat(20_000));
    index.erase(&[0, 99]).unwrap();
    assert!(!keys("fox").contains(&0));
    drop(index);
    let index = Index::open(dir.path(), None).unwrap();
    assert_eq!(index.keys().unwrap().len(), 4);
}

#[test]
fn an_index_of_which_a_part_is_damaged_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let words = dir.path().join("words");
    let segments = || std::fs::read_dir(&words).unwrap().map(|entry| entry.unwrap().path());
    let put = |index: &Index| index.put(&[document(1, "fox"), document(2, "snow")]).unwrap();
    let of_segments = ["store", "term", "idx", "fast", "fieldnorm", "pos"];
    for damage in of_segments {
        put(&Index::open(dir.path(), None).unwrap());
        for part in segments().filter(|path| path.extension().is_some_and(|extension| extension == damage)) {
            let mut bytes = std::fs::read(&part).unwrap();
            bytes[0] ^= 0xFF;
            std::fs::write(&part, bytes).unwrap();
        }
        let index = Index::open(dir.path(), None).unwrap();
        assert!(index.keys().unwrap().is_empty(), "{damage} was trusted");
        put(&index);
        assert_eq!(index.search("fox", 9).unwrap().len(), 1);
    }
    std::fs::remove_dir_all(&words).unwrap();
    std::fs::write(&words, "a file where a folder should be").unwrap();
    put(&Index::open(dir.path(), None).unwrap());
}

#[test]
fn a_broken_index_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(Index::open(dir.path(), None).unwrap());
    std::fs::write(dir.path().join("words/meta.json"), "{ not json").unwrap();
    std::fs::write(dir.path().join("vectors"), [7; 5000]).unwrap();
    let index = Index::open(dir.path(), None).unwrap();
    assert!(index.keys().unwrap().is_empty());
    index.put(&[document(1, "fox")]).unwrap();
    assert_eq!(index.search("fox", 1).unwrap().len(), 1);
}

/// Real posts, the questions that belong to them, and prompts that only stand in the way.
struct Corpus {
    artworks: Vec<Document>,
    questions: Vec<(String, i64)>,
    prompts: Vec<Document>,
}

fn corpus() -> Option<Corpus> {
    let key = |value: &Value| value["id"].as_str().unwrap().parse::<i64>().unwrap();
    let posts: Value = serde_json::from_str(&shared("artworks/posts.json")?).unwrap();
    let titles = shared("artworks/attribution.jsonl")?;
    let trending: Value = serde_json::from_str(&shared("prompts/trending-prompts.json")?).unwrap();
    let documents = |rows: &Value, step: usize, name: &str| {
        let rows = rows.as_array().unwrap().iter().step_by(step);
        rows.map(|row| document(key(row), row[name].as_str().unwrap())).collect()
    };
    let question = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        (row["title_en"].as_str().unwrap().to_owned(), key(&row))
    };
    Some(Corpus {
        artworks: documents(&posts["data"], 1, "text"),
        questions: titles.lines().map(question).collect(),
        prompts: documents(&trending, 4, "prompt"),
    })
}

/// Words that mean nothing, and words that mean something in languages of which few posts are.
const NONSENSE: [&str; 9] = [
    "qzxv wpfk",
    "asdfghjkl",
    "xkcdzz qqq",
    "ぬぺぽがふ",
    "龘靐齉爩",
    "zyzzyva qoph",
    "фывапролд",
    "🦊",
    "...",
];
const SENSE: [&str; 8] = [
    "水彩画",
    "夜の街",
    "portrait of a woman",
    "Katze im Schnee",
    "고양이",
    "котёнок",
    "une tasse de café",
    "food photography",
];

#[test]
fn meaning_crosses_languages_and_nonsense_finds_nothing() {
    let (Some(encoder), Some(corpus)) = (encoder(), corpus()) else {
        println!(
            "skipped: meaning_crosses_languages_and_nonsense_finds_nothing: no shared data or no encoder"
        );
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), Some(Arc::clone(&encoder))).unwrap();
    index.put(&corpus.artworks).unwrap();
    let (mut first, mut fifth) = (0, 0);
    for (title, key) in &corpus.questions {
        let hits = index.search(title, 5).unwrap();
        first += usize::from(hits.first().is_some_and(|hit| hit.key == *key));
        fifth += usize::from(hits.iter().any(|hit| hit.key == *key));
    }
    let all = corpus.questions.len();
    assert!(first * 100 >= all * 75, "R@1 {first}/{all}");
    assert!(fifth * 100 >= all * 90, "R@5 {fifth}/{all}");

    index.put(&corpus.prompts).unwrap();
    for nonsense in NONSENSE {
        let found = index.search(nonsense, 10).unwrap();
        assert!(found.is_empty(), "{nonsense} found {found:?}");
    }
    for query in SENSE {
        assert!(!index.search(query, 10).unwrap().is_empty(), "{query}");
    }
    drop(index);
    let index = Index::open(dir.path(), Some(encoder)).unwrap();
    assert_eq!(index.keys().unwrap().len(), corpus.artworks.len() + corpus.prompts.len());
    assert!(!index.similar(corpus.artworks[0].key, 5).unwrap().is_empty());
}
