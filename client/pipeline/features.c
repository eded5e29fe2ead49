/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/features.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/pipeline/mel.h"
#include "kernels/signal/fft.h"

enum statistic {
	RMS,
	SKEWNESS,
	KURTOSIS,
	CREST,
	BINS,
	N_STATISTICS
};

static const char *const statistics[N_STATISTICS] = {
	"rms", "skewness", "kurtosis", "crest", "bins"};

struct features {
	const struct pipeline_config_pre *pre;
	struct ek_complex_f64 *fft_table; /* owned, for n_fft points */
	struct mel mel;
	double *window; /* owned, one value for each sample of a frame */
	size_t frame; /* samples in a frame */
	size_t bins; /* n_fft / 2 + 1 */
	double *dct; /* owned, n_mfcc x n_mels; mfcc only */
	enum statistic order[N_STATISTICS];
	size_t n_statistics;
};

void features_free(struct features *f)
{
	if (f) {
		free(f->fft_table);
		mel_deinit(&f->mel);
		free(f->window);
		free(f->dct);
		free(f);
	}
}

static double window_at(uint64_t kind, size_t i, size_t n)
{
	double c = cos(2 * M_PI * (double)i / (double)n);
	return kind == FEATURES_HANN       ? 0.5 - 0.5 * c
		: kind == FEATURES_HAMMING ? 0.54 - 0.46 * c
					   : 1;
}

/* librosa's frames have n_fft samples with the window function in the middle. */
static int window_init(struct features *f, struct error *err)
{
	const struct pipeline_config_pre *pre = f->pre;
	size_t n_fft = (size_t)pre->n_fft;
	size_t length = pre->win_length ? (size_t)pre->win_length : n_fft;
	f->frame = pre->style == FEATURES_TENSORFLOW ? length : n_fft;
	f->window = calloc(f->frame, sizeof(f->window[0]));
	if (!f->window) {
		return error_no_memory(err);
	}
	size_t left = (f->frame - length) / 2;
	for (size_t i = 0; i < length; i++) {
		f->window[left + i] = window_at(pre->win, i, length);
	}
	return 0;
}

/* DCT-II: 2 sum x cos(pi k (2 i + 1) / 2 n), times the style's factor. */
static int dct_init(struct features *f, struct error *err)
{
	size_t n = (size_t)f->pre->n_mels, rows = (size_t)f->pre->n_mfcc;
	bool tensorflow = f->pre->style == FEATURES_TENSORFLOW;
	f->dct = calloc(rows * n, sizeof(f->dct[0]));
	if (!f->dct) {
		return error_no_memory(err);
	}
	for (size_t k = 0; k < rows; k++) {
		double factor = sqrt((k == 0 && !tensorflow ? 1.0 : 2.0) / (double)n);
		for (size_t i = 0; i < n; i++) {
			f->dct[k * n + i] = factor *
				cos(M_PI * (double)k * (2 * (double)i + 1) / (2 * (double)n));
		}
	}
	return 0;
}

static int statistics_init(struct features *f, struct error *err)
{
	const char *list = f->pre->spectral;
	char shown[64];
	while (*list) {
		list += strspn(list, ", \t");
		size_t length = strcspn(list, ", \t"), found = N_STATISTICS;
		for (size_t i = 0; i < N_STATISTICS; i++) {
			bool same = strlen(statistics[i]) == length &&
				memcmp(statistics[i], list, length) == 0;
			found = same ? i : found;
		}
		if (length && (found == N_STATISTICS || f->n_statistics == N_STATISTICS)) {
			return error_set(err, -EINVAL, "spectral: \"%s\" is not known, or too much",
				error_escape(shown, sizeof(shown), list, length));
		}
		if (length) {
			f->order[f->n_statistics++] = (enum statistic)found;
		}
		list += length;
	}
	return 0;
}

int features_new(
	const struct pipeline_config_pre *pre, struct features **ret_features, struct error *err)
{
	owned(features_free) struct features *f = calloc(1, sizeof(*f));
	if (!f) {
		return error_no_memory(err);
	}
	f->pre = pre;
	f->bins = (size_t)pre->n_fft / 2 + 1;
	f->fft_table = calloc(ek_fft_table_count((size_t)pre->n_fft), sizeof(f->fft_table[0]));
	if (!f->fft_table) {
		return error_no_memory(err);
	}
	ek_fft_table_f64(f->fft_table, (size_t)pre->n_fft);
	int r = window_init(f, err);
	if (pre->features == PIPELINE_CONFIG_FEATURES_SPECTRAL) {
		r = r < 0 ? r : statistics_init(f, err);
	} else {
		r = r < 0 ? r : mel_init(&f->mel, pre, err);
	}
	if (pre->features == PIPELINE_CONFIG_FEATURES_MFCC) {
		r = r < 0 ? r : dct_init(f, err);
	}
	if (r < 0) {
		return r;
	}
	*ret_features = take(f);
	return 0;
}

static size_t frames_of(const struct features *f, size_t rows)
{
	size_t all = rows + (f->pre->center ? 2 * (size_t)(f->pre->n_fft / 2) : 0);
	return all < f->frame ? 0 : 1 + (all - f->frame) / (size_t)f->pre->hop_length;
}

static size_t bands_of(const struct features *f)
{
	return f->pre->features == PIPELINE_CONFIG_FEATURES_MFCC ? (size_t)f->pre->n_mfcc
								 : (size_t)f->pre->n_mels;
}

static size_t numbers_of_column(const struct features *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n_statistics; i++) {
		n += f->order[i] == BINS ? f->bins : 1;
	}
	return n;
}

size_t features_count(const struct features *f, size_t rows, size_t columns)
{
	if (f->pre->features == PIPELINE_CONFIG_FEATURES_SPECTRAL) {
		size_t n = numbers_of_column(f);
		return rows >= 2 && columns <= FEATURES_MAX / (n + 1) ? n * columns : 0;
	}
	size_t frames = frames_of(f, rows);
	bool fits = columns == 1 && frames <= FEATURES_MAX / (size_t)f->pre->n_mels;
	return fits ? frames * bands_of(f) : 0;
}

size_t features_rows(const struct features *f, size_t count, size_t columns)
{
	if (f->pre->features == PIPELINE_CONFIG_FEATURES_SPECTRAL) {
		return count == numbers_of_column(f) * columns ? (size_t)f->pre->n_fft : 0;
	}
	size_t bands = bands_of(f);
	if (count == 0 || count % bands || columns != 1) {
		return 0;
	}
	size_t rows = (count / bands - 1) * (size_t)f->pre->hop_length + f->frame;
	size_t around = f->pre->center ? 2 * (size_t)(f->pre->n_fft / 2) : 0;
	return rows > around ? rows - around : 1;
}

/* Memory for the transform of one frame. */
struct scratch {
	double *frame; /* n_fft samples */
	struct ek_complex_f64 *transform; /* one for each bin */
	double *magnitudes; /* one for each bin */
};

static struct scratch scratch_of(const struct features *f, double *work)
{
	double *transform = work + f->pre->n_fft;
	return (struct scratch){
		work, (struct ek_complex_f64 *)(void *)transform, transform + 2 * f->bins};
}

/* Computes magnitudes to `power` of the frame at row @at. Rows outside the data are 0. */
static void spectrum(const struct features *f, const double *data, size_t rows, int64_t at,
	const struct scratch *scratch)
{
	size_t n = (size_t)f->pre->n_fft;
	memset(scratch->frame, 0, n * sizeof(scratch->frame[0]));
	for (size_t i = 0; i < f->frame; i++) {
		int64_t row = at + (int64_t)i;
		bool inside = row >= 0 && row < (int64_t)rows;
		scratch->frame[i] = inside ? data[row] * f->window[i] : 0;
	}
	ek_rfft_f64(scratch->transform, scratch->frame, n, f->fft_table);
	for (size_t k = 0; k < f->bins; k++) {
		const struct ek_complex_f64 x = scratch->transform[k];
		double square = x.re * x.re + x.im * x.im;
		scratch->magnitudes[k] =
			f->pre->power == 2 ? square : pow(square, f->pre->power / 2);
	}
}

static double logged(const struct pipeline_config_pre *pre, double x)
{
	switch (pre->log) {
	case FEATURES_LN:
		return log(x + pre->log_offset);
	case FEATURES_LOG10:
		return log10(x + pre->log_offset);
	case FEATURES_DB:
		x = pre->power == 2 ? x : pow(x, 2 / pre->power);
		return 10 * log10(fmax(x, pre->amin));
	default:
		return x;
	}
}

/* Raises every value to at least the maximum minus top_db. */
static void top_limit(const struct pipeline_config_pre *pre, double *mel, size_t n)
{
	double highest = -INFINITY;
	for (size_t i = 0; i < n; i++) {
		highest = fmax(highest, mel[i]);
	}
	for (size_t i = 0; i < n && pre->log == FEATURES_DB && !isnan(pre->top_db); i++) {
		mel[i] = fmax(mel[i], highest - pre->top_db);
	}
}

static void cepstra(const struct features *f, const double *mel, size_t frames, double *out)
{
	size_t n = f->mel.n, rows = (size_t)f->pre->n_mfcc;
	for (size_t t = 0; t < frames; t++) {
		for (size_t k = 0; k < rows; k++) {
			double sum = 0;
			for (size_t i = 0; i < n; i++) {
				sum += f->dct[k * n + i] * mel[t * n + i];
			}
			out[t * rows + k] = sum;
		}
	}
}

static void mel_frames(
	const struct features *f, const double *samples, size_t rows, double *work, double *out)
{
	const struct scratch scratch = scratch_of(f, work);
	int64_t first = f->pre->center ? -(int64_t)(f->pre->n_fft / 2) : 0;
	size_t frames = frames_of(f, rows);
	for (size_t t = 0; t < frames; t++) {
		int64_t at = first + (int64_t)(t * f->pre->hop_length);
		double *row = out + t * f->mel.n;
		spectrum(f, samples, rows, at, &scratch);
		mel_run(&f->mel, scratch.magnitudes, row);
		for (size_t i = 0; i < f->mel.n; i++) {
			row[i] = logged(f->pre, row[i]);
		}
	}
	top_limit(f->pre, out, frames * f->mel.n);
}

static int mel_features(const struct features *f, const double *samples, size_t rows, double *work,
	double *out, struct error *err)
{
	if (f->pre->features == PIPELINE_CONFIG_FEATURES_MEL) {
		mel_frames(f, samples, rows, work, out);
		return 0;
	}
	size_t frames = frames_of(f, rows);
	owned_mem double *mel = calloc(frames * f->mel.n + 1, sizeof(mel[0]));
	if (!mel) {
		return error_no_memory(err);
	}
	mel_frames(f, samples, rows, work, mel);
	cepstra(f, mel, frames, out);
	return 0;
}

struct moments {
	double rms, skewness, kurtosis, crest;
};

/* Subtracts the mean from @x. The sum starts from the first value, so that a constant column
 * gives exactly 0. */
static struct moments moments_of(double *x, size_t n)
{
	double mean = 0, m2 = 0, m3 = 0, m4 = 0, most = 0;
	const double first = n ? x[0] : 0;
	for (size_t i = 0; i < n; i++) {
		x[i] -= first;
		mean += x[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		x[i] -= mean;
		double square = x[i] * x[i];
		m2 += square / (double)n;
		m3 += square * x[i] / (double)n;
		m4 += square * square / (double)n;
		most = fmax(most, fabs(x[i]));
	}
	if (!(m2 > 0)) {
		return (struct moments){0};
	}
	return (struct moments){
		sqrt(m2), m3 / (m2 * sqrt(m2)), m4 / (m2 * m2) - 3, most / sqrt(m2)};
}

static void bins_mean(
	const struct features *f, const double *x, size_t rows, double *work, double *out)
{
	const struct scratch scratch = scratch_of(f, work);
	size_t frames = frames_of(f, rows);
	frames = frames ? frames : 1; /* fewer rows than a frame: padded with zeros */
	memset(out, 0, f->bins * sizeof(out[0]));
	for (size_t t = 0; t < frames; t++) {
		spectrum(f, x, rows, (int64_t)(t * f->pre->hop_length), &scratch);
		for (size_t k = 0; k < f->bins; k++) {
			out[k] += scratch.magnitudes[k] / (double)frames;
		}
	}
}

static void spectral_column(
	const struct features *f, double *x, size_t rows, double *work, double *out)
{
	struct moments m = moments_of(x, rows);
	const double values[] = {m.rms, m.skewness, m.kurtosis, m.crest};
	for (size_t i = 0; i < f->n_statistics; i++) {
		if (f->order[i] == BINS) {
			bins_mean(f, x, rows, work, out);
			out += f->bins;
		} else {
			*out++ = values[f->order[i]];
		}
	}
}

int features_run(const struct features *f, const float *data, size_t rows, size_t columns,
	double *out, struct error *err)
{
	owned_mem double *work = calloc((size_t)f->pre->n_fft + 3 * f->bins, sizeof(work[0]));
	owned_mem double *column = calloc(rows + 1, sizeof(column[0]));
	size_t n = numbers_of_column(f);
	if (!work || !column) {
		return error_no_memory(err);
	}
	for (size_t c = 0; c < columns; c++) {
		for (size_t i = 0; i < rows; i++) {
			column[i] = (double)data[i * columns + c];
		}
		if (f->pre->features != PIPELINE_CONFIG_FEATURES_SPECTRAL) {
			return mel_features(f, column, rows, work, out, err);
		}
		spectral_column(f, column, rows, work, out + c * n);
	}
	return 0;
}
