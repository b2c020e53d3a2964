//! The `knik` program.

use std::process::ExitCode;

/// Many small things live as long as one request: this one hands them out and takes them back faster than the C library does. It asks
/// the system for memory as it needs it: one that reserves a large part beforehand would get round the limit of the reading process.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    knik::cli::main()
}
