//! The CPU time of a process: user and system, in nanoseconds, of all its threads that live.

use std::fs;
use std::time::Duration;

use crate::Outcome;

/// From `/proc/PID/task/*/schedstat`, which counts nanoseconds where `/proc/PID/stat` counts hundredths of a second.
pub fn time_of(pid: u32) -> Outcome<Duration> {
    let mut total = 0_u64;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        total += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}
