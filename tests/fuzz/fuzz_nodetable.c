/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_nodetable.c - a node table file, twice
 *
 * The first byte says with how much help: 'h' puts a good header in front of
 * words and records, 's' also gives each record its right checksum (as a
 * hostile writer would), anything else takes the bytes as they are.  The file
 * is read, then changed in the middle and read again through the same view.
 */
#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include "fuzz.h"
#include "nodetable_format.h"

#define NOW_MS UINT64_C(5000000)
#define SLOTS  4

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	fuzz_assert(len < size);
	for (size_t i = 0; i < len; i++)
		fuzz_assert(text[i] >= 0x20 && text[i] <= 0x7e);
}

static void check_node(const struct vol_nodeview *view, uint32_t slot)
{
	const struct vol_nodetable_node *node = vol_nodeview_node(view, slot);
	enum vol_nodetable_state state = vol_nodeview_state(view, slot);

	fuzz_assert(state <= VOL_NODETABLE_UNKNOWN);
	if (!node)
		return;
	fuzz_assert(node->state == state);
	check_text(node->name, sizeof(node->name));
	check_text(node->id, sizeof(node->id));
	check_text(node->why, sizeof(node->why));
	fuzz_assert(node->name[0] && node->id[0]);
	for (size_t i = 1; i < VOL_OUTLOOK_POINTS; i++)
		fuzz_assert(node->outlook.survive[i] <=
			    node->outlook.survive[i - 1]);
	/* Two slots may claim one name; then it is found at one of them. */
	slot = vol_nodeview_slot(view, node->name);
	fuzz_assert(slot < vol_nodeview_slots(view));
	fuzz_assert(strcmp(vol_nodeview_node(view, slot)->name, node->name) ==
		    0);
}

static void check_view(struct vol_nodeview *view, uint64_t now_ms)
{
	struct vol_error err = {""};

	if (vol_nodeview_refresh(view, now_ms, &err) < 0) {
		fuzz_assert(err.text[0]);
		return;
	}
	fuzz_assert(vol_nodeview_slots(view) <= VOL_NODETABLE_MAX);
	for (uint32_t slot = 0; slot <= vol_nodeview_slots(view); slot++)
		check_node(view, slot);
}

/* Lay the input over a file that would be good. */
static uint8_t *help(const uint8_t *data, size_t size, bool seal, size_t *len)
{
	size_t front = sizeof(struct vol_nodetable_header);
	uint8_t *file;

	*len = vol_nodetable_file_size(SLOTS);
	file = calloc(1, *len);
	if (!file)
		abort();
	vol_nodetable_header_init((void *)file, SLOTS);
	((struct vol_nodetable_header *)(void *)file)->used = SLOTS;
	((struct vol_nodetable_header *)(void *)file)->beat_ms = NOW_MS;
	memcpy(file + front, data, size < *len - front ? size : *len - front);
	for (uint32_t slot = 0; seal && slot < SLOTS; slot++) {
		struct vol_nodetable_record *r =
			(void *)(file + vol_nodetable_record_at(SLOTS, slot));

		r->checksum = vol_nodetable_checksum(
			r, offsetof(struct vol_nodetable_record, checksum));
	}
	return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	struct vol_nodeview *view;
	uint8_t *file;
	size_t len = 0;
	int fd;

	if (size < 2 || size > 1 << 20)
		return 0;
	if (!path[0])
		snprintf(path, sizeof(path), "/tmp/vol-fuzz-nodes.%d",
			 (int)getpid());
	if (data[0] == 'h' || data[0] == 's') {
		file = help(data + 1, size - 1, data[0] == 's', &len);
	} else {
		len = size - 1;
		file = malloc(len);
		if (!file)
			abort();
		memcpy(file, data + 1, len);
	}
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	fuzz_assert(fd >= 0);
	fuzz_assert(pwrite(fd, file, len, 0) == (ssize_t)len);
	view = vol_nodeview_create(path);
	fuzz_assert(view);
	check_view(view, NOW_MS);
	/* Half of it over the other half, then half of it away. */
	fuzz_assert(pwrite(fd, file + len / 2, len / 2, (off_t)(len / 8)) >= 0);
	check_view(view, NOW_MS + 1);
	fuzz_assert(pwrite(fd, file, len, 0) == (ssize_t)len);
	check_view(view, NOW_MS + 2000);
	fuzz_assert(ftruncate(fd, (off_t)(len / 2)) == 0);
	check_view(view, NOW_MS + 2001);
	vol_nodeview_destroy(view);
	close(fd);
	unlink(path);
	free(file);
	return 0;
}
