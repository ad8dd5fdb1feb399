/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_tickets.c - any bytes as the file of tokens
 *
 * A file that is accepted can be saved, and holds the same tickets then; none
 * of them is used more often than it may be, and none revives when the clock
 * goes back.
 */
#include "config.h"

#include "fuzz.h"
#include "plain_sha256.h"
#include "tickets.h"

#define NAME "tickets.json"

static void check_same(const struct vol_tickets *a, const struct vol_tickets *b)
{
	fuzz_assert(vol_tickets_count(a) == vol_tickets_count(b));
	for (size_t i = 0; i < vol_tickets_count(a); i++) {
		const struct vol_ticket *x = vol_tickets_at(a, i);
		const struct vol_ticket *y = vol_tickets_at(b, i);

		fuzz_assert(strcmp(x->id, y->id) == 0);
		fuzz_assert(strcmp(x->digest, y->digest) == 0);
		fuzz_assert(x->uses == y->uses && x->uid == y->uid);
		fuzz_assert(x->made == y->made && x->expires == y->expires);
		fuzz_assert(x->revoked == y->revoked);
		fuzz_assert(x->used.n == y->used.n && x->used.n <= x->uses);
	}
}

static void check_time(struct vol_tickets *t)
{
	struct vol_tickets_clock now = {1800000000, 1000};
	size_t valid = 0, before;

	for (size_t i = 0; i < vol_tickets_count(t); i++)
		valid += vol_ticket_state(t, vol_tickets_at(t, i), &now) ==
			 VOL_TICKET_VALID;
	before = valid;
	valid = 0;
	now.wall = 0;
	now.boot_s = 0;
	for (size_t i = 0; i < vol_tickets_count(t); i++)
		valid += vol_ticket_state(t, vol_tickets_at(t, i), &now) ==
			 VOL_TICKET_VALID;
	fuzz_assert(valid == before);
	vol_tickets_prune(t, &now);
	fuzz_assert(vol_tickets_next_s(t, &now) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_tickets_clock now = {5, 5};
	struct vol_error err = {""};
	struct vol_jointoken token;
	struct vol_fingerprint key = {{0}};
	struct vol_tickets *a, *b;
	size_t len;
	char *text;

	a = vol_tickets_parse(NAME, (const char *)data, size, &err);
	if (!a) {
		fuzz_assert(strncmp(err.text, NAME, strlen(NAME)) == 0);
		return 0;
	}
	/* Something to save. */
	vol_tickets_make(a, 1, 60, 0, &key, &now, plain_sha256, &token, NULL);
	if (vol_tickets_count(a) > 0)
		vol_tickets_revoke(a, vol_tickets_at(a, 0)->id, NULL);
	text = vol_tickets_text(a, &len, NULL);
	fuzz_assert(text);
	b = vol_tickets_parse(NAME, text, len, NULL);
	fuzz_assert(b);
	free(text);
	check_same(a, b);
	check_time(b);
	vol_tickets_destroy(a);
	vol_tickets_destroy(b);
	return 0;
}
