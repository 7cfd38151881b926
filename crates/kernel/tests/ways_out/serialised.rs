//! None of them can be serialised: not into JSON, not into a log, not into a queue.
fn into_json<T: serde::Serialize>() {}

fn main() {
    into_json::<kernel::Prompt>();
    into_json::<kernel::EmailAddress>();
    into_json::<kernel::SignInCode>();
    into_json::<kernel::ApiKey>();
    into_json::<kernel::Token>();
    into_json::<kernel::VoucherCode>();
    into_json::<kernel::Typed>();
}
