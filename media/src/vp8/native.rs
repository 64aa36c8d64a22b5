//! libvpx's encoder and decoder for VP8, as far as a call needs them.
#![allow(unsafe_code)]

use std::{
    ffi::{c_int, c_long, c_uint, c_ulong},
    mem::MaybeUninit,
    ptr, slice,
};

use visita_protocol::{media::Size, time::MediaTime};
use vpx_sys::{
    self as sys, vp8e_enc_control_id as control, vpx_codec_ctx_t, vpx_codec_enc_cfg_t,
    vpx_codec_err_t, vpx_image_t,
};

use super::{Failure, encode};
use crate::picture::{BadSize, Draft, Picture};

/// Whether VP8 is there.
pub const AVAILABLE: bool = true;

fn check(code: vpx_codec_err_t) -> Result<(), Failure> {
    if code == vpx_codec_err_t::VPX_CODEC_OK {
        Ok(())
    } else {
        Err(Failure(code as u32))
    }
}

/// A codec's context, undone when it goes. Boxed: libvpx may keep its address.
struct Context(Box<vpx_codec_ctx_t>);

// SAFETY: libvpx keeps all state of a codec behind its context and has no thread-local state; the
// context is used by one thread at a time because every method takes `&mut self`.
unsafe impl Send for Context {}

impl Context {
    /// A context that `init` has made something of.
    fn new(init: impl FnOnce(*mut vpx_codec_ctx_t) -> vpx_codec_err_t) -> Result<Self, Failure> {
        let mut context = Box::new(vpx_codec_ctx_t::default());
        check(init(&raw mut *context))?;
        Ok(Self(context))
    }

    fn as_mut(&mut self) -> *mut vpx_codec_ctx_t {
        &raw mut *self.0
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context was initialised, and isn't used afterwards.
        unsafe { sys::vpx_codec_destroy(self.as_mut()) };
    }
}

/// An encoder.
pub(super) struct Encoder {
    context: Context,
    settings: vpx_codec_enc_cfg_t,
}

// SAFETY: as `Context`; the settings' pointers are for two-pass encoding, and are null.
unsafe impl Send for Encoder {}

impl Encoder {
    pub(super) fn new(config: &encode::Config) -> Result<Self, Failure> {
        let mut settings = defaults()?;
        adjust(&mut settings, config);
        let abi = sys::VPX_ENCODER_ABI_VERSION as c_int;
        let context = Context::new(|context| {
            // SAFETY: `context` is a valid target; the settings are copied by the call.
            unsafe {
                sys::vpx_codec_enc_init_ver(
                    context,
                    sys::vpx_codec_vp8_cx(),
                    &raw const settings,
                    0,
                    abi,
                )
            }
        })?;
        let mut encoder = Self { context, settings };
        for (id, value) in CONTROLS {
            encoder.control(id, value)?;
        }
        Ok(encoder)
    }

    /// Takes over bit rate and layers of a configuration; the size must be the same.
    pub(super) fn set(&mut self, config: &encode::Config) -> Result<(), Failure> {
        adjust(&mut self.settings, config);
        // SAFETY: the context is a live encoder; the settings are copied by the call.
        check(unsafe {
            sys::vpx_codec_enc_config_set(self.context.as_mut(), &raw const self.settings)
        })
    }

    /// Encodes a picture of the encoder's size and appends its bytes, none if rate control skips
    /// it. Says whether it is a key frame.
    pub(super) fn encode(
        &mut self,
        picture: &Picture,
        turn: encode::Turn,
        bytes: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        if self.settings.ts_number_layers > 1 {
            self.control(control::VP8E_SET_TEMPORAL_LAYER_ID, turn.upper.into())?;
        }
        let image = wrapped(picture)?;
        // SAFETY: the context is a live encoder; the planes outlive the call, which copies them,
        // and are as large as the image says (`wrapped`).
        check(unsafe {
            sys::vpx_codec_encode(
                self.context.as_mut(),
                &raw const image,
                turn.at_us,
                c_ulong::from(turn.for_us),
                flags(turn),
                c_ulong::from(sys::VPX_DL_REALTIME),
            )
        })?;
        let (mut iterator, mut key) = (ptr::null(), false);
        loop {
            // SAFETY: the context is a live encoder and the iterator began as null.
            let packet =
                unsafe { sys::vpx_codec_get_cx_data(self.context.as_mut(), &raw mut iterator) };
            // SAFETY: what isn't null is a packet that lives until the next call of the encoder.
            let Some(packet) = (unsafe { packet.as_ref() }) else {
                return Ok(key);
            };
            if packet.kind != sys::vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT {
                continue;
            }
            // SAFETY: the union holds a frame in a packet of this kind, whose buffer has `sz`
            // bytes and lives as long as the packet.
            let (frame, data) = unsafe {
                let frame = packet.data.frame;
                (
                    frame,
                    slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz as usize),
                )
            };
            bytes.extend_from_slice(data);
            key |= frame.flags & sys::VPX_FRAME_IS_KEY != 0;
        }
    }

    fn control(&mut self, id: control, value: c_int) -> Result<(), Failure> {
        // SAFETY: the context is a live encoder, and every control used here takes an int (or an
        // unsigned one, of the same size, with values that both have).
        check(unsafe { sys::vpx_codec_control_(self.context.as_mut(), id as c_int, value) })
    }
}

/// What is set once, beside [`adjust`].
const CONTROLS: [(control, c_int); 4] = [
    // The speed: a negative one is kept, a positive one follows the time that pictures take, and
    // so differs from run to run. docs/PERFORMANCE.md has the figures by which it was chosen.
    (control::VP8E_SET_CPUUSED, -8),
    // What doesn't move isn't looked at again (WebRTC's own choice for a camera).
    (control::VP8E_SET_STATIC_THRESHOLD, 1),
    // A key frame gets at most the bits of four and a half others, or it blocks a slow line.
    (control::VP8E_SET_MAX_INTRA_BITRATE_PCT, 450),
    (control::VP8E_SET_NOISE_SENSITIVITY, 0),
];

fn defaults() -> Result<vpx_codec_enc_cfg_t, Failure> {
    let mut settings = MaybeUninit::<vpx_codec_enc_cfg_t>::zeroed();
    // SAFETY: the call fills the settings when it succeeds, and only then are they used.
    unsafe {
        check(sys::vpx_codec_enc_config_default(
            sys::vpx_codec_vp8_cx(),
            settings.as_mut_ptr(),
            0,
        ))?;
        Ok(settings.assume_init())
    }
}

fn adjust(settings: &mut vpx_codec_enc_cfg_t, config: &encode::Config) {
    let kbits = (config.bitrate / 1000).max(1);
    settings.g_w = config.size.width.into();
    settings.g_h = config.size.height.into();
    // Times are in microseconds.
    settings.g_timebase.num = 1;
    settings.g_timebase.den = 1_000_000;
    // A second thread pays from 720p on.
    settings.g_threads = if config.size.area() < 1280 * 720 {
        1
    } else {
        2
    };
    settings.g_lag_in_frames = 0;
    // In layers each frame brings its own probabilities, so that nothing is lost with one of the
    // upper layer. (VP8_EFLAG_NO_UPD_ENTROPY would do for less, but libvpx 1.12 goes back to stale
    // ones when rate control leaves such a frame out, and the decoder doesn't.)
    settings.g_error_resilient = if config.temporal_layers > 1 {
        sys::VPX_ERROR_RESILIENT_DEFAULT
    } else {
        0
    };
    // Key frames come when they are asked for, never by themselves.
    settings.kf_mode = sys::vpx_kf_mode::VPX_KF_DISABLED;
    settings.rc_end_usage = sys::vpx_rc_mode::VPX_CBR;
    settings.rc_target_bitrate = kbits;
    // The range and the buffer of WebRTC's encoder: a picture is left out rather than made worse
    // than 56, and none is better than 2.
    settings.rc_min_quantizer = 2;
    settings.rc_max_quantizer = 56;
    settings.rc_undershoot_pct = 100;
    settings.rc_overshoot_pct = 15;
    settings.rc_buf_initial_sz = 500;
    settings.rc_buf_optimal_sz = 600;
    settings.rc_buf_sz = 1000;
    settings.rc_dropframe_thresh = 30;
    settings.rc_resize_allowed = 0;
    if config.temporal_layers > 1 {
        settings.ts_number_layers = 2;
        settings.ts_periodicity = 2;
        settings.ts_layer_id[..2].copy_from_slice(&[0, 1]);
        // Of every second frame, and of all; the base layer gets three fifths of the bits.
        settings.ts_rate_decimator[..2].copy_from_slice(&[2, 1]);
        settings.ts_target_bitrate[..2].copy_from_slice(&[(kbits * 3 / 5).max(1), kbits]);
        settings.layer_target_bitrate[..2].copy_from_slice(&[(kbits * 3 / 5).max(1), kbits]);
    }
}

/// One reference, the newest frame of the base layer; a frame of the upper layer changes nothing
/// for those after it.
fn flags(turn: encode::Turn) -> c_long {
    let mut flags = sys::VP8_EFLAG_NO_REF_GF
        | sys::VP8_EFLAG_NO_REF_ARF
        | sys::VP8_EFLAG_NO_UPD_GF
        | sys::VP8_EFLAG_NO_UPD_ARF;
    if turn.key {
        flags = sys::VPX_EFLAG_FORCE_KF;
    } else if turn.upper {
        flags |= sys::VP8_EFLAG_NO_UPD_LAST;
    }
    c_long::from(flags)
}

/// A picture's planes, as libvpx sees them. It only reads them, whatever its types say.
fn wrapped(picture: &Picture) -> Result<vpx_image_t, Failure> {
    let mut image = MaybeUninit::<vpx_image_t>::zeroed();
    let Size { width, height } = picture.size();
    // SAFETY: the call fills the image when it succeeds, and only then is it used. A picture is its
    // three planes one after the other, of even sides and without gaps (`Picture`'s invariant),
    // which is what libvpx takes it for with an alignment of 1.
    unsafe {
        let made = sys::vpx_img_wrap(
            image.as_mut_ptr(),
            sys::vpx_img_fmt::VPX_IMG_FMT_I420,
            width.into(),
            height.into(),
            1,
            picture.bytes().as_ptr().cast_mut(),
        );
        if made.is_null() {
            return Err(Failure(vpx_codec_err_t::VPX_CODEC_INVALID_PARAM as u32));
        }
        Ok(image.assume_init())
    }
}

/// A decoder.
pub(super) struct Decoder(Context);

impl Decoder {
    pub(super) fn new() -> Result<Self, Failure> {
        let settings = sys::vpx_codec_dec_cfg_t {
            threads: 1,
            w: 0,
            h: 0,
        };
        let abi = sys::VPX_DECODER_ABI_VERSION as c_int;
        Ok(Self(Context::new(|context| {
            // SAFETY: `context` is a valid target; the settings are copied by the call.
            unsafe {
                sys::vpx_codec_dec_init_ver(
                    context,
                    sys::vpx_codec_vp8_dx(),
                    &raw const settings,
                    0,
                    abi,
                )
            }
        })?))
    }

    /// Decodes a frame that isn't empty: libvpx takes an empty one for one that was lost, and makes
    /// it up.
    pub(super) fn decode(&mut self, frame: &[u8]) -> Result<(), Failure> {
        let corrupt = Failure(vpx_codec_err_t::VPX_CODEC_CORRUPT_FRAME as u32);
        let len = c_uint::try_from(frame.len()).map_err(|_| corrupt)?;
        // SAFETY: the context is a live decoder, which only reads the frame, during the call.
        check(unsafe {
            sys::vpx_codec_decode(self.0.as_mut(), frame.as_ptr(), len, ptr::null_mut(), 0)
        })?;
        let mut corrupted: c_int = 0;
        let id = sys::vp8_dec_control_id::VP8D_GET_FRAME_CORRUPTED as c_int;
        // SAFETY: the context is a live decoder, and this control writes an int.
        check(unsafe { sys::vpx_codec_control_(self.0.as_mut(), id, &raw mut corrupted) })?;
        if corrupted == 0 { Ok(()) } else { Err(corrupt) }
    }

    /// The picture of the frame decoded last, if there is one.
    pub(super) fn picture(&mut self, time: MediaTime) -> Result<Option<Picture>, BadSize> {
        let mut iterator = ptr::null();
        // SAFETY: the context is a live decoder and the iterator began as null. What isn't null is
        // an image that lives until the next call of the decoder.
        let image =
            unsafe { sys::vpx_codec_get_frame(self.0.as_mut(), &raw mut iterator).as_ref() };
        let Some(image) = image else {
            return Ok(None);
        };
        let side = |side: c_uint| u16::try_from(side & !1).unwrap_or(u16::MAX);
        let mut draft = Draft::new(Size::new(side(image.d_w), side(image.d_h)), time)?;
        let (wide, high) = (
            usize::from(draft.size().width),
            usize::from(draft.size().height),
        );
        let planes = draft.planes();
        for (to, plane, wide, high) in [
            (planes.y, 0, wide, high),
            (planes.u, 1, wide / 2, high / 2),
            (planes.v, 2, wide / 2, high / 2),
        ] {
            copy(to, image, plane, wide, high);
        }
        Ok(Some(draft.finish()))
    }
}

/// Copies the upper left `wide`×`high` of a plane.
fn copy(to: &mut [u8], image: &vpx_image_t, plane: usize, wide: usize, high: usize) {
    let (from, stride) = (image.planes[plane], image.stride[plane] as isize);
    for (row, to) in to.chunks_exact_mut(wide).take(high).enumerate() {
        // SAFETY: VP8's pictures are I420: a plane has a row of at least `wide` bytes at each of
        // `high` multiples of its stride.
        to.copy_from_slice(unsafe {
            slice::from_raw_parts(from.offset(row as isize * stride), wide)
        });
    }
}
