//! This owns the promises, the data map, and erasing all that belongs to a member. It knows every slice.

pub mod audit;
pub mod data_map;
pub mod erase;
pub mod export;
pub mod inquiry;
pub mod promises;
pub mod receipts;
pub mod statement;
pub mod statistics;
pub mod transparency;
