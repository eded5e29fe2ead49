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

/* Rows of each kind, without the columns that the kind does not have. */
#define TEXT(section, key, at, size, value, needs)                                                 \
	{                                                                                          \
		section, key, PIPELINE_CONFIG_TEXT, at, 0, (size)-1, value, NULL, needs            \
	}
#define COUNT(section, key, at, min, max, value, needs)                                            \
	{                                                                                          \
		section, key, PIPELINE_CONFIG_COUNT, at, min, max, value, NULL, needs              \
	}
#define TIME(section, key, at, min, value, needs)                                                  \
	{                                                                                          \
		section, key, PIPELINE_CONFIG_TIME, at, min, 86400000, value, NULL, needs          \
	}
#define BOOL(section, key, at, value, needs)                                                       \
	{                                                                                          \
		section, key, PIPELINE_CONFIG_BOOL, at, 0, 1, value, NULL, needs                   \
	}
#define CHOICE(section, key, at, value, words, needs)                                              \
	{                                                                                          \
		section, key, PIPELINE_CONFIG_CHOICE, at, 0, 0, value, words, needs                \
	}
#define REAL(section, key, at, min, max, value, needs)                                             \
	{                                                                                          \
		section, key, PIPELINE_CONFIG_REAL, at, min, max, value, NULL, needs               \
	}
#define REALS(section, key, at, most, value, needs)                                                \
	{                                                                                          \
		section, key, PIPELINE_CONFIG_REALS, at, 0, most, value, NULL, needs               \
	}

const struct pipeline_config_key pipeline_config_keys[] = {
	TEXT("pipeline", "description", OF(description), PIPELINE_CONFIG_TEXT_SIZE, "", NULL),
	CHOICE("pipeline", "priority", OF(priority), "normal", "normal batch realtime", NULL),

	CHOICE("source", "kind", OF(source.kind), "auto", "auto picture sound numbers tensor",
		NULL),
	COUNT("source", "rate", OF(source.rate), 1000, 384000, "16000", "kind=auto,sound"),
	COUNT("source", "channels", OF(source.channels), 1, 32, "1", "kind=auto,sound"),
	COUNT("source", "columns", OF(source.columns), 1, 64, "1", "kind=auto,numbers"),
	COUNT("source", "width", OF(source.width), 0, 32768, "0", "kind=auto,picture"),
	COUNT("source", "height", OF(source.height), 0, 32768, "0", "kind=auto,picture"),
	CHOICE("source", "pixel", OF(source.pixel), "rgb", "rgb bgr grey",
		"kind=auto,picture width"),
	COUNT("source", "every", OF(source.every), 1, 1000000, "1", NULL),
	BOOL("source", "latest-only", OF(source.latest_only), "no", NULL),
	TIME("source", "gap", OF(source.gap_ms), 0, "0ms", "kind=sound,numbers"),

	TEXT("stage", "after", AT(after), PIPELINE_CONFIG_NAME_SIZE, "", NULL),
	TEXT("stage", "when", AT(when), PIPELINE_CONFIG_TEXT_SIZE, "",
		"input=whole,crop before.kind=" LABELLED),
	REAL("stage", "min-score", AT(min_score), -BIG, BIG, "", "input=whole,crop"),
	CHOICE("stage", "on", AT(on), "result", "result event", "input=whole,crop"),
	TIME("stage", "for", AT(for_ms), 0, "0ms", "input=whole"),
	CHOICE("stage", "input", AT(input), "whole", "whole crop outputs", NULL),
	REAL("stage", "grow", AT(grow), 0, 4, "0", "input=crop"),
	COUNT("stage", "max-crops", AT(max_crops), 1, 32, "4", "input=crop before.kind=" SEVERAL),
	TIME("stage", "budget", AT(budget_ms), 0, "0ms", NULL),

	TEXT("model", "name", AT(model), PIPELINE_CONFIG_PATH_SIZE, "", NULL),
	TEXT("model", "signature", AT(signature), PIPELINE_CONFIG_NAME_SIZE, "", NULL),
	BOOL("model", "session", AT(session), "no", NULL),

	REALS("pre", "crop", AT(pre.crop), 4, "", ON_PICTURES),
	CHOICE("pre", "resize", AT(pre.resize), "stretch", "stretch crop pad", ON_PICTURES),
	COUNT("pre", "pad", AT(pre.pad), 0, 255, "0", ON_PICTURES " resize=pad"),
	CHOICE("pre", "layout", AT(pre.layout), "auto", "auto nhwc nchw",
		ON_PICTURES " | takes=tensor post.kind=poses"
			    " | takes=tensor post.kind=yolov5,yolov8 post.pixels=yes"),
	CHOICE("pre", "colour", AT(pre.colour), "rgb", "rgb bgr", ON_PICTURES),
	REALS("pre", "mean", AT(pre.mean), 4, "", "takes=auto,picture,sound,numbers"),
	REALS("pre", "std", AT(pre.std), 4, "", "takes=auto,picture,sound,numbers"),
	COUNT("pre", "window", AT(pre.window), 0, 1 << 22, "0", "windows"),
	COUNT("pre", "hop", AT(pre.hop), 0, 1 << 22, "0", "windows"),
	COUNT("pre", "sr", AT(pre.sr), 1000, 384000, "16000", "takes=auto,sound | " ON_MEL),
	CHOICE("pre", "features", AT(pre.features), "none", "none mel mfcc spectral",
		"takes=auto,sound,numbers"),
	CHOICE("pre", "style", AT(pre.style), "librosa", "librosa tensorflow",
		ON_MEL " | " ON_BINS " win_length"),
	COUNT("pre", "n_fft", AT(pre.n_fft), 16, 16384, "512",
		ON_MEL " | " ON_BINS " | features=spectral windows !window"),
	COUNT("pre", "hop_length", AT(pre.hop_length), 1, 1 << 20, "160",
		ON_MEL " | " ON_BINS " window | " ON_BINS " !windows"),
	COUNT("pre", "win_length", AT(pre.win_length), 0, 16384, "0", ON_MEL " | " ON_BINS),
	CHOICE("pre", "win", AT(pre.win), "hann", "hann hamming ones", ON_MEL " | " ON_BINS),
	BOOL("pre", "center", AT(pre.center), "no", ON_MEL " style=librosa"),
	COUNT("pre", "n_mels", AT(pre.n_mels), 1, 512, "40", ON_MEL),
	REAL("pre", "fmin", AT(pre.fmin), 0, 192000, "0", ON_MEL),
	REAL("pre", "fmax", AT(pre.fmax), 0, 192000, "", ON_MEL),
	BOOL("pre", "htk", AT(pre.htk), "no", ON_MEL " style=librosa"),
	CHOICE("pre", "norm", AT(pre.norm), "slaney", "slaney none", ON_MEL " style=librosa"),
	REAL("pre", "power", AT(pre.power), 0.5, 4, "2", ON_MEL " | " ON_BINS),
	CHOICE("pre", "log", AT(pre.log), "db", "none ln log10 db", ON_MEL),
	REAL("pre", "log_offset", AT(pre.log_offset), 0, 1, "1e-6", ON_MEL " log=ln,log10"),
	REAL("pre", "amin", AT(pre.amin), 1e-30, 1, "1e-10", ON_MEL " log=db"),
	REAL("pre", "top_db", AT(pre.top_db), 0, 1000, "", ON_MEL " log=db"),
	COUNT("pre", "n_mfcc", AT(pre.n_mfcc), 1, 512, "13", "features=mfcc"),
	TEXT("pre", "spectral", AT(pre.spectral), PIPELINE_CONFIG_TEXT_SIZE,
		"rms, skewness, kurtosis, crest, bins", "features=spectral"),

	CHOICE("post", "kind", AT(post.kind), "auto",
		"auto classes detections ssd yolov5 yolov8 keypoints poses mask numbers "
		"reconstruction embedding tensors",
		NULL),
	TEXT("post", "labels", AT(post.labels), PIPELINE_CONFIG_PATH_SIZE, "",
		"kind=" NAMED " !names"),
	TEXT("post", "skip", AT(post.skip), PIPELINE_CONFIG_TEXT_SIZE, "", "kind=" SKIPPED),
	COUNT("post", "top-k", AT(post.top_k), 1, 1000, "5", "kind=auto,classes,mask"),
	REAL("post", "threshold", AT(post.threshold), -BIG, BIG, "",
		"!kind=numbers,embedding,tensors | kind=numbers,embedding decision "
		"!decision.threshold !decision.change"),
	CHOICE("post", "activation", AT(post.activation), "linear", "linear softmax sigmoid",
		"kind=auto,classes,ssd,yolov5,yolov8"),
	REAL("post", "nms", AT(post.nms), 0, 1, "0.45", "kind=" DECODED),
	BOOL("post", "class-agnostic", AT(post.class_agnostic), "no", "kind=" DECODED),
	COUNT("post", "max-boxes", AT(post.max_boxes), 1, 1000, "100",
		"kind=detections,ssd,yolov5,yolov8,poses"),
	REALS("post", "outputs", AT(post.outputs), 4, "", "!kind=auto,tensors"),
	TEXT("post", "anchors", AT(post.anchors), PIPELINE_CONFIG_PATH_SIZE, "", "kind=ssd"),
	COUNT("post", "anchor-layers", AT(post.anchor_layers), 1, 16, "6", ON_SCALES),
	COUNT("post", "anchor-stride", AT(post.anchor_stride), 1, 1024, "16", ON_SCALES),
	REALS("post", "anchor-scales", AT(post.anchor_scales), 2, "0.2,0.95", ON_SCALES),
	REALS("post", "anchor-ratios", AT(post.anchor_ratios), PIPELINE_CONFIG_MAX_REALS,
		"1,2,0.5,3,0.3333", ON_RATIOS),
	REAL("post", "anchor-interpolated", AT(post.anchor_interpolated), 0, 100, "1", ON_RATIOS),
	CHOICE("post", "anchor-lowest", AT(post.anchor_lowest), "reduced", "reduced full",
		ON_SCALES),
	REALS("post", "box-scales", AT(post.box_scales), 4, "10,10,5,5", "kind=ssd"),
	BOOL("post", "pixels", AT(post.pixels), "no", "kind=yolov5,yolov8"),
	BOOL("post", "background", AT(post.background), "yes", "kind=ssd"),
	REAL("post", "point-threshold", AT(post.point_threshold), 0, 1, "0",
		"kind=keypoints,poses"),
	BOOL("post", "show-mask", AT(post.show_mask), "no", "kind=mask"),
	TEXT("post", "names", AT(post.names), PIPELINE_CONFIG_TEXT_SIZE, "", "kind=numbers"),
	TEXT("post", "unit", AT(post.unit), PIPELINE_CONFIG_NAME_SIZE, "", "kind=numbers"),
	REAL("post", "gain", AT(post.gain), -BIG, BIG, "1", "kind=numbers"),
	REAL("post", "offset", AT(post.offset), -BIG, BIG, "0", "kind=numbers"),
	TEXT("post", "examples", AT(post.examples), PIPELINE_CONFIG_PATH_SIZE, "",
		"kind=embedding"),
	CHOICE("post", "distance", AT(post.distance), "cosine", "cosine euclidean",
		"kind=embedding"),
	REAL("post", "max-distance", AT(post.max_distance), 0, BIG, "", "kind=embedding"),
	CHOICE("post", "snapshot", AT(post.snapshot), "no", "no yes jpeg", ON_PICTURES),

	REAL("decision", "threshold", AT(decision.threshold), -BIG, BIG, "",
		"!post.kind=tensors !change"),
	REAL("decision", "low", AT(decision.low), -BIG, BIG, "", "!post.kind=tensors !change"),
	TEXT("decision", "labels", AT(decision.labels), PIPELINE_CONFIG_TEXT_SIZE, "",
		"post.kind=" LABELLED " !change"),
	TEXT("decision", "ignore", AT(decision.ignore), PIPELINE_CONFIG_TEXT_SIZE, "",
		"post.kind=" LABELLED " !change"),
	COUNT("decision", "average", AT(decision.average), 1, 64, "1",
		"!post.kind=tensors !change"),
	COUNT("decision", "k", AT(decision.k), 1, 64, "1", "!post.kind=tensors !change"),
	COUNT("decision", "n", AT(decision.n), 1, 64, "1", "!post.kind=tensors !change"),
	COUNT("decision", "min-count", AT(decision.min_count), 1, 1000, "1", "post.kind=" SEVERAL),
	{"decision", "zones", PIPELINE_CONFIG_ZONES, AT(decision.zones), 0, 0, "", NULL,
		"post.kind=" BOXES},
	TIME("decision", "hold-off", AT(decision.hold_off_ms), 0, "0ms",
		"!post.kind=tensors !change"),
	COUNT("decision", "rate-limit", AT(decision.rate_limit), 0, 1000000, "0", NULL),
	TIME("decision", "rate-period", AT(decision.rate_period_ms), 1, "1min", "rate-limit"),
	CHOICE("decision", "publish", AT(decision.publish), "changes", "all changes begin", NULL),
	REAL("decision", "change", AT(decision.change), 0, BIG, "", "post.kind=numbers"),
};

const size_t pipeline_config_n_keys =
	sizeof(pipeline_config_keys) / sizeof(pipeline_config_keys[0]);

const struct pipeline_config_key *pipeline_config_key_find(const char *section, const char *key)
{
	for (size_t i = 0; i < pipeline_config_n_keys; i++) {
		const struct pipeline_config_key *row = &pipeline_config_keys[i];
		if (strcmp(row->section, section) == 0 && strcmp(row->key, key) == 0) {
			return row;
		}
	}
	return NULL;
}

bool pipeline_config_key_is_common(const struct pipeline_config_key *key)
{
	return strcmp(key->section, "pipeline") == 0 || strcmp(key->section, "source") == 0;
}
