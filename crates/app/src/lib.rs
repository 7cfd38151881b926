//! This owns how the parts become one program: start, routes, commands, stop. It holds no rule of any slice.

mod audit;
mod backup;
pub mod command;
pub mod connections;
pub mod desk;
mod doctor;
mod escrow;
pub mod house;
pub mod operator;
mod restore;
pub mod routes;
mod runtime;
pub mod serve;
mod starter;
pub mod table;
