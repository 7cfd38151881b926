//! Each way in which what a visitor typed could get out does not compile. The files beside this one try them all; what
//! the compiler says to each line stands next to it.
#![allow(clippy::unwrap_used)] // It is a test.

use kernel::{ApiKey, EmailAddress, Prompt, SignInCode, Token, Typed, VoucherCode, purpose};

#[test]
fn no_way_out_compiles() {
    trybuild::TestCases::new().compile_fail("tests/ways_out/*.rs");
}

/// What the other files are held against: with the right purpose the same lines compile.
#[test]
fn each_is_read_for_its_own_purposes() {
    let typed = Typed::from("ada@example.org");
    assert_eq!(typed.reveal(purpose::Parse), "ada@example.org");
    let address = EmailAddress::parse(&typed).unwrap();
    assert_eq!(address.reveal(purpose::SendSignInCode), address.reveal(purpose::FindAccount));
    assert_eq!(Prompt::parse(typed).unwrap().reveal(purpose::Develop), "ada@example.org");
    assert_eq!(SignInCode::random().reveal(purpose::Recognise).len(), 8);
    assert_eq!(ApiKey::from("key".to_owned()).reveal(purpose::ShowOnce), "key");
    assert_eq!(Token::random().reveal(purpose::ShowOnce).len(), 43);
    let voucher = VoucherCode::from("code".to_owned());
    assert_eq!(voucher.reveal(purpose::ShowOnce), voucher.reveal(purpose::Recognise));
}
