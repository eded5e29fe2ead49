/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/config/pipeline_config.h"

#include <string.h>

#define OF(member) offsetof(struct pipeline_config, member)
#define AT(member) offsetof(struct pipeline_config_stage, member)
#define BIG 1e12

/* Conditions (`needs` of struct pipeline_config_key) that several keys share. */
#define DECODED "ssd,yolov5,yolov8"
#define SKIPPED "auto,classes,detections," DECODED ",mask"
#define NAMED SKIPPED ",keypoints,poses,numbers"
#define LABELLED SKIPPED ",numbers,embedding"
#define SEVERAL "detections," DECODED ",poses"
#define BOXES SEVERAL ",keypoints"
#define ON_PICTURES "takes=auto,picture"
#define ON_MEL "features=mel,mfcc"
#define ON_BINS "features=spectral spectral=bins"
#define ON_SCALES "kind=ssd !anchors"
#define ON_RATIOS ON_SCALES " !anchor-layers=1 | " ON_SCALES " anchor-lowest=full"

static const struct pipeline_config_key keys[] = {
	{"pipeline", "description", PIPELINE_CONFIG_TEXT, OF(description), 0,
		PIPELINE_CONFIG_TEXT_SIZE - 1, "", NULL, "What the pipeline does, for people.",
		NULL},
	{"pipeline", "priority", PIPELINE_CONFIG_CHOICE, OF(priority), 0, 0, "normal",
		"normal batch realtime",
		"Class of its questions to the daemon, as far as it lets its user have it.", NULL},

	{"source", "kind", PIPELINE_CONFIG_CHOICE, OF(source.kind), 0, 0, "auto",
		"auto picture sound numbers tensor",
		"What comes in. auto: each input by what it is; sound and numbers then are windows of "
		"their own. sound and numbers: a stream per source.",
		NULL},
	{"source", "rate", PIPELINE_CONFIG_COUNT, OF(source.rate), 1000, 384000, "16000", NULL,
		"Samples a second of PCM that has no header.", "kind=auto,sound"},
	{"source", "channels", PIPELINE_CONFIG_COUNT, OF(source.channels), 1, 32, "1", NULL,
		"Channels of PCM that has no header; they are mixed to one.", "kind=auto,sound"},
	{"source", "columns", PIPELINE_CONFIG_COUNT, OF(source.columns), 1, 64, "1", NULL,
		"Numbers of one row.", "kind=auto,numbers"},
	{"source", "width", PIPELINE_CONFIG_COUNT, OF(source.width), 0, 32768, "0", NULL,
		"Pixels of a row of raw frames; 0: there are none.", "kind=auto,picture"},
	{"source", "height", PIPELINE_CONFIG_COUNT, OF(source.height), 0, 32768, "0", NULL,
		"Rows of raw frames.", "kind=auto,picture"},
	{"source", "pixel", PIPELINE_CONFIG_CHOICE, OF(source.pixel), 0, 0, "rgb", "rgb bgr grey",
		"Bytes of a raw frame's pixel.", "kind=auto,picture width"},
	{"source", "every", PIPELINE_CONFIG_COUNT, OF(source.every), 1, 1000000, "1", NULL,
		"Only each n-th input of a source is looked at, or each n-th window.", NULL},
	{"source", "latest-only", PIPELINE_CONFIG_BOOL, OF(source.latest_only), 0, 1, "no", NULL,
		"A new input takes the place of one of the same source that still waits.", NULL},

	{"source", "gap", PIPELINE_CONFIG_TIME, OF(source.gap_ms), 0, 86400000, "0ms", NULL,
		"Longer than that between two pieces of a stream, beside what its samples last: the "
		"window begins anew; 0: it goes on with the next sample or row.",
		"kind=sound,numbers"},

	{"stage", "after", PIPELINE_CONFIG_TEXT, AT(after), 0, PIPELINE_CONFIG_NAME_SIZE - 1, "",
		NULL, "The stage whose results this one looks at; empty: the one before.", NULL},
	{"stage", "when", PIPELINE_CONFIG_TEXT, AT(when), 0, PIPELINE_CONFIG_TEXT_SIZE - 1, "",
		NULL, "Labels, separated by commas, of which there must be one; empty: any.",
		"input=whole,crop before.kind=" LABELLED},
	{"stage", "min-score", PIPELINE_CONFIG_REAL, AT(min_score), -BIG, BIG, "", NULL,
		"The score that it must have.", "input=whole,crop"},
	{"stage", "on", PIPELINE_CONFIG_CHOICE, AT(on), 0, 0, "result", "result event",
		"Look at every result, or only where the decision tells of a beginning.",
		"input=whole,crop"},
	{"stage", "for", PIPELINE_CONFIG_TIME, AT(for_ms), 0, 86400000, "0ms", NULL,
		"Once that held, the stage also looks at all that comes within that time: a command "
		"that follows the word that woke it. 0: it looks each time anew.",
		"input=whole"},
	{"stage", "input", PIPELINE_CONFIG_CHOICE, AT(input), 0, 0, "whole", "whole crop outputs",
		"What the stage sees: all that the stage before saw; each box that was found; or the "
		"first outputs of the stage before, one after the other as rows, of which its window "
		"and hop count.",
		NULL},
	{"stage", "grow", PIPELINE_CONFIG_REAL, AT(grow), 0, 4, "0", NULL,
		"A box is made larger by that share of itself on each side.", "input=crop"},
	{"stage", "max-crops", PIPELINE_CONFIG_COUNT, AT(max_crops), 1, 32, "4", NULL,
		"At most so many boxes of one picture, best first; the others are told as skipped.",
		"input=crop before.kind=" SEVERAL},
	{"stage", "budget", PIPELINE_CONFIG_TIME, AT(budget_ms), 0, 86400000, "0ms", NULL,
		"Skipped when that long has gone by since the input came in; 0: never.", NULL},

	{"model", "name", PIPELINE_CONFIG_TEXT, AT(model), 0, PIPELINE_CONFIG_PATH_SIZE - 1, "",
		NULL, "The model as the daemon calls it. edgectl also takes a file.tflite.", NULL},
	{"model", "signature", PIPELINE_CONFIG_TEXT, AT(signature), 0,
		PIPELINE_CONFIG_NAME_SIZE - 1, "", NULL, "Its signature; empty: the default.",
		NULL},

	{"model", "session", PIPELINE_CONFIG_BOOL, AT(session), 0, 1, "no", NULL,
		"The model keeps its state from one input of a source to the next.", NULL},

	{"pre", "crop", PIPELINE_CONFIG_REALS, AT(pre.crop), 0, 4, "", NULL,
		"Only that part of a picture: left, top, width, height, as shares of it.",
		ON_PICTURES},
	{"pre", "resize", PIPELINE_CONFIG_CHOICE, AT(pre.resize), 0, 0, "stretch",
		"stretch crop pad",
		"Pictures to the model's size: both sides alone; the largest centred part of its "
		"proportions; or the whole with a border (letterbox).",
		ON_PICTURES},
	{"pre", "pad", PIPELINE_CONFIG_COUNT, AT(pre.pad), 0, 255, "0", NULL,
		"Grey of that border.", ON_PICTURES " resize=pad"},
	{"pre", "layout", PIPELINE_CONFIG_CHOICE, AT(pre.layout), 0, 0, "auto", "auto nhwc nchw",
		"Where the tensor has its channels.",
		ON_PICTURES " | takes=tensor post.kind=poses"
			    " | takes=tensor post.kind=yolov5,yolov8 post.pixels=yes"},
	{"pre", "colour", PIPELINE_CONFIG_CHOICE, AT(pre.colour), 0, 0, "rgb", "rgb bgr",
		"Order of the tensor's channels. A tensor of one channel gets grey.", ON_PICTURES},
	{"pre", "mean", PIPELINE_CONFIG_REALS, AT(pre.mean), 0, 4, "", NULL,
		"Subtracted from pixels, samples or numbers: one, or one per channel.",
		"takes=auto,picture,sound,numbers"},
	{"pre", "std", PIPELINE_CONFIG_REALS, AT(pre.std), 0, 4, "", NULL,
		"Then they are divided by it.", "takes=auto,picture,sound,numbers"},
	{"pre", "window", PIPELINE_CONFIG_COUNT, AT(pre.window), 0, 1 << 22, "0", NULL,
		"Samples or rows that make one question; 0: what the model takes.", "windows"},
	{"pre", "hop", PIPELINE_CONFIG_COUNT, AT(pre.hop), 0, 1 << 22, "0", NULL,
		"Samples or rows from one window to the next; 0: the window.", "windows"},
	{"pre", "sr", PIPELINE_CONFIG_COUNT, AT(pre.sr), 1000, 384000, "16000", NULL,
		"Samples a second that the model was made for: sounds are brought to it.",
		"takes=auto,sound | " ON_MEL},
	{"pre", "features", PIPELINE_CONFIG_CHOICE, AT(pre.features), 0, 0, "none",
		"none mel mfcc spectral", "What the model gets in place of samples or rows.",
		"takes=auto,sound,numbers"},
	{"pre", "style", PIPELINE_CONFIG_CHOICE, AT(pre.style), 0, 0, "librosa",
		"librosa tensorflow",
		"Whose definition of frames, mel filters and cepstra: librosa's or tf.signal's.",
		ON_MEL " | " ON_BINS " win_length"},
	{"pre", "n_fft", PIPELINE_CONFIG_COUNT, AT(pre.n_fft), 16, 16384, "512", NULL,
		"Length of the Fourier transform, a power of two.",
		ON_MEL " | " ON_BINS " | features=spectral windows !window"},
	{"pre", "hop_length", PIPELINE_CONFIG_COUNT, AT(pre.hop_length), 1, 1 << 20, "160", NULL,
		"Samples from one frame to the next.",
		ON_MEL " | " ON_BINS " window | " ON_BINS " !windows"},
	{"pre", "win_length", PIPELINE_CONFIG_COUNT, AT(pre.win_length), 0, 16384, "0", NULL,
		"Samples that the window function covers; 0: n_fft.", ON_MEL " | " ON_BINS},
	{"pre", "win", PIPELINE_CONFIG_CHOICE, AT(pre.win), 0, 0, "hann", "hann hamming ones",
		"The window function, periodic.", ON_MEL " | " ON_BINS},
	{"pre", "center", PIPELINE_CONFIG_BOOL, AT(pre.center), 0, 1, "no", NULL,
		"Frames are centred on their time, with zeros around the sound.",
		ON_MEL " style=librosa"},
	{"pre", "n_mels", PIPELINE_CONFIG_COUNT, AT(pre.n_mels), 1, 512, "40", NULL, "Mel bands.",
		ON_MEL},
	{"pre", "fmin", PIPELINE_CONFIG_REAL, AT(pre.fmin), 0, 192000, "0", NULL,
		"Lowest frequency, Hz.", ON_MEL},
	{"pre", "fmax", PIPELINE_CONFIG_REAL, AT(pre.fmax), 0, 192000, "", NULL,
		"Highest frequency, Hz; empty: half of sr.", ON_MEL},
	{"pre", "htk", PIPELINE_CONFIG_BOOL, AT(pre.htk), 0, 1, "no", NULL,
		"HTK's mel scale in place of Slaney's; tensorflow always has HTK's.",
		ON_MEL " style=librosa"},
	{"pre", "norm", PIPELINE_CONFIG_CHOICE, AT(pre.norm), 0, 0, "slaney", "slaney none",
		"Filters of equal area, or of height 1, which tensorflow always has.",
		ON_MEL " style=librosa"},
	{"pre", "power", PIPELINE_CONFIG_REAL, AT(pre.power), 0.5, 4, "2", NULL,
		"Exponent of the magnitude: 1 magnitude, 2 power.", ON_MEL " | " ON_BINS},
	{"pre", "log", PIPELINE_CONFIG_CHOICE, AT(pre.log), 0, 0, "db", "none ln log10 db",
		"ln and log10 of x + log_offset; db: 10 log10 of the power, not below amin.",
		ON_MEL},
	{"pre", "log_offset", PIPELINE_CONFIG_REAL, AT(pre.log_offset), 0, 1, "1e-6", NULL,
		"Added before ln and log10.", ON_MEL " log=ln,log10"},
	{"pre", "amin", PIPELINE_CONFIG_REAL, AT(pre.amin), 1e-30, 1, "1e-10", NULL,
		"The lowest power of db.", ON_MEL " log=db"},
	{"pre", "top_db", PIPELINE_CONFIG_REAL, AT(pre.top_db), 0, 1000, "", NULL,
		"No band of a window is more than that below its highest; empty: as it is (librosa's "
		"own default is 80).",
		ON_MEL " log=db"},
	{"pre", "n_mfcc", PIPELINE_CONFIG_COUNT, AT(pre.n_mfcc), 1, 512, "13", NULL,
		"Cepstral coefficients of mfcc.", "features=mfcc"},
	{"pre", "spectral", PIPELINE_CONFIG_TEXT, AT(pre.spectral), 0,
		PIPELINE_CONFIG_TEXT_SIZE - 1, "rms, skewness, kurtosis, crest, bins", NULL,
		"What spectral gives of each column, in this order.", "features=spectral"},

	{"post", "kind", PIPELINE_CONFIG_CHOICE, AT(post.kind), 0, 0, "auto",
		"auto classes detections ssd yolov5 yolov8 keypoints poses mask numbers "
		"reconstruction embedding tensors",
		"What the outputs mean.", NULL},
	{"post", "labels", PIPELINE_CONFIG_TEXT, AT(post.labels), 0, PIPELINE_CONFIG_PATH_SIZE - 1,
		"", NULL, "File of the classes' names; empty: the model's own.",
		"kind=" NAMED " !names"},
	{"post", "skip", PIPELINE_CONFIG_TEXT, AT(post.skip), 0, PIPELINE_CONFIG_TEXT_SIZE - 1, "",
		NULL, "Labels, separated by commas, that are never found.", "kind=" SKIPPED},
	{"post", "top-k", PIPELINE_CONFIG_COUNT, AT(post.top_k), 1, 1000, "5", NULL,
		"At most so many classes.", "kind=auto,classes,mask"},
	{"post", "threshold", PIPELINE_CONFIG_REAL, AT(post.threshold), -BIG, BIG, "", NULL,
		"Least score of what is found; of a reconstruction the error that is an anomaly. "
		"Empty: the model's own, else none.",
		"!kind=numbers,embedding,tensors | kind=numbers,embedding decision "
		"!decision.threshold !decision.change"},
	{"post", "activation", PIPELINE_CONFIG_CHOICE, AT(post.activation), 0, 0, "linear",
		"linear softmax sigmoid", "What makes scores of the outputs; yolo has no softmax.",
		"kind=auto,classes,ssd,yolov5,yolov8"},
	{"post", "nms", PIPELINE_CONFIG_REAL, AT(post.nms), 0, 1, "0.45", NULL,
		"Boxes that overlap a better one by more than this (intersection over union) are "
		"dropped.",
		"kind=" DECODED},
	{"post", "class-agnostic", PIPELINE_CONFIG_BOOL, AT(post.class_agnostic), 0, 1, "no", NULL,
		"Also when that one is of another class.", "kind=" DECODED},
	{"post", "max-boxes", PIPELINE_CONFIG_COUNT, AT(post.max_boxes), 1, 1000, "100", NULL,
		"At most so many boxes, best first.", "kind=detections,ssd,yolov5,yolov8,poses"},
	{"post", "outputs", PIPELINE_CONFIG_REALS, AT(post.outputs), 0, 4, "", NULL,
		"Which output is which: detections 0,1,2,3 are boxes, classes, scores, count; ssd 0,1 "
		"are boxes, scores; others take one.",
		"!kind=auto,tensors"},
	{"post", "anchors", PIPELINE_CONFIG_TEXT, AT(post.anchors), 0,
		PIPELINE_CONFIG_PATH_SIZE - 1, "", NULL,
		"File of a row y, x, height, width (shares) for each anchor; empty: made from the keys "
		"that follow, whose defaults are those of SSD MobileNet.",
		"kind=ssd"},
	{"post", "anchor-layers", PIPELINE_CONFIG_COUNT, AT(post.anchor_layers), 1, 16, "6", NULL,
		"Feature maps that boxes are found in.", ON_SCALES},
	{"post", "anchor-stride", PIPELINE_CONFIG_COUNT, AT(post.anchor_stride), 1, 1024, "16",
		NULL,
		"Pixels of the input for a cell of the first one; twice as many for each further.",
		ON_SCALES},
	{"post", "anchor-scales", PIPELINE_CONFIG_REALS, AT(post.anchor_scales), 0, 2, "0.2,0.95",
		NULL,
		"Size of a square in the first and in the last one, shares of the input's shorter "
		"side.",
		ON_SCALES},
	{"post", "anchor-ratios", PIPELINE_CONFIG_REALS, AT(post.anchor_ratios), 0,
		PIPELINE_CONFIG_MAX_REALS, "1,2,0.5,3,0.3333", NULL,
		"Width over height of the boxes of a cell.", ON_RATIOS},
	{"post", "anchor-interpolated", PIPELINE_CONFIG_REAL, AT(post.anchor_interpolated), 0, 100,
		"1", NULL,
		"The same of a further box, as large as between this layer and the next; 0: there "
		"is none.",
		ON_RATIOS},
	{"post", "anchor-lowest", PIPELINE_CONFIG_CHOICE, AT(post.anchor_lowest), 0, 0, "reduced",
		"reduced full",
		"Boxes of the first layer: three (a square of 0.1, and its scale at 2 and at 0.5), or "
		"those of the others.",
		ON_SCALES},
	{"post", "box-scales", PIPELINE_CONFIG_REALS, AT(post.box_scales), 0, 4, "10,10,5,5", NULL,
		"What y, x, height and width were multiplied by.", "kind=ssd"},
	{"post", "pixels", PIPELINE_CONFIG_BOOL, AT(post.pixels), 0, 1, "no", NULL,
		"Coordinates are the tensor's pixels, not shares of it.", "kind=yolov5,yolov8"},
	{"post", "background", PIPELINE_CONFIG_BOOL, AT(post.background), 0, 1, "yes", NULL,
		"Class 0 of the scores is background, and label 0 is class 1.", "kind=ssd"},
	{"post", "point-threshold", PIPELINE_CONFIG_REAL, AT(post.point_threshold), 0, 1, "0", NULL,
		"Key points of a lower score are not shown.", "kind=keypoints,poses"},
	{"post", "show-mask", PIPELINE_CONFIG_BOOL, AT(post.show_mask), 0, 1, "no", NULL,
		"Also the mask as a PNG of class numbers.", "kind=mask"},
	{"post", "names", PIPELINE_CONFIG_TEXT, AT(post.names), 0, PIPELINE_CONFIG_TEXT_SIZE - 1,
		"", NULL,
		"Their names, separated by commas: none twice, none that results have anyway.",
		"kind=numbers"},
	{"post", "unit", PIPELINE_CONFIG_TEXT, AT(post.unit), 0, PIPELINE_CONFIG_NAME_SIZE - 1, "",
		NULL, "Their unit, for example \u00b0C.", "kind=numbers"},
	{"post", "gain", PIPELINE_CONFIG_REAL, AT(post.gain), -BIG, BIG, "1", NULL,
		"x * gain + offset is told.", "kind=numbers"},
	{"post", "offset", PIPELINE_CONFIG_REAL, AT(post.offset), -BIG, BIG, "0", NULL, "See gain.",
		"kind=numbers"},
	{"post", "examples", PIPELINE_CONFIG_TEXT, AT(post.examples), 0,
		PIPELINE_CONFIG_PATH_SIZE - 1, "", NULL,
		"A file of examples; empty: those that edgectl teach has taught the model.",
		"kind=embedding"},
	{"post", "distance", PIPELINE_CONFIG_CHOICE, AT(post.distance), 0, 0, "cosine",
		"cosine euclidean", "What near means.", "kind=embedding"},
	{"post", "max-distance", PIPELINE_CONFIG_REAL, AT(post.max_distance), 0, BIG, "", NULL,
		"Nothing farther away is found; empty: the nearest always is.", "kind=embedding"},
	{"post", "snapshot", PIPELINE_CONFIG_CHOICE, AT(post.snapshot), 0, 0, "no", "no yes jpeg",
		"With each result the picture with what was found drawn in: yes: PNG.",
		ON_PICTURES},

	{"decision", "threshold", PIPELINE_CONFIG_REAL, AT(decision.threshold), -BIG, BIG, "", NULL,
		"Score from which on something counts as there; empty: the threshold of [post], else "
		"0.5.",
		"!post.kind=tensors !change"},
	{"decision", "low", PIPELINE_CONFIG_REAL, AT(decision.low), -BIG, BIG, "", NULL,
		"Score below which it is gone again (hysteresis); empty, or above it: the threshold.",
		"!post.kind=tensors !change"},
	{"decision", "labels", PIPELINE_CONFIG_TEXT, AT(decision.labels), 0,
		PIPELINE_CONFIG_TEXT_SIZE - 1, "", NULL,
		"Labels, separated by commas, that are looked at; empty: all.",
		"post.kind=" LABELLED " !change"},
	{"decision", "ignore", PIPELINE_CONFIG_TEXT, AT(decision.ignore), 0,
		PIPELINE_CONFIG_TEXT_SIZE - 1, "", NULL, "Labels that are not.",
		"post.kind=" LABELLED " !change"},
	{"decision", "average", PIPELINE_CONFIG_COUNT, AT(decision.average), 1, 64, "1", NULL,
		"The score is the mean of so many results.", "!post.kind=tensors !change"},
	{"decision", "k", PIPELINE_CONFIG_COUNT, AT(decision.k), 1, 64, "1", NULL,
		"It must be above the threshold in k of the last n results.",
		"!post.kind=tensors !change"},
	{"decision", "n", PIPELINE_CONFIG_COUNT, AT(decision.n), 1, 64, "1", NULL, "See k.",
		"!post.kind=tensors !change"},
	{"decision", "min-count", PIPELINE_CONFIG_COUNT, AT(decision.min_count), 1, 1000, "1", NULL,
		"So many of a label at once.", "post.kind=" SEVERAL},
	{"decision", "zones", PIPELINE_CONFIG_ZONES, AT(decision.zones), 0, 0, "", NULL,
		"name: x y, x y, x y; ... Only boxes whose middle of the lower edge is in one of these "
		"polygons count (shares of the picture).",
		"post.kind=" BOXES},
	{"decision", "hold-off", PIPELINE_CONFIG_TIME, AT(decision.hold_off_ms), 0, 86400000, "0ms",
		NULL, "After a beginning no other one of the same source for that long.",
		"!post.kind=tensors !change"},
	{"decision", "rate-limit", PIPELINE_CONFIG_COUNT, AT(decision.rate_limit), 0, 1000000, "0",
		NULL,
		"At most so many beginnings of a source in rate-period (all: results); 0: any number. "
		"What was told to begin is told to end.",
		NULL},
	{"decision", "rate-period", PIPELINE_CONFIG_TIME, AT(decision.rate_period_ms), 1, 86400000,
		"1min", NULL, "See rate-limit.", "rate-limit"},
	{"decision", "publish", PIPELINE_CONFIG_CHOICE, AT(decision.publish), 0, 0, "changes",
		"all changes begin",
		"Which results are told: all; beginnings and ends; beginnings only.", NULL},
	{"decision", "change", PIPELINE_CONFIG_REAL, AT(decision.change), 0, BIG, "", NULL,
		"Told when one differs by that much from what was told last; empty: threshold "
		"and low decide, on each number by itself.",
		"post.kind=numbers"},
};

const struct pipeline_config_key *pipeline_config_keys(size_t *ret_n)
{
	*ret_n = sizeof(keys) / sizeof(keys[0]);
	return keys;
}

const struct pipeline_config_key *pipeline_config_key_find(const char *section, const char *key)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].key, key) == 0) {
			return &keys[i];
		}
	}
	return NULL;
}

bool pipeline_config_key_is_common(const struct pipeline_config_key *key)
{
	return strcmp(key->section, "pipeline") == 0 || strcmp(key->section, "source") == 0;
}
