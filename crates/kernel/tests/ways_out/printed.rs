//! None of them can be printed, for people or for programmers.
use std::fmt::{Debug, Display};

fn for_people<T: Display>() {}
fn for_programmers<T: Debug>() {}

fn main() {
    for_people::<kernel::Prompt>();
    for_people::<kernel::EmailAddress>();
    for_people::<kernel::SignInCode>();
    for_people::<kernel::ApiKey>();
    for_people::<kernel::Token>();
    for_people::<kernel::VoucherCode>();
    for_people::<kernel::Typed>();
    for_programmers::<kernel::Prompt>();
    for_programmers::<kernel::EmailAddress>();
    for_programmers::<kernel::SignInCode>();
    for_programmers::<kernel::ApiKey>();
    for_programmers::<kernel::Token>();
    for_programmers::<kernel::VoucherCode>();
    for_programmers::<kernel::Typed>();
}
