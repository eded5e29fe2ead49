/* SPDX-License-Identifier: Apache-2.0 */
/* Every key of a pipeline, a value that is not its default, and where the manual says it counts. */
#ifndef TESTS_UNIT_CLIENT_PIPELINE_CONFIG_PIPELINE_CONFIG_CASES_H
#define TESTS_UNIT_CLIENT_PIPELINE_CONFIG_PIPELINE_CONFIG_CASES_H

#include <stddef.h>

/* Kinds of sources by their first letters; of [post] by letters of their names. */
static const char *const sources[] = {"auto", "picture", "sound", "numbers", "tensor"};
#define N_SOURCES 5
static const char *const posts[] = {"auto", "classes", "detections", "ssd", "yolov5", "yolov8",
	"keypoints", "poses", "mask", "numbers", "reconstruction", "embedding", "tensors"};
#define N_POSTS 13
static const char source_letters[] = "apsnt";
static const char post_letters[] = "acds58kpmnret";

#define ALL_SOURCES "apsnt"
#define ALL_POSTS "acds58kpmnret"
#define JUDGED "acds58kpmnre"
#define LABELLED "acds58mne"

#define MEL "features = mel\nn_fft = 16\nhop_length = 8\nn_mels = 4\n"
#define ONE_LAYER "anchor-layers = 1\n"
#define FULL "anchor-lowest = full\n"
#define TWO "anchor-ratios = 1,2\n"
#define SPECTRAL "features = spectral\nspectral = rms,bins\nn_fft = 16\n"

/* A key, a value that is not its default, and what must be said beside it. */
struct given {
	const char *section, *key, *value;
	const char *sources, *posts; /* where it counts */
	const char *beside; /* of the same section */
	const char *pre, *post, *decision; /* of these; NULL: there is no such section */
	size_t elements; /* of the model's input; 0: 8 */
};

static const struct given givens[] = {
	{"pipeline", "priority", "batch", ALL_SOURCES, ALL_POSTS, 0, 0, 0, 0, 0},
	{"source", "rate", "8000", "as", ALL_POSTS, 0, 0, 0, 0, 0},
	{"source", "channels", "2", "as", ALL_POSTS, 0, 0, 0, 0, 0},
	{"source", "columns", "3", "an", ALL_POSTS, 0, 0, 0, 0, 0},
	{"source", "width", "4\nheight = 4", "ap", ALL_POSTS, 0, 0, 0, 0, 0},
	{"source", "height", "4\nwidth = 4", "ap", ALL_POSTS, 0, 0, 0, 0, 0},
	{"source", "pixel", "bgr", "ap", ALL_POSTS, "width = 4\nheight = 4\n", 0, 0, 0, 0},
	{"source", "pixel", "bgr", "", "", 0, 0, 0, 0, 0},
	{"source", "every", "2", ALL_SOURCES, ALL_POSTS, 0, 0, 0, 0, 0},
	{"source", "gap", "10ms", "sn", ALL_POSTS, 0, "window = 3\n", 0, 0, 0},
	{"source", "latest-only", "yes", ALL_SOURCES, ALL_POSTS, 0, 0, 0, 0, 0},

	{"stage", "after", "t", ALL_SOURCES, JUDGED, 0, 0, 0, 0, 0},
	{"stage", "when", "x", ALL_SOURCES, LABELLED, 0, 0, 0, 0, 0},
	{"stage", "when", "x", "", "", "input = outputs\n", 0, 0, 0, 0},
	{"stage", "min-score", "2", ALL_SOURCES, JUDGED, 0, 0, 0, 0, 0},
	{"stage", "min-score", "2", "", "", "input = outputs\n", 0, 0, 0, 0},
	{"stage", "on", "event", ALL_SOURCES, JUDGED, 0, 0, 0, "", 0},
	{"stage", "on", "event", "", "", "input = outputs\n", 0, 0, "", 0},
	{"stage", "for", "1500ms", ALL_SOURCES, JUDGED, "min-score = 0.8\n", 0, 0, 0, 0},
	{"stage", "for", "1500ms", "", "", "input = crop\n", 0, 0, 0, 0},
	{"stage", "input", "outputs", ALL_SOURCES, ALL_POSTS, 0, 0, 0, 0, 0},
	{"stage", "input", "crop", "ap", "ds58kp", 0, 0, 0, 0, 0},
	{"stage", "grow", "0.5", "ap", "ds58kp", "input = crop\n", 0, 0, 0, 0},
	{"stage", "grow", "0.5", "", "", 0, 0, 0, 0, 0},
	{"stage", "max-crops", "1", "ap", "ds58p", "input = crop\n", 0, 0, 0, 0},
	{"stage", "max-crops", "1", "", "", 0, 0, 0, 0, 0},
	{"stage", "budget", "60min", ALL_SOURCES, JUDGED, 0, 0, 0, 0, 0},

	{"model", "name", "other", ALL_SOURCES, ALL_POSTS, 0, 0, 0, 0, 0},
	{"model", "signature", "one", ALL_SOURCES, ALL_POSTS, 0, 0, 0, 0, 0},
	{"model", "session", "yes", ALL_SOURCES, ALL_POSTS, 0, 0, 0, 0, 0},

	{"pre", "crop", "0,0,0.5,1", "ap", ALL_POSTS, 0, 0, 0, 0, 0},
	{"pre", "resize", "crop", "ap", ALL_POSTS, 0, 0, 0, 0, 0},
	{"pre", "pad", "7", "ap", ALL_POSTS, "resize = pad\n", 0, 0, 0, 0},
	{"pre", "pad", "7", "", "", 0, 0, 0, 0, 0},
	{"pre", "layout", "nchw", "ap", ALL_POSTS, 0, 0, 0, 0, 0},
	{"pre", "layout", "nchw", "apt", "58", 0, 0, "pixels = yes\n", 0, 0},
	{"pre", "colour", "bgr", "ap", ALL_POSTS, 0, 0, 0, 0, 0},
	{"pre", "mean", "3", "apsn", ALL_POSTS, 0, 0, 0, 0, 0},
	{"pre", "std", "2", "apsn", ALL_POSTS, 0, 0, 0, 0, 0},
	{"pre", "window", "16", "sn", ALL_POSTS, 0, 0, 0, 0, 0},
	{"pre", "hop", "4", "sn", ALL_POSTS, 0, 0, 0, 0, 0},
	{"pre", "sr", "8000", "as", ALL_POSTS, 0, 0, 0, 0, 0},
	{"pre", "sr", "8000", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "features", "mel", "asn", ALL_POSTS, "", 0, 0, 0, 0},
	{"pre", "style", "tensorflow", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "style", "tensorflow", "asn", ALL_POSTS, SPECTRAL "win_length = 8\n", 0, 0, 0, 10},
	{"pre", "style", "tensorflow", "", "", SPECTRAL, 0, 0, 0, 10},
	{"pre", "n_fft", "32", "asn", ALL_POSTS, "features = mel\nhop_length = 8\nn_mels = 4\n", 0,
		0, 0, 12},
	{"pre", "n_fft", "32", "asn", ALL_POSTS, "features = spectral\n", 0, 0, 0, 21},
	{"pre", "n_fft", "16", "sn", ALL_POSTS, "features = spectral\nspectral = rms\n", 0, 0, 0,
		1},
	{"pre", "hop_length", "4", "asn", ALL_POSTS, "features = mel\nn_fft = 16\nn_mels = 4\n", 0,
		0, 0, 12},
	{"pre", "hop_length", "4", "a", ALL_POSTS, "features = spectral\nn_fft = 16\n", 0, 0, 0,
		13},
	{"pre", "hop_length", "4", "sn", ALL_POSTS,
		"features = spectral\nn_fft = 16\nwindow = 32\n", 0, 0, 0, 13},
	{"pre", "win_length", "8", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "win_length", "8", "asn", ALL_POSTS, SPECTRAL, 0, 0, 0, 10},
	{"pre", "win", "ones", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "win", "ones", "asn", ALL_POSTS, SPECTRAL, 0, 0, 0, 10},
	{"pre", "win", "ones", "", "", "features = spectral\nspectral = rms\n", 0, 0, 0, 1},
	{"pre", "center", "yes", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "center", "yes", "", "", SPECTRAL, 0, 0, 0, 10},
	{"pre", "n_mels", "5", "asn", ALL_POSTS, "features = mel\nn_fft = 16\nhop_length = 8\n", 0,
		0, 0, 15},
	{"pre", "fmin", "500", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "fmax", "4000", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "fmax", "4000", "", "", SPECTRAL, 0, 0, 0, 10},
	{"pre", "htk", "yes", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "htk", "yes", "", "", MEL "style = tensorflow\n", 0, 0, 0, 12},
	{"pre", "norm", "none", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "norm", "none", "", "", MEL "style = tensorflow\n", 0, 0, 0, 12},
	{"pre", "power", "1", "asn", ALL_POSTS, MEL "log = ln\n", 0, 0, 0, 12},
	{"pre", "power", "1", "asn", ALL_POSTS, SPECTRAL, 0, 0, 0, 10},
	{"pre", "log", "ln", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "log_offset", "0.5", "asn", ALL_POSTS, MEL "log = ln\n", 0, 0, 0, 12},
	{"pre", "log_offset", "0.5", "", "", MEL, 0, 0, 0, 12},
	{"pre", "amin", "1", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "amin", "1", "", "", MEL "log = none\n", 0, 0, 0, 12},
	{"pre", "top_db", "1", "asn", ALL_POSTS, MEL, 0, 0, 0, 12},
	{"pre", "top_db", "1", "", "", MEL "log = ln\n", 0, 0, 0, 12},
	{"pre", "n_mfcc", "3", "asn", ALL_POSTS,
		"features = mfcc\nn_fft = 16\nhop_length = 8\nn_mels = 4\n", 0, 0, 0, 9},
	{"pre", "n_mfcc", "3", "", "", MEL, 0, 0, 0, 12},
	{"pre", "spectral", "crest", "asn", ALL_POSTS, "features = spectral\n", 0, 0, 0, 1},

	{"post", "labels", "@labels", ALL_SOURCES, "acds58kpmn", 0, 0, 0, 0, 0},
	{"post", "skip", "b", ALL_SOURCES, "acds58m", 0, 0, 0, 0, 0},
	{"post", "top-k", "1", ALL_SOURCES, "acm", 0, 0, 0, 0, 0},
	{"post", "threshold", "0.5", ALL_SOURCES, "acds58kpmr", 0, 0, 0, 0, 0},
	{"post", "threshold", "0.95", ALL_SOURCES, JUDGED, 0, 0, 0, "", 0},
	{"post", "activation", "sigmoid", ALL_SOURCES, "acs58", 0, 0, 0, 0, 0},
	{"post", "activation", "softmax", ALL_SOURCES, "acs", 0, 0, 0, 0, 0},
	{"post", "nms", "0.05", ALL_SOURCES, "s58", 0, 0, 0, 0, 0},
	{"post", "class-agnostic", "yes", ALL_SOURCES, "s58", "nms = 0.05\n", 0, 0, 0, 0},
	{"post", "max-boxes", "1", ALL_SOURCES, "ds58p", 0, 0, 0, 0, 0},
	{"post", "outputs", "1", ALL_SOURCES, "cds58kpmnre", 0, 0, 0, 0, 0},
	{"post", "anchors", "@anchors", ALL_SOURCES, "s", 0, 0, 0, 0, 0},
	{"post", "anchor-layers", "2", ALL_SOURCES, "s", 0, 0, 0, 0, 0},
	{"post", "anchor-layers", "2", "", "", "anchors = a\n", 0, 0, 0, 0},
	{"post", "anchor-stride", "2", ALL_SOURCES, "s", ONE_LAYER, 0, 0, 0, 0},
	{"post", "anchor-scales", "0.3,0.95", ALL_SOURCES, "s", ONE_LAYER, 0, 0, 0, 0},
	{"post", "anchor-ratios", "1,2", ALL_SOURCES, "s", ONE_LAYER FULL, 0, 0, 0, 0},
	{"post", "anchor-ratios", "1,2", ALL_SOURCES, "s", 0, 0, 0, 0, 0},
	{"post", "anchor-ratios", "1,2", "", "", ONE_LAYER, 0, 0, 0, 0},
	{"post", "anchor-interpolated", "2", ALL_SOURCES, "s", ONE_LAYER FULL TWO, 0, 0, 0, 0},
	{"post", "anchor-interpolated", "0", ALL_SOURCES, "s", 0, 0, 0, 0, 0},
	{"post", "anchor-interpolated", "2", "", "", ONE_LAYER, 0, 0, 0, 0},
	{"post", "anchor-lowest", "full", ALL_SOURCES, "s", 0, 0, 0, 0, 0},
	{"post", "anchor-lowest", "full", "", "", "anchors = a\n", 0, 0, 0, 0},
	{"post", "box-scales", "1,1,1,1", ALL_SOURCES, "s", 0, 0, 0, 0, 0},
	{"post", "pixels", "yes", ALL_SOURCES, "58", 0, 0, 0, 0, 0},
	{"post", "background", "no", ALL_SOURCES, "s", 0, 0, 0, 0, 0},
	{"post", "point-threshold", "0.5", ALL_SOURCES, "kp", 0, 0, 0, 0, 0},
	{"post", "show-mask", "yes", ALL_SOURCES, "m", 0, 0, 0, 0, 0},
	{"post", "labels", "@labels", "", "", 0, 0, "names = a\n", 0, 0},
	{"post", "names", "x,y", ALL_SOURCES, "n", 0, 0, 0, 0, 0},
	{"post", "unit", "V", ALL_SOURCES, "n", 0, 0, 0, 0, 0},
	{"post", "gain", "2", ALL_SOURCES, "n", 0, 0, 0, 0, 0},
	{"post", "offset", "1", ALL_SOURCES, "n", 0, 0, 0, 0, 0},
	{"post", "examples", "@examples", ALL_SOURCES, "e", 0, 0, 0, 0, 0},
	{"post", "distance", "euclidean", ALL_SOURCES, "e", 0, 0, 0, 0, 0},
	{"post", "max-distance", "0.01", ALL_SOURCES, "e", 0, 0, 0, 0, 0},
	{"post", "snapshot", "yes", "ap", ALL_POSTS, 0, 0, 0, 0, 0},

	{"decision", "threshold", "0.95", ALL_SOURCES, JUDGED, "", 0, 0, 0, 0},
	{"decision", "threshold", "0.95", "", "", "change = 1\n", 0, 0, 0, 0},
	{"decision", "low", "0.1", ALL_SOURCES, JUDGED, "", 0, 0, 0, 0},
	{"decision", "labels", "c", ALL_SOURCES, LABELLED, "", 0, 0, 0, 0},
	{"decision", "ignore", "b", ALL_SOURCES, LABELLED, "", 0, 0, 0, 0},
	{"decision", "average", "3", ALL_SOURCES, JUDGED, "", 0, 0, 0, 0},
	{"decision", "average", "3", "", "", "change = 1\n", 0, 0, 0, 0},
	{"decision", "k", "2", ALL_SOURCES, JUDGED, "n = 3\n", 0, 0, 0, 0},
	{"decision", "n", "3", ALL_SOURCES, JUDGED, "", 0, 0, 0, 0},
	{"decision", "min-count", "9", ALL_SOURCES, "ds58p", "", 0, 0, 0, 0},
	{"decision", "zones", "z: 0 0, 0.3 0, 0.3 0.3", ALL_SOURCES, "ds58kp", "", 0, 0, 0, 0},
	{"decision", "hold-off", "9s", ALL_SOURCES, JUDGED, "", 0, 0, 0, 0},
	{"decision", "hold-off", "9s", "", "", "change = 1\n", 0, 0, 0, 0},
	{"decision", "rate-limit", "1", ALL_SOURCES, ALL_POSTS, "publish = all\n", 0, 0, 0, 0},
	{"decision", "rate-period", "1ms", ALL_SOURCES, ALL_POSTS,
		"publish = all\nrate-limit = 1\n", 0, 0, 0, 0},
	{"decision", "rate-period", "1ms", "", "", "publish = all\n", 0, 0, 0, 0},
	{"decision", "publish", "all", ALL_SOURCES, ALL_POSTS, "", 0, 0, 0, 0},
	{"decision", "change", "0.1", ALL_SOURCES, "n", "", 0, 0, 0, 0},
};

#endif
