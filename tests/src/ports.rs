//! Ports nobody else takes meanwhile.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::{TcpListener, UdpSocket},
    ops::Range,
    sync::Mutex,
};

/// Below the range the kernel hands out to outgoing connections, so that none of those takes one
/// between this answer and its use.
const RANGE: Range<u16> = 18_000..31_000;

/// The UDP side of each port given, held as long as this process runs: a sign for other processes of
/// this harness, which look there first.
static GIVEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// A free port on the loopback address, given to nobody else.
pub fn free() -> u16 {
    let mut given = GIVEN
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let width = u64::from(RANGE.end - RANGE.start);
    for attempt in 0_u64.. {
        let spread = RandomState::new().hash_one(attempt) % width;
        let port = RANGE.start + u16::try_from(spread).unwrap_or(0);
        let Ok(sign) = UdpSocket::bind(("127.0.0.1", port)) else {
            continue;
        };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.push(sign);
            return port;
        }
    }
    unreachable!("there are ports enough")
}
