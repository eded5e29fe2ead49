#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edged beside LiteRT: least microseconds of alternating rounds, one thread, on one core.

  litert.py EDGECTL [--rounds 5] [--seconds 1] [--only TEXT] [--nets]

With --nets instead the hybrid and int16x8 networks of ../shared/golden/nets that LiteRT runs, and the geometric mean of their ratios.
Needs ai-edge-litert in this Python, and ../shared with its models and study/peer_litert.py;
without them it measures nothing, says so, and ends with 77. Ends with 1 where a ratio is missed.
"""

import argparse
import importlib.util
import json
import math
import os
import pathlib
import re
import subprocess
import sys

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
PEER = SHARED / "study/peer_litert.py"
# How many times as fast as LiteRT each must be.
MODELS = {
    "mlperf_tiny/vww_96_int8": 1.9,
    "mlperf_tiny/kws_ref_model": 2.3,
    "mlperf_tiny/str_ww_ref_model": 1.7,
    "mlperf_tiny/pretrainedResnet_quant": 1.2,
    "mlperf_tiny/ad01_int8": 1.0,
    "coral/mobilenet_v1_0.25_128_quant": 3.4,
    "coral/mobilenet_v1_1.0_224_quant_embedding_extractor": 3.4,
    "coral/mobilenet_v2_1.0_224_quant": 3.0,
    "coral/tf2_mobilenet_v2_1.0_224_ptq": 1.65,
    "coral/movenet_single_pose_lightning_ptq": 1.6,
    "mlperf_tiny/vww_96_float": 1.0,
    "mlperf_tiny/ad01_fp32": 1.2,
    "nnstreamer/deeplabv3_257_mv_gpu": 1.0,
}
NETS = re.compile(r"__(i16\w*|\w*dyn\w*)$")
NETS_MUST = 1.2


def skip(why):
    print(f"litert.py: SKIPPED, nothing was measured: {why}", file=sys.stderr)
    sys.exit(77)


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def litert_us(path, seconds):
    """None: LiteRT does not run it."""
    said = output_of(sys.executable, PEER, "--seconds", str(seconds), path).split()[-1]
    return None if said == "-" else float(said)


def edged_us(edgectl, path, seconds, peer_us):
    runs = str(max(20, int(seconds * 1e6 / peer_us)))
    return 1e3 * json.loads(output_of(edgectl, "bench", path, "--local", "--json", "-c", runs))["min_ms"]


def least_of(a, path):
    """Microseconds of both, None where LiteRT does not run it."""
    peer = own = float("inf")
    for _ in range(a.rounds):
        us = litert_us(path, a.seconds)
        if us is None:
            return None
        peer = min(peer, us)
        own = min(own, edged_us(a.edgectl, path, a.seconds, peer))
    return peer, own


def told(name, peer, own, must=None):
    end = "" if must is None else f" {must} | {'holds' if peer / own >= must else 'MISSED'} |"
    print(f"| {name} | {peer:.4g} | {own:.4g} | {peer / own:.2f} |{end}", flush=True)
    return must is None or peer / own >= must


def models_hold(a, models):
    print("| model | LiteRT us | edged us | ratio | must | |\n| --- | --- | --- | --- | --- | --- |")
    return all([told(path.stem, *(least_of(a, path) or skip(f"LiteRT does not run {path}")), must) for path, must in models.items()])


def nets_hold(a, nets):
    print("| net | LiteRT us | edged us | ratio |\n| --- | --- | --- | --- |")
    ratios = []
    for path in nets:
        both = least_of(a, path)
        if both:
            told(path.parent.name, *both)
            ratios.append(both[0] / both[1])
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"geometric mean of {len(ratios)} (LiteRT does not run {len(nets) - len(ratios)}): {mean:.2f}, must {NETS_MUST}")
    return mean >= NETS_MUST


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("edgectl")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seconds", type=float, default=1.0)
    ap.add_argument("--only", default="")
    ap.add_argument("--nets", action="store_true")
    a = ap.parse_args()
    models = {SHARED / "models" / f"{name}.tflite": must for name, must in MODELS.items() if a.only in name}
    nets = sorted(path for path in (SHARED / "golden/nets").glob("*/model.tflite") if NETS.search(path.parent.name) and a.only in path.parent.name)
    if importlib.util.find_spec("ai_edge_litert") is None:
        skip("this Python has no ai-edge-litert")
    for path in (PEER, *(nets or [SHARED / "golden/nets"] if a.nets else models)):
        if not path.exists():
            skip(f"there is no {path}")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sys.exit(not (nets_hold(a, nets) if a.nets else models_hold(a, models)))


main()
