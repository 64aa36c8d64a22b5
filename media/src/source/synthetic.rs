//! A moving picture that needs no camera, with a [`crate::marker`] in it. It compresses like a
//! picture of a room does: a soft background that drifts, some edges that move, and a little of
//! the noise that every sensor has.

use std::time::Duration;

use visita_protocol::{media::Size, time::MediaTime};

use super::{Error, Source};
use crate::{
    clock,
    marker::{self, Mark},
    picture::{Draft, Picture},
};

/// How fast pictures come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As a camera's: at their time.
    RealTime,
    /// As fast as they are taken, with times as if they had been paced: for tests and files.
    Free,
}

/// Which picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    size: Size,
    fps: u16,
    pace: Pace,
}

impl Config {
    /// Pictures of this size, this many a second; the error says what is wrong.
    pub fn new(size: Size, fps: u16) -> Result<Self, &'static str> {
        if !size.width.is_multiple_of(2) || !size.height.is_multiple_of(2) {
            return Err("width and height must be even");
        }
        if size.width < marker::SMALLEST.width || size.height < marker::SMALLEST.height {
            return Err("at least 108x60");
        }
        if size.width > 1920 || size.height > 1920 {
            return Err("at most 1920 pixels a side");
        }
        if !(1..=120).contains(&fps) {
            return Err("1 to 120 pictures a second");
        }
        Ok(Self {
            size,
            fps,
            pace: Pace::RealTime,
        })
    }

    /// The same at another pace.
    pub fn paced(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The pictures' size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Pictures a second.
    pub fn fps(&self) -> u16 {
        self.fps
    }
}

impl Default for Config {
    /// 640×360 at 30 pictures a second.
    fn default() -> Self {
        Self {
            size: Size::new(640, 360),
            fps: 30,
            pace: Pace::RealTime,
        }
    }
}

/// The source.
pub struct Synthetic {
    config: Config,
    artist: Artist,
    start: Option<MediaTime>,
    number: u32,
}

impl Synthetic {
    /// Pictures numbered from 0.
    pub fn new(config: Config) -> Result<Self, Error> {
        Ok(Self {
            config,
            artist: Artist::new(config.size),
            start: None,
            number: 0,
        })
    }

    /// Counts times from here instead of from the moment of the first picture.
    pub(super) fn start_at(&mut self, start: MediaTime) {
        self.start = Some(start);
    }

    fn interval(&self, pictures: u32) -> u64 {
        u64::from(pictures) * 1_000_000 / u64::from(self.config.fps)
    }

    /// When the next picture is taken; waits for it if the pace is real.
    fn moment(&mut self) -> MediaTime {
        let start = *self.start.get_or_insert_with(clock::now);
        let due = MediaTime(start.0 + self.interval(self.number));
        if self.config.pace == Pace::Free {
            return due;
        }
        let now = clock::now();
        if let Some(early) = due.0.checked_sub(now.0) {
            std::thread::sleep(Duration::from_micros(early));
        } else if now.0 - due.0 > self.interval(2) {
            // Too slow a machine: pictures are late from now on, not ever later.
            self.start = Some(MediaTime(now.0.saturating_sub(self.interval(self.number))));
        }
        clock::now()
    }
}

impl Source for Synthetic {
    fn name(&self) -> &'static str {
        "synthetic"
    }

    fn next(&mut self) -> Result<Picture, Error> {
        let time = self.moment();
        let mark = Mark {
            number: self.number,
            time,
        };
        self.number = self.number.wrapping_add(1);
        self.artist
            .draw(mark)
            .ok_or_else(|| Error::Failed("synthetic picture".into()))
    }
}

/// The picture of a number and a time: the same for the same.
pub(crate) struct Artist {
    size: Size,
    noise: Vec<u8>,
    columns: Vec<u8>,
}

/// A soft wave of this period in pixels, from 0 to `height`.
fn wave(at: usize, period: usize, height: u8) -> u8 {
    let phase = (at % period) as f32 / period as f32 * std::f32::consts::TAU;
    (f32::midpoint(phase.sin(), 1.0) * f32::from(height)) as u8
}

impl Artist {
    pub(crate) fn new(size: Size) -> Self {
        // Noise of −2…2 as a sensor has it, in a row long enough that its repeats don't show.
        let mut state = 0x2545_f491_u32;
        let noise = (0..usize::from(size.width) + 8192)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                ((state >> 8) % 3 + (state >> 16) % 3) as u8
            })
            .collect();
        Self {
            size,
            noise,
            columns: vec![0; usize::from(size.width)],
        }
    }

    pub(crate) fn draw(&mut self, mark: Mark) -> Option<Picture> {
        let mut draft = Draft::new(self.size, mark.time).ok()?;
        self.background(&mut draft, mark.number);
        self.figures(&mut draft, mark.number);
        marker::write(&mut draft, mark);
        Some(draft.finish())
    }

    fn background(&mut self, draft: &mut Draft, number: u32) {
        let (wide, high) = (usize::from(self.size.width), usize::from(self.size.height));
        let drift = number as usize;
        for (column, value) in self.columns.iter_mut().enumerate() {
            *value = 60 + wave(column + drift, wide, 50) + wave(3 * column + 7 * drift, wide, 6);
        }
        let planes = draft.planes();
        for (row, line) in planes.y.chunks_exact_mut(wide).enumerate() {
            let light = wave(row + drift / 2, 2 * high, 40);
            let start = (row.wrapping_mul(2_654_435_761) ^ drift.wrapping_mul(40_503)) % 8192;
            let noise = &self.noise[start..start + wide];
            for ((pixel, &column), &noise) in line.iter_mut().zip(&self.columns).zip(noise) {
                *pixel = column + light + noise;
            }
        }
        for (row, (u, v)) in planes
            .u
            .chunks_exact_mut(wide / 2)
            .zip(planes.v.chunks_exact_mut(wide / 2))
            .enumerate()
        {
            u.fill(118 + wave(row + drift / 4, high, 12));
            v.fill(126 + wave(row + drift / 3, high, 10));
        }
    }

    /// A head and shoulders that sway, and a ball that crosses: edges and motion.
    fn figures(&self, draft: &mut Draft, number: u32) {
        let (wide, high) = (i32::from(self.size.width), i32::from(self.size.height));
        let turn = (number % 3600) as f32;
        let sway = ((turn / 23.0).sin() * wide as f32 / 24.0) as i32;
        let nod = ((turn / 31.0).cos() * high as f32 / 40.0) as i32;
        let skin = [168, 108, 150];
        let middle = wide / 2 + sway;
        self.ellipse(
            draft,
            (middle, high * 11 / 10),
            (wide / 5, high * 2 / 5),
            [72, 140, 116],
        );
        self.ellipse(
            draft,
            (middle, high * 11 / 20 + nod),
            (high / 7, high / 5),
            skin,
        );
        for side in [-1, 1] {
            let eye = (middle + side * high / 18, high / 2 + nod);
            self.ellipse(draft, eye, (high / 60 + 1, high / 80 + 1), [40, 128, 128]);
        }
        let across = (number as i32 % 240) * (wide + high / 5) / 240 - high / 10;
        let bounce = ((turn / 11.0).sin().abs() * high as f32 / 4.0) as i32;
        self.ellipse(
            draft,
            (across, high * 9 / 10 - bounce),
            (high / 14, high / 14),
            [130, 90, 200],
        );
    }

    fn ellipse(
        &self,
        draft: &mut Draft,
        (x, y): (i32, i32),
        (rx, ry): (i32, i32),
        colour: [u8; 3],
    ) {
        let (wide, high) = (i32::from(self.size.width), i32::from(self.size.height));
        let planes = draft.planes();
        for row in (y - ry).max(0)..(y + ry).min(high) {
            let up = (row - y) as f32 / ry as f32;
            let half = ((1.0 - up * up).max(0.0).sqrt() * rx as f32) as i32;
            let (left, right) = ((x - half).clamp(0, wide), (x + half).clamp(0, wide));
            let start = (row * wide) as usize;
            planes.y[start + left as usize..start + right as usize].fill(colour[0]);
            if row % 2 == 0 {
                let start = (row / 2 * wide / 2) as usize;
                let (left, right) = ((left / 2) as usize, (right / 2) as usize);
                planes.u[start + left..start + right].fill(colour[1]);
                planes.v[start + left..start + right].fill(colour[2]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_advance_and_can_be_read() {
        for (width, height) in [(108, 60), (160, 90), (640, 360), (480, 640)] {
            let config = Config::new(Size::new(width, height), 25)
                .unwrap()
                .paced(Pace::Free);
            let mut source = Synthetic::new(config).unwrap();
            let first = source.next().unwrap().time();
            for number in 1..40 {
                let picture = source.next().unwrap();
                let time = MediaTime(first.0 + u64::from(number) * 40_000);
                assert_eq!(marker::read(&picture), Some(Mark { number, time }));
                assert_eq!(picture.time(), time);
            }
        }
    }

    #[test]
    fn real_time_pictures_are_not_early() {
        let config = Config::new(Size::new(160, 90), 100).unwrap();
        let mut source = Synthetic::new(config).unwrap();
        let first = source.next().unwrap().time();
        let last = (0..5)
            .map(|_| source.next().unwrap().time())
            .last()
            .unwrap();
        assert!(
            last.0 - first.0 >= 50_000,
            "{} µs for five pictures at 100 fps",
            last.0 - first.0
        );
    }

    #[test]
    fn the_picture_moves() {
        let mut artist = Artist::new(Size::new(320, 180));
        let mut draw = |number| {
            artist
                .draw(Mark {
                    number,
                    time: MediaTime(0),
                })
                .unwrap()
        };
        let (a, b) = (draw(10), draw(11));
        let lower = 320 * 60;
        let changed = a.y()[lower..]
            .iter()
            .zip(&b.y()[lower..])
            .filter(|(a, b)| a != b)
            .count();
        assert!(changed > 1000, "{changed}");
        assert_eq!(draw(10), a, "the same number is the same picture");
    }
}
