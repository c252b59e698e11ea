//! New sizes of a terminal, as JSON: `{"Width":80,"Height":24}`.

use serde_json::Value;

/// Bytes of one.
const MAX_SIZE: usize = 256;

/// Sizes that come as a stream of values, cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    rest: Vec<u8>,
}

impl Sizes {
    /// Whole sizes; `None` if something is not one.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<Vec<(u16, u16)>> {
        let mut sizes = Vec::new();
        for byte in bytes {
            // No size holds another brace: values are numbers.
            self.rest.push(*byte);
            if self.rest.trim_ascii().is_empty() {
                self.rest.clear();
            }
            if *byte == b'}' {
                sizes.push(size(&self.rest)?);
                self.rest.clear();
            }
            if self.rest.len() > MAX_SIZE {
                return None;
            }
        }
        Some(sizes)
    }

    /// Whether no size is begun and not ended.
    pub(super) fn is_idle(&self) -> bool {
        self.rest.is_empty()
    }
}

fn size(text: &[u8]) -> Option<(u16, u16)> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let value = value.as_object()?;
    let side = |name: &str| u16::try_from(value.get(name)?.as_u64()?).ok();
    let size = (side("Width")?, side("Height")?);
    (value.len() == 2).then_some(size)
}

/// A size in the one form it goes on in.
pub(super) fn write((width, height): (u16, u16)) -> String {
    format!("{{\"Width\":{width},\"Height\":{height}}}\n")
}
