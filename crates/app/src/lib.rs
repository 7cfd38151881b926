//! This owns how the parts become one program: start, routes, commands, stop. It holds no rule of any slice.

pub mod command;
mod doctor;
pub mod house;
pub mod operator;
pub mod routes;
pub mod serve;
mod starter;
