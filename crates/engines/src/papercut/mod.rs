//! This owns Papercut, the built-in engine: it reads a prompt, composes a scene from library figures and prints it.

pub mod reading;
