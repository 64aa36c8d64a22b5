// A look at an H.264 byte stream's outside (Annex B): enough to refuse what others couldn't decode.

/** NAL unit type of a sequence parameter set. */
const SPS = 7;

/**
 * Whether the bytes begin with a start code, as Annex B does and AVCC doesn't.
 * @param {Uint8Array} bytes
 */
export function isAnnexB(bytes) {
  return bytes.length > 4 && bytes[0] === 0 && bytes[1] === 0
    && (bytes[2] === 1 || (bytes[2] === 0 && bytes[3] === 1));
}

/**
 * Whether a sequence parameter set stands in front of the picture, as in every key frame it must.
 * @param {Uint8Array} bytes
 */
export function hasParameterSets(bytes) {
  // Parameter sets come first; a picture's own bytes needn't be searched.
  const end = Math.min(bytes.length - 3, 256);
  for (let at = 0; at < end; at += 1) {
    if (bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1 && (bytes[at + 3] & 0x1f) === SPS) return true;
  }
  return false;
}
