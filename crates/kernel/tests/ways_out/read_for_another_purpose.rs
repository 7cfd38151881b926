//! Each is read for its own purposes only.
use kernel::{ApiKey, EmailAddress, Prompt, SignInCode, Token, Typed, purpose};

fn other(prompt: &Prompt, address: &EmailAddress, code: &SignInCode, key: &ApiKey, token: &Token, typed: &Typed) {
    prompt.reveal(purpose::SendSignInCode);
    address.reveal(purpose::Develop);
    code.reveal(purpose::ShowOnce);
    key.reveal(purpose::SendSignInCode);
    token.reveal(purpose::Develop);
    typed.reveal(purpose::Recognise);
}

fn main() {}
