//! Figures of several runs in one cell: the median, and the least and the most.

use std::fmt;

#[derive(Clone, Default)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn median(&self) -> f64 {
        share(&self.0, 0.5)
    }
}

impl FromIterator<f64> for Spread {
    fn from_iter<T: IntoIterator<Item = f64>>(figures: T) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        Self(figures)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(1);
        match self.0.as_slice() {
            [] => f.write_str("–"),
            [only] => write!(f, "{only:.digits$}"),
            [least, .., most] => {
                let median = self.median();
                write!(f, "{median:.digits$} ({least:.digits$}–{most:.digits$})")
            }
        }
    }
}

/// The smallest figure that at least this share of all are not above; NaN of none.
pub(crate) fn share(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}
