//! The parts of openh264's encoder that its safe wrapper doesn't reach: temporal layers, another
//! bit rate without a new encoder, and what layer a frame came out in.
#![allow(unsafe_code)]

use std::{
    ffi::{c_int, c_void},
    ptr,
};

use openh264_sys2::{
    self as sys, ENCODER_OPTION, ENCODER_OPTION_BITRATE, ENCODER_OPTION_FRAME_RATE,
    ENCODER_OPTION_MAX_BITRATE, ENCODER_OPTION_TRACE_LEVEL, ISVCEncoder, ISVCEncoderVtbl,
    SBitrateInfo, SEncParamExt, SFrameBSInfo, SSourcePicture,
};

use crate::picture::Picture;

/// What openh264 says went wrong: its return code, 0 for a function that isn't there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("openh264 returned {0}")]
pub struct Failure(pub c_int);

fn check(code: c_int) -> Result<(), Failure> {
    if code == 0 {
        Ok(())
    } else {
        Err(Failure(code))
    }
}

/// An encoder with the parameters it was made with.
pub(super) struct Encoder {
    handle: *mut ISVCEncoder,
    out: Box<SFrameBSInfo>,
}

// SAFETY: openh264 keeps all state of an encoder behind its handle and has no thread-local state;
// the handle is used by one thread at a time because every method takes `&mut self`.
unsafe impl Send for Encoder {}

/// A frame that came out.
pub(super) struct Out {
    pub(super) temporal: u8,
    pub(super) key: bool,
}

impl Encoder {
    /// An encoder; `adjust` changes openh264's default parameters.
    pub(super) fn new(adjust: impl FnOnce(&mut SEncParamExt)) -> Result<Self, Failure> {
        let mut handle = ptr::null_mut();
        // SAFETY: the function writes a new encoder's handle into the pointer it is given.
        check(unsafe { sys::source::APILoader::WelsCreateSVCEncoder(&raw mut handle) })?;
        if handle.is_null() {
            return Err(Failure(0));
        }
        let encoder = Self {
            handle,
            out: Box::default(),
        };
        let table = encoder.table();
        let mut parameters = SEncParamExt::default();
        let defaults = table.GetDefaultParams.ok_or(Failure(0))?;
        // SAFETY: `handle` is a live encoder and `parameters` a valid target.
        check(unsafe { defaults(handle, &raw mut parameters) })?;
        adjust(&mut parameters);
        let quiet = sys::WELS_LOG_QUIET;
        encoder.set(ENCODER_OPTION_TRACE_LEVEL, quiet)?;
        let initialise = table.InitializeExt.ok_or(Failure(0))?;
        // SAFETY: as above; the parameters are copied by the call.
        check(unsafe { initialise(handle, &raw const parameters) })?;
        Ok(encoder)
    }

    /// Encodes a picture and appends its bytes; `None` if rate control skips it. `time_ms` never
    /// goes back.
    pub(super) fn encode(
        &mut self,
        picture: &Picture,
        time_ms: i64,
        bytes: &mut Vec<u8>,
    ) -> Result<Option<Out>, Failure> {
        let (width, height) = (
            c_int::from(picture.size().width),
            c_int::from(picture.size().height),
        );
        let source = SSourcePicture {
            iColorFormat: sys::videoFormatI420,
            iStride: [width, width / 2, width / 2, 0],
            // openh264 only reads the planes, whatever its types say.
            pData: [
                picture.y().as_ptr().cast_mut(),
                picture.u().as_ptr().cast_mut(),
                picture.v().as_ptr().cast_mut(),
                ptr::null_mut(),
            ],
            iPicWidth: width,
            iPicHeight: height,
            uiTimeStamp: time_ms,
            ..SSourcePicture::default()
        };
        let encode = self.table().EncodeFrame.ok_or(Failure(0))?;
        // SAFETY: the planes outlive the call and are as large as strides and size say
        // (`Picture`'s invariant); `out` is a valid target.
        check(unsafe { encode(self.handle, &raw const source, &raw mut *self.out) })?;
        if self.out.eFrameType == sys::videoFrameTypeSkip
            || self.out.eFrameType == sys::videoFrameTypeInvalid
        {
            return Ok(None);
        }
        let mut temporal = 0;
        let layers = self
            .out
            .sLayerInfo
            .iter()
            .take(usize::try_from(self.out.iLayerNum).unwrap_or(0));
        for layer in layers {
            temporal = temporal.max(layer.uiTemporalId);
            let nals = usize::try_from(layer.iNalCount).unwrap_or(0);
            // SAFETY: openh264 gives each layer an array of `iNalCount` lengths and a buffer that
            // holds as many bytes as these say together; both live until the next call.
            bytes.extend_from_slice(unsafe {
                let lengths = std::slice::from_raw_parts(layer.pNalLengthInByte, nals);
                let len = lengths.iter().map(|&length| length as usize).sum();
                std::slice::from_raw_parts(layer.pBsBuf, len)
            });
        }
        let key = self.out.eFrameType == sys::videoFrameTypeIDR;
        Ok(Some(Out { temporal, key }))
    }

    /// Makes the next frame a key frame.
    pub(super) fn force_key(&mut self) -> Result<(), Failure> {
        let force = self.table().ForceIntraFrame.ok_or(Failure(0))?;
        // SAFETY: `handle` is a live, initialised encoder.
        check(unsafe { force(self.handle, true) })
    }

    /// Changes the target and the largest bit rate, in bits per second.
    pub(super) fn bitrate(&mut self, target: i32, most: i32) -> Result<(), Failure> {
        // Both are checked against each other at each call, but stored before the check: where
        // the new largest is below the old target, the first call complains and the last doesn't.
        let most = SBitrateInfo {
            iLayer: sys::SPATIAL_LAYER_0,
            iBitrate: most,
        };
        let target = SBitrateInfo {
            iLayer: sys::SPATIAL_LAYER_ALL,
            iBitrate: target,
        };
        let raised = self.set(ENCODER_OPTION_MAX_BITRATE, most);
        self.set(ENCODER_OPTION_BITRATE, target)?;
        raised.or_else(|_| self.set(ENCODER_OPTION_MAX_BITRATE, most))
    }

    /// Tells rate control how many pictures a second come.
    pub(super) fn fps(&mut self, fps: f32) -> Result<(), Failure> {
        self.set(ENCODER_OPTION_FRAME_RATE, fps)
    }

    fn set<T>(&self, option: ENCODER_OPTION, mut value: T) -> Result<(), Failure> {
        let set = self.table().SetOption.ok_or(Failure(0))?;
        // SAFETY: callers pass the type that openh264's documentation names for the option; it is
        // copied by the call.
        check(unsafe { set(self.handle, option, (&raw mut value).cast::<c_void>()) })
    }

    fn table(&self) -> &ISVCEncoderVtbl {
        // SAFETY: a handle points at a pointer to the function table, for the encoder's life.
        unsafe { &**self.handle }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        if let Some(uninitialise) = self.table().Uninitialize {
            // SAFETY: the handle is live; undoing an initialisation that failed is allowed.
            unsafe { uninitialise(self.handle) };
        }
        // SAFETY: the handle came from `WelsCreateSVCEncoder` and isn't used afterwards.
        unsafe { sys::source::APILoader::WelsDestroySVCEncoder(self.handle) };
    }
}
