"""Reads what `sound-quality noise` gives, and prints what the processing does to speech in noise:
how much the signal-to-noise ratio gains, and STOI (Taal et al. 2011, by pystoi) before and after.
Nothing is kept."""

import json
import sys

import numpy as np
from pystoi import stoi


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
        before, after = (stoi(speech, other, about["rate"]) for other in (heard, came))
        rows += 1
        if after < before:
            fell.append(f'{about["noise"]} at {about["snr_db"]:g} dB')
        print(
            f'| {about["noise"]} | {about["snr_db"]:g} | {about["gain_db"]:+.1f} '
            f"| {before:.3f} | {after:.3f} | {after - before:+.3f} |",
            flush=True,
        )
    if rows == 0:
        sys.exit("nothing was measured")
    print()
    print("STOI must not fall: " + (f"**it falls** ({', '.join(fell)})." if fell else "kept."))


main()
