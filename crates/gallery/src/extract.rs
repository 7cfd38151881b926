//! This owns finding the prompt in a post. What it returns stands in the post word for word; nothing is invented.

use kernel::limits::PROMPT_CHARS_MAX;

/// Characters a title may have.
const TITLE_CHARS_MAX: usize = 90;
/// Characters a text needs to be taken for a prompt.
const PROMPT_CHARS_MIN: usize = 8;
/// Words that announce a prompt, in lower case, before a colon.
const ANNOUNCEMENTS: &[&str] = &[
    "prompt",
    "full prompt",
    "the prompt",
    "提示词",
    "提示詞",
    "完整提示词",
    "プロンプト",
    "프롬프트",
    "промпт",
    "invite",
];

/// A prompt and, where the post has one, its title. Both are parts of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// A heading, empty when there is none.
    pub title: String,
    /// The prompt.
    pub prompt: String,
}

/// Finds the prompt in the texts of one post, tried in order: its (long) text, alt texts, the author's reply.
/// `None` when no text could be one, or when it is longer than a prompt may be.
#[must_use]
pub fn extract(texts: &[&str]) -> Option<Extracted> {
    let marked =
        texts.iter().find_map(|text| fenced(text).or_else(|| announced(text)).or_else(|| json_object(text)));
    let plain = || texts.iter().find_map(|text| whole(text));
    marked.or_else(plain).filter(|found| found.prompt.chars().count() <= PROMPT_CHARS_MAX)
}

fn is_prompt(text: &str) -> bool {
    if text.contains("://") && !text.contains(char::is_whitespace) {
        return false;
    }
    text.chars().filter(|c| c.is_alphabetic()).count() >= PROMPT_CHARS_MIN.min(text.chars().count().max(4))
}

/// The inside of a fence of three backquotes.
fn fenced(text: &str) -> Option<Extracted> {
    let (before, rest) = text.split_once("```")?;
    let (inside, _) = rest.split_once("```")?;
    // The word behind an opening fence names a language: ```json
    let body = match inside.split_once('\n') {
        Some((info, body)) if !info.trim().contains(' ') && info.len() <= 12 => body,
        _ => inside,
    };
    found(before, body)
}

/// What follows `Prompt:`.
fn announced(text: &str) -> Option<Extracted> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start_matches(|c: char| !c.is_alphanumeric());
        if let Some((head, tail)) = bare.split_once([':', '：']) {
            let head = head.trim().to_lowercase();
            if ANNOUNCEMENTS.contains(&head.as_str()) {
                let from = start + (line.len() - tail.len());
                return found(text.get(..start)?, text.get(from..)?);
            }
        }
        start += line.len();
    }
    None
}

/// A JSON object, from its first to its last brace.
fn json_object(text: &str) -> Option<Extracted> {
    let (from, to) = (text.find('{')?, text.rfind('}')?);
    let body = text.get(from..=to)?;
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(body).ok()?;
    found(text.get(..from)?, body)
}

/// The whole text; a short first line with an empty line behind it is its title.
fn whole(text: &str) -> Option<Extracted> {
    let text = without_trailing_links(text.trim());
    match text.split_once("\n\n") {
        Some((first, rest)) if is_title(first) && is_prompt(rest.trim()) => found(first, rest),
        _ => found("", text),
    }
}

fn found(before: &str, prompt: &str) -> Option<Extracted> {
    let prompt = without_trailing_links(prompt.trim());
    let title = before.trim().lines().next().unwrap_or_default().trim();
    let title = if is_title(title) { title.to_owned() } else { String::new() };
    is_prompt(prompt).then(|| Extracted { title, prompt: prompt.to_owned() })
}

fn is_title(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty()
        && !line.contains('\n')
        && line.chars().count() <= TITLE_CHARS_MAX
        && !line.ends_with([',', '，', ':', '：', '、'])
        && !line.contains("://")
}

/// Posts end with links to their own media; they are not part of the prompt.
fn without_trailing_links(text: &str) -> &str {
    let mut text = text.trim_end();
    while let Some((before, last)) = text.rsplit_once(char::is_whitespace) {
        if !last.starts_with("https://t.co/") {
            break;
        }
        text = before.trim_end();
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prompt_of(text: &str) -> String {
        extract(&[text]).map(|found| found.prompt).unwrap_or_default()
    }

    #[test]
    fn prompts_are_found_where_people_put_them() {
        assert_eq!(prompt_of("A red fox in fresh snow https://t.co/abc"), "A red fox in fresh snow");
        assert_eq!(prompt_of("Try this!\n\nPrompt: a red fox in snow"), "a red fox in snow");
        assert_eq!(prompt_of("提示词：一只红色的狐狸在雪地里"), "一只红色的狐狸在雪地里");
        assert_eq!(prompt_of("Fox\n```text\na red fox in snow\n```\nenjoy"), "a red fox in snow");
        assert_eq!(prompt_of("Look: {\"subject\": \"a red fox\"} nice"), "{\"subject\": \"a red fox\"}");
        let titled = extract(&["Q版求婚场景\n\n将照片里的两个人转换成Q版 3D人物"]).unwrap();
        assert_eq!(titled.title, "Q版求婚场景");
        assert_eq!(titled.prompt, "将照片里的两个人转换成Q版 3D人物");
        assert_eq!(extract(&["", "alt text of a red fox"]).unwrap().prompt, "alt text of a red fox");
    }

    #[test]
    fn what_is_no_prompt_is_not_made_one() {
        for text in ["", "  \n", "🦊🦊🦊", "https://t.co/abc", "Prompt:", "``` ```", "12"] {
            assert_eq!(extract(&[text]), None, "{text}");
        }
        assert_eq!(extract(&[&"长".repeat(PROMPT_CHARS_MAX + 1)]), None);
        assert!(extract(&[&"长".repeat(PROMPT_CHARS_MAX)]).is_some());
    }

    proptest! {
        #[test]
        fn a_prompt_always_stands_in_the_text(text in "\\PC{0,200}", mark in "(```|Prompt:|\\{|\\}|\n\n)?") {
            let text = format!("{text}{mark}{text}");
            if let Some(found) = extract(&[&text]) {
                prop_assert!(text.contains(&found.prompt));
                prop_assert!(text.contains(&found.title));
            }
        }
    }
}
