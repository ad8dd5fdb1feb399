/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ckstream.c - any bytes as a saved job
 *
 * The first byte says what the rest is: 's' a stream; 'i' what is inside of
 * one, which is squeezed here, as no fuzzer gets by a checksum; 'm' files for a
 * manifest of ours, 'p' one that came before it.  Files come one after the
 * other, each with as many bytes as was said; what is refused has a printable
 * reason; in small pieces comes what comes in large ones.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "device/ckstream.h"
#include "fuzz.h"

#define INSIDE_MAX (1 << 16)

struct seen {
	unsigned int accepted, files;
	uint64_t left, bytes, early;
	uint32_t number;
	bool open;
};

static int on_pages(uint32_t number, const void *data, size_t len, void *arg,
		    struct vol_error *err)
{
	struct seen *s = arg;

	(void)data;
	(void)err;
	fuzz_assert(s->accepted == 0 && len > 0 && number > 0 &&
		    number >= s->number);
	s->number = number;
	s->early += len;
	return 0;
}

static int on_accept(const struct vol_ckmanifest *m, const char *record,
		     size_t len, void *arg, struct vol_error *err)
{
	struct seen *s = arg;

	(void)err;
	fuzz_assert(m && len > 0 && len <= VOL_CKSTREAM_RECORD_MAX &&
		    record[len] == '\0');
	fuzz_assert(s->early <= vol_ckmanifest_bytes(m));
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
	const struct vol_ckstream_sink sink = {on_pages, on_accept, on_begin,
					       on_data,  on_end,    seen};
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
	fuzz_assert(one.files == other.files && one.bytes == other.bytes &&
		    one.early == other.early);
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

static char *our_manifest(const char *name, const uint8_t *data, size_t size,
			  size_t *len)
{
	struct vol_ckmanifest m = VOL_CKMANIFEST_INIT;
	struct vol_ckfile file = {.bytes = 0};
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
	strcpy(file.name, name);
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

/* early: before the manifest. */
static void check_files(const uint8_t *data, size_t size, bool early)
{
	size_t before = early ? size : 0, len, all;
	char *text = our_manifest(early ? "pages-1.img" : "core-1.img", data,
				  size, &len);
	uint8_t *inside = calloc(1, len + size + 25), *at = inside;

	fuzz_assert(inside);
	if (before > 0) {
		put_length(at, before);
		put_length(at + 4, 1);
		memcpy(at + 8, data, before);
		at += 8 + before;
	}
	put_length(at + 8, len);
	memcpy(at + 12, text, len);
	put_length(at + 12 + len, 1);
	at[16 + len] = 'r';
	memcpy(at + 17 + len, data, size - before);
	all = (size_t)(at - inside) + 17 + len + size - before;
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
	else if (data[0] == 'm' || data[0] == 'p')
		check_files(data + 1, size - 1, data[0] == 'p');
	return 0;
}
