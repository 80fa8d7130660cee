//! The one integration binary.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "what a test cannot do fails it, and files are read as a user would find them"
)]

mod alerts;
mod alerts_sent;
mod allocation;
mod asking;
mod backfill;
mod budget_commands;
mod budget_teams;
mod budgets;
mod closing;
mod closing_refused;
mod closing_later;
mod conservation;
mod convergence;
mod determinism;
mod errors;
mod estate;
mod evidence;
mod explain;
mod faults;
mod golden;
mod help;
mod input;
mod isolation;
mod isolation_apply;
mod isolation_documents;
mod isolation_faults;
mod isolation_forms;
mod isolation_lint;
mod isolation_matrix;
mod isolation_plan;
mod isolation_whole;
mod lacking;
mod member;
mod notation;
mod receipt;
mod retag;
mod retag_faults;
mod retag_plan;
mod retag_stakes;
mod retag_truth;
mod reuse;
mod run;
mod specification;
mod statement;
mod statement_style;
mod suggest;
mod tags;
mod teams;
mod tidy;
mod traps;
mod truth;
mod verify;
mod verify_bounds;
mod world;
