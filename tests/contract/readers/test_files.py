"""Other readers of the program's files: pyarrow for snapshots, Python's csv and Decimal for reports."""

import csv
import hashlib
from collections import defaultdict
from decimal import Decimal

import pyarrow
import pyarrow.parquet
import pytest

import program

METRICS = ["unblended_cost", "amortized_cost", "net_amortized_cost", "net_unblended_cost"]
MONTH = "2026-10"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder of a demonstration, with a report of every month's lines beside it."""
    folder = tmp_path_factory.mktemp("demo")
    made = program.run("--quiet", "demo", "--out", "out", cwd=folder)
    assert made.code == 0, made.said
    arguments = f"--quiet report --snapshots out/snapshots --month {MONTH} --history --out history"
    made = program.run(*arguments.split(), cwd=folder)
    assert made.code == 0, made.said
    return folder


@pytest.fixture(scope="module")
def snapshot(out):
    (path,) = (out / "out" / "snapshots" / "snapshots").glob("*.json")
    return program.read_json(path)


def segment(out, entry):
    return out / "out" / "snapshots" / "segments" / f"{entry['sha256']}.parquet"


def table(path) -> list[dict]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert rows and all(None not in row and None not in row.values() for row in rows), path
    return rows


def sums(rows, names) -> list[Decimal]:
    return [sum((Decimal(row[name]) for row in rows), Decimal(0)) for name in names]


def test_segments_are_parquet_with_exact_decimals(out, snapshot):
    assert snapshot["segments"]
    for entry in snapshot["segments"]:
        path = segment(out, entry)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
        rows = pyarrow.parquet.read_table(path)
        assert rows.num_rows == entry["count"]
        for name in [*METRICS, "usage_quantity"]:
            assert rows.schema.field(name).type == pyarrow.decimal128(38, 12), name
        assert rows.schema.field("start").type == pyarrow.date32()
        assert {day.isoformat()[:7] for day in rows["start"].to_pylist()} == {entry["month"]}


def test_cells_sum_to_the_controls(out, snapshot):
    controls = defaultdict(lambda: [Decimal(0)] * 4)
    for control in snapshot["controls"]:
        key = (control["month"], control["slice"], control["service"], control["record_type"])
        assert key not in controls, "a control that is there twice"
        controls[key] = [Decimal(control["amounts"][name]) for name in METRICS]
    cells = defaultdict(lambda: [Decimal(0)] * 4)
    for entry in snapshot["segments"]:
        if entry["kind"] != "cells":
            continue
        for row in pyarrow.parquet.read_table(segment(out, entry)).to_pylist():
            key = (entry["month"], row["slice"], row["service"], row["record_type"])
            cells[key] = [sum_ + row[name] for sum_, name in zip(cells[key], METRICS)]
    assert len(cells) > 100
    assert {key for key in controls if any(controls[key])} <= set(cells)
    for key, amounts in cells.items():
        assert amounts == controls[key], key


def test_days_sum_to_the_slices(out, snapshot):
    months = {entry["month"] for entry in snapshot["segments"] if entry["kind"] == "days"}
    assert MONTH in months
    controls = defaultdict(Decimal)
    for control in snapshot["controls"]:
        if control["month"] in months:
            key = (control["month"], control["slice"], control["record_type"])
            controls[key] += Decimal(control["amounts"]["unblended_cost"])
    days = defaultdict(Decimal)
    for entry in snapshot["segments"]:
        if entry["kind"] == "days":
            for row in pyarrow.parquet.read_table(segment(out, entry)).to_pylist():
                days[(entry["month"], row["slice"], row["record_type"])] += row["unblended_cost"]
    assert {key: sum_ for key, sum_ in days.items() if sum_} == {
        key: sum_ for key, sum_ in controls.items() if sum_
    }


def test_lines_and_owners_sum_to_the_summary(out):
    folder = out / "out" / MONTH
    summary = program.read_json(folder / "summary.json")
    lines = table(folder / "lines.csv")
    assert {row["month"] for row in lines} == {MONTH}
    asked = [row for row in lines if row["cause"].startswith("billed: re")]
    moved = [row for row in lines if row["cause"].startswith("allocated")]
    assert moved and sums(moved, METRICS) == [Decimal(0)] * 4
    for name, billed, whole in zip(METRICS, sums(asked, METRICS), sums(lines, METRICS)):
        assert billed == Decimal(summary["control_total"][name]) == Decimal(summary["ledger_total"][name])
        assert whole == Decimal(summary["charged_total"][name]) == billed + Decimal(summary["outside"][name])
        assert Decimal(summary["residual"][name]) == 0
    total = Decimal(summary["charged_total"][summary["metric"]])
    owners = table(folder / "owners.csv")
    billed, shared, whole = sums(owners, ["billed", "shared", "total"])
    assert whole == billed + shared == total and shared == 0
    for row in owners:
        assert Decimal(row["billed"]) + Decimal(row["shared"]) == Decimal(row["total"]), row
    assert sum(Decimal(part) for part in summary["coverage"].values()) == total
    *parts, scope = [Decimal(step["amount"]) for step in summary["bridge"]]
    assert sum(parts) == scope == Decimal(summary["control_total"][summary["metric"]])
    unattributed = sums(table(folder / "unattributed.csv"), METRICS)
    own = [row for row in asked if row["owner_kind"] == "unattributed"]
    assert unattributed == sums(own, METRICS)


def test_statements_sum_to_what_is_charged(out):
    folder = out / "out" / MONTH
    summary = program.read_json(folder / "summary.json")
    metric = summary["metric"]
    by_line, by_owner = defaultdict(Decimal), defaultdict(Decimal)
    for row in table(folder / "lines.csv"):
        by_line[row["team"]] += Decimal(row[metric])
    for row in table(folder / "owners.csv"):
        by_owner[row["team"]] += Decimal(row["total"])
    teams = {row["team"]: row for row in table(folder / "teams.csv")}
    totals = {team: Decimal(row["total"]) for team, row in teams.items()}
    assert len(totals) > 4 and "" in totals
    assert totals == by_line == by_owner
    assert sum(totals.values()) == Decimal(summary["charged_total"][metric])
    for row in teams.values():
        parts = [Decimal(row[name]) for name in ["billed", "shared", "credits", "tax"]]
        assert sum(parts) == Decimal(row["total"]), row
    printed = {}
    for path in (folder / "teams").glob("*.csv"):
        rows = table(path)
        (team,) = {row["team"] for row in rows}
        exact, printed[team] = sums(rows, ["exact", "amount"])
        assert exact == totals[team], path
        assert all(Decimal(row["amount"]) == round(Decimal(row["amount"]), 2) for row in rows), path
        assert abs(printed[team] - exact) < Decimal("0.01"), path
    assert set(printed) == set(totals)
    cent = Decimal("0.01")
    assert sum(printed.values()) == Decimal(summary["charged_total"][metric]).quantize(cent)
    debit, credit = Decimal(0), Decimal(0)
    for row in table(folder / "journal.csv"):
        debit += Decimal(row["debit"] or 0)
        credit += Decimal(row["credit"] or 0)
    assert debit == credit == sum(amount for team, amount in printed.items() if team)


def test_each_month_of_the_history_sums_to_its_bill(out, snapshot):
    lines = table(out / "history" / MONTH / "lines.csv")
    trend = table(out / "history" / MONTH / "trend.csv")
    months = sorted({row["month"] for row in lines})
    assert len(months) > 12
    for month in months:
        total = [Decimal(0)] * 4
        for control in snapshot["controls"]:
            if control["month"] == month:
                amounts = [Decimal(control["amounts"][name]) for name in METRICS]
                total = [left + right for left, right in zip(total, amounts)]
        assert sums([row for row in lines if row["month"] == month], METRICS) == total, month
        if any(row["month"] == month for row in trend):
            assert sums([row for row in trend if row["month"] == month], METRICS) == total, month


def test_published_files_have_their_hashes(out):
    folder = out / "out" / MONTH
    published = program.read_json(folder / "manifest.json")
    outputs = {entry["name"]: entry["sha256"] for entry in published["outputs"]}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there - {"manifest.json"} == set(outputs)
    for name, sha256 in outputs.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256, name
    for entry in published["inputs"]:
        path = out / "out" / "snapshots" / entry["name"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"], entry["name"]
