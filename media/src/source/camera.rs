//! Cameras, by nokhwa: the only file that knows it.

use std::{
    collections::HashMap,
    ffi::OsString,
    panic::{AssertUnwindSafe, catch_unwind},
};

use nokhwa::{
    Camera as Native, NokhwaError,
    utils::{
        ApiBackend, CameraFormat, CameraIndex, CameraInfo, FrameFormat, RequestedFormat,
        RequestedFormatType, Resolution,
    },
};

use visita_protocol::media::Size;

use super::{
    Error, Source,
    form::{self, Form},
};
use crate::{
    clock,
    convert::{self, Converter, Format, Raw},
    picture::Picture,
};

/// A camera that could be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What [`Camera::open`] takes.
    pub id: String,
    /// What the system calls it.
    pub name: String,
}

/// The system's cameras; empty if there is none.
pub fn cameras() -> Result<Vec<Device>, Error> {
    let found = found()?.into_iter().filter(|(_, index)| is_camera(index));
    Ok(found.map(|(device, _)| device).collect())
}

/// What could be a camera, with where the system has it now.
fn found() -> Result<Vec<(Device, CameraIndex)>, Error> {
    allowed()?;
    let found = guarded(|| nokhwa::query(ApiBackend::Auto))?;
    let names: Vec<String> = found.iter().map(CameraInfo::human_name).collect();
    let indexes = found.iter().map(|info| info.index().clone());
    Ok(named(names).into_iter().zip(indexes).collect())
}

/// A camera's identity is its name: where the system has it changes when it is pulled out and
/// plugged in again. Cameras of one name are counted.
fn named(names: Vec<String>) -> Vec<Device> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let device = |name: String| {
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        let id = match *count {
            1 => name.clone(),
            number => format!("{name} {number}"),
        };
        Device { id, name }
    };
    names.into_iter().map(device).collect()
}

/// What changes when a camera is plugged in or out, without opening any, where that is cheap to
/// know: `None` elsewhere.
pub fn plugged() -> Option<Vec<OsString>> {
    let entries = cfg!(target_os = "linux")
        .then(|| std::fs::read_dir("/sys/class/video4linux"))?
        .ok();
    let mut names: Vec<OsString> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    names.sort();
    Some(names)
}

/// Linux lists a second node for most cameras, which carries no pictures.
fn is_camera(index: &CameraIndex) -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    match open(index) {
        Ok(camera) => {
            close(camera);
            true
        }
        Err(error) => matches!(error, Error::Busy | Error::Denied),
    }
}

/// An open camera.
pub struct Camera {
    device: Device,
    native: Option<Native>,
    converter: Converter,
}

/// What can be converted.
const FORMATS: [FrameFormat; 6] = [
    FrameFormat::NV12,
    FrameFormat::YUYV,
    FrameFormat::MJPEG,
    FrameFormat::GRAY,
    FrameFormat::RAWRGB,
    FrameFormat::RAWBGR,
];

impl Camera {
    /// Opens the camera of this identity (or of the system's own number), or the first that opens.
    pub fn open(id: Option<&str>) -> Result<Self, Error> {
        let mut failure = Error::Missing;
        for (device, index) in found()? {
            if id.is_some_and(|id| id != device.id && id != index.as_string()) {
                continue;
            }
            match Self::start(&index, device) {
                Ok(camera) => return Ok(camera),
                // The first camera's failure says more than that of a node behind it.
                Err(error) if failure == Error::Missing => failure = error,
                Err(_) => {}
            }
        }
        Err(failure)
    }

    /// Which camera it is.
    pub fn id(&self) -> &str {
        &self.device.id
    }

    fn start(index: &CameraIndex, device: Device) -> Result<Self, Error> {
        let mut native = open(index)?;
        let started = guarded(|| {
            let formats = native.compatible_camera_formats()?;
            if let Some(best) = best(&formats) {
                native.set_camera_requset(RequestedFormat::with_formats(
                    RequestedFormatType::Exact(best),
                    &FORMATS,
                ))?;
            }
            native.open_stream()
        });
        match started {
            Ok(()) => Ok(Self {
                device,
                native: Some(native),
                converter: Converter::new(),
            }),
            Err(error) => {
                close(native);
                Err(error)
            }
        }
    }
}

impl Source for Camera {
    fn name(&self) -> &str {
        &self.device.name
    }

    fn next(&mut self) -> Result<Picture, Error> {
        let Some(native) = &mut self.native else {
            return Err(Error::Lost("closed".into()));
        };
        let buffer = guarded(|| native.frame()).map_err(|error| match error {
            Error::Denied => Error::Denied,
            other => Error::Lost(other.to_string()),
        })?;
        let size = buffer.resolution();
        let raw = raw(buffer.source_frame_format(), size, buffer.buffer())?;
        self.converter
            .picture(raw, clock::now())
            .or_else(|error| match error {
                // Cameras send a broken JPEG now and then, the first ones above all.
                convert::Error::Jpeg(_) => self.next_good(error),
                other => Err(Error::Unsupported(other.to_string())),
            })
    }
}

/// How many broken pictures in a row are passed over: a second's.
const BROKEN_IN_A_ROW: u32 = 30;

impl Camera {
    fn next_good(&mut self, mut last: convert::Error) -> Result<Picture, Error> {
        for _ in 0..BROKEN_IN_A_ROW {
            let Some(native) = &mut self.native else {
                break;
            };
            let buffer =
                guarded(|| native.frame()).map_err(|error| Error::Lost(error.to_string()))?;
            let raw = raw(
                buffer.source_frame_format(),
                buffer.resolution(),
                buffer.buffer(),
            )?;
            match self.converter.picture(raw, clock::now()) {
                Ok(picture) => return Ok(picture),
                Err(error) => last = error,
            }
        }
        Err(Error::Unsupported(last.to_string()))
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        if let Some(native) = self.native.take() {
            close(native);
        }
    }
}

fn open(index: &CameraIndex) -> Result<Native, Error> {
    let any = RequestedFormat::with_formats(RequestedFormatType::None, &FORMATS);
    guarded(|| Native::new(index.clone(), any))
}

/// Closes a camera. nokhwa's own `drop` panics if that fails, as it does when the camera is gone.
fn close(mut native: Native) {
    let stopped = guarded(|| native.stop_stream());
    if stopped.is_err() {
        std::mem::forget(native);
    } else {
        let _ = catch_unwind(AssertUnwindSafe(|| drop(native)));
    }
}

/// Asks the system for leave to use cameras, where it wants to be asked.
fn allowed() -> Result<(), Error> {
    use std::{sync::mpsc, time::Duration};

    /// A person has to find and answer the system's question.
    const PATIENCE: Duration = Duration::from_mins(2);

    if nokhwa::nokhwa_check() {
        return Ok(());
    }
    let (answer, answered) = mpsc::sync_channel(1);
    nokhwa::nokhwa_initialize(move |granted| {
        let _ = answer.try_send(granted);
    });
    match answered.recv_timeout(PATIENCE) {
        Ok(true) => Ok(()),
        _ => Err(Error::Denied),
    }
}

/// Calls nokhwa and makes an error of whatever it answers, a panic included.
fn guarded<T>(call: impl FnOnce() -> Result<T, NokhwaError>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error_of(&error)),
        Err(_) => Err(Error::Failed("the camera's driver broke down".into())),
    }
}

/// nokhwa has the system's reason only as text.
fn error_of(error: &NokhwaError) -> Error {
    let text = error.to_string();
    let lower = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&[
        "permission denied",
        "access is denied",
        "access denied",
        "not authorized",
        "os error 13",
        "0x80070005",
    ]) {
        Error::Denied
    } else if says(&["busy", "in use", "os error 16", "0xc00d3704"]) {
        Error::Busy
    } else if says(&[
        "no such file",
        "no such device",
        "not found",
        "os error 2)",
        "os error 19",
    ]) {
        Error::Missing
    } else if says(&["fufill", "fulfill", "unsupported", "not supported"]) {
        Error::Unsupported(text)
    } else {
        Error::Failed(text)
    }
}

/// The best of a camera's forms.
fn best(formats: &[CameraFormat]) -> Option<CameraFormat> {
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    let forms: Vec<Form> = formats
        .iter()
        .map(|format| Form {
            format: format_of(format.format()),
            size: Size::new(side(format.width()), side(format.height())),
            fps: format.frame_rate(),
        })
        .collect();
    form::best(&forms).map(|at| formats[at])
}

fn format_of(format: FrameFormat) -> Format {
    match format {
        FrameFormat::NV12 => Format::Nv12,
        FrameFormat::YUYV => Format::Yuyv,
        FrameFormat::MJPEG => Format::Mjpeg,
        FrameFormat::GRAY => Format::Gray,
        FrameFormat::RAWRGB => Format::Rgb,
        FrameFormat::RAWBGR => Format::Bgr,
    }
}

fn raw(format: FrameFormat, size: Resolution, bytes: &[u8]) -> Result<Raw<'_>, Error> {
    let side =
        |side: u32| u16::try_from(side).map_err(|_| Error::Unsupported(format!("size {size}")));
    Ok(Raw {
        format: format_of(format),
        width: side(size.width())?,
        height: side(size.height())?,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use nokhwa::Buffer;
    use visita_protocol::time::MediaTime;

    use super::*;

    #[test]
    fn nokhwas_formats_are_chosen_from() {
        let form = |width, height, format, fps| {
            CameraFormat::new(Resolution::new(width, height), format, fps)
        };
        let formats = [
            form(70_000, 70_000, FrameFormat::NV12, 30),
            form(640, 480, FrameFormat::MJPEG, 30),
            form(640, 480, FrameFormat::YUYV, 30),
        ];
        assert_eq!(best(&formats), Some(formats[2]));
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn nokhwas_buffers_become_pictures() {
        // From nokhwa's own buffer type to pixels, as `next` does it.
        let jpeg = {
            let image = turbojpeg::Image {
                pixels: [128; 3 * 8 * 4].as_slice(),
                width: 8,
                pitch: 24,
                height: 4,
                format: turbojpeg::PixelFormat::RGB,
            };
            turbojpeg::compress(image, 95, turbojpeg::Subsamp::Sub2x1)
                .unwrap()
                .to_vec()
        };
        let grey = |format: FrameFormat| match format {
            FrameFormat::YUYV => [126, 128, 126, 128].repeat(16),
            FrameFormat::NV12 => [vec![126; 32], vec![128; 16]].concat(),
            FrameFormat::MJPEG => jpeg.clone(),
            FrameFormat::GRAY => vec![126; 32],
            FrameFormat::RAWRGB | FrameFormat::RAWBGR => vec![128; 96],
        };
        for format in [
            FrameFormat::YUYV,
            FrameFormat::NV12,
            FrameFormat::MJPEG,
            FrameFormat::GRAY,
            FrameFormat::RAWRGB,
            FrameFormat::RAWBGR,
        ] {
            let buffer = Buffer::new(Resolution::new(8, 4), &grey(format), format);
            let raw = raw(
                buffer.source_frame_format(),
                buffer.resolution(),
                buffer.buffer(),
            )
            .unwrap();
            let picture = Converter::new().picture(raw, MediaTime(4)).unwrap();
            assert_eq!(picture.size(), Size::new(8, 4));
            let off = |plane: &[u8], value: u8| plane.iter().map(|&got| got.abs_diff(value)).max();
            assert!(
                off(picture.y(), 126) <= Some(1),
                "{format:?} {:?}",
                picture.y()
            );
            assert!(
                off(picture.u(), 128).max(off(picture.v(), 128)) <= Some(1),
                "{format:?}"
            );
        }
    }

    #[test]
    fn the_systems_words_become_errors() {
        let of = |text: &str| error_of(&NokhwaError::OpenDeviceError("0".into(), text.into()));
        assert_eq!(
            of("V4L2 Error: Permission denied (os error 13)"),
            Error::Denied
        );
        assert_eq!(
            of("V4L2 Error: Device or resource busy (os error 16)"),
            Error::Busy
        );
        assert_eq!(
            of("V4L2 Error: No such file or directory (os error 2)"),
            Error::Missing
        );
        assert!(matches!(of("something else"), Error::Failed(_)));
        let none = NokhwaError::GetPropertyError {
            property: "CameraFormat".into(),
            error: "Failed to Fufill".into(),
        };
        assert!(matches!(error_of(&none), Error::Unsupported(_)));
    }

    #[test]
    fn cameras_of_one_name_are_told_apart() {
        let names = ["Front", "HD Webcam", "HD Webcam", "HD Webcam"].map(str::to_owned);
        let ids: Vec<_> = named(names.to_vec())
            .into_iter()
            .map(|device| device.id)
            .collect();
        assert_eq!(ids, ["Front", "HD Webcam", "HD Webcam 2", "HD Webcam 3"]);
    }

    #[test]
    fn a_camera_that_is_not_there_is_an_error() {
        // Also on a machine with cameras: none has this identity.
        let error = Camera::open(Some("no such camera")).err().unwrap();
        // wine refuses nokhwa's way to Windows' Media Foundation, as an edition without it does.
        let none = cfg!(windows)
            && matches!(&error, Error::Failed(text) if text.contains("MediaFoundation"));
        assert!(
            none || matches!(error, Error::Missing | Error::Denied),
            "{error:?}"
        );
    }

    #[test]
    fn the_list_is_a_list_or_a_clean_error() {
        if let Ok(devices) = cameras() {
            assert!(devices.iter().all(|device| !device.id.is_empty()));
        }
    }

    #[test]
    fn a_panic_in_the_driver_is_an_error() {
        assert!(matches!(
            guarded::<()>(|| panic!("driver")),
            Err(Error::Failed(_))
        ));
    }
}
