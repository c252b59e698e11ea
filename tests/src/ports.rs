//! Ports nobody else takes meanwhile.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range the kernel hands out to outgoing connections, so that none of those takes one
/// between this answer and its use.
const FIRST: u16 = 18_000;
const LAST: u16 = 31_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A free port on the loopback address, never given twice.
pub fn free() -> u16 {
    let spread = u16::try_from(std::process::id() % 6_000).unwrap_or(0) * 2;
    let _ = NEXT.compare_exchange(0, FIRST + spread, Ordering::Relaxed, Ordering::Relaxed);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if port >= LAST {
            let _ = NEXT.compare_exchange(port + 1, FIRST, Ordering::Relaxed, Ordering::Relaxed);
            continue;
        }
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
