//! Memory of this process, as Linux tells it.

/// Resident now and at most, in MB of 1,000,000 bytes; `None` where `/proc` does not say.
pub(super) struct Memory {
    pub(super) now_mb: Option<f64>,
    pub(super) peak_mb: Option<f64>,
}

impl Memory {
    pub(super) fn read() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self { now_mb: field(&status, "VmRSS:"), peak_mb: field(&status, "VmHWM:") }
    }
}

fn field(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(super::rounded(kibibytes * 1024.0 / 1e6, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_in_millions_of_bytes() {
        let status = "Name:\tknik\nVmHWM:\t  100000 kB\nVmRSS:\t   50000 kB\n";
        assert_eq!(field(status, "VmRSS:"), Some(51.2));
        assert_eq!(field(status, "VmHWM:"), Some(102.4));
        assert_eq!(field(status, "VmSwap:"), None);
    }
}
