//! Owns reading and writing files, with errors that name the path.
//!
//! **Invariant:** a file is written beside its place and renamed into it, so it is whole or not there.

#![expect(clippy::disallowed_methods, reason = "the one place that may touch files")]

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A file or folder that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} `{}`", path.display())]
pub struct Error {
    /// The path.
    pub path: PathBuf,
    /// What was being done to it.
    pub doing: &'static str,
    /// Why it failed.
    pub source: io::Error,
}

fn failed<'a>(path: &'a Path, doing: &'static str) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error { path: path.to_owned(), doing, source }
}

/// Reads a whole file.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(failed(path, "read"))
}

/// Tells whether there is something at the path.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Makes a folder and those above it.
pub fn create_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(failed(path, "create the folder"))
}

/// Proves that files can be written into a folder, before anything is spent.
pub fn prove_writable(folder: &Path) -> Result<(), Error> {
    create_folder(folder)?;
    let probe = folder.join(".apportion-probe");
    fs::write(&probe, b"apportion").map_err(failed(folder, "write into"))?;
    fs::remove_file(&probe).map_err(failed(&probe, "remove"))
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_with(path, |out| out.write_all(bytes))
}

/// Writes a file whole or not at all, from a function that fills it.
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.part"));
    let written = (|| {
        let mut out = BufWriter::new(fs::File::create(&beside)?);
        fill(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        drop(out);
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        // What could not be finished is not left lying about; the first error is the one to tell.
        drop(fs::remove_file(&beside));
    }
    written.map_err(failed(path, "write"))
}

/// Puts a finished folder in the place of another, which is removed.
pub fn replace_folder(finished: &Path, place: &Path) -> Result<(), Error> {
    let old = place.with_extension("old");
    remove_folder(&old)?;
    if exists(place) {
        fs::rename(place, &old).map_err(failed(place, "move away"))?;
    }
    if let Err(source) = fs::rename(finished, place) {
        // The earlier folder goes back to its place, as if nothing had been tried.
        drop(fs::rename(&old, place));
        return Err(failed(place, "move into place")(source));
    }
    remove_folder(&old)
}

/// Puts a finished folder in a place where there is none yet.
pub fn place_folder(finished: &Path, place: &Path) -> Result<(), Error> {
    // A folder that has something in it is never renamed over, so of two attempts one fails.
    fs::rename(finished, place).map_err(failed(place, "move into place"))
}

/// Removes a folder with all that is in it, where there is one.
pub fn remove_folder(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(failed(path, "remove")),
    }
}

/// Lists the files under a folder, as paths relative to it, sorted.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        if !at.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&at).map_err(failed(&at, "list"))? {
            let path = entry.map_err(failed(&at, "list"))?.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(relative) = path.strip_prefix(folder) {
                found.push(relative.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the SHA-256 of bytes in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Returns bytes in hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_finished_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, b"old").unwrap();
        let error = write_with(&path, |out| {
            out.write_all(b"new")?;
            Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"))
        })
        .unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::StorageFull);
        assert_eq!(read(&path).unwrap(), b"old");
        assert_eq!(list(folder.path()).unwrap(), [PathBuf::from("file")]);
    }

    #[test]
    fn a_folder_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (part, place) = (folder.path().join("part"), folder.path().join("2026-10"));
        for text in ["one", "two"] {
            create_folder(&part).unwrap();
            write(&part.join(text), b"").unwrap();
            replace_folder(&part, &place).unwrap();
        }
        assert_eq!(list(folder.path()).unwrap(), [PathBuf::from("2026-10/two")]);
    }
}
