//! None of them passes for text, so that none is handed on by accident.
fn text<T: AsRef<str>>() {}
fn owned<T: Into<String>>() {}

fn main() {
    text::<kernel::Prompt>();
    text::<kernel::EmailAddress>();
    text::<kernel::SignInCode>();
    text::<kernel::ApiKey>();
    text::<kernel::Token>();
    text::<kernel::VoucherCode>();
    text::<kernel::Typed>();
    owned::<kernel::Prompt>();
    owned::<kernel::EmailAddress>();
    owned::<kernel::SignInCode>();
    owned::<kernel::ApiKey>();
    owned::<kernel::Token>();
    owned::<kernel::VoucherCode>();
    owned::<kernel::Typed>();
}
