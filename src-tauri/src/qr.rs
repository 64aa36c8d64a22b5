//! QR codes as the page draws them: the path of an SVG, a unit square a module.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};
use serde::Serialize;

/// The white rim that readers need, in modules (ISO 18004).
const QUIET: usize = 4;

/// A QR code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Qr {
    /// The code's width and height with its rim, for the `viewBox`.
    pub size: usize,
    /// The dark modules, for a path's `d`.
    pub d: String,
}

/// The code that leads to `text`; `None` if it is too long for one (2,331 bytes).
pub fn qr(text: &str) -> Option<Qr> {
    // Medium: a quarter more modules than the least, and a scratched screen can still be read.
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut d = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run[0] == Color::Dark {
                let _ = write!(
                    d,
                    "M{} {}h{}v1h-{}z",
                    x + QUIET,
                    y + QUIET,
                    run.len(),
                    run.len()
                );
            }
            x += run.len();
        }
    }
    Some(Qr {
        size: width + 2 * QUIET,
        d,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_small_code_with_its_finder_in_the_corner() {
        let code = qr("https://192.0.2.5:3000").unwrap();
        assert_eq!(code.size, 25 + 2 * QUIET, "version 2");
        assert!(
            code.d.starts_with("M4 4h7v1h-7z"),
            "the finder's upper edge: {}",
            &code.d[..20]
        );
        let dark: usize = code
            .d
            .split('h')
            .skip(1)
            .filter_map(|s| s.split('v').next()?.parse::<usize>().ok())
            .sum();
        assert!((200..450).contains(&dark), "{dark} of 625 modules are dark");
    }

    #[test]
    fn what_is_too_long_is_none() {
        assert_eq!(qr(&"x".repeat(5_000)), None);
    }
}
