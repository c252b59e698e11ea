use super::{Frame, Header, exercise, header, take};
use crate::Malformed;

#[test]
fn refuses_impossible_lengths() {
    for length in [0, 1, 2, 3, 0x8000_0000, 0xffff_fffe, 0xffff_ffff_u32] {
        let mut bytes = vec![b'Q'];
        bytes.extend(length.to_be_bytes());
        let wrong = Malformed::FrameLength { tag: b'Q', length };
        assert_eq!(header(&bytes), Err(wrong), "{length}");
        assert_eq!(take(&bytes, usize::MAX), Err(wrong), "{length}");
        bytes.extend([0; 64]);
        assert_eq!(take(&bytes, usize::MAX), Err(wrong), "{length}");
    }
}

#[test]
fn refuses_a_long_frame_on_its_header_alone() {
    let bytes = [b'Q', 0x7f, 0xff, 0xff, 0xff];
    let length = 0x8000_0000;
    assert_eq!(header(&bytes), Ok(Some(Header { tag: b'Q', length })));
    let limit = 16 << 20;
    assert_eq!(
        take(&bytes, limit),
        Err(Malformed::TooLong {
            tag: b'Q',
            length,
            limit
        })
    );
    assert_eq!(take(&bytes, usize::MAX), Ok(None));
}

#[test]
fn the_limit_is_the_longest_frame_that_passes() {
    let bytes = b"Q\0\0\0\x06a\0";
    assert!(take(bytes, 7).is_ok_and(|frame| frame.is_some()));
    assert_eq!(
        take(bytes, 6),
        Err(Malformed::TooLong {
            tag: b'Q',
            length: 7,
            limit: 6
        })
    );
}

#[test]
fn takes_one_frame_and_leaves_the_next() {
    let bytes = b"S\0\0\0\x04Q\0\0\0\x06a\0";
    let first = Frame {
        tag: b'S',
        body: b"",
        bytes: b"S\0\0\0\x04",
    };
    assert_eq!(take(bytes, 100), Ok(Some(first)));
    let second = Frame {
        tag: b'Q',
        body: b"a\0",
        bytes: b"Q\0\0\0\x06a\0",
    };
    assert_eq!(take(&bytes[5..], 100), Ok(Some(second)));
}

#[test]
fn waits_until_the_frame_is_whole() {
    let bytes = b"Q\0\0\0\x06a\0";
    for cut in 0..bytes.len() {
        assert_eq!(take(&bytes[..cut], 100), Ok(None), "{cut}");
        assert_eq!(exercise(&bytes[..cut]), Ok(()), "{cut}");
    }
}
