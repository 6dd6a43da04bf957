//! Room on a disk.

use std::path::Path;

/// Bytes that are free for this user where a folder is.
pub fn free(folder: &Path) -> std::io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
