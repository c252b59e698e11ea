//! Requests against a bundle: what goes on, what is answered, what is kept.

mod approval;
mod batch;
mod door;
mod kubernetes;
mod named;
mod preview;
mod request;
mod response;
mod rig;
