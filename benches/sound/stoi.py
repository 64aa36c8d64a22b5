"""Reads what `sound-quality noise` gives, and prints what the processing does to speech in noise:
how much the signal-to-noise ratio gains, and STOI (Taal et al. 2011, by pystoi) before and after.
Nothing is kept.

The processing begins with a steep high-pass at 100 Hz that always works, and rings for some
milliseconds in STOI's lowest band. Nobody hears that, but STOI counts it: so what comes out is
compared with the speech behind the same filter, and what goes in with the speech itself."""

import json
import sys

import numpy as np
from pystoi import stoi
from scipy.signal import sosfilt

# sonora's `HIGH_PASS_FILTER_COEFFICIENTS_48KHZ` (WebRTC's high_pass_filter.cc).
HIGH_PASS = [
    [0.9213790163564168, -1.8427552370064049, 0.9213790163564168, 1, -1.9604500061078971, 0.9611862979079667],
    [1, -1.9999789078432082, 1, 1, -1.9923834169149972, 0.9926001112941157],
    [1, -1.9999632520325810, 1, 1, -1.9983570340145236, 0.9984928491805198],
]


# Less isn't told apart: sound that comes a millisecond earlier or later changes STOI by as much.
LEAST = 0.002


def sound(pipe, samples):
    wanted = 4 * samples
    data = pipe.read(wanted)
    if len(data) != wanted:
        sys.exit("the sound ends too soon")
    return np.frombuffer(data, dtype="<f4").astype(np.float64)


def main():
    pipe = sys.stdin.buffer
    fell = []
    rows = 0
    print("| speech (espeak-ng) in | SNR dB | SNR gain dB | STOI before | after | change |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    while line := pipe.readline():
        about = json.loads(line)
        speech, heard, came = (sound(pipe, about["samples"]) for _ in range(3))
        before = stoi(speech, heard, about["rate"])
        after = stoi(sosfilt(HIGH_PASS, speech), came, about["rate"])
        rows += 1
        if after < before - LEAST:
            fell.append(f'{about["noise"]} at {about["snr_db"]:g} dB')
        print(
            f'| {about["noise"]} | {about["snr_db"]:g} | {about["gain_db"]:+.1f} '
            f"| {before:.3f} | {after:.3f} | {after - before:+.3f} |",
            flush=True,
        )
    if rows == 0:
        sys.exit("nothing was measured")
    print()
    print(f"STOI must not fall (by {LEAST} or more): " + (f"**it falls** ({', '.join(fell)})." if fell else "kept."))


main()
