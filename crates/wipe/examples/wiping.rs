//! This owns the patterns with the allocator that wipes.

mod patterns;

#[global_allocator]
static MEMORY: wipe::Wiping<std::alloc::System> = wipe::Wiping(std::alloc::System);

fn main() {
    patterns::print();
}
