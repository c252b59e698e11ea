//! The two requests a client may send before anything else, and the one answer to both.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Length 8, code 1234.5679.
pub(super) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// Length 8, code 1234.5680.
pub(super) const GSS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];

/// A client asks for GSS encryption, then for TLS, then goes on or goes away.
const MAX_REQUESTS: usize = 2;

/// Answers `N` until something else comes. Returns what came: the first 8 bytes of it, or fewer if
/// the client closed its side.
pub(super) async fn refuse_encryption(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> std::io::Result<Vec<u8>> {
    let mut answered = 0;
    loop {
        let mut first = Vec::with_capacity(8);
        let mut bounded = (&mut *client).take(8);
        while first.len() < 8 && bounded.read_buf(&mut first).await? > 0 {}
        let asks = first == SSL_REQUEST || first == GSS_REQUEST;
        if !asks || answered == MAX_REQUESTS {
            return Ok(first);
        }
        client.write_all(b"N").await?;
        client.flush().await?;
        answered += 1;
    }
}
