//! Sealed frames: what is read of them, what is opened, and what is put around them.

use visita_protocol::{
    frame::Header,
    id::{MemberId, TrackId},
    media::Codec,
    sealed::{
        self, Clear, Epoch, Hint, Kid,
        dress::{dress, undress},
    },
    sframe::{self, BaseKey, Suite, header},
};

const KEY: [u8; 16] = [3; 16];
const KID: Kid = Kid {
    member: MemberId(7),
    epoch: Epoch(2),
    track: TrackId(5),
};
const CODECS: [Codec; 4] = [Codec::H264, Codec::Vp8, Codec::Jpeg, Codec::Opus];

/// Takes any bytes as a sealed frame, as what is inside of one, and as what a packetiser hands over.
pub fn sframe(bytes: &[u8]) {
    headers(bytes);
    forged(bytes);
    inside(bytes);
    dressed(bytes);
}

/// There is one form of a header.
fn headers(bytes: &[u8]) {
    let Ok((read, length)) = header::Header::parse(bytes) else {
        return;
    };
    let mut written = Vec::new();
    read.write(&mut written);
    assert_eq!(written, bytes[..length]);
    assert_eq!(read.len(), length);
}

/// Nobody without the key makes a frame that opens, and one that was changed opens no more.
fn forged(bytes: &[u8]) {
    let mut opener = sframe::Opener::new(Suite::Aes128);
    assert!(opener.add(KID.number(), &BaseKey::new(&KEY)).is_ok());
    assert!(opener.open(&[], bytes).is_err(), "a frame was forged");
    let mut sealer = sframe::Sealer::new(Suite::Aes128, KID.number(), BaseKey::new(&KEY));
    let Ok(mut sealed) = sealer.seal(&[], bytes) else {
        panic!("a first frame is sealed");
    };
    if let [at, bit, ..] = bytes {
        let at = usize::from(*at) % sealed.len();
        sealed[at] ^= 1 << (bit & 7);
        assert!(opener.open(&[], &sealed).is_err(), "a changed frame opened");
        sealed[at] ^= 1 << (bit & 7);
    }
    let opened = opener.open(&[], &sealed);
    assert_eq!(opened.map(|opened| opened.plaintext).as_deref(), Ok(bytes));
}

/// Who has the key may seal anything. What opens then is a frame of its own, which seals to the same
/// bytes, and agrees with the header that it says.
fn inside(plaintext: &[u8]) {
    for codec in CODECS {
        let mut sealer = sframe::Sealer::new(Suite::Aes128, KID.number(), BaseKey::new(&KEY));
        let Ok(bytes) = sealer.seal(&[], plaintext) else {
            continue;
        };
        for key in [true, false] {
            let mut opener = sealed::Opener::new();
            assert!(opener.add(KID, &BaseKey::new(&KEY)).is_ok());
            let slot = Hint::Slot {
                sender: KID.member,
                track: KID.track,
                key,
            };
            let Ok(opened) = opener.open(slot, codec, &bytes) else {
                continue;
            };
            assert_eq!(opened.header.references.is_key(), key);
            again(codec, plaintext, &opened.header, &opened.payload);
        }
    }
}

fn again(codec: Codec, plaintext: &[u8], header: &Header, payload: &[u8]) {
    // Which of the two it was stands in the first byte.
    let clear = if plaintext[0] & 8 == 0 {
        Clear::Header
    } else {
        Clear::Nothing
    };
    let mut sealer = sealed::Sealer::new(KID, codec, BaseKey::new(&KEY));
    let Ok(sealed) = sealer.seal(header, clear, payload) else {
        panic!("what was opened is sealed");
    };
    let mut plain = sframe::Opener::new(Suite::Aes128);
    assert!(plain.add(KID.number(), &BaseKey::new(&KEY)).is_ok());
    let within = plain.open(&[], &sealed).map(|opened| opened.plaintext);
    assert_eq!(
        within.as_deref(),
        Ok(plaintext),
        "there is one form of a frame"
    );
    let mut opener = sealed::Opener::new();
    assert!(opener.add(KID, &BaseKey::new(&KEY)).is_ok());
    let opened = opener.open(Hint::Header(header), codec, &sealed);
    assert!(opened.is_ok(), "it agrees with itself");
}

/// What is dressed comes out of its dress, and what comes out of one is dressed so.
fn dressed(bytes: &[u8]) {
    for codec in CODECS {
        for key in [true, false] {
            let Ok(dressed) = dress(codec, key, bytes) else {
                continue;
            };
            let Ok(undressed) = undress(codec, &dressed) else {
                panic!("a dress comes off");
            };
            assert_eq!(&*undressed.sealed, bytes);
            let told = matches!(codec, Codec::H264 | Codec::Vp8);
            assert!(!told || undressed.key == key);
        }
        let _ = undress(codec, bytes);
    }
}
