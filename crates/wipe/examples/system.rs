//! This owns the patterns with the system's allocator, as a peer.

mod patterns;

fn main() {
    patterns::print();
}
