//! This owns the allocator that overwrites what is freed. It does not own where blocks come from, since another allocator
//! gives and takes them, nor stacks.
#![allow(unsafe_code)] // The README argues for it.

use std::alloc::{GlobalAlloc, Layout};

/// An allocator that overwrites each block before it gives it back.
pub struct Wiping<A>(pub A);

// `realloc` stays the trait's own: a new block, a copy, and the old one freed through `dealloc` below. The inner
// allocator could move a block and keep the old one, or shrink it and keep the tail, and neither would be wiped.
//
// SAFETY: blocks come from the inner allocator and go back to it with the layout they came with; in between they are
// written only while they are freed, when nobody else may use them.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Wiping<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.0.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // The inner allocator knows which pages are fresh and need no zeros.
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is live, has this layout, and its owner has given it up.
        unsafe {
            wipe(block, layout.size());
            self.0.dealloc(block, layout);
        }
    }
}

/// Writes zeros that the compiler may not leave out, although the block is freed right after.
///
/// # Safety
/// The block is its caller's alone and has so many bytes.
#[inline]
unsafe fn wipe(block: *mut u8, bytes: usize) {
    // SAFETY: as the caller promises; once the zeros are there, the bytes are initialised and may be looked at.
    let wiped = unsafe {
        block.write_bytes(0, bytes);
        std::slice::from_raw_parts(block, bytes)
    };
    zeroize::optimization_barrier(wiped);
}

#[cfg(test)]
mod tests {
    use std::alloc::System;
    use std::cell::Cell;
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use proptest::prelude::*;

    use super::*;

    /// What blocks are filled with.
    const PATTERN: u8 = 0xA7;

    /// The system's allocator, which counts what it gets back with anything in it.
    #[derive(Default)]
    struct Recorder {
        unwiped: Cell<usize>,
        freed: Cell<usize>,
    }

    // SAFETY: it hands on to the system's.
    unsafe impl GlobalAlloc for Recorder {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller's promise.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: tests fill each block, so all of its bytes are initialised.
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            self.unwiped.set(self.unwiped.get() + usize::from(bytes.iter().any(|byte| *byte != 0)));
            self.freed.set(self.freed.get() + 1);
            // SAFETY: the caller's promise.
            unsafe { System.dealloc(block, layout) }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
            // A block that may move or shrink without coming back.
            self.unwiped.set(self.unwiped.get() + 1);
            // SAFETY: the caller's promise.
            unsafe { System.realloc(block, layout, bytes) }
        }
    }

    /// A block of an allocator, as a collection holds it.
    struct Block<'a, A: GlobalAlloc> {
        from: &'a A,
        start: *mut u8,
        layout: Layout,
    }

    impl<'a, A: GlobalAlloc> Block<'a, A> {
        fn filled(from: &'a A, layout: Layout) -> Self {
            // SAFETY: no layout in these tests is empty.
            let block = Self { from, start: unsafe { from.alloc(layout) }, layout };
            block.fill(0);
            block
        }

        fn zeroed(from: &'a A, layout: Layout) -> Self {
            // SAFETY: no layout in these tests is empty.
            Self { from, start: unsafe { from.alloc_zeroed(layout) }, layout }
        }

        fn fill(&self, from: usize) {
            // SAFETY: the part lies in the block.
            unsafe { self.start.add(from).write_bytes(PATTERN, self.layout.size() - from) }
        }

        fn bytes(&self) -> &[u8] {
            // SAFETY: the block is live and initialised.
            unsafe { std::slice::from_raw_parts(self.start, self.layout.size()) }
        }

        fn resize(&mut self, bytes: usize) {
            let before = self.layout.size();
            // SAFETY: the block is live, has this layout, and the size is not 0.
            self.start = unsafe { self.from.realloc(self.start, self.layout, bytes) };
            self.layout = Layout::from_size_align(bytes, self.layout.align()).unwrap();
            self.fill(before.min(bytes));
        }
    }

    impl<A: GlobalAlloc> Drop for Block<'_, A> {
        fn drop(&mut self) {
            // SAFETY: the block is live and has this layout.
            unsafe { self.from.dealloc(self.start, self.layout) }
        }
    }

    /// From what the system keeps in lists to what goes straight back to the kernel.
    const SIZES: [usize; 7] = [1, 24, 1000, 4096, 100_000, 1 << 20, 33 << 20];

    fn layout(bytes: usize, align: usize) -> Layout {
        Layout::from_size_align(bytes, align).unwrap()
    }

    /// Frees, grows and shrinks blocks of every size.
    fn use_blocks(from: &impl GlobalAlloc) {
        for bytes in SIZES {
            drop(Block::filled(from, layout(bytes, 64)));
            for resized in [bytes * 2, bytes.div_ceil(3)] {
                Block::filled(from, layout(bytes, 8)).resize(resized);
            }
        }
    }

    #[test]
    fn blocks_come_back_wiped_whether_freed_grown_or_shrunk() {
        let wiping = Wiping(Recorder::default());
        use_blocks(&wiping);
        // Each block once, and each that was grown or shrunk once before.
        assert_eq!((wiping.0.unwiped.get(), wiping.0.freed.get()), (0, SIZES.len() * 5));
        let bare = Recorder::default();
        use_blocks(&bare);
        assert_eq!(bare.unwiped.get(), SIZES.len() * 5, "an allocator that does not wipe is not noticed");
    }

    /// Bytes of the pattern in this process's memory, seen from outside the language as by whoever takes a copy of it.
    fn count_pattern(memory: &File, address: usize, seen: &mut [u8]) -> usize {
        memory.read_exact_at(seen, address as u64).unwrap();
        seen.iter().filter(|byte| **byte == PATTERN).count()
    }

    /// The system writes notes of its own over the first bytes of what it gets back.
    const NOTES: usize = 32;

    /// Bytes of the pattern that stay behind where a block was.
    fn left_behind(from: &impl GlobalAlloc, bytes: usize, memory: &File, seen: &mut [u8]) -> usize {
        let block = Block::filled(from, layout(bytes, 8));
        let address = block.start as usize + NOTES;
        assert_eq!(count_pattern(memory, address, seen), seen.len(), "the block is looked for elsewhere");
        drop(block);
        count_pattern(memory, address, seen)
    }

    #[test]
    fn nothing_is_left_in_the_memory_of_the_process() {
        let memory = File::open("/proc/self/mem").unwrap();
        for bytes in [48, 500, 5000, 60_000] {
            let mut seen = vec![0; bytes - NOTES];
            assert_eq!(left_behind(&Wiping(System), bytes, &memory, &mut seen), 0);
            let bare = left_behind(&System, bytes, &memory, &mut seen);
            assert!(
                bare > seen.len() / 2,
                "an allocator that does not wipe is not noticed: {bare} of {bytes}"
            );
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Take(usize, usize),
        TakeZeroed(usize, usize),
        Resize(usize, usize),
        Free(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let (bytes, power, place) = (1..300_000_usize, 0..13_u32, 0..8_usize);
        let align = power.prop_map(|power| 1_usize << power);
        prop::collection::vec(
            prop_oneof![
                (bytes.clone(), align.clone()).prop_map(|(bytes, align)| Step::Take(bytes, align)),
                (bytes.clone(), align).prop_map(|(bytes, align)| Step::TakeZeroed(bytes, align)),
                (place.clone(), bytes).prop_map(|(place, bytes)| Step::Resize(place, bytes)),
                place.prop_map(Step::Free),
            ],
            1..60,
        )
    }

    fn step<'a, A: GlobalAlloc>(blocks: &mut Vec<Block<'a, A>>, from: &'a A, step: &Step) {
        match *step {
            Step::Take(bytes, align) => blocks.push(Block::filled(from, layout(bytes, align))),
            Step::TakeZeroed(bytes, align) => blocks.push(Block::zeroed(from, layout(bytes, align))),
            Step::Resize(place, bytes) => blocks.iter_mut().skip(place).take(1).for_each(|b| b.resize(bytes)),
            Step::Free(place) => drop((place < blocks.len()).then(|| blocks.swap_remove(place))),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_serves_as_the_system_does(steps in steps()) {
            let wiping = Wiping(Recorder::default());
            let (mut ours, mut theirs) = (vec![], vec![]);
            for one in &steps {
                step(&mut ours, &wiping, one);
                step(&mut theirs, &System, one);
                prop_assert_eq!(ours.len(), theirs.len());
                for (ours, theirs) in ours.iter().zip(&theirs) {
                    prop_assert!(ours.bytes() == theirs.bytes());
                    prop_assert_eq!(ours.start as usize % ours.layout.align(), 0);
                }
            }
            drop(ours);
            prop_assert_eq!(wiping.0.unwiped.get(), 0);
        }
    }
}
