//! Owns what is written for people and programs: CSV, JSON, pages, charts and terminal tables.
//!
//! **Invariant:** plain functions of plain data; no file, clock, environment or system font is touched here.

pub mod text;
pub mod message;

pub mod plan;
pub mod finding;

pub mod explain;

pub mod csv;
pub mod json;

pub mod stack;
pub mod cloudformation;
pub mod terraform;
pub mod isolation;
pub mod matrix;
pub mod weakness;

pub mod chart;
pub mod html;
pub mod statement;
