//! The engine against a scripted client and a scripted server; the real ones are in the end-to-end
//! tests.

mod answer;
mod client;
mod parameters;
mod policy;
mod rig;
mod scram_server;
mod server;
mod sql;
mod transcript;

mod approval;
mod cases;
mod copy_in;
mod copy_out;
mod ending;
mod errors;
mod exercise;
mod extended;
mod function_call;
mod hostile;
mod literals;
mod login;
mod masks;
mod names;
mod replication;
mod shared;
mod simple;
mod split;
mod startup;
mod uses;
