//! Faults injected into a vault in the middle of its work, and what is there afterwards.

mod anew;
mod child;
mod disk;
mod export;
mod kills;
mod life;
