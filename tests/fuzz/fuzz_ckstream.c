/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ckstream.c - any bytes as a saved job
 *
 * The first byte says what the rest is: 's' a stream; 'i' what is inside of
 * one, which is squeezed here, as no fuzzer gets by a checksum; 'm' files for a
 * manifest of ours.  Files come one after the other, each with as many bytes as
 * was said; what is refused has a printable reason; in small pieces comes what
 * comes in large ones.
 */
#include "config.h"

#include <errno.h>
#include <zstd.h>

#include "device/ckstream.h"
#include "fuzz.h"

#define INSIDE_MAX (1 << 16)

struct seen {
	unsigned int accepted, files;
	uint64_t left, bytes;
	bool open;
};

static int on_accept(const struct vol_ckmanifest *m, const char *record,
		     size_t len, void *arg, struct vol_error *err)
{
	struct seen *s = arg;

	(void)err;
	fuzz_assert(m && len > 0 && len <= VOL_CKSTREAM_RECORD_MAX &&
		    record[len] == '\0');
	fuzz_assert(s->accepted++ == 0);
	return 0;
}

static int on_begin(const struct vol_ckfile *file, void *arg,
		    struct vol_error *err)
{
	struct seen *s = arg;

	(void)err;
	fuzz_assert(s->accepted == 1 && !s->open);
	s->open = true;
	s->left = file->bytes;
	return 0;
}

static int on_data(const void *data, size_t len, void *arg,
		   struct vol_error *err)
{
	struct seen *s = arg;

	(void)data;
	(void)err;
	fuzz_assert(s->open && len > 0 && len <= s->left);
	s->left -= len;
	s->bytes += len;
	return 0;
}

static int on_end(const struct vol_ckfile *file, void *arg,
		  struct vol_error *err)
{
	struct seen *s = arg;

	(void)file;
	(void)err;
	fuzz_assert(s->open && s->left == 0);
	s->open = false;
	s->files++;
	return 0;
}

static int read_it(const uint8_t *data, size_t size, size_t piece,
		   struct seen *seen)
{
	const struct vol_ckstream_sink sink = {on_accept, on_begin, on_data,
					       on_end, seen};
	struct vol_error err = {""};
	struct vol_ckstream *s = vol_ckstream_create(&sink, &err);
	int rc = 0;

	fuzz_assert(s);
	for (size_t at = 0; rc == 0 && at < size; at += piece)
		rc = vol_ckstream_feed(s, data + at,
				       size - at < piece ? size - at : piece,
				       &err);
	if (rc == 0)
		rc = vol_ckstream_end(s, &err);
	vol_ckstream_destroy(s);
	fuzz_assert(rc == 0 ||
		    (err.text[0] && (errno == EBADMSG || errno == ENOMEM)));
	fuzz_assert(rc < 0 || !seen->open);
	for (const char *p = err.text; *p; p++)
		fuzz_assert(*p >= 0x20 && *p <= 0x7e);
	return rc;
}

static void check(const uint8_t *data, size_t size)
{
	struct seen one = {0}, other = {0};

	fuzz_assert(read_it(data, size, size + 1, &one) ==
		    read_it(data, size, 3, &other));
	fuzz_assert(one.files == other.files && one.bytes == other.bytes);
}

static void check_inside(const uint8_t *data, size_t size)
{
	static uint8_t stream[INSIDE_MAX * 2];
	size_t n;

	memcpy(stream, VOL_CKSTREAM_MAGIC, 8);
	n = ZSTD_compress(stream + 8, sizeof(stream) - 8, data, size, 1);
	fuzz_assert(!ZSTD_isError(n));
	check(stream, n + 8);
}

static char *our_manifest(const uint8_t *data, size_t size, size_t *len)
{
	struct vol_ckmanifest m = VOL_CKMANIFEST_INIT;
	struct vol_ckfile file = {.name = "core-1.img"};
	char *text;

	m.job = m.sequence = m.processes = 1;
	m.when = m.uid = 1000;
	m.machine.criu = 40201;
	strcpy(m.machine.arch, "x86_64");
	strcpy(m.machine.kernel, "6.12");
	strcpy(m.cluster, "lab");
	strcpy(m.node, "desk1");
	memset(m.device, 'a', VOL_DEVICE_ID_SIZE - 1);
	strcpy(m.boot, "01234567-89ab-cdef-0123-456789abcdef");
	/* All of it, or a half: what follows is too much then. */
	file.bytes = size > 0 && data[0] % 2 ? size : size / 2;
	fuzz_assert(vol_ckmanifest_add_file(&m, &file, NULL) == 0);
	text = vol_ckmanifest_encode(&m, len, NULL);
	fuzz_assert(text);
	vol_ckmanifest_clear(&m);
	return text;
}

static void put_length(uint8_t *at, size_t len)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(len >> (24 - 8 * i));
}

static void check_files(const uint8_t *data, size_t size)
{
	size_t len, all;
	char *text = our_manifest(data, size, &len);
	uint8_t *inside = malloc(len + size + 9);

	fuzz_assert(inside);
	put_length(inside, len);
	memcpy(inside + 4, text, len);
	put_length(inside + 4 + len, 1);
	inside[8 + len] = 'r';
	memcpy(inside + 9 + len, data, size);
	all = 9 + len + size;
	check_inside(inside, all < INSIDE_MAX ? all : INSIDE_MAX);
	free(inside);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > INSIDE_MAX)
		return 0;
	if (data[0] == 's')
		check(data + 1, size - 1);
	else if (data[0] == 'i')
		check_inside(data + 1, size - 1);
	else if (data[0] == 'm')
		check_files(data + 1, size - 1);
	return 0;
}
