//! None of them can be bound to a statement of any database.
fn in_a_row<'q, DB: sqlx::Database, T: sqlx::Encode<'q, DB>>() {}

fn bound<'q, DB: sqlx::Database>() {
    in_a_row::<DB, kernel::Prompt>();
    in_a_row::<DB, kernel::EmailAddress>();
    in_a_row::<DB, kernel::SignInCode>();
    in_a_row::<DB, kernel::ApiKey>();
    in_a_row::<DB, kernel::Token>();
    in_a_row::<DB, kernel::VoucherCode>();
    in_a_row::<DB, kernel::Typed>();
}

fn main() {}
