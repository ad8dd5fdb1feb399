/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckstream.c - an image comes out of a stream as it went in, or not at all
 */
#include "config.h"

#include "vtest.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zstd.h>

#include "device/ckpump.h"
#include "device/ckstream.h"

#define RECORD   "version=1\n"
#define MANIFEST "the manifest"
#define BIG      300000
#define TEXT_MAX (1 << 20)
#define PIECE    70000 /* of memory */

/* In which it is read. */
static const size_t pieces[] = {1, 7, 4096, 1 << 20};

/* What came out. */
struct got {
	size_t accepted, begun, ended, pieces;
	uint32_t number;
	char names[4][VOL_CKNAME_SIZE];
	uint8_t data[TEXT_MAX];
	size_t len;
	int refuse; /* errno of accept */
};

struct world {
	char *path;
	struct vol_ckmanifest m;
	char *manifest;
	size_t manifest_len;
	uint8_t *stream;
	size_t len;
	struct got got;
};

static int take_pages(uint32_t number, const void *data, size_t len, void *arg,
		      struct vol_error *err)
{
	struct got *got = arg;

	(void)err;
	assert_int_equal(got->accepted, 0);
	assert_true(len > 0 && len <= TEXT_MAX - got->len);
	got->pieces += number != got->number;
	got->number = number;
	memcpy(got->data + got->len, data, len);
	got->len += len;
	return 0;
}

static int accept_all(const struct vol_ckmanifest *m, const char *record,
		      size_t len, void *arg, struct vol_error *err)
{
	struct got *got = arg;

	got->accepted++;
	assert_int_equal(len, strlen(RECORD));
	assert_memory_equal(record, RECORD, len);
	assert_int_equal(m->job, 7);
	return got->refuse ? vol_errorf_errno(err, got->refuse, "not wanted")
			   : 0;
}

static int begin(const struct vol_ckfile *file, void *arg,
		 struct vol_error *err)
{
	struct got *got = arg;

	(void)err;
	assert_int_equal(got->accepted, 1);
	assert_int_equal(got->begun, got->ended);
	assert_true(got->begun < N_ELEMENTS(got->names));
	strcpy(got->names[got->begun++], file->name);
	return 0;
}

static int take(const void *data, size_t len, void *arg, struct vol_error *err)
{
	struct got *got = arg;

	(void)err;
	assert_true(len > 0 && len <= TEXT_MAX - got->len);
	memcpy(got->data + got->len, data, len);
	got->len += len;
	return 0;
}

static int end(const struct vol_ckfile *file, void *arg, struct vol_error *err)
{
	struct got *got = arg;

	(void)err;
	assert_string_equal(file->name, got->names[got->ended++]);
	return 0;
}

static void fill(uint8_t *data, size_t len)
{
	uint32_t x = 1;

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)((x = x * 1103515245 + 12345) >> 16);
}

static void add_file(struct world *w, const char *name, const void *data,
		     size_t len)
{
	struct vol_ckfile file = {.bytes = len};
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", w->path, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
	strcpy(file.name, name);
	assert_int_equal(vol_ckmanifest_add_file(&w->m, &file, NULL), 0);
}

static void describe(struct vol_ckmanifest *m)
{
	m->job = 7;
	m->sequence = 1;
	m->when = 1000000000;
	m->uid = m->gid = 1000;
	m->processes = 1;
	m->machine.criu = 40201;
	strcpy(m->machine.arch, "x86_64");
	strcpy(m->machine.kernel, "6.12.1");
	strcpy(m->cluster, "lab");
	strcpy(m->node, "desk1");
	memset(m->device, 'a', VOL_DEVICE_ID_SIZE - 1);
	strcpy(m->boot, "01234567-89ab-cdef-0123-456789abcdef");
}

static uint8_t *slurp(int fd, size_t *len)
{
	uint8_t *data = malloc(TEXT_MAX);
	ssize_t n;

	assert_non_null(data);
	*len = 0;
	while ((n = read(fd, data + *len, TEXT_MAX - *len)) > 0)
		*len += (size_t)n;
	assert_int_equal(n, 0);
	return data;
}

static int finish(struct world *w, struct vol_ckwriter *to,
		  struct vol_error *err)
{
	int dir = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc, saved;

	rc = vol_ckwriter_finish(to, w->manifest, w->manifest_len, RECORD,
				 strlen(RECORD), &w->m, dir, err);
	saved = errno;
	close(dir);
	errno = saved;
	return rc;
}

static int write_it(int fd, void *arg, struct vol_error *err)
{
	struct world *w = arg;
	struct vol_ckwriter *to = vol_ckwriter_create(fd, err);
	int rc = to ? finish(w, to, err) : -1;

	vol_ckwriter_destroy(to);
	return rc;
}

static int write_live(int fd, void *arg, struct vol_error *err)
{
	struct world *w = arg;
	struct vol_ckwriter *to = vol_ckwriter_create(fd, err);
	static uint8_t big[BIG];
	int rc = to ? 0 : -1;

	fill(big, sizeof(big));
	for (size_t at = 0; rc == 0 && at < BIG; at += PIECE)
		rc = vol_ckwriter_pages(to, 1, big + at,
					BIG - at < PIECE ? BIG - at : PIECE,
					err);
	if (rc == 0)
		rc = finish(w, to, err);
	vol_ckwriter_destroy(to);
	return rc;
}

static void make_stream(struct world *w,
			int (*run)(int fd, void *arg, struct vol_error *err))
{
	struct vol_ckpump pump = {
		.run = run, .arg = w, .writes = true, .halt = -1};
	int from = vol_ckpump_start(&pump, NULL);

	assert_true(from >= 0);
	w->stream = slurp(from, &w->len);
	assert_int_equal(vol_ckpump_finish(&pump, NULL), 0);
}

static int setup(void **state)
{
	static uint8_t big[BIG];
	struct world *w = calloc(1, sizeof(*w));
	void *path;

	assert_non_null(w);
	if (vtest_folder_setup(&path) < 0)
		return -1;
	w->path = path;
	describe(&w->m);
	fill(big, sizeof(big));
	add_file(w, "pages-1.img", big, sizeof(big));
	add_file(w, "core-1.img", "core", 4);
	add_file(w, "files.img", "", 0);
	add_file(w, "tty-data.img", "", 0);
	w->manifest = vol_ckmanifest_encode(&w->m, &w->manifest_len, NULL);
	assert_non_null(w->manifest);
	make_stream(w, write_it);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	void *path = w->path;

	vol_ckmanifest_clear(&w->m);
	free(w->manifest);
	free(w->stream);
	free(w);
	return vtest_folder_teardown(&path);
}

/* In pieces of so many bytes. */
static int read_it(struct world *w, const uint8_t *stream, size_t len,
		   size_t piece, struct vol_error *err)
{
	const struct vol_ckstream_sink sink = {take_pages, accept_all, begin,
					       take,       end,        &w->got};
	struct vol_ckstream *s = vol_ckstream_create(&sink, err);
	int refuse = w->got.refuse, rc = 0;

	assert_non_null(s);
	memset(&w->got, 0, sizeof(w->got));
	w->got.refuse = refuse;
	for (size_t at = 0; rc == 0 && at < len; at += piece)
		rc = vol_ckstream_feed(s, stream + at,
				       len - at < piece ? len - at : piece,
				       err);
	if (rc == 0)
		rc = vol_ckstream_end(s, err);
	vol_ckstream_destroy(s);
	return rc;
}

static void refused(struct world *w, const uint8_t *stream, size_t len,
		    const char *reason)
{
	struct vol_error err = {""};

	assert_int_equal(read_it(w, stream, len, 4096, &err), -1);
	assert_int_equal(errno, EBADMSG);
	assert_contains(err.text, reason);
	assert_printable(err.text);
}

static void it_comes_out_as_it_went_in(void **state)
{
	static uint8_t big[BIG];
	struct world *w = *state;

	fill(big, sizeof(big));
	for (size_t i = 0; i < N_ELEMENTS(pieces); i++) {
		assert_int_equal(read_it(w, w->stream, w->len, pieces[i], NULL),
				 0);
		assert_int_equal(w->got.ended, 4);
		assert_string_equal(w->got.names[0], "core-1.img");
		assert_string_equal(w->got.names[2], "pages-1.img");
		assert_int_equal(w->got.len, 4 + BIG);
		assert_memory_equal(w->got.data, "core", 4);
		assert_memory_equal(w->got.data + 4, big, BIG);
	}
}

static void a_torn_one_is_none(void **state)
{
	struct world *w = *state;

	for (size_t len = 0; len < w->len; len += len < 64 ? 1 : 9973)
		refused(w, w->stream, len, "no whole image");
	refused(w, w->stream, w->len - 1, "in the middle");
}

static void memory_may_come_first(void **state)
{
	static uint8_t big[BIG];
	struct world *w = *state;

	fill(big, sizeof(big));
	free(w->stream);
	make_stream(w, write_live);
	for (size_t i = 0; i < N_ELEMENTS(pieces); i++) {
		assert_int_equal(read_it(w, w->stream, w->len, pieces[i], NULL),
				 0);
		assert_int_equal(w->got.pieces, 1);
		assert_int_equal(w->got.ended, 3);
		assert_string_equal(w->got.names[0], "core-1.img");
		assert_int_equal(w->got.len, BIG + 4);
		assert_memory_equal(w->got.data, big, BIG);
		assert_memory_equal(w->got.data + BIG, "core", 4);
	}
	a_torn_one_is_none(state);
}

static void numbers_of_memory_rise(void **state)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct vol_ckwriter *to = vol_ckwriter_create(null, NULL);
	struct vol_error err = {""};

	(void)state;
	assert_non_null(to);
	assert_int_equal(vol_ckwriter_pages(to, 2, "a", 1, &err), 0);
	assert_int_equal(vol_ckwriter_pages(to, 7, "a", 1, &err), 0);
	assert_int_equal(vol_ckwriter_pages(to, 2, "a", 1, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(err.text, "pages-2.img is behind another one");
	vol_ckwriter_destroy(to);
	close(null);
}

static void nothing_may_be_behind_it(void **state)
{
	struct world *w = *state;
	uint8_t *more = malloc(2 * w->len);

	memcpy(more, w->stream, w->len);
	more[w->len] = 0;
	refused(w, more, w->len + 1, "behind its end");
	/* Another frame. */
	memcpy(more + w->len, w->stream + 8, w->len - 8);
	refused(w, more, 2 * w->len - 8, "behind its end");
	free(more);
}

/* Or changes nothing of what comes out: zstd's frame has a size of its window,
 * which may be larger than it must be. */
static void any_flipped_bit_is_seen(void **state)
{
	struct world *w = *state;
	size_t harmless = 0;

	for (size_t at = 0; at < w->len; at += at < 600 ? 1 : 997) {
		struct vol_error err = {""};

		w->stream[at] ^= 0x20;
		if (read_it(w, w->stream, w->len, 65536, &err) == 0) {
			harmless++;
			assert_int_equal(w->got.len, 4 + BIG);
		} else {
			assert_int_equal(errno, EBADMSG);
			assert_printable(err.text);
		}
		w->stream[at] ^= 0x20;
	}
	assert_true(harmless <= 1);
}

/* A stream of these bytes, whatever they are. */
static uint8_t *squeeze(const void *inside, size_t inside_len, size_t *len)
{
	size_t bound = ZSTD_compressBound(inside_len) + 8;
	uint8_t *stream = malloc(bound);
	size_t n;

	assert_non_null(stream);
	memcpy(stream, VOL_CKSTREAM_MAGIC, 8);
	n = ZSTD_compress(stream + 8, bound - 8, inside, inside_len, 1);
	assert_false(ZSTD_isError(n));
	*len = n + 8;
	return stream;
}

/* No memory, and the parts one after another, each with a length before it but
 * the last. */
static uint8_t *build(const void *manifest, uint32_t manifest_len,
		      const void *record, uint32_t record_len, const void *rest,
		      size_t rest_len, size_t *len)
{
	size_t all = 16 + (size_t)manifest_len + record_len + rest_len, at;
	uint8_t *inside = calloc(1, all), *stream;
	uint32_t n = htobe32(manifest_len);

	assert_non_null(inside);
	memcpy(inside + 8, &n, 4);
	memcpy(inside + 12, manifest, manifest_len);
	at = 12 + (size_t)manifest_len;
	n = htobe32(record_len);
	memcpy(inside + at, &n, 4);
	memcpy(inside + at + 4, record, record_len);
	if (rest_len)
		memcpy(inside + at + 4 + record_len, rest, rest_len);
	stream = squeeze(inside, all, len);
	free(inside);
	return stream;
}

static void other_versions_are_told_from_junk(void **state)
{
	struct world *w = *state;

	w->stream[7]--;
	refused(w, w->stream, w->len, "it is one of another version");
	w->stream[6]--;
	refused(w, w->stream, w->len, "it does not begin like one");
}

static void lengths_are_bounded(void **state)
{
	static const uint32_t lengths[] = {0, VOL_CKMANIFEST_MAX + 1,
					   UINT32_MAX};
	struct world *w = *state;
	uint8_t *stream;
	size_t len;

	for (size_t i = 0; i < N_ELEMENTS(lengths); i++) {
		uint32_t n[3] = {0, 0, htobe32(lengths[i])};

		stream = squeeze(n, sizeof(n), &len);
		refused(w, stream, len, "length of the manifest");
		free(stream);
	}
	stream = build(w->manifest, (uint32_t)w->manifest_len, "", 0, "", 0,
		       &len);
	refused(w, stream, len, "length of the record");
	free(stream);
	stream = calloc(1, VOL_CKSTREAM_RECORD_MAX + 1);
	{
		uint8_t *long_one =
			build(w->manifest, (uint32_t)w->manifest_len, stream,
			      VOL_CKSTREAM_RECORD_MAX + 1, "", 0, &len);

		refused(w, long_one, len, "length of the record");
		free(long_one);
	}
	free(stream);
	assert_int_equal(w->got.accepted, 0);
}

static void files_are_as_the_manifest_says(void **state)
{
	static uint8_t rest[4 + BIG + 1];
	struct world *w = *state;
	uint8_t *stream;
	size_t len;

	memcpy(rest, "core", 4);
	fill(rest + 4, BIG);
	stream = build(w->manifest, (uint32_t)w->manifest_len, RECORD,
		       (uint32_t)strlen(RECORD), rest, 4 + BIG, &len);
	assert_int_equal(read_it(w, stream, len, 4096, NULL), 0);
	free(stream);
	stream = build(w->manifest, (uint32_t)w->manifest_len, RECORD,
		       (uint32_t)strlen(RECORD), rest, 4 + BIG + 1, &len);
	refused(w, stream, len, "behind its end");
	free(stream);
	stream = build(w->manifest, (uint32_t)w->manifest_len, RECORD,
		       (uint32_t)strlen(RECORD), rest, 4 + BIG - 1, &len);
	refused(w, stream, len, "in the middle");
	assert_int_equal(w->got.ended, 2);
	free(stream);
	stream = build(MANIFEST, (uint32_t)strlen(MANIFEST), RECORD,
		       (uint32_t)strlen(RECORD), rest, 0, &len);
	refused(w, stream, len, "manifest: ");
	free(stream);
}

/* Length and number of each. */
static void pieces_are_bounded(void **state)
{
	static const struct {
		uint32_t head[2][2];
		const char *reason;
	} bad[] = {
		{{{4, 2}, {4, 1}}, "number of a piece"},
		{{{4, 1}, {0, 1}}, "end of the pieces"},
		{{{4, 1}, {UINT32_MAX, 1}}, "in the middle"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		uint32_t inside[6];
		uint8_t *stream;
		size_t len;

		for (size_t j = 0; j < 6; j++)
			inside[j] = j % 3 < 2
					    ? htobe32(bad[i].head[j / 3][j % 3])
					    : 0;
		stream = squeeze(inside, sizeof(inside), &len);
		refused(w, stream, len, bad[i].reason);
		free(stream);
	}
}

/* The manifest has pages-1.img, with BIG bytes. */
static void memory_is_as_the_manifest_says(void **state)
{
	static const uint32_t heads[][2] = {{BIG - 1, 1}, {BIG, 2}, {1, 1}};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMENTS(heads); i++) {
		size_t bytes = heads[i][0], len, at = 8 + bytes;
		size_t all = at + 16 + w->manifest_len + 1;
		uint8_t *inside = calloc(1, all), *stream;
		uint32_t n[4] = {htobe32(heads[i][0]), htobe32(heads[i][1])};

		assert_non_null(inside);
		memcpy(inside, n, 8);
		n[0] = htobe32((uint32_t)w->manifest_len);
		memcpy(inside + at + 8, n, 4);
		memcpy(inside + at + 12, w->manifest, w->manifest_len);
		stream = squeeze(inside, all, &len);
		refused(w, stream, len, "not as its manifest says");
		free(stream);
		free(inside);
	}
}

static void what_is_not_wanted_is_not_read(void **state)
{
	struct world *w = *state;
	struct vol_error err = {""};

	w->got.refuse = ENOTSUP;
	assert_int_equal(read_it(w, w->stream, w->len, 4096, &err), -1);
	assert_int_equal(errno, ENOTSUP);
	assert_string_equal(err.text, "not wanted");
	assert_int_equal(w->got.begun, 0);
}

static void a_file_that_changed_is_not_written(void **state)
{
	struct world *w = *state;
	struct vol_ckpump pump = {
		.run = write_it, .arg = w, .writes = true, .halt = -1};
	struct vol_error err = {""};
	char path[PATH_MAX];
	size_t len;
	int from;

	snprintf(path, sizeof(path), "%s/core-1.img", w->path);
	assert_int_equal(truncate(path, 3), 0);
	from = vol_ckpump_start(&pump, NULL);
	free(slurp(from, &len));
	assert_int_equal(vol_ckpump_finish(&pump, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, "core-1.img: has 3 bytes, it had 4");
	assert_int_equal(unlink(path), 0);
	from = vol_ckpump_start(&pump, NULL);
	free(slurp(from, &len));
	assert_int_equal(vol_ckpump_finish(&pump, &err), -1);
	assert_int_equal(errno, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(it_comes_out_as_it_went_in),
		TEST(memory_may_come_first),
		TEST(numbers_of_memory_rise),
		TEST(a_torn_one_is_none),
		TEST(nothing_may_be_behind_it),
		TEST(any_flipped_bit_is_seen),
		TEST(other_versions_are_told_from_junk),
		TEST(lengths_are_bounded),
		TEST(files_are_as_the_manifest_says),
		TEST(pieces_are_bounded),
		TEST(memory_is_as_the_manifest_says),
		TEST(what_is_not_wanted_is_not_read),
		TEST(a_file_that_changed_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
