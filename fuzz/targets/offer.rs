#![no_main]

libfuzzer_sys::fuzz_target!(
    // Only what isn't caught counts: libFuzzer's own hook ends the program at each panic.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| visita_fuzz::offer(bytes)
);
