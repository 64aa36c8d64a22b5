//! How WebKitGTK paints on a machine without a GPU.
//!
//! There it would paint through a GPU that the CPU imitates: a 640×360 picture in a call's tile
//! took 70 ms of CPU each, and 4 of 30 a second were seen. Painting by the CPU itself shows all
//! 30 for a third of one core, with 160 MB less (two cores, no `/dev/dri`, WebKitGTK 2.50).

/// The variable by which WebKitGTK is told to leave the GPU's buffers alone.
const NO_GPU_BUFFERS: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Where a GPU that can paint shows itself.
const GPUS: &str = "/dev/dri";

/// Has the web view paint by the CPU where there is no GPU, unless the environment says how. To
/// be called before anything else: it changes the environment.
#[expect(unsafe_code, reason = "no other way to tell WebKitGTK")]
pub(crate) fn choose() {
    if has_gpu() || std::env::var_os(NO_GPU_BUFFERS).is_some() {
        return;
    }
    // SAFETY: nothing has started another thread yet, so nobody reads the environment meanwhile.
    unsafe { std::env::set_var(NO_GPU_BUFFERS, "1") };
}

fn has_gpu() -> bool {
    let Ok(devices) = std::fs::read_dir(GPUS) else {
        return false;
    };
    devices
        .flatten()
        .any(|device| device.file_name().to_string_lossy().starts_with("renderD"))
}
