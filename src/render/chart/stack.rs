//! Owns stacked columns over months: the trend, and how much of the cost is covered.
//!
//! **Invariant:** amounts above and below zero are stacked apart, so a credit never hides a cost.

use plotters::prelude::{ChartBuilder, RGBColor};
use plotters::style::text_anchor::HPos;
use plotters::style::{TRANSPARENT, WHITE};

use crate::money::Money;
use crate::render::chart::axis::{Axis, Plain};
use crate::render::chart::canvas::{
    CANNOT_FAIL, Face, GRID, MARGIN, MUTED, NEGATIVE, OTHER, Sheet, WIDTH, draw,
};
use crate::render::chart::frame::{
    Heading, Legend, Mark, PALETTE, centres, count, dashed, months, no_data, swatch,
};
use crate::render::chart::{Coverage, Drawing, Slot, Trend};
use crate::render::text::{dollars, grouped, whole_dollars};

const PLOT_HEIGHT: i32 = 340;
const TABLE_ROW_HEIGHT: i32 = 20;
const ONE_DOLLAR: i128 = 1_000_000_000_000;

/// One series of a stack: its colour and its value in each month.
struct Layer {
    name: String,
    colour: RGBColor,
    values: Vec<i128>,
}

/// The part of the sheet that columns stand in.
#[derive(Clone, Copy)]
struct Plot {
    left: i32,
    right: i32,
    top: i32,
    axis: Axis,
}

/// Draws the amounts of months, stacked by series.
pub fn trend(input: &Trend) -> Drawing {
    for (name, amounts) in &input.series {
        assert!(amounts.len() == input.months.len(), "series `{name}` has an amount a month");
    }
    if input.months.is_empty() || input.series.is_empty() {
        return no_data(&input.caption);
    }
    let layers = largest(&input.series);
    let axis = Axis::around(extremes(&layers), 5);
    let label_width =
        axis.ticks().iter().map(|tick| Face::Small.width(&axis.amount_label(*tick))).max();
    let heading = Heading::of(&input.caption);
    let plot = Plot {
        left: MARGIN + label_width.unwrap_or(0) + 10,
        right: WIDTH - MARGIN,
        top: heading.height() + 40,
        axis,
    };
    let estimated = input.months.iter().any(|slot| slot.estimated);
    let marks = layers.iter().map(|layer| (layer.name.clone(), Mark::Colour(layer.colour)));
    let note = estimated.then(|| (String::from("hatched: estimated"), Mark::Hatched));
    let breaks = input.months.iter().any(|slot| slot.breaks);
    let break_note = breaks.then(|| (String::from("tag coverage changed"), Mark::Dashed));
    let legend = Legend::of(marks.chain(note).chain(break_note));
    let legend_top = plot.bottom() + 56;
    draw(legend_top + legend.height() + 20, |sheet| {
        heading.draw(sheet);
        sheet.words(&input.caption.unit, Face::Small, (MARGIN, plot.top - 26), HPos::Left);
        let tops = columns(sheet, plot, &input.months, &layers, &|units| axis.amount_label(units));
        breaks_of(sheet, plot, &input.months);
        totals(sheet, plot, &layers, &tops);
        months(sheet, &input.months, &plot.centres(input.months.len()), plot.bottom());
        legend.draw(sheet, legend_top);
    })
}

/// Draws the shares of cost with an owner, moved to owners, and without one.
pub fn coverage(input: &Coverage) -> Drawing {
    if input.months.is_empty() {
        return no_data(&input.caption);
    }
    let layers = shares(input);
    let whole = [0, 10_000].into_iter();
    let heading = Heading::of(&input.caption);
    let plot = Plot {
        left: MARGIN + 130,
        right: WIDTH - MARGIN,
        top: heading.height() + 40,
        // Three rounded shares may add up to 100.01 %, which is no reason for a taller scale.
        axis: Axis::around(extremes(&layers).map(|top| top / 10 * 10).chain(whole), 5),
    };
    let slots: Vec<Slot> = input.months.iter().map(|month| month.slot).collect();
    let centres = plot.centres(slots.len());
    let table_top = plot.bottom() + 46;
    let height = table_top + TABLE_ROW_HEIGHT * count(layers.len()) + 24;
    draw(height, |sheet| {
        heading.draw(sheet);
        sheet.words(&input.caption.unit, Face::Small, (MARGIN, plot.top - 26), HPos::Left);
        let label = |basis_points: i128| format!("{} %", grouped(basis_points / 100, 0));
        columns(sheet, plot, &slots, &layers, &label);
        months(sheet, &slots, &centres, plot.bottom());
        for (layer, y) in layers.iter().zip((table_top + TABLE_ROW_HEIGHT / 2..).step_by(20)) {
            swatch(sheet, (MARGIN, y), Mark::Colour(layer.colour));
            sheet.words(&layer.name, Face::Label, (MARGIN + 20, y), HPos::Left);
            share_row(sheet, input, layer, &centres, y);
        }
    })
}

/// Prints a share below each month, as many as fit; a month without cost has none.
fn share_row(sheet: &Sheet<'_>, input: &Coverage, layer: &Layer, centres: &[i32], y: i32) {
    let spacing = centres.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(WIDTH);
    let printed: Vec<String> = layer
        .values
        .iter()
        .zip(&input.months)
        .map(
            |(share, month)| {
                if month.total().is_zero() { String::from("–") } else { grouped(*share, 2) }
            },
        )
        .collect();
    let widest = printed.iter().map(|share| Face::Label.width(share)).max().unwrap_or(0);
    let stride = usize::try_from((widest + 8) / spacing.max(1) + 1).expect("widths are positive");
    let offset = printed.len().saturating_sub(1) % stride;
    for (index, (share, centre)) in printed.iter().zip(centres).enumerate() {
        if index % stride == offset {
            sheet.words(share, Face::Label, (*centre, y), HPos::Center);
        }
    }
}

impl super::Covered {
    fn total(&self) -> Money {
        self.attributed + self.shared + self.unattributed
    }
}

fn shares(input: &Coverage) -> Vec<Layer> {
    let layer = |name: &str, colour, part: &dyn Fn(&super::Covered) -> Money| Layer {
        name: name.to_owned(),
        colour,
        values: input
            .months
            .iter()
            .map(|month| part(month).basis_points_of(month.total()).unwrap_or(0))
            .collect(),
    };
    vec![
        layer("attributed, %", PALETTE[0], &|month| month.attributed),
        layer("shared, %", PALETTE[1], &|month| month.shared),
        layer("unattributed, %", NEGATIVE, &|month| month.unattributed),
    ]
}

/// Keeps the eight series with the largest amounts, largest first, and adds up the others.
fn largest(series: &[(String, Vec<Money>)]) -> Vec<Layer> {
    let weight = |amounts: &[Money]| amounts.iter().map(|amount| amount.abs()).sum::<Money>();
    let mut sorted: Vec<&(String, Vec<Money>)> = series.iter().collect();
    sorted.sort_by_key(|(name, amounts)| (-weight(amounts), name));
    let units = |amounts: &[Money]| amounts.iter().map(|amount| amount.units()).collect();
    let shown = sorted.len().min(PALETTE.len());
    let mut layers: Vec<Layer> = sorted[..shown]
        .iter()
        .zip(PALETTE)
        .map(|((name, amounts), colour)| Layer {
            name: name.clone(),
            colour,
            values: units(amounts),
        })
        .collect();
    let rest = &sorted[shown..];
    if let Some((_, first)) = rest.first() {
        let mut sums = vec![Money::ZERO; first.len()];
        for (_, amounts) in rest {
            sums.iter_mut().zip(amounts).for_each(|(sum, amount)| *sum += *amount);
        }
        let name = format!("other ({})", rest.len());
        layers.push(Layer { name, colour: OTHER, values: units(&sums) });
    }
    layers
}

/// Returns the top and the bottom of each month's stack.
fn extremes(layers: &[Layer]) -> impl Iterator<Item = i128> {
    let month_count = layers.first().map_or(0, |layer| layer.values.len());
    (0..month_count).flat_map(move |month| {
        let values = layers.iter().map(move |layer| layer.values[month]);
        [values.clone().filter(|value| *value > 0).sum(), values.filter(|value| *value < 0).sum()]
    })
}

impl Plot {
    fn bottom(self) -> i32 {
        self.top + PLOT_HEIGHT
    }

    fn centres(self, slot_count: usize) -> Vec<i32> {
        centres(self.left, self.right, slot_count)
    }
}

/// Draws the value axis and the columns, and returns the highest pixel of each column.
fn columns(
    sheet: &Sheet<'_>,
    plot: Plot,
    slots: &[Slot],
    layers: &[Layer],
    label: &dyn Fn(i128) -> String,
) -> Vec<i32> {
    let (_, height) = sheet.area.dim_in_pixel();
    let mut chart = ChartBuilder::on(&sheet.area)
        .margin_right(WIDTH - plot.right)
        .margin_top(plot.top)
        .margin_bottom(height - plot.bottom().unsigned_abs())
        .y_label_area_size(plot.left)
        .build_cartesian_2d(Plain, plot.axis)
        .expect(CANNOT_FAIL);
    chart
        .configure_mesh()
        .axis_style(TRANSPARENT)
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .y_label_formatter(&|value| label(*value))
        .y_label_style(Face::Small.style())
        .set_all_tick_mark_size(4)
        .draw()
        .expect(CANNOT_FAIL);
    let at = |value: i128| chart.backend_coord(&((), value)).1;
    let slot_width = (plot.right - plot.left) / count(slots.len());
    let half = (slot_width * 36 / 100).clamp(1, 45);
    let mut tops = Vec::new();
    for ((index, slot), centre) in slots.iter().enumerate().zip(plot.centres(slots.len())) {
        let (mut above, mut below) = (0, 0);
        for layer in layers {
            let value = layer.values[index];
            let end = if value < 0 { &mut below } else { &mut above };
            let (from, to) = (at(*end), at(*end + value));
            *end += value;
            // A line of background keeps neighbours apart, unless it were all there is to see.
            let gap = i32::from(from - to > 3);
            if from != to {
                sheet.fill((centre - half, from), (centre + half, to + gap), layer.colour);
            }
        }
        if slot.estimated {
            sheet.hatch((centre - half, at(above)), (centre + half, at(below)));
        }
        tops.push(at(above));
    }
    sheet.line((plot.left, at(0)), (plot.right, at(0)), MUTED.into());
    tops
}

/// Draws a dashed line before each month that does not compare with the one before.
fn breaks_of(sheet: &Sheet<'_>, plot: Plot, slots: &[Slot]) {
    let half = (plot.right - plot.left) / (2 * count(slots.len()));
    for (slot, centre) in slots.iter().zip(plot.centres(slots.len())) {
        if slot.breaks {
            dashed(sheet, centre - half, (plot.top, plot.bottom()));
        }
    }
}

/// Prints each month's sum above its column, if all of them fit.
fn totals(sheet: &Sheet<'_>, plot: Plot, layers: &[Layer], tops: &[i32]) {
    let sum = |month: usize| layers.iter().map(|layer| layer.values[month]).sum::<i128>();
    let sums: Vec<i128> = (0..tops.len()).map(sum).collect();
    let small = sums.iter().all(|sum| sum.abs() < 100 * ONE_DOLLAR);
    let printed: Vec<String> = sums
        .into_iter()
        .map(Money::from_units)
        .map(if small { dollars } else { whole_dollars })
        .collect();
    let slot_width = (plot.right - plot.left) / count(tops.len());
    if printed.iter().all(|sum| Face::Small.width(sum) + 4 <= slot_width) {
        for ((sum, top), centre) in printed.iter().zip(tops).zip(plot.centres(tops.len())) {
            let half = Face::Small.width(sum) / 2;
            sheet.fill((centre - half, top - 16), (centre + half, top - 3), WHITE);
            sheet.words(sum, Face::Small, (centre, top - 9), HPos::Center);
        }
    }
}
