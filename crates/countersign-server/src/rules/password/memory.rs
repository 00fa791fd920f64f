//! The memory of one hash slot: taken from the system at the first hash and used again for every later one.
//!
//! Blocks of 19 MiB that are freed and taken again from many threads stay with the allocator: a flood of log-ins made
//! a process many times as large as what is in use at any moment. What a slot has, it keeps, and wipes after each hash.

use argon2::{Argon2, Block};

use super::MEMORY_KIB;

// One block is one KiB.
const BLOCKS: usize = MEMORY_KIB as usize;

/// Blocks for one hash at a time.
#[derive(Default)]
pub(super) struct Memory {
    blocks: Vec<Block>,
    /// What every hash has asked for.
    #[cfg(test)]
    pub(super) asked: Vec<argon2::Params>,
}

impl Memory {
    /// Runs argon2 over a password; false when it refuses its parameters or inputs.
    pub(super) fn compute(
        &mut self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
        out: &mut [u8],
    ) -> bool {
        #[cfg(test)]
        self.asked.push(argon2.params().clone());
        let blocks = argon2.params().block_count();
        if blocks > BLOCKS {
            // A stored hash of stronger parameters: its memory is not worth keeping.
            let mut more = vec![Block::new(); blocks];
            return argon2
                .hash_password_into_with_memory(password, salt, out, more.as_mut_slice())
                .is_ok();
        }
        self.blocks.resize(BLOCKS, Block::new());
        let done =
            argon2.hash_password_into_with_memory(password, salt, out, self.blocks.as_mut_slice());
        // What was derived from one person's password is gone before the next one's turn.
        self.blocks.fill(Block::new());
        done.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use argon2::{Algorithm, Params, Version};

    use super::*;

    fn computed(memory: &mut Memory, kib: u32, password: &[u8]) -> [u8; 32] {
        let params = Params::new(kib, 1, 1, Some(32)).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut out = [0; 32];
        assert!(memory.compute(&argon2, password, &[5; 16], &mut out));
        out
    }

    #[test]
    fn used_memory_gives_the_same_hash_as_new_memory_and_keeps_nothing() {
        let mut used = Memory::default();
        computed(&mut used, 256, b"somebody else");
        for kib in [64, 256, MEMORY_KIB + 8] {
            assert_eq!(
                computed(&mut used, kib, b"password"),
                computed(&mut Memory::default(), kib, b"password"),
                "{kib}"
            );
        }
        assert_eq!(used.blocks.len(), BLOCKS);
        let is_wiped = |block: &Block| block.as_ref().iter().all(|word| *word == 0);
        assert!(used.blocks.iter().all(is_wiped));
    }
}
