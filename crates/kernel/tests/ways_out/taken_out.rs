//! What is inside cannot be reached around the purposes.
fn inside(prompt: kernel::Prompt) -> String {
    prompt.text.to_string()
}

fn forged() -> kernel::Prompt {
    kernel::Private::new(String::new())
}

fn main() {}
