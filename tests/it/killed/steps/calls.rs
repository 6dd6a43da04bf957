//! The program under strace, which kills it at a system call.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether processes may be traced here.
pub fn may_be_traced() -> bool {
    let done = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let may = done.is_ok_and(|status| status.success());
    if !may {
        eprintln!("left out: strace does not work on this machine");
    }
    may
}

/// Runs a command until a thread of it comes to its call of this number among these; true if it was killed there.
pub fn killed_at(command: &Command, calls: &str, number: usize, told: &Path) -> bool {
    let done = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(told)
        .args(["-e", &format!("trace={calls}")])
        .args(["-e", &format!("inject={calls}:signal=KILL:when={number}")])
        .arg(command.get_program())
        .args(command.get_args())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    std::os::unix::process::ExitStatusExt::signal(&done) == Some(9)
}
