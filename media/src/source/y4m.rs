//! YUV4MPEG2: raw 4:2:0 pictures in a file.

use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};

use visita_protocol::{media::Size, time::MediaTime};

use super::synthetic::{self, Pace, Synthetic};
use super::{Error, Source as _};
use crate::picture::{Draft, Picture};

/// The longest header line that is read.
const LONGEST_LINE: u64 = 1024;

/// What a file's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The pictures' size in the file; a last odd column or row is cut off.
    pub size: Size,
    /// Pictures in `fps.1` seconds.
    pub fps: (u32, u32),
}

fn bad(what: impl Into<String>) -> Error {
    Error::File(what.into())
}

fn line(input: &mut impl BufRead) -> Result<Option<String>, Error> {
    let mut bytes = Vec::new();
    let read = input.take(LONGEST_LINE).read_until(b'\n', &mut bytes);
    if read.map_err(|error| bad(error.to_string()))? == 0 {
        return Ok(None);
    }
    if bytes.pop() != Some(b'\n') {
        return Err(bad("a line of the Y4M file is cut or too long"));
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

impl Header {
    /// Reads the first line.
    pub fn read(input: &mut impl BufRead) -> Result<Self, Error> {
        let text = line(input)?.ok_or_else(|| bad("the file is empty"))?;
        let mut fields = text.split(' ');
        if fields.next() != Some("YUV4MPEG2") {
            return Err(bad("it doesn't begin as a Y4M file"));
        }
        let (mut width, mut height, mut fps) = (None, None, (30, 1));
        for field in fields {
            let Some((name, value)) = field.split_at_checked(1) else {
                continue;
            };
            match name {
                "W" => width = value.parse().ok(),
                "H" => height = value.parse().ok(),
                "F" => {
                    let parsed = value
                        .split_once(':')
                        .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                    fps = parsed
                        .filter(|&(a, b)| a > 0 && b > 0)
                        .ok_or_else(|| bad("bad frame rate"))?;
                }
                "C" if !value.starts_with("420") || value.starts_with("420p1") => {
                    return Err(bad(format!(
                        "colour form C{value} (only 8-bit 4:2:0 is read)"
                    )));
                }
                "I" if !matches!(value, "p" | "?") => return Err(bad("interlaced")),
                _ => {}
            }
        }
        let (Some(width), Some(height)) = (width, height) else {
            return Err(bad("no size in its first line"));
        };
        Draft::new(Size::new(width & !1, height & !1), MediaTime(0))
            .map_err(|error| bad(error.to_string()))?;
        Ok(Self {
            size: Size::new(width, height),
            fps,
        })
    }

    /// How long a picture is shown, in microseconds; two seconds at most.
    pub fn interval_us(&self) -> u64 {
        (u64::from(self.fps.1) * 1_000_000 / u64::from(self.fps.0)).clamp(1_000, 2_000_000)
    }

    /// Reads the next picture; `None` at the end, also if that is in the middle of a picture.
    pub fn picture(
        &self,
        input: &mut impl BufRead,
        time: MediaTime,
    ) -> Result<Option<Picture>, Error> {
        let Some(mark) = line(input)? else {
            return Ok(None);
        };
        if !mark.starts_with("FRAME") {
            return Err(bad("a picture doesn't begin with FRAME"));
        }
        let Size { width, height } = self.size;
        let mut draft = Draft::new(Size::new(width & !1, height & !1), time)
            .map_err(|error| bad(error.to_string()))?;
        let done = if width % 2 == 0 && height % 2 == 0 {
            input.read_exact(draft.bytes())
        } else {
            self.cropped(input, &mut draft)
        };
        match done {
            Ok(()) => Ok(Some(draft.finish())),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(bad(error.to_string())),
        }
    }

    fn cropped(&self, input: &mut impl BufRead, draft: &mut Draft) -> io::Result<()> {
        let (wide, high) = (usize::from(self.size.width), usize::from(self.size.height));
        let kept = usize::from(draft.size().width);
        let planes = draft.planes();
        let mut plane = |to: &mut [u8], kept: usize, wide: usize, high: usize| {
            let mut row = vec![0; wide];
            let mut rows = to.chunks_exact_mut(kept);
            for _ in 0..high {
                input.read_exact(&mut row)?;
                if let Some(to) = rows.next() {
                    to.copy_from_slice(&row[..kept]);
                }
            }
            Ok(())
        };
        plane(planes.y, kept, wide, high)?;
        plane(planes.u, kept / 2, wide.div_ceil(2), high.div_ceil(2))?;
        plane(planes.v, kept / 2, wide.div_ceil(2), high.div_ceil(2))
    }
}

/// Goes back to just behind the first line.
pub(super) fn rewind(input: &mut (impl BufRead + Seek)) -> Result<(), Error> {
    input
        .seek(SeekFrom::Start(0))
        .map_err(|error| bad(error.to_string()))?;
    line(input).map(drop)
}

/// Writes the synthetic picture as a Y4M file, for programs that take a film for a camera. The
/// numbers in it go from 0 to `pictures` − 1; its times are those of a film that began at 0.
pub fn write_synthetic(
    out: &mut impl Write,
    config: synthetic::Config,
    pictures: u32,
) -> Result<(), Error> {
    let io = |error: io::Error| bad(error.to_string());
    let Size { width, height } = config.size();
    // Chromium takes only "C420jpeg" or none; the range stays video range, as it assumes.
    writeln!(
        out,
        "YUV4MPEG2 W{width} H{height} F{}:1 Ip A1:1 C420jpeg",
        config.fps()
    )
    .map_err(io)?;
    let mut source = Synthetic::new(config.paced(Pace::Free))?;
    source.start_at(MediaTime(0));
    for _ in 0..pictures {
        let picture = source.next()?;
        out.write_all(b"FRAME\n").map_err(io)?;
        out.write_all(picture.bytes()).map_err(io)?;
    }
    out.flush().map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marker;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        let config = synthetic::Config::new(Size::new(160, 90), 25).unwrap();
        write_synthetic(&mut bytes, config, 3).unwrap();
        let mut input = io::Cursor::new(bytes);
        let header = Header::read(&mut input).unwrap();
        assert_eq!(
            header,
            Header {
                size: Size::new(160, 90),
                fps: (25, 1)
            }
        );
        assert_eq!(header.interval_us(), 40_000);
        for number in 0..3 {
            let picture = header.picture(&mut input, MediaTime(1)).unwrap().unwrap();
            let mark = marker::read(&picture).unwrap();
            assert_eq!(
                (mark.number, mark.time.0),
                (number, u64::from(number) * 40_000)
            );
        }
        assert_eq!(header.picture(&mut input, MediaTime(1)).unwrap(), None);
        rewind(&mut input).unwrap();
        let again = header.picture(&mut input, MediaTime(1)).unwrap().unwrap();
        assert_eq!(marker::read(&again).unwrap().number, 0);
    }

    #[test]
    fn odd_sizes_lose_their_edge() {
        let mut bytes = b"YUV4MPEG2 W3 H3 F30:1\nFRAME\n".to_vec();
        bytes.extend([1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 21, 22, 23, 30, 31, 32, 33]);
        let mut input = io::Cursor::new(bytes);
        let header = Header::read(&mut input).unwrap();
        let picture = header.picture(&mut input, MediaTime(0)).unwrap().unwrap();
        assert_eq!(picture.bytes(), [1, 2, 4, 5, 20, 30]);
    }

    #[test]
    fn broken_files_are_errors() {
        let bad: [&[u8]; 9] = [
            b"",
            b"RIFF....",
            b"YUV4MPEG2\n",
            b"YUV4MPEG2 W4\n",
            b"YUV4MPEG2 W0 H0\n",
            b"YUV4MPEG2 W65535 H65535\n",
            b"YUV4MPEG2 W4 H4 F0:0\n",
            b"YUV4MPEG2 W4 H4 C444\n",
            b"YUV4MPEG2 W4 H4 It\n",
        ];
        for bytes in bad {
            assert!(
                matches!(Header::read(&mut &bytes[..]), Err(Error::File(_))),
                "{bytes:?}"
            );
        }
        assert!(Header::read(&mut vec![b'Y'; 10_000].as_slice()).is_err());
        let header = Header {
            size: Size::new(2, 2),
            fps: (30, 1),
        };
        assert!(
            header
                .picture(&mut &b"FRAMES OF\n"[..], MediaTime(0))
                .unwrap()
                .is_none()
        );
        assert!(
            header
                .picture(&mut &b"NO\n123456"[..], MediaTime(0))
                .is_err()
        );
        assert_eq!(
            header
                .picture(&mut &b"FRAME\n12345"[..], MediaTime(0))
                .unwrap(),
            None
        );
    }
}
