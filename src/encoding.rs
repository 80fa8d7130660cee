//! Owns which text the bytes of a file are that a person made, perhaps with a spreadsheet.
//!
//! **Invariant:** no byte is dropped or replaced: what is not wholly of one encoding is refused.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, WINDOWS_1252};

/// The text of a file, without a byte order mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// The first line that is not UTF-8, from 1, where the file was read as Windows-1252.
    pub foreign_line: Option<u64>,
}

/// Bytes that are no text that can be read without a guess.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct NotText {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

/// Returns the text of UTF-8, of UTF-16 with a byte order mark, or else of Windows-1252.
pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, NotText> {
    let refused = |line: u64, why: &str| Err(NotText { line, why: why.to_owned() });
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return refused(1, "it is a workbook, not a CSV file: save it as CSV in UTF-8");
    }
    let decoded = if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        wide(rest, u16::from_le_bytes)?
    } else if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        wide(rest, u16::from_be_bytes)?
    } else {
        narrow(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))?
    };
    match decoded.text.find('\0') {
        Some(at) => refused(
            line_at(&decoded.text.as_bytes()[..at]),
            "it holds a NUL, which no text has: save it as CSV in UTF-8",
        ),
        None => Ok(decoded),
    }
}

/// Returns the line, from 1, that follows these bytes: LF, CRLF and a lone CR end a line.
pub fn line_at(before: &[u8]) -> u64 {
    let ends = before.iter().enumerate().filter(|(index, byte)| match byte {
        b'\n' => true,
        b'\r' => before.get(index + 1) != Some(&b'\n'),
        _ => false,
    });
    1 + u64::try_from(ends.count()).expect("a count of lines fits")
}

fn narrow(bytes: &[u8]) -> Result<Decoded<'_>, NotText> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Decoded { text: Cow::Borrowed(text), foreign_line: None });
    }
    let (mut utf8, mut foreign, mut at) = (None, None, 0);
    for chunk in bytes.utf8_chunks() {
        let far = chunk.valid().find(|it: char| !it.is_ascii());
        utf8 = utf8.or(far.map(|within| line_at(&bytes[..at + within])));
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            foreign = foreign.or_else(|| Some(line_at(&bytes[..at])));
        }
        at += chunk.invalid().len();
    }
    let line = foreign.expect("a text that is not UTF-8 has bytes that are not");
    if let Some(utf8) = utf8 {
        // Read as Windows-1252, the letters that are UTF-8 would each become two wrong ones.
        let why = format!("it is not UTF-8, as line {utf8} is: save the whole file as UTF-8");
        return Err(NotText { line, why });
    }
    let text = western(bytes);
    // Five bytes mean nothing in Windows-1252 and come out as control characters.
    if let Some(at) = text.find(|it| ('\u{80}'..='\u{9f}').contains(&it)) {
        let why = "it is neither UTF-8 nor Windows-1252: save the file as UTF-8".to_owned();
        return Err(NotText { line: line_at(&text.as_bytes()[..at]), why });
    }
    Ok(Decoded { text: Cow::Owned(text), foreign_line: Some(line) })
}

fn western(bytes: &[u8]) -> String {
    let mut decoder = WINDOWS_1252.new_decoder_without_bom_handling();
    let size = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
    let mut text = vec![0; size.expect("a file is far smaller than memory's addresses")];
    let (result, read, written) =
        decoder.decode_to_utf8_without_replacement(bytes, &mut text, true);
    let is_whole = result == DecoderResult::InputEmpty && read == bytes.len();
    assert!(is_whole, "every byte has a character in Windows-1252");
    text.truncate(written);
    String::from_utf8(text).expect("a decoder writes UTF-8")
}

fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Decoded<'static>, NotText> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let units = pairs.iter().map(|pair| unit(*pair));
    let is_whole = char::decode_utf16(units)
        .all(|character| character.map(|character| text.push(character)).is_ok());
    if is_whole && rest.is_empty() {
        return Ok(Decoded { text: Cow::Owned(text), foreign_line: None });
    }
    let why = "it begins as UTF-16 and is not: save the file as UTF-8".to_owned();
    Err(NotText { line: line_at(text.as_bytes()), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        match decode(bytes) {
            Ok(Decoded { text, foreign_line: None }) => text.into_owned(),
            Ok(Decoded { text, foreign_line: Some(line) }) => format!("{text} (from line {line})"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_text_is_read_in_the_encoding_that_it_has() {
        let cases: [(&[u8], &str); 9] = [
            (b"", ""),
            ("Müller, 5 €".as_bytes(), "Müller, 5 €"),
            ("\u{feff}Müller".as_bytes(), "Müller"),
            (b"a\r\nM\xfcller, 5 \x80", "a\r\nMüller, 5 € (from line 2)"),
            (b"a\rb\rM\xfcller", "a\rb\rMüller (from line 3)"),
            (b"\xff\xfeM\x00\xfc\x00", "Mü"),
            (b"\xfe\xff\x00M\x00\xfc", "Mü"),
            (b"\xff\xfe\x3d\xd8\x00\xde", "😀"),
            (b"\xff\xfe", ""),
        ];
        for (bytes, expected) in cases {
            assert_eq!(read(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_of_no_one_encoding_is_refused_with_its_line() {
        let cases: [(&[u8], &str); 7] = [
            (b"PK\x03\x04abc", "line 1: it is a workbook, not a CSV file: save it as CSV in UTF-8"),
            (
                b"a\n\xc3\xbc\n\xfc",
                "line 3: it is not UTF-8, as line 2 is: save the whole file as UTF-8",
            ),
            (
                b"\xfc\na\n\xc3\xbc",
                "line 1: it is not UTF-8, as line 3 is: save the whole file as UTF-8",
            ),
            (b"\xfc\n\x8d", "line 2: it is neither UTF-8 nor Windows-1252: save the file as UTF-8"),
            (b"a\n\0b", "line 2: it holds a NUL, which no text has: save it as CSV in UTF-8"),
            (b"\xff\xfea\x00b", "line 1: it begins as UTF-16 and is not: save the file as UTF-8"),
            (
                b"\xff\xfea\x00\n\x00\x00\xd8a\x00",
                "line 2: it begins as UTF-16 and is not: save the file as UTF-8",
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(read(bytes), expected, "{bytes:?}");
        }
    }
}
