//! A package as one file: POSIX `ustar` with plain files only, so that any `tar` reads it and every byte has its place.

/// Bytes of a block.
const BLOCK: usize = 512;

/// Why a package cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TarError {
    /// It ends in the midst of a file.
    #[error("the package is cut short")]
    Short,
    /// Something in it is no plain file with a plain name.
    #[error("the package holds something that is no plain file")]
    NotAFile,
}

/// The header of a file. `None` for a name or a size that does not fit.
#[must_use]
pub fn header(name: &str, size_bytes: u64, seconds: i64) -> Option<[u8; BLOCK]> {
    let mut block = [0_u8; BLOCK];
    let size = format!("{size_bytes:011o}");
    let time = format!("{:011o}", seconds.max(0));
    if !plain(name) || size.len() > 11 || time.len() > 11 {
        return None;
    }
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(to) = block.get_mut(at..at + bytes.len()) {
            to.copy_from_slice(bytes);
        }
    };
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, size.as_bytes());
    put(136, time.as_bytes());
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    if let Some(to) = block.get_mut(148..156) {
        to.copy_from_slice(sum.as_bytes());
    }
    Some(block)
}

/// How many zeros follow a file of this length.
#[must_use]
pub const fn padding(size_bytes: u64) -> usize {
    let over = (size_bytes % BLOCK as u64) as usize;
    if over == 0 { 0 } else { BLOCK - over }
}

/// The files of a package, in order: name, and where its bytes stand.
///
/// # Errors
/// [`TarError`].
pub fn entries(package: &[u8]) -> Result<Vec<(String, std::ops::Range<usize>)>, TarError> {
    let (mut found, mut at) = (Vec::new(), 0);
    loop {
        let block = package.get(at..at + BLOCK).ok_or(TarError::Short)?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(found);
        }
        let name = field(block, 0, 100).ok_or(TarError::NotAFile)?;
        let size = field(block, 124, 12).and_then(|text| usize::from_str_radix(text.trim(), 8).ok());
        let size = size.ok_or(TarError::NotAFile)?;
        if !plain(name) || block.get(156) != Some(&b'0') {
            return Err(TarError::NotAFile);
        }
        let (start, end) = (at + BLOCK, (at + BLOCK).checked_add(size).ok_or(TarError::Short)?);
        if end > package.len() {
            return Err(TarError::Short);
        }
        found.push((name.to_owned(), start..end));
        at = end + padding(size as u64);
    }
}

fn field(block: &[u8], at: usize, most: usize) -> Option<&str> {
    let bytes = block.get(at..at + most)?;
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(most);
    std::str::from_utf8(bytes.get(..end)?).ok()
}

/// A name that names a file of the folder it is unpacked in, and nothing else.
fn plain(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=100).contains(&name.len()) && !name.starts_with('.') && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut package = Vec::new();
        for (name, bytes) in files {
            package.extend_from_slice(&header(name, bytes.len() as u64, 1_770_000_000).unwrap());
            package.extend_from_slice(bytes);
            package.extend(std::iter::repeat_n(0, padding(bytes.len() as u64)));
        }
        package.extend([0; 1_024]);
        package
    }

    #[test]
    fn files_come_back_as_they_went_in() {
        let files: &[(&str, &[u8])] = &[("README.md", b"Dag"), ("leeg", b""), ("blok.csv", &[7; 512])];
        let package = packed(files);
        let found = entries(&package).unwrap();
        for ((name, range), (expected, bytes)) in found.iter().zip(files) {
            assert_eq!((name.as_str(), &package[range.clone()]), (*expected, *bytes));
        }
        assert_eq!(entries(&package[..600]), Err(TarError::Short));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_none() {
        for name in ["", "../x", "/etc/passwd", "a/b", ".ssh", "é"] {
            assert!(header(name, 1, 0).is_none(), "{name}");
        }
    }
}
