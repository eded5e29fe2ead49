/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/npy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

#define HEADER_ALIGNMENT 64

static const struct {
	const char *descr;
	unsigned int type;
} types[] = {
	{"<f4", DTYPE_FLOAT32},
	{"<f2", DTYPE_FLOAT16},
	{"<f8", DTYPE_FLOAT64},
	{"|b1", DTYPE_BOOL},
	{"|i1", DTYPE_INT8},
	{"|u1", DTYPE_UINT8},
	{"<i2", DTYPE_INT16},
	{"<u2", DTYPE_UINT16},
	{"<i4", DTYPE_INT32},
	{"<u4", DTYPE_UINT32},
	{"<i8", DTYPE_INT64},
	{"<u8", DTYPE_UINT64},
	{"<c8", DTYPE_COMPLEX64},
	{"<c16", DTYPE_COMPLEX128},
};

/* Contents of the header's Python dictionary. */
struct header {
	char descr[8];
	bool has_descr, has_order, has_shape, fortran;
	struct shape shape;
};

/* A cursor over the dictionary's text. */
struct text_cursor {
	const char *at, *end;
};

static void skip_blanks(struct text_cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t')) {
		c->at++;
	}
}

static bool eat(struct text_cursor *c, const char *word)
{
	size_t n = strlen(word);
	skip_blanks(c);
	if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0) {
		return false;
	}
	c->at += n;
	return true;
}

/* Reads 'text' or "text" without escapes. */
static bool eat_string(struct text_cursor *c, char *out, size_t size)
{
	skip_blanks(c);
	if (c->at >= c->end || (*c->at != '\'' && *c->at != '"')) {
		return false;
	}
	char quote = *c->at++;
	const char *close = memchr(c->at, quote, (size_t)(c->end - c->at));
	if (!close || (size_t)(close - c->at) >= size) {
		return false;
	}
	memcpy(out, c->at, (size_t)(close - c->at));
	out[close - c->at] = 0;
	c->at = close + 1;
	return true;
}

static bool eat_number(struct text_cursor *c, int32_t *ret_value)
{
	int64_t value = 0;
	skip_blanks(c);
	const char *start = c->at;
	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		value = value <= SHAPE_MAX_DIM ? 10 * value + (*c->at - '0') : value;
	}
	*ret_value = (int32_t)value;
	return c->at > start && value <= SHAPE_MAX_DIM;
}

/* Reads a tuple: (), (3,), (1, 2). */
static bool eat_shape(struct text_cursor *c, struct shape *shape)
{
	*shape = (struct shape){0};
	if (!eat(c, "(")) {
		return false;
	}
	while (!eat(c, ")")) {
		if (shape->rank == SHAPE_MAX_RANK || !eat_number(c, &shape->dim[shape->rank])) {
			return false;
		}
		shape->rank++;
		if (!eat(c, ",")) {
			return eat(c, ")");
		}
	}
	return true;
}

static bool eat_entry(struct text_cursor *c, struct header *h)
{
	char key[16];
	if (!eat_string(c, key, sizeof(key)) || !eat(c, ":")) {
		return false;
	}
	if (strcmp(key, "descr") == 0 && !h->has_descr) {
		h->has_descr = true;
		return eat_string(c, h->descr, sizeof(h->descr));
	}
	if (strcmp(key, "fortran_order") == 0 && !h->has_order) {
		h->has_order = true;
		h->fortran = eat(c, "True");
		return h->fortran || eat(c, "False");
	}
	if (strcmp(key, "shape") == 0 && !h->has_shape) {
		h->has_shape = true;
		return eat_shape(c, &h->shape);
	}
	return false;
}

static bool read_dictionary(struct text_cursor c, struct header *h)
{
	if (!eat(&c, "{")) {
		return false;
	}
	for (bool closed = eat(&c, "}"); !closed; closed = eat(&c, "}")) {
		if (!eat_entry(&c, h) || (!eat(&c, ",") && (c.at == c.end || *c.at != '}'))) {
			return false;
		}
	}
	skip_blanks(&c);
	return c.at == c.end && h->has_descr && h->has_order && h->has_shape;
}

static int check_header(const struct header *h, struct npy *npy, struct error *err)
{
	char descr[32];
	if (h->fortran) {
		return error_set(err, -EOPNOTSUPP, "npy: Fortran order is not read here");
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].descr, h->descr) == 0) {
			npy->type = types[i].type;
			npy->shape = h->shape;
			return 0;
		}
	}
	return error_set(err, -EOPNOTSUPP, "npy: elements of type %s are not read here",
		error_escape(descr, sizeof(descr), h->descr, strlen(h->descr)));
}

int npy_parse(const void *data, size_t size, struct npy *ret_npy, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(data, size);
	struct header header = {0};
	struct npy npy = {0};
	const char *magic = bytes_read(&r, 6);
	if (!magic || memcmp(magic, "\x93NUMPY", 6) != 0) {
		return error_set(err, -EBADMSG, "npy: does not begin as such files do");
	}
	unsigned int version = bytes_read_u8(&r);
	bytes_read_u8(&r); /* minor version */
	if (version != 1 && version != 2) {
		return error_set(err, -EOPNOTSUPP, "npy: version %u", version);
	}
	size_t length = version == 1 ? bytes_read_u16(&r) : bytes_read_u32(&r);
	const char *text = bytes_read(&r, length);
	if (!text || !read_dictionary((struct text_cursor){text, text + length}, &header)) {
		return error_set(err, -EBADMSG, "npy: header");
	}
	int e = check_header(&header, &npy, err);
	if (e < 0) {
		return e;
	}
	if (shape_bytes(&npy.shape, npy.type, &npy.bytes) < 0 || npy.bytes != r.size - r.at) {
		return error_set(err, -EBADMSG, "npy: %zu bytes of data do not fill the shape",
			r.size - r.at);
	}
	npy.data = r.data + r.at;
	*ret_npy = npy;
	return 0;
}

static const char *find_descr(unsigned int type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == type) {
			return types[i].descr;
		}
	}
	return NULL;
}

/* The header is padded with blanks before its line end to a multiple of 64 bytes. */
static size_t format_header(char *out, size_t size, const char *descr, const struct shape *shape)
{
	size_t n = (size_t)snprintf(
		out, size, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
	for (unsigned int i = 0; i < shape->rank; i++) {
		n += (size_t)snprintf(out + n, size - n, "%d%s", (int)shape->dim[i],
			i + 1 < shape->rank        ? ", "
				: shape->rank == 1 ? ","
						   : "");
	}
	n += (size_t)snprintf(out + n, size - n, "), }");
	size_t total = (size_t)bytes_align_up(10 + n + 1, HEADER_ALIGNMENT) - 10;
	memset(out + n, ' ', total - n);
	out[total - 1] = '\n';
	return total;
}

int npy_write(FILE *file, const struct npy *npy, struct error *err)
{
	char header[512];
	const char *descr = find_descr(npy->type);
	if (!descr) {
		return error_set(
			err, -EOPNOTSUPP, "npy: no such type as %s", dtype_name(npy->type));
	}
	size_t n = format_header(header, sizeof(header), descr, &npy->shape);
	uint8_t start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (uint8_t)n, (uint8_t)(n >> 8)};
	if (fwrite(start, sizeof(start), 1, file) != 1 || fwrite(header, n, 1, file) != 1 ||
		(npy->bytes && fwrite(npy->data, (size_t)npy->bytes, 1, file) != 1)) {
		return error_set(err, -EIO, "write: %s", strerror(errno));
	}
	return 0;
}
