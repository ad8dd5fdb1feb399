/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_nodeview.c - files that are not what our writer makes */
#include "config.h"

#include "nodetable_bed.h"

static void write_file(const struct bed *bed, const void *data, size_t size)
{
	cleanup_fd int fd = open(bed->path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
}

/* A good header of a table for 64 devices, to be changed, at its size. */
static void refuse_header(struct bed *bed, size_t at, uint32_t value,
			  int errnum, const char *why)
{
	static union {
		struct vol_nodetable_header head;
		uint8_t bytes[128 + 64 * (8 + 512)];
	} file;

	memset(&file, 0, sizeof(file));
	vol_nodetable_header_init(&file.head, 64);
	file.head.beat_ms = bed->now_ms;
	memcpy(file.bytes + at, &value, sizeof(value));
	write_file(bed, &file, sizeof(file));
	bed->now_ms += 1000;
	if (errnum)
		bed_refused(bed, errnum, why);
	else
		assert_int_equal(bed_refresh(bed), 0);
}

static void headers_are_checked(void **state)
{
	struct bed *bed = *state;

	refuse_header(bed, 100, 0, 0, NULL);
	unlink(bed->path);
	vol_nodeview_destroy(bed->view);
	bed->view = vol_nodeview_create(bed->path);
	refuse_header(bed, 0, 0, EINVAL, "not a node table");
	refuse_header(bed, 8, 0, EPROTONOSUPPORT, "version 0");
	refuse_header(bed, 8, 2, EPROTONOSUPPORT, "version 2");
	refuse_header(bed, 8, 0x01000000, EPROTONOSUPPORT, "version");
	refuse_header(bed, 12, 65, EINVAL, "truncated");
	refuse_header(bed, 12, 65537, EINVAL, "65537");
	refuse_header(bed, 12, UINT32_MAX, EINVAL, "at most");
	refuse_header(bed, 16, 0, EINVAL, "records of 0");
	refuse_header(bed, 16, 520, EINVAL, "records of 520");
	refuse_header(bed, 20, 65, EINVAL, "65 slots");
	refuse_header(bed, 20, UINT32_MAX, EINVAL, "slots");
	refuse_header(bed, 100, 0, 0, NULL);
}

static void sizes_are_checked(void **state)
{
	struct bed *bed = *state;
	uint8_t ones[4096];
	const size_t sizes[] = {0, 1, 8, 127, 128, 129, 200, 4096};

	memset(ones, 0xff, sizeof(ones));
	for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
		write_file(bed, ones, sizes[i]);
		bed->now_ms += 1000;
		bed_refused(bed, EINVAL,
			    sizes[i] < 128 ? "truncated" : "not a node table");
	}
}

static void it_is_cut_off_while_in_use(void **state)
{
	struct bed *bed = *state;

	bed_start(bed, 0);
	for (unsigned int i = 0; i < 40; i++)
		bed_put(bed, i, i);
	assert_int_equal(bed_refresh(bed), 0);
	/* In the records: what was read is still true. */
	assert_int_equal(truncate(bed->path, 8192), 0);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(bed_find(bed, "desk39")->speed, 39);
	/* In the words. */
	assert_int_equal(truncate(bed->path, 200), 0);
	bed_refused(bed, EINVAL, "truncated");
	bed_refused(bed, EINVAL, "truncated");
	bed->now_ms += 1000;
	bed_refused(bed, EINVAL, "truncated");
}

static void words_of_no_state_are_not_open(void **state)
{
	struct bed *bed = *state;
	uint64_t word = UINT64_MAX;
	uint32_t slot;

	bed_start(bed, 0);
	bed_put(bed, 1, 1);
	assert_int_equal(bed_refresh(bed), 0);
	slot = vol_nodeview_slot(bed->view, "desk1");
	bed_spoil(bed, vol_nodetable_word_at(slot), &word, sizeof(word));
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_state(bed->view, slot),
			 VOL_NODETABLE_UNKNOWN);
	word = vol_nodetable_word(6, 2, bed->now_ms / 1000);
	bed_spoil(bed, vol_nodetable_word_at(slot), &word, sizeof(word));
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_state(bed->view, slot),
			 VOL_NODETABLE_UNKNOWN);
	/* The record was and is known. */
	assert_string_equal(vol_nodeview_node(bed->view, slot)->name, "desk1");
}

/* Each bit of a record that is wrong. */
static void spoilt_records_are_not_taken(void **state)
{
	struct bed *bed = *state;
	struct vol_nodetable_record record;
	uint64_t word =
		vol_nodetable_word(VOL_NODETABLE_OPEN, 8, bed->now_ms / 1000);
	struct vol_nodetable_node node = bed_node(bed, 1, 7), out;
	uint64_t at;

	bed_start(bed, 0);
	bed_put(bed, 1, 1);
	assert_int_equal(bed_refresh(bed), 0);
	at = vol_nodetable_record_at(64, 0);
	vol_nodetable_encode(&record, &node, 8);
	for (size_t bit = 0; bit < sizeof(record) * 8; bit++) {
		((uint8_t *)&record)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(vol_nodetable_decode(&record, &out), -1);
		if (bit % 97 == 0) {
			bed_spoil(bed, at, &record, sizeof(record));
			bed_spoil(bed, vol_nodetable_word_at(0), &word,
				  sizeof(word));
			assert_int_equal(bed_refresh(bed), 0);
			assert_int_equal(bed_find(bed, "desk1")->speed, 1);
		}
		((uint8_t *)&record)[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	bed_spoil(bed, at, &record, sizeof(record));
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(bed_find(bed, "desk1")->speed, 7);
}

static void seal(struct vol_nodetable_record *record)
{
	record->checksum = vol_nodetable_checksum(record, 504);
}

/* With the right checksum, by somebody who can write the file. */
static void hostile_records_are_not_taken(void **state)
{
	struct bed *bed = *state;
	struct vol_nodetable_node node = bed_node(bed, 1, 7), out = {0};
	struct vol_nodetable_record good, r;

	vol_nodetable_encode(&good, &node, 2);
	assert_int_equal(vol_nodetable_decode(&good, &out), 0);
#define REFUSE(change)                                                \
	do {                                                          \
		r = good;                                             \
		change;                                               \
		seal(&r);                                             \
		assert_int_equal(vol_nodetable_decode(&r, &out), -1); \
	} while (0)
	REFUSE(memset(r.name, 'n', sizeof(r.name)));
	REFUSE(memset(r.id, 'n', 33));
	REFUSE(memset(r.id, 'n', sizeof(r.id)));
	REFUSE(memset(r.why, 'n', sizeof(r.why)));
	REFUSE(r.name[0] = '\0');
	REFUSE(r.id[0] = '\0');
	REFUSE(r.name[1] = '\n');
	REFUSE(r.why[1] = '\x1b');
	REFUSE(r.why[0] = '\x80');
	REFUSE(r.survive[63] = UINT16_MAX);
	REFUSE(r.survive[1]++);
#undef REFUSE
	/* What it does not know of yet. */
	r = good;
	r.flags = UINT32_MAX;
	memset(r.rest, 0xff, sizeof(r.rest));
	seal(&r);
	assert_int_equal(vol_nodetable_decode(&r, &out), 0);
}

static void write_pair(const struct bed *bed,
		       const struct vol_nodetable_node *n,
		       uint32_t record_edition, uint64_t word)
{
	struct vol_nodetable_record record;

	vol_nodetable_encode(&record, n, record_edition);
	bed_spoil(bed, vol_nodetable_record_at(64, 0), &record, sizeof(record));
	bed_spoil(bed, vol_nodetable_word_at(0), &word, sizeof(word));
}

/* A writer that was stopped between record and word. */
static void records_belong_to_their_words(void **state)
{
	struct bed *bed = *state;
	struct vol_nodetable_node other = bed_node(bed, 2, 7);
	uint64_t now_s = bed->now_ms / 1000;

	bed_start(bed, 0);
	bed_put(bed, 1, 1);
	assert_int_equal(bed_refresh(bed), 0);
	/* What it has is older still, and this one may be of the next device:
	 * wait. */
	write_pair(bed, &other, 9,
		   vol_nodetable_word(VOL_NODETABLE_PARKED, 7, now_s));
	assert_int_equal(bed_refresh(bed), 0);
	assert_null(bed_find(bed, "desk2"));
	assert_non_null(bed_find(bed, "desk1"));
	/* The next one of the same device. */
	write_pair(bed, &other, 8,
		   vol_nodetable_word(VOL_NODETABLE_PARKED, 7, now_s));
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(bed_find(bed, "desk2")->state, VOL_NODETABLE_PARKED);
	assert_null(bed_find(bed, "desk1"));
	/* Between two devices. */
	write_pair(bed, &other, 9,
		   vol_nodetable_word(VOL_NODETABLE_FREE, 8, 0));
	assert_int_equal(bed_refresh(bed), 0);
	assert_null(bed_find(bed, "desk2"));
	assert_int_equal(vol_nodeview_state(bed->view, 0), VOL_NODETABLE_FREE);
}

static void strangers_are_not_believed(void **state)
{
	struct bed *bed = *state;
	char other[PATH_MAX + 8];

	bed_start(bed, 0);
	assert_int_equal(chmod(bed->path, 0664), 0);
	bed_refused(bed, EPERM, "others than its owner");
	assert_int_equal(chmod(bed->path, 0644), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(bed->path, 12345, 12345), 0);
		bed->now_ms += 1000;
		bed_refused(bed, EPERM, "user 12345, a stranger");
		/* Whoever owns the folder decides what is in it. */
		assert_int_equal(chown(bed->folder, 12345, 12345), 0);
		bed->now_ms += 1000;
		assert_int_equal(bed_refresh(bed), 0);
		assert_int_equal(chown(bed->folder, 0, 0), 0);
	}
	vol_nodeview_destroy(bed->view);
	bed->view = vol_nodeview_create(bed->path);
	snprintf(other, sizeof(other), "%s.other", bed->path);
	assert_int_equal(rename(bed->path, other), 0);
	assert_int_equal(symlink(other, bed->path), 0);
	bed_refused(bed, ELOOP, "symbolic links");
	assert_int_equal(unlink(bed->path), 0);
	assert_int_equal(mkfifo(bed->path, 0644), 0);
	bed->now_ms += 1000;
	bed_refused(bed, EINVAL, "not a file");
	assert_int_equal(unlink(bed->path), 0);
	assert_int_equal(mkdir(bed->path, 0755), 0);
	bed->now_ms += 1000;
	bed_refused(bed, EINVAL, "not a file");
}

static void other_clusters_tables_are_not_used(void **state)
{
	struct bed *bed = *state;

	bed_start(bed, 0);
	vol_nodeview_expect(bed->view, "");
	assert_int_equal(bed_refresh(bed), 0);
	/* Also one that is in use already. */
	vol_nodetable_set_cluster(bed->table, "volunteer");
	bed_put(bed, 1, 1);
	bed_refused(bed, EXDEV, "another cluster's");
	bed_pass(bed, 100);
	bed_refused(bed, EXDEV, "another cluster's");
	vol_nodeview_expect(bed->view, "volunteers");
	bed_pass(bed, 1000);
	bed_refused(bed, EXDEV, "another cluster's");
	vol_nodeview_expect(bed->view, "volunteer");
	bed_pass(bed, 1000);
	assert_int_equal(bed_refresh(bed), 0);
	assert_non_null(bed_find(bed, "desk1"));
	/* It stays theirs when it grows, and when the file is made anew. */
	for (unsigned int i = 2; i < 100; i++)
		bed_put(bed, i, i);
	bed_pass(bed, 1000);
	assert_int_equal(bed_refresh(bed), 0);
	assert_non_null(bed_find(bed, "desk99"));
	assert_int_equal(unlink(bed->path), 0);
	bed_pass(bed, 1000);
	assert_int_equal(bed_refresh(bed), 0);
	vol_nodeview_expect(bed->view, NULL);
	assert_int_equal(bed_refresh(bed), 0);
	/* A name that fills its place, and one that is too long for it. */
	for (int fill = 0; fill < 2; fill++) {
		char name[80], kept[64];

		memset(name, 'x', sizeof(name));
		name[fill ? 79 : 63] = '\0';
		memcpy(kept, name, sizeof(kept));
		kept[63] = '\0';
		vol_nodetable_set_cluster(bed->table, name);
		vol_nodeview_expect(bed->view, kept);
		bed_pass(bed, 1000);
		assert_int_equal(bed_refresh(bed), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bed_test(headers_are_checked),
		bed_test(sizes_are_checked),
		bed_test(it_is_cut_off_while_in_use),
		bed_test(words_of_no_state_are_not_open),
		bed_test(spoilt_records_are_not_taken),
		bed_test(hostile_records_are_not_taken),
		bed_test(records_belong_to_their_words),
		bed_test(strangers_are_not_believed),
		bed_test(other_clusters_tables_are_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
