//! The `countersign` program: arguments, one command, an exit code.

/// Signups and mails are many small texts; this one hands them out at half the cost of the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    countersign::cli::main()
}
