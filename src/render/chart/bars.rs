//! Owns horizontal bars: top owners, components.
//!
//! **Invariant:** every bar's amount is printed to the cent, so the picture can be checked.

use plotters::prelude::ChartBuilder;
use plotters::style::TRANSPARENT;
use plotters::style::text_anchor::HPos;

use crate::money::Money;
use crate::render::chart::axis::{Axis, Plain};
use crate::render::chart::canvas::{
    CANNOT_FAIL, Face, GRID, MARGIN, MUTED, NEGATIVE, Sheet, WIDTH, draw,
};
use crate::render::chart::frame::{Heading, PALETTE, count, no_data};
use crate::render::chart::{Bars, Drawing};
use crate::render::text::{dollars, others};

/// A picture with more is too tall for any page.
const BAR_COUNT_MAX: usize = 100;
const ROW_HEIGHT: i32 = 30;
const AXIS_HEIGHT: i32 = 30;
const BELOW: i32 = 16;
const LABEL_WIDTH_MAX: i32 = 330;

/// One row, ready to be drawn.
struct Row {
    label: String,
    amount: Money,
    printed: String,
    folded: bool,
}

/// Draws bars in the order given.
pub fn bars(input: &Bars) -> Drawing {
    if input.bars.is_empty() {
        return no_data(&input.caption);
    }
    let rows = rows(input);
    let heading = Heading::of(&input.caption);
    let label_width = rows.iter().map(|row| Face::Label.width(&row.label)).max().unwrap_or(0);
    let amount_width = rows.iter().map(|row| Face::Strong.width(&row.printed)).max().unwrap_or(0);
    // Half a label of the axis may stand out on either side.
    let left = MARGIN + label_width.max(40) + 12;
    let right = WIDTH - MARGIN - amount_width.max(40) - 16;
    let top = heading.height() + 22;
    let bottom = top + ROW_HEIGHT * count(rows.len());
    let axis = axis(&rows, right - left);
    draw(bottom + AXIS_HEIGHT + BELOW, |sheet| {
        heading.draw(sheet);
        sheet.words(&input.caption.unit, Face::Small, (left, top - 12), HPos::Left);
        plot(sheet, axis, &rows, [left, right, top, bottom]);
    })
}

fn rows(input: &Bars) -> Vec<Row> {
    let shown = input.bars.len().min(input.limit).min(BAR_COUNT_MAX);
    let row = |label: &str, amount: Money, folded| Row {
        label: Face::Label.fit(label, LABEL_WIDTH_MAX),
        amount,
        printed: dollars(amount),
        folded,
    };
    let mut rows: Vec<Row> =
        input.bars[..shown].iter().map(|(label, amount)| row(label, *amount, false)).collect();
    let rest = &input.bars[shown..];
    if !rest.is_empty() {
        let amount = rest.iter().map(|(_, amount)| *amount).sum();
        rows.push(row(&others(rest.len()), amount, true));
    }
    rows
}

/// Returns the finest scale whose labels do not touch; a sum of many rows must not make the rows tiny.
fn axis(rows: &[Row], width: i32) -> Axis {
    let own = rows.iter().filter(|row| !row.folded).map(|row| row.amount.units());
    let scale = |step_count| Axis::around(own.clone(), step_count);
    let fits = |axis: &Axis| {
        let ticks = axis.ticks();
        let widest = ticks
            .iter()
            .map(|tick| Face::Small.width(&axis.amount_label(*tick)))
            .max()
            .unwrap_or(0);
        (widest + 14) * count(ticks.len() - 1) <= width
    };
    (1..=6).rev().map(scale).find(fits).unwrap_or_else(|| scale(1))
}

fn plot(sheet: &Sheet<'_>, axis: Axis, rows: &[Row], [left, right, top, bottom]: [i32; 4]) {
    let mut chart = ChartBuilder::on(&sheet.area)
        .margin_left(left)
        .margin_right(WIDTH - right)
        .margin_top(top)
        .margin_bottom(BELOW)
        .x_label_area_size(AXIS_HEIGHT)
        .build_cartesian_2d(axis, Plain)
        .expect(CANNOT_FAIL);
    chart
        .configure_mesh()
        .axis_style(TRANSPARENT)
        .disable_y_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|value| axis.amount_label(*value))
        .x_label_style(Face::Small.style())
        .x_label_offset(0)
        .set_all_tick_mark_size(4)
        .draw()
        .expect(CANNOT_FAIL);
    let at = |value: i128| chart.backend_coord(&(value, ())).0;
    for (index, row) in (0..).zip(rows) {
        let middle = top + index * ROW_HEIGHT + ROW_HEIGHT / 2;
        if row.folded {
            sheet.words(&row.label, Face::Aside, (left - 12, middle), HPos::Right);
            sheet.words(&row.printed, Face::Aside, (WIDTH - MARGIN, middle), HPos::Right);
            continue;
        }
        let units = row.amount.units();
        let colour = if units < 0 { NEGATIVE } else { PALETTE[0] };
        let end = at(units);
        // An amount that is not zero is never invisible.
        let end =
            if end == at(0) { end + i32::from(units > 0) - i32::from(units < 0) } else { end };
        sheet.fill((at(0), middle - 9), (end, middle + 9), colour);
        sheet.words(&row.label, Face::Label, (left - 12, middle), HPos::Right);
        sheet.words(&row.printed, Face::Strong, (WIDTH - MARGIN, middle), HPos::Right);
    }
    sheet.line((at(0), top), (at(0), bottom), MUTED.into());
}
