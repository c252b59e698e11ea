//! One connection, or one agent's run of requests, as a sans-I/O state machine.
//!
//! In: bytes from either side, answers of the control plane, time. Out: [`Effect`]s for the shell to
//! carry out in order. Deliberately absent: host calls, clocks, randomness; they enter as arguments.

mod effect;
pub mod http;
mod input;
mod journal;
pub mod postgres;

pub use effect::{AskApproval, Effect, OpenSession, Run};
pub use input::{Config, Limits, Login, Now, Opened, Outcome, State};
