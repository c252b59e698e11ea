//! A development OIDC issuer: for trying Ostiary out where no real one is at hand.
//!
//! Whoever can read its key can be anybody, so it serves loopback addresses alone and says so
//! loudly. Deliberately absent: logins, clients, consent; `ostiary dev token` signs whatever is asked.

mod key;
mod server;
mod token;

pub(crate) use key::{DevError, Keys};
pub(crate) use server::{Issuer, bind, issuer_address};
pub(crate) use token::{Claims, sign};

/// The audience a development token has unless another is asked for.
pub(crate) const AUDIENCE: &str = "ostiary";

/// Shown wherever the issuer starts.
pub(crate) const WARNING: &str = "\
*** DEVELOPMENT ISSUER: anyone who can read its key can be anyone. ***
*** Never name it in the configuration of a gateway to production. ***";
