//! Who spent what in Amazon SageMaker, to the cent, with proof that it adds up.
//!
//! The modules stand in reading order; each names only what stands above it.

// Words.
pub mod money;
pub mod split;
pub mod rounding;
pub mod cents;
pub mod period;
pub mod encoding;
pub mod grid;
pub mod field;
pub mod sheet;
pub mod fiscal;
pub mod rate;
pub mod metric;
pub mod arn;
pub mod usage;
pub mod kind;
pub mod key;
pub mod query;
pub mod request;
pub mod pattern;

// Facts.
pub mod records;
pub mod inventory;
pub mod past;
pub mod limit;
pub mod team;
pub mod budget;
pub mod bounds;
pub mod common;
pub mod each;
pub mod budget_table;
pub mod note;
pub mod owner;
pub mod snapshot;

// Rules.
pub mod control;
pub mod books;
pub mod settle;
pub mod bearer;
pub mod name;
pub mod ledger;
pub mod table;
pub mod journal;
pub mod daily;
pub mod person;
pub mod facts;
pub mod assignment;
pub mod roster;
pub mod source;
pub mod strangers;
pub mod stint;
pub mod membership;
pub mod because;
pub mod selection;
pub mod weight;
pub mod pool;
pub mod rule;
pub mod outside;
pub mod basis;
pub mod remark;
pub mod allocate;
pub mod terms;
pub mod charge;
pub mod restate;
pub mod report;
pub mod team_notes;
pub mod notes;
pub mod course;
pub mod tally;
pub mod whose;
pub mod watch;
pub mod alert;
pub mod sent;
pub mod files;
pub mod figure;
pub mod presence;
pub mod lookback;
pub mod statement;
pub mod charged;
pub mod invoice;
pub mod inquiry;
pub mod explanation;
pub mod origin;
pub mod why;
pub mod feed;
pub mod printed;
pub mod explain;
pub mod plan;
pub mod expression;
pub mod setup;
pub mod step;
pub mod backfill;
pub mod activation;
pub mod recovery;
pub mod target;
pub mod mapping;
pub mod role;
pub mod lineage;
pub mod proof;
pub mod verdict;
pub mod evidence;
pub mod mark;
pub mod batch;
pub mod effect;
pub mod stake;
pub mod retag;

// Edges.
pub mod aws;
pub mod store;
pub mod render;
pub mod deliver;
pub mod sandbox;

// Shell.
pub mod cli;
