/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_txt.c - TXT records as in DNS: strings with a length byte before each
 *
 * What is accepted is written and read again; what is refused has a printable
 * reason.  Each string is a block of its own, so that one byte too many shows.
 */
#include "config.h"

#include "fuzz.h"
#include "txt.h"

#define MAX_ITEMS 64

static size_t cut(const uint8_t *data, size_t size,
		  struct vol_txt_item items[MAX_ITEMS])
{
	size_t n = 0;

	while (size > 0 && n < MAX_ITEMS) {
		size_t len = data[0] < size - 1 ? data[0] : size - 1;
		uint8_t *copy = malloc(len ? len : 1);

		if (!copy)
			abort();
		memcpy(copy, data + 1, len);
		items[n].data = copy;
		items[n++].len = len;
		data += 1 + len;
		size -= 1 + len;
	}
	return n;
}

static void check_again(const struct vol_txt *txt)
{
	char text[VOL_TXT_ITEMS][VOL_TXT_ITEM_SIZE];
	struct vol_txt_item items[VOL_TXT_ITEMS];
	struct vol_txt again;

	fuzz_assert(vol_txt_format(txt, text, VOL_TXT_ITEMS) == VOL_TXT_ITEMS);
	for (int i = 0; i < VOL_TXT_ITEMS; i++) {
		items[i].data = (const uint8_t *)text[i];
		items[i].len = strlen(text[i]);
	}
	fuzz_assert(vol_txt_parse(items, VOL_TXT_ITEMS, &again, NULL) == 0);
	fuzz_assert(txt->proto == again.proto);
	fuzz_assert(strcmp(txt->name, again.name) == 0);
	fuzz_assert(strcmp(txt->id, again.id) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_txt_item items[MAX_ITEMS];
	struct vol_error err = {""};
	struct vol_txt txt;
	size_t n = cut(data, size, items);

	if (vol_txt_parse(items, n, &txt, &err) == 0) {
		check_again(&txt);
	} else {
		fuzz_assert(err.text[0]);
		for (const char *p = err.text; *p; p++)
			fuzz_assert(*p >= 0x20 && *p <= 0x7e);
	}
	while (n > 0)
		free((void *)items[--n].data);
	return 0;
}
