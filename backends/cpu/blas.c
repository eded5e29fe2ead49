/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that knows OpenBLAS. Its header is not needed: what is used of it stands here. */
#include "backends/cpu/blas.h"

#include <dlfcn.h>
#include <stddef.h>
#include <sys/resource.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/math/dot.h"

/* CBLAS_ORDER and CBLAS_TRANSPOSE of cblas.h */
enum {
	ROW_MAJOR = 101,
	NO_TRANSPOSE = 111,
	TRANSPOSE = 112
};

/*
 * From 8 rows on OpenBLAS 0.3.21 (AVX2 kernels) took a half to a seventh of the plain-C kernel's
 * time, for 8..512 columns and depth 16..1024; with one row, where it packs weights that are used
 * once, three times as long; between two and four rows about as long. Measured with a loop over
 * both on a core of an AMD EPYC (`check_kernels --bench --only f32` has the plain-C side).
 */
bool blas_pays(uint64_t rows, uint64_t cols, uint64_t depth)
{
	return rows >= 8 && cols >= 8 && depth >= 8;
}

static bool memory_is_limited(void)
{
	struct rlimit as, data;
	return getrlimit(RLIMIT_AS, &as) != 0 || getrlimit(RLIMIT_DATA, &data) != 0 ||
		as.rlim_cur != RLIM_INFINITY || data.rlim_cur != RLIM_INFINITY;
}

/* libblas.so.3 may be OpenBLAS as well (Debian's alternatives); another library, whose threads
 * can't be told, is left alone. */
static void *load(void)
{
	static const char *const names[] = {"libopenblas.so.0", "libblas.so.3"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		/* Its threads run its code for ever: never unmapped. */
		void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
		if (library && dlsym(library, "openblas_set_num_threads")) {
			return library;
		}
		if (library) {
			dlclose(library);
		}
	}
	return NULL;
}

bool blas_open(struct blas *ret_blas)
{
	void *library = memory_is_limited() ? NULL : load();
	if (!library) {
		return false;
	}
	void (*set_threads)(int) = NULL;
	struct blas blas = {.library = library};
	*(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
	*(void **)&blas.sgemm = dlsym(library, "cblas_sgemm");
	if (!blas.sgemm) {
		dlclose(library);
		return false;
	}
	set_threads(1);
	/* The first product makes this thread's buffers: at load rather than in a request. */
	const float one = 1;
	float product = 0;
	blas.sgemm(
		ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE, 1, 1, 1, 1, &one, 1, &one, 1, 0, &product, 1);
	*ret_blas = blas;
	return true;
}

void blas_close(struct blas *blas)
{
	if (blas->library) {
		dlclose(blas->library);
		blas->library = NULL;
	}
}

/* Calls sgemm() with denormal floats as 0, which take x86 some 50 ns an instruction: a tile cannot be smaller
 * (BLAS_ROW_WORK), and bits are the library's own anyway. */
static void product(const struct blas *blas, const struct ek_matmul_f32 *args,
	const struct ek_tile *tile, const float *a, const float *w, float *y)
{
	const int depth = (int)args->shape.depth, cols = (int)args->shape.cols;
#if defined(__x86_64__)
	const unsigned int was = _mm_getcsr();
	_mm_setcsr(was | _MM_FLUSH_ZERO_ON | 0x0040 /* denormals are zeros */);
#endif
	blas->sgemm(ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE, (int)tile->n_rows, (int)tile->n_cols, depth,
		1, a, depth, w, depth, 0, y, cols);
#if defined(__x86_64__)
	_mm_setcsr(was);
#endif
}

void blas_matmul(
	const struct blas *blas, const struct ek_matmul_f32 *args, const struct ek_tile *tile)
{
	size_t depth = args->shape.depth, cols = args->shape.cols;
	float *y = args->output + tile->first_row * cols + tile->first_col;
	const float *a = args->a + tile->first_row * depth;
	const float *w = args->w + tile->first_col * depth;
	product(blas, args, tile, a, w, y);
	for (uint32_t m = 0; m < tile->n_rows; m++, y += cols) {
		for (uint32_t n = 0; n < tile->n_cols; n++) {
			float v = args->bias ? y[n] + args->bias[tile->first_col + n] : y[n];
			y[n] = ek_clamp_f32(v, args->lo, args->hi);
		}
	}
}
