//! Owns what all charts have around their plot: heading, legend, months, and the frame without data.
//!
//! **Invariant:** nothing here knows an amount.

use plotters::prelude::RGBColor;
use plotters::style::text_anchor::HPos;

use crate::render::chart::canvas::{Face, GRID, MARGIN, MUTED, OTHER, Sheet, WIDTH, draw};
use crate::render::chart::{Caption, Drawing, Slot};

pub(super) const ROOM: i32 = WIDTH - 2 * MARGIN;
const LINE_HEIGHT: i32 = 20;
const SWATCH: i32 = 12;
const LEGEND_LABEL_MAX: i32 = 420;

/// What a legend shows beside a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Colour(RGBColor),
    Hatched,
    Dashed,
}

/// A legend laid out in columns of equal width.
pub(super) struct Legend {
    entries: Vec<(String, Mark)>,
    column_width: i32,
    column_count: usize,
}

/// The heading of a chart, broken into lines that fit.
pub(super) struct Heading {
    title: String,
    lines: Vec<String>,
}

impl Heading {
    pub(super) fn of(caption: &Caption) -> Heading {
        Heading {
            title: Face::Title.fit(&caption.title, ROOM),
            lines: Face::Subtitle.wrap(&caption.subtitle, ROOM, 2),
        }
    }

    pub(super) fn height(&self) -> i32 {
        56 + LINE_HEIGHT * count(self.lines.len())
    }

    pub(super) fn draw(&self, sheet: &Sheet<'_>) {
        sheet.words(&self.title, Face::Title, (MARGIN, 34), HPos::Left);
        for (line, y) in self.lines.iter().zip((62..).step_by(20)) {
            sheet.words(line, Face::Subtitle, (MARGIN, y), HPos::Left);
        }
    }
}

impl Legend {
    pub(super) fn of(entries: impl IntoIterator<Item = (String, Mark)>) -> Legend {
        let entries: Vec<(String, Mark)> = entries
            .into_iter()
            .map(|(name, mark)| (Face::Label.fit(&name, LEGEND_LABEL_MAX), mark))
            .collect();
        let widest = entries.iter().map(|(name, _)| Face::Label.width(name)).max().unwrap_or(0);
        let column_width = widest + SWATCH + 8 + 24;
        let column_count = usize::try_from(ROOM / column_width).expect("a room is not negative");
        Legend { entries, column_width, column_count: column_count.max(1) }
    }

    pub(super) fn height(&self) -> i32 {
        LINE_HEIGHT * count(self.entries.len().div_ceil(self.column_count))
    }

    pub(super) fn draw(&self, sheet: &Sheet<'_>, top: i32) {
        for (row, entries) in (0..).zip(self.entries.chunks(self.column_count)) {
            for (column, (name, mark)) in (0..).zip(entries) {
                let (x, y) = (
                    MARGIN + column * self.column_width,
                    top + row * LINE_HEIGHT + LINE_HEIGHT / 2,
                );
                swatch(sheet, (x, y), *mark);
                sheet.words(name, Face::Label, (x + SWATCH + 8, y), HPos::Left);
            }
        }
    }
}

/// Draws a small square whose left side is at `x` and whose middle is at `y`.
pub(super) fn swatch(sheet: &Sheet<'_>, (x, y): (i32, i32), mark: Mark) {
    let (upper_left, lower_right) = ((x, y - SWATCH / 2), (x + SWATCH, y + SWATCH / 2));
    match mark {
        Mark::Colour(colour) => sheet.fill(upper_left, lower_right, colour),
        Mark::Hatched => {
            sheet.fill(upper_left, lower_right, OTHER);
            sheet.hatch(upper_left, lower_right);
        }
        Mark::Dashed => dashed(sheet, x + SWATCH / 2, (y - 8, y + 8)),
    }
}

/// Draws a dashed line downwards: the mark of a month that does not compare with the one before.
pub(super) fn dashed(sheet: &Sheet<'_>, x: i32, (top, bottom): (i32, i32)) {
    for y in (top..bottom).step_by(7) {
        sheet.line((x, y), (x, (y + 4).min(bottom)), MUTED.into());
    }
}

/// Writes the months below a plot, as many as fit, and says below which are estimates.
pub(super) fn months(sheet: &Sheet<'_>, slots: &[Slot], centres: &[i32], top: i32) {
    let label_width = Face::Label.width("2000-00") + 8;
    let spacing = centres.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(ROOM);
    let stride = usize::try_from(label_width / spacing.max(1) + 1).expect("widths are positive");
    // The last month is the one that is reported, so it is never the one left out.
    let offset = slots.len().saturating_sub(1) % stride;
    for (index, (slot, centre)) in slots.iter().zip(centres).enumerate() {
        if index % stride == offset {
            sheet.words(&slot.month.to_string(), Face::Label, (*centre, top + 12), HPos::Center);
        }
        let note = "estimated";
        if slot.estimated && Face::Small.width(note) + 4 <= spacing {
            sheet.words(note, Face::Small, (*centre, top + 29), HPos::Center);
        }
    }
}

/// Returns the middles of equal slots between two pixels.
pub(super) fn centres(left: i32, right: i32, slot_count: usize) -> Vec<i32> {
    let slot_count = count(slot_count);
    (0..slot_count).map(|slot| left + (right - left) * (2 * slot + 1) / (2 * slot_count)).collect()
}

/// Draws the heading and an empty frame.
pub(super) fn no_data(caption: &Caption) -> Drawing {
    let heading = Heading::of(caption);
    let top = heading.height() + 8;
    draw(top + 220, |sheet| {
        heading.draw(sheet);
        let (right, bottom) = (WIDTH - MARGIN, top + 220 - MARGIN);
        for (from, to) in [
            ((MARGIN, top), (right, top)),
            ((MARGIN, bottom), (right, bottom)),
            ((MARGIN, top), (MARGIN, bottom)),
            ((right, top), (right, bottom)),
        ] {
            sheet.line(from, to, GRID.into());
        }
        let middle = (WIDTH / 2, i32::midpoint(top, bottom));
        sheet.words("No data for this period", Face::Subtitle, middle, HPos::Center);
    })
}

/// Returns a small number of things as pixels reckon.
pub(super) fn count(things: usize) -> i32 {
    i32::try_from(things).expect("a chart shows few things")
}

/// The colours of series: eight that stay apart for every kind of colour sight.
pub(super) const PALETTE: [RGBColor; 8] = [
    RGBColor(0x33, 0x5c, 0x99),
    RGBColor(0x88, 0xcc, 0xee),
    RGBColor(0x44, 0xaa, 0x99),
    RGBColor(0xdd, 0xcc, 0x77),
    RGBColor(0xcc, 0x66, 0x77),
    RGBColor(0x11, 0x77, 0x33),
    RGBColor(0xaa, 0x44, 0x99),
    RGBColor(0x6b, 0x3a, 0x1e),
];
