//! The `countersign` program: arguments, one command, an exit code.

fn main() -> std::process::ExitCode {
    countersign::cli::main()
}
