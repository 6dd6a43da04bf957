//! The program under strace, which kills it at a system call.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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

/// Whether processes may be traced here that were started before.
pub fn may_be_attached() -> bool {
    if !may_be_traced() {
        return false;
    }
    let mut sleeping = Command::new("sleep").arg("5").spawn().unwrap();
    let mut strace = attach(sleeping.id(), "trace=fsync", None, Path::new("/dev/null"));
    let may = is_traced(sleeping.id(), &mut strace);
    let _ = sleeping.kill();
    let _ = (sleeping.wait(), strace.wait());
    if !may {
        eprintln!("left out: strace may not be attached to a process on this machine");
    }
    may
}

/// Has a process that runs killed at its call of this number from now on.
pub fn kill_at(pid: u32, calls: &str, number: usize, told: &Path) {
    let inject = format!("inject={calls}:signal=KILL:when={number}");
    let mut strace = attach(pid, &format!("trace={calls}"), Some(&inject), told);
    let is_traced = is_traced(pid, &mut strace);
    // It ends with the process.
    std::thread::spawn(move || strace.wait());
    assert!(is_traced, "strace is not attached");
}

fn attach(pid: u32, trace: &str, inject: Option<&str>, told: &Path) -> Child {
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-p", &pid.to_string(), "-o"])
        .arg(told);
    strace.args(["-e", trace]);
    if let Some(inject) = inject {
        strace.args(["-e", inject]);
    }
    strace.stdout(Stdio::null()).stderr(Stdio::null());
    strace.spawn().unwrap()
}

/// Waits until all threads of a process are traced; false if strace gave up.
fn is_traced(pid: u32, strace: &mut Child) -> bool {
    let traced = |status: &str| {
        let line = status.lines().find(|line| line.starts_with("TracerPid:"));
        line.is_some_and(|line| !line.ends_with("\t0"))
    };
    let until = Instant::now() + Duration::from_secs(10);
    while strace.try_wait().unwrap().is_none() && Instant::now() < until {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
        let statuses: Vec<String> = tasks
            .into_iter()
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("status")).ok())
            .collect();
        if !statuses.is_empty() && statuses.iter().all(|status| traced(status)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}
