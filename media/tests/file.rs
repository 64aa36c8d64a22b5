//! The file source, with real files and, where it is installed, the real `ffmpeg`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::{fs, path::PathBuf, process::Command};

use visita_media::{
    marker,
    source::{Choice, Error, File, Source as _, synthetic, y4m},
};
use visita_protocol::media::Size;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("visita-media-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn film(&self, name: &str, pictures: u32) -> PathBuf {
        let path = self.0.join(name);
        let config = synthetic::Config::new(Size::new(160, 90), 100).unwrap();
        y4m::write_synthetic(&mut fs::File::create(&path).unwrap(), config, pictures).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn numbers(film: &mut File, count: usize) -> Vec<u32> {
    (0..count)
        .map(|_| marker::read(&film.next().unwrap()).unwrap().number)
        .collect()
}

#[test]
fn a_y4m_film_plays_over_and_over_at_its_pace() {
    let folder = Folder::new("y4m");
    let path = folder.film("film.y4m", 4);
    let mut film = File::open(&path).unwrap();
    assert_eq!(film.name(), "film.y4m");
    let first = film.next().unwrap();
    let rest = numbers(&mut film, 9);
    assert_eq!(rest, [1, 2, 3, 0, 1, 2, 3, 0, 1]);
    let last = film.next().unwrap();
    assert!(
        last.time().0 - first.time().0 >= 100_000,
        "ten pictures at 100 a second"
    );
    let choice: Choice = format!("file:{}", path.display()).parse().unwrap();
    assert!(choice.open().unwrap().is_some());
}

#[test]
fn a_film_that_ends_in_the_middle_of_a_picture_plays_too() {
    let folder = Folder::new("cut");
    let path = folder.film("film.y4m", 3);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 100]).unwrap();
    assert_eq!(numbers(&mut File::open(&path).unwrap(), 5), [0, 1, 0, 1, 0]);
}

#[test]
fn files_that_are_no_films_are_clear_errors() {
    let folder = Folder::new("bad");
    assert!(matches!(
        File::open(&folder.0.join("missing")),
        Err(Error::File(_))
    ));
    assert!(matches!(File::open(&folder.0), Err(Error::File(_))));
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("text", b"hello"),
        ("head.y4m", b"YUV4MPEG2 W16 H16 F30:1\n"),
    ] {
        let path = folder.0.join(name);
        fs::write(&path, bytes).unwrap();
        let result = File::open(&path).and_then(|mut film| film.next());
        assert!(matches!(result, Err(Error::File(_))), "{name}: {result:?}");
    }
}

#[test]
fn other_films_play_through_ffmpeg() {
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        eprintln!("ffmpeg is not installed: only its absence is seen");
        return;
    }
    let folder = Folder::new("ffmpeg");
    let source = folder.film("film.y4m", 3);
    let film = folder.0.join("-film with a name.mkv");
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(&source)
        .args(["-c:v", "mjpeg", "-q:v", "2"])
        .arg(format!("file:{}", film.display()))
        .status()
        .unwrap();
    assert!(made.success());
    assert_eq!(
        numbers(&mut File::open(&film).unwrap(), 7),
        [0, 1, 2, 0, 1, 2, 0]
    );
}
