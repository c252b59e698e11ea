//! The host's wall clock.

use std::time::UNIX_EPOCH;

use ostiary_session::Now;
use proxy_wasm::hostcalls;

/// The time by the host's clock; the epoch if the host cannot say.
pub(crate) fn now() -> Now {
    let micros = hostcalls::get_current_time()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| u64::try_from(since.as_micros()).ok());
    Now(micros.unwrap_or_default())
}
