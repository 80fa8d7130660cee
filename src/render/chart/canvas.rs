//! Owns the sheet that charts are drawn on: fonts, colours, words that fit, SVG and PNG.
//!
//! **Invariant:** the fonts are the embedded ones and words leave as paths, so a chart looks the same everywhere.

use std::sync::{Arc, LazyLock};

use plotters::coord::Shift;
use plotters::prelude::{
    DrawingArea, IntoDrawingArea, PathElement, RGBColor, Rectangle, SVGBackend, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, ShapeStyle, TextStyle, WHITE, register_font};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{Indent, Options, Tree, WriteOptions};

use crate::render::chart::Drawing;
use crate::render::text::clean;

pub(super) const WIDTH: i32 = 1000;
pub(super) const MARGIN: i32 = 28;

pub(super) const INK: RGBColor = RGBColor(0x1f, 0x29, 0x33);
pub(super) const MUTED: RGBColor = RGBColor(0x5b, 0x67, 0x73);
pub(super) const GRID: RGBColor = RGBColor(0xe3, 0xe7, 0xeb);
pub(super) const OTHER: RGBColor = RGBColor(0xb4, 0xb9, 0xbf);
pub(super) const NEGATIVE: RGBColor = RGBColor(0xb8, 0x4a, 0x5c);

pub(super) const CANNOT_FAIL: &str = "drawing into a string cannot fail";

const FAMILY: &str = "Roboto";
const REGULAR: &[u8] = include_bytes!("../../../templates/font/Roboto-Regular.ttf");
const MEDIUM: &[u8] = include_bytes!("../../../templates/font/Roboto-Medium.ttf");

/// Both users of the fonts: plotters measures words with them, usvg turns words into paths.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut database = Database::new();
    for (style, bytes) in [(FontStyle::Normal, REGULAR), (FontStyle::Bold, MEDIUM)] {
        assert!(register_font(FAMILY, style, bytes).is_ok(), "the embedded font is well-formed");
        database.load_font_source(Source::Binary(Arc::new(bytes)));
    }
    Arc::new(database)
});

/// The ways that words are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    Title,
    Subtitle,
    Label,
    Strong,
    Aside,
    Small,
}

impl Face {
    pub(super) fn style(self) -> TextStyle<'static> {
        // Plotters' sizes are 1.24 times the pixels of the em.
        let (size, weight, colour) = match self {
            Face::Title => (26, FontStyle::Bold, &INK),
            Face::Subtitle => (17, FontStyle::Normal, &MUTED),
            Face::Label => (16, FontStyle::Normal, &INK),
            Face::Strong => (16, FontStyle::Bold, &INK),
            Face::Aside => (16, FontStyle::Normal, &MUTED),
            Face::Small => (15, FontStyle::Normal, &MUTED),
        };
        TextStyle::from((FAMILY, size, weight).into_font()).color(colour)
    }

    /// Returns the width in pixels, rather a little too much than too little.
    pub(super) fn width(self, words: &str) -> i32 {
        LazyLock::force(&FONTS);
        let (width, _) =
            self.style().font.box_size(words).expect("the embedded font is registered");
        i32::try_from(width).expect("words on a chart are short")
    }

    /// Returns the words, shortened in the middle where they do not fit.
    pub(super) fn fit(self, words: &str, room: i32) -> String {
        let words = clean(words);
        let characters: Vec<char> = words.chars().collect();
        // No chart has room for more, and measuring is not free.
        let kept_max = characters.len().min(400);
        if kept_max == characters.len() && self.width(&words) <= room {
            return words.into_owned();
        }
        let (mut kept, mut rejected) = (0, kept_max);
        while kept + 1 < rejected {
            let middle = usize::midpoint(kept, rejected);
            let fits = self.width(&ellipsis(&characters, middle)) <= room;
            if fits { kept = middle } else { rejected = middle }
        }
        ellipsis(&characters, kept)
    }

    /// Returns the words in lines that fit; what is beyond the last line is shortened.
    pub(super) fn wrap(self, words: &str, room: i32, line_count_max: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in words.split_whitespace() {
            let is_last = lines.len() == line_count_max;
            match lines.last_mut() {
                Some(line) if is_last || self.width(&format!("{line} {word}")) <= room => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines.iter().map(|line| self.fit(line, room)).collect()
    }
}

fn ellipsis(characters: &[char], kept: usize) -> String {
    let head = &characters[..kept.div_ceil(2)];
    let tail = &characters[characters.len() - kept / 2..];
    head.iter().chain(&['…']).chain(tail).collect()
}

/// A white sheet of fixed width; everything on it is in pixels from the upper left corner.
pub(super) struct Sheet<'a> {
    pub(super) area: DrawingArea<SVGBackend<'a>, Shift>,
}

impl Sheet<'_> {
    /// Sets words; `y` is the middle of the line, `x` the side that `anchor` names.
    pub(super) fn words(&self, words: &str, face: Face, (x, y): (i32, i32), anchor: HPos) {
        let style = face.style().pos(Pos::new(anchor, VPos::Center));
        // The anchor's middle is that of small letters; figures and capitals stand a pixel higher.
        let element = Text::new(clean(words).into_owned(), (x, y + 1), style);
        self.area.draw(&element).expect(CANNOT_FAIL);
    }

    /// Fills a rectangle given by any two corners.
    pub(super) fn fill(&self, one: (i32, i32), other: (i32, i32), colour: RGBColor) {
        let upper_left = (one.0.min(other.0), one.1.min(other.1));
        let lower_right = (one.0.max(other.0), one.1.max(other.1));
        let element = Rectangle::new([upper_left, lower_right], colour.filled());
        self.area.draw(&element).expect(CANNOT_FAIL);
    }

    /// Draws a line.
    pub(super) fn line(&self, from: (i32, i32), to: (i32, i32), style: ShapeStyle) {
        self.area.draw(&PathElement::new([from, to], style)).expect(CANNOT_FAIL);
    }

    /// Draws white diagonals over a rectangle: the mark of what is only an estimate.
    pub(super) fn hatch(&self, (x0, y0): (i32, i32), (x1, y1): (i32, i32)) {
        let style = WHITE.mix(0.75).stroke_width(2);
        let mut start = x0 - (y1 - y0);
        while y0 < y1 && start < x1 {
            // The diagonal x − start = y1 − y, cut to the rectangle.
            let (left, right) = (start.max(x0), (start + y1 - y0).min(x1));
            self.line((left, y1 - (left - start)), (right, y1 - (right - start)), style);
            start += 7;
        }
    }
}

/// Draws on a white sheet of that height and returns both forms of the picture.
pub(super) fn draw(height: i32, paint: impl FnOnce(&Sheet<'_>)) -> Drawing {
    let database = Arc::clone(&FONTS);
    let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
    let mut source = String::new();
    {
        let area = SVGBackend::with_string(&mut source, size).into_drawing_area();
        area.fill(&WHITE).expect(CANNOT_FAIL);
        let sheet = Sheet { area };
        paint(&sheet);
        sheet.area.present().expect(CANNOT_FAIL);
    }
    let options = Options { fontdb: database, ..Options::default() };
    let tree = Tree::from_str(&source, &options).expect("plotters writes well-formed SVG");
    let brief = WriteOptions {
        coordinates_precision: 2,
        transforms_precision: 4,
        indent: Indent::None,
        ..WriteOptions::default()
    };
    // The writer gives the size only; with a view box a page can scale the picture.
    let view = format!("<svg viewBox=\"0 0 {} {}\" ", size.0, size.1);
    let svg = tree.to_string(&brief).replacen("<svg ", &view, 1);
    let mut pixmap = Pixmap::new(size.0 * 2, size.1 * 2).expect("a chart has a size");
    resvg::render(&tree, Transform::from_scale(2.0, 2.0), &mut pixmap.as_mut());
    let png = pixmap.encode_png().expect("a picture in memory can be encoded");
    Drawing { svg, png }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_keep_both_ends_and_fit() {
        let name = "arn:aws:sagemaker:eu-west-1:111122223333:space/d-abcdefghijkl/zoë";
        let short = Face::Label.fit(name, 200);
        assert!(short.starts_with("arn:aws:") && short.ends_with("/zoë"), "{short}");
        assert!(short.contains('…') && Face::Label.width(&short) <= 200, "{short}");
        assert_eq!(Face::Label.fit("short", 200), "short");
        assert_eq!(Face::Label.fit(name, 0), "…");
        assert!(Face::Label.width(&Face::Label.fit(&"w".repeat(100_000), 300)) <= 300);
    }

    #[test]
    fn lines_wrap_and_the_last_one_is_shortened() {
        let words = "net amortized cost in USD, ".repeat(20);
        let lines = Face::Subtitle.wrap(&words, 300, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| Face::Subtitle.width(line) <= 300), "{lines:?}");
        assert!(lines[1].contains('…'));
        assert!(Face::Subtitle.wrap("", 300, 2).is_empty());
    }
}
