//! Every field of the format, on invented posts.

/// Invented captures, one of each shape, with their records, acts, deletions and records not public.
pub(in crate::capture) const FIXTURES: &[(&str, [u64; 4])] = &[];
