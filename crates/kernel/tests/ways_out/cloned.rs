//! There is one of each, so that when it is dropped it is gone.
fn twice<T: Clone>() {}

fn main() {
    twice::<kernel::Prompt>();
    twice::<kernel::EmailAddress>();
    twice::<kernel::SignInCode>();
    twice::<kernel::ApiKey>();
    twice::<kernel::Token>();
    twice::<kernel::VoucherCode>();
    twice::<kernel::Typed>();
}
