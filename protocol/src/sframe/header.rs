//! SFrame's header (RFC 9605, section 4.3): a config byte, then what didn't fit into it.
//!
//! | bits | of the config byte |
//! | --- | --- |
//! | 7 | whether the next three bits are the KID's length minus one, instead of the KID |
//! | 6 to 4 | the KID, or its length in bytes minus one |
//! | 3 | the same for CTR |
//! | 2 to 0 | CTR, or its length minus one |
//!
//! KID and CTR follow, if they aren't in the config byte, big-endian and as short as can be.

/// The longest header, in bytes.
pub const MAX: usize = 1 + 8 + 8;

/// The largest number that fits into the config byte.
const SHORT: u64 = 7;

/// Which key sealed a frame, and its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The key's number.
    pub kid: u64,
    /// The counter.
    pub ctr: u64,
}

/// Why bytes don't begin with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fewer bytes than it says.
    #[error("truncated")]
    Truncated,
    /// A number that would have fit into fewer bytes: two forms of one header aren't allowed.
    #[error("a number is longer than it needs to be")]
    NotMinimal,
}

impl Header {
    /// How many bytes [`Header::write`] appends.
    pub fn len(&self) -> usize {
        1 + extra(self.kid) + extra(self.ctr)
    }

    /// Never: a header has a config byte.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Appends the header's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(field(self.kid) << 4 | field(self.ctr));
        for number in [self.kid, self.ctr] {
            out.extend_from_slice(&number.to_be_bytes()[8 - extra(number)..]);
        }
    }

    /// Reads the header that the bytes begin with, and how long it is.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let (&config, rest) = bytes.split_first().ok_or(Error::Truncated)?;
        let (kid, rest) = number(config >> 4, rest)?;
        let (ctr, rest) = number(config & 0x0f, rest)?;
        Ok((Self { kid, ctr }, bytes.len() - rest.len()))
    }
}

/// The bytes of a number behind the config byte.
fn extra(number: u64) -> usize {
    if number <= SHORT {
        0
    } else {
        8 - (number.leading_zeros() / 8) as usize
    }
}

/// The four bits of a number in the config byte.
fn field(number: u64) -> u8 {
    match extra(number) {
        0 => number as u8,
        length => 8 | (length - 1) as u8,
    }
}

fn number(field: u8, bytes: &[u8]) -> Result<(u64, &[u8]), Error> {
    let low = field & 7;
    if field & 8 == 0 {
        return Ok((u64::from(low), bytes));
    }
    let length = usize::from(low) + 1;
    let (digits, rest) = bytes.split_at_checked(length).ok_or(Error::Truncated)?;
    let number = digits
        .iter()
        .fold(0, |number, &digit| number << 8 | u64::from(digit));
    if extra(number) != length {
        return Err(Error::NotMinimal);
    }
    Ok((number, rest))
}
