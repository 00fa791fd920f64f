//! What every measured process shares: the work, the raw reference, the counting allocator, and the loop that takes
//! times when it is told to. A process that measures calls [`serve`] with its items and nothing else.

mod allocations;
mod child;
pub mod data;
pub mod raw;

pub use allocations::{Counting, allocations};
pub use child::{Group, IN_A_ROW, Item, Listing, serve};
