/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckmerge.c - memory in two parts, and what is none */
#include "config.h"

#include "ckmerge.h"

#include <errno.h>

#include "ckimage_code.h"
#include "ckmessages.h"
#include "vtest.h"

#define PAGE 4096
#define BASE UINT64_C(0x7f0000000000)

/* criu/pagemap.c and images/pagemap.proto of 4.1 and of 4.2. */
enum how {
	WIDE,
	NARROW,
	OLD_PARENT, /* in_parent, no flags */
	OLD,        /* no flags */
};

struct entry {
	uint64_t at; /* page, from BASE */
	uint64_t pages;
	uint32_t flags;
	enum how how;
};

#define HERE   VOL_CKPAGE_PRESENT
#define LAZY   (VOL_CKPAGE_PRESENT | VOL_CKPAGE_LAZY)
#define BEFORE VOL_CKPAGE_PARENT

static void put_entry(struct ckbuf *b, const struct entry *e)
{
	struct ckbuf m = {.n = 0};
	bool wide = e->how == WIDE;
	size_t at = b->n;

	ck_number(&m, 1, (int64_t)(BASE + e->at * PAGE));
	ck_number(&m, 2, wide ? 0 : (int64_t)e->pages);
	if (e->how == OLD_PARENT)
		ck_number(&m, 3, 1);
	if (e->how == WIDE || e->how == NARROW)
		ck_number(&m, 4, e->flags);
	if (wide)
		ck_number(&m, 5, (int64_t)e->pages);
	assert_true(at + 4 + m.n <= sizeof(b->b));
	vol_put32(b->b + at, (uint32_t)m.n);
	memcpy(b->b + at + 4, m.b, m.n);
	b->n = at + 4 + m.n;
}

/* Entries end with one of 0 pages. */
static void make(struct ckbuf *b, uint32_t id, const struct entry *e)
{
	struct ckbuf head = {.n = 0};

	*b = (struct ckbuf){.n = 8};
	vol_put32(b->b, VOL_CKMAGIC_COMMON);
	vol_put32(b->b + 4, vol_ckkind_magic(VOL_CKKIND_PAGEMAP));
	ck_number(&head, 1, id);
	vol_put32(b->b + 8, (uint32_t)head.n);
	memcpy(b->b + 12, head.b, head.n);
	b->n = 12 + head.n;
	for (; e->pages; e++)
		put_entry(b, e);
}

static struct vol_ckmemory memory(const struct ckbuf *b, uint64_t pages)
{
	return (struct vol_ckmemory){{b->b, b->n}, pages * PAGE};
}

#define ENTRIES_MAX 8

struct vector {
	const char *name;
	struct entry before[ENTRIES_MAX];
	uint64_t before_pages; /* of the file */
	struct entry last[ENTRIES_MAX];
	uint64_t last_pages;
	/* What comes of it: entries, then pages of which file from where.
	 * error: it does not. */
	struct entry result[ENTRIES_MAX];
	struct {
		bool before;
		uint64_t from, pages;
	} copy[ENTRIES_MAX];
	const char *error;
};

static const struct vector good[] = {
	{.name = "nothing was before",
	 .last = {{0, 2, HERE, WIDE}},
	 .last_pages = 2,
	 .result = {{0, 2, HERE, WIDE}},
	 .copy = {{false, 0, 2}}},
	{.name = "all was before",
	 .before = {{0, 4, HERE, WIDE}},
	 .before_pages = 4,
	 .last = {{0, 4, BEFORE, WIDE}},
	 .result = {{0, 4, HERE, WIDE}},
	 .copy = {{true, 0, 4}}},
	{.name = "in turns, and become one",
	 .before = {{0, 6, HERE, WIDE}},
	 .before_pages = 6,
	 .last = {{0, 1, BEFORE, WIDE},
		  {1, 2, HERE, WIDE},
		  {3, 3, BEFORE, WIDE}},
	 .last_pages = 2,
	 .result = {{0, 6, HERE, WIDE}},
	 .copy = {{true, 0, 1}, {false, 0, 2}, {true, 3, 3}}},
	{.name = "one of several, with a gap and pages that are gone",
	 .before = {{0, 2, HERE, WIDE},
		    {2, 2, LAZY, WIDE},
		    {6, 4, HERE, WIDE},
		    {20, 2, HERE, WIDE}},
	 .before_pages = 10,
	 .last = {{1, 3, BEFORE, WIDE},
		  {7, 1, BEFORE, WIDE},
		  {21, 1, BEFORE, WIDE},
		  {30, 1, LAZY, WIDE}},
	 .last_pages = 1,
	 .result = {{1, 1, HERE, WIDE},
		    {2, 2, LAZY, WIDE},
		    {7, 1, HERE, WIDE},
		    {21, 1, HERE, WIDE},
		    {30, 1, LAZY, WIDE}},
	 .copy = {{true, 1, 3}, {true, 5, 1}, {true, 9, 1}, {false, 0, 1}}},
	{.name = "CRIU 4.1",
	 .before = {{0, 4, LAZY, NARROW}},
	 .before_pages = 4,
	 .last = {{0, 2, BEFORE, NARROW}, {3, 1, LAZY, NARROW}},
	 .last_pages = 1,
	 .result = {{0, 2, LAZY, NARROW}, {3, 1, LAZY, NARROW}},
	 .copy = {{true, 0, 2}, {false, 0, 1}}},
	{.name = "entries without flags",
	 .before = {{0, 4, HERE, OLD}},
	 .before_pages = 4,
	 .last = {{0, 2, 0, OLD_PARENT}, {2, 1, HERE, OLD}},
	 .last_pages = 1,
	 .result = {{0, 3, HERE, NARROW}},
	 .copy = {{true, 0, 2}, {false, 0, 1}}},
	{.name = "no memory at all", .last_pages = 0},
};

static const struct vector bad[] = {
	{.name = "no part before",
	 .last = {{0, 1, BEFORE, WIDE}},
	 .error = "was not written before"},
	{.name = "before the first entry",
	 .before = {{1, 2, HERE, WIDE}},
	 .before_pages = 2,
	 .last = {{0, 2, BEFORE, WIDE}},
	 .error = "was not written before"},
	{.name = "in a gap",
	 .before = {{0, 1, HERE, WIDE}, {2, 1, HERE, WIDE}},
	 .before_pages = 2,
	 .last = {{0, 3, BEFORE, WIDE}},
	 .error = "0x7f0000001000 was not written before"},
	{.name = "behind the last entry",
	 .before = {{0, 1, HERE, WIDE}},
	 .before_pages = 1,
	 .last = {{0, 2, BEFORE, WIDE}},
	 .error = "was not written before"},
	{.name = "a third part",
	 .before = {{0, 1, BEFORE, WIDE}},
	 .last = {{0, 1, BEFORE, WIDE}},
	 .error = "nothing was before it"},
	{.name = "overlapping entries",
	 .last = {{0, 2, HERE, WIDE}, {1, 2, HERE, WIDE}},
	 .last_pages = 4,
	 .error = "begins before the one before it ends"},
	{.name = "overlapping entries before, behind all that is needed",
	 .before = {{0, 1, HERE, WIDE}, {4, 2, HERE, WIDE}, {5, 1, HERE, WIDE}},
	 .before_pages = 4,
	 .last = {{0, 1, BEFORE, WIDE}},
	 .error = "earlier pagemap: entry 4: it begins before"},
	{.name = "falling addresses",
	 .last = {{4, 1, HERE, WIDE}, {0, 1, HERE, WIDE}},
	 .last_pages = 2,
	 .error = "begins before the one before it ends"},
	{.name = "pages are cut off",
	 .last = {{0, 3, HERE, WIDE}},
	 .last_pages = 2,
	 .error = "its pages are not all there"},
	{.name = "pages before are cut off",
	 .before = {{0, 3, HERE, WIDE}},
	 .before_pages = 2,
	 .last = {{0, 1, BEFORE, WIDE}},
	 .error = "earlier pagemap: entry 2: its pages are not all there"},
	{.name = "pages of no entry",
	 .last = {{0, 1, HERE, WIDE}},
	 .last_pages = 2,
	 .error = "8192 bytes of pages, 4096 have a place"},
	{.name = "in two places",
	 .last = {{0, 1, HERE | BEFORE, WIDE}},
	 .last_pages = 1,
	 .error = "nowhere, or in two places"},
	{.name = "left behind",
	 .last = {{0, 1, VOL_CKPAGE_LAZY, WIDE}},
	 .error = "nowhere, or in two places"},
	{.name = "an unknown flag",
	 .last = {{0, 1, HERE | 8, WIDE}},
	 .last_pages = 1,
	 .error = "nowhere, or in two places"},
	{.name = "over the end of all addresses",
	 .last = {{0, UINT64_MAX / PAGE, HERE, WIDE}},
	 .last_pages = 1,
	 .error = "it is no range of pages"},
	{.name = "more than a number holds",
	 .last = {{0, UINT64_MAX, BEFORE, WIDE}},
	 .error = "it is no range of pages"},
};

static int merge(const struct vector *v, struct vol_ckmerge *m,
		 struct vol_error *err)
{
	struct ckbuf before, last;
	struct vol_ckmemory a = {.pages = 0}, b;

	make(&before, 7, v->before);
	make(&last, 3, v->last);
	if (v->before[0].pages)
		a = memory(&before, v->before_pages);
	b = memory(&last, v->last_pages);
	return vol_ckmerge(&a, &b, PAGE, m, err);
}

static void merged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct vector *v = &good[i];
		struct vol_error err = {""};
		struct vol_ckmerge m;
		struct ckbuf want;
		uint64_t filled = 0;
		uint32_t id;

		if (merge(v, &m, &err) != 0)
			fail_msg("%s: %s", v->name, err.text);
		make(&want, 3, v->result);
		if (m.len != want.n || memcmp(m.pagemap, want.b, want.n) != 0)
			fail_msg("%s: another pagemap", v->name);
		for (size_t k = 0; k < m.n; k++)
			if (m.copy[k].earlier != v->copy[k].before ||
			    m.copy[k].from != v->copy[k].from * PAGE ||
			    m.copy[k].bytes != v->copy[k].pages * PAGE)
				fail_msg("%s: copy %zu", v->name, k);
			else if (m.copy[k].earlier)
				filled += m.copy[k].bytes;
		assert_true(v->copy[m.n].pages == 0);
		assert_true(m.filled == filled);
		assert_int_equal(vol_ckmerge_pages_id(
					 (struct vol_ckbytes){m.pagemap, m.len},
					 &id, &err),
				 0);
		assert_int_equal(id, 3);
		vol_ckmerge_clear(&m);
	}
}

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct vol_error err = {""};
		struct vol_ckmerge m;

		if (merge(&bad[i], &m, &err) == 0)
			fail_msg("%s: taken", bad[i].name);
		assert_int_equal(errno, EBADMSG);
		if (!strstr(err.text, bad[i].error))
			fail_msg("%s: %s", bad[i].name, err.text);
		vol_ckmerge_clear(&m);
	}
}

static void odd_addresses(void **state)
{
	struct vol_ckmerge m;
	struct ckbuf b, e = {.n = 0};
	struct vol_ckmemory none = {.pages = 0}, last;
	struct vol_error err;

	(void)state;
	make(&b, 1, (const struct entry[]){{0}});
	ck_number(&e, 1, 0x1001);
	ck_number(&e, 2, 1);
	ck_number(&e, 4, HERE);
	vol_put32(b.b + b.n, (uint32_t)e.n);
	memcpy(b.b + b.n + 4, e.b, e.n);
	b.n += 4 + e.n;
	last = memory(&b, 1);
	assert_int_equal(vol_ckmerge(&none, &last, PAGE, &m, &err), -1);
	assert_non_null(strstr(err.text, "no range of pages"));
	vol_ckmerge_clear(&m);
}

/* Each length that a file can be cut to: one meaning, or none. */
static void cut_off(void **state)
{
	const struct vector *v = &good[3];
	struct ckbuf before, last;
	struct vol_ckmemory a, b;
	struct vol_error err;
	struct vol_ckmerge m;
	uint32_t id;

	(void)state;
	make(&before, 7, v->before);
	make(&last, 3, v->last);
	for (size_t n = 0; n < before.n; n++) {
		a = memory(&before, v->before_pages);
		b = memory(&last, v->last_pages);
		a.pagemap.len = n;
		assert_int_equal(vol_ckmerge(&a, &b, PAGE, &m, &err), -1);
		assert_int_equal(errno, EBADMSG);
		vol_ckmerge_clear(&m);
	}
	for (size_t n = 0; n < last.n; n++) {
		a = memory(&before, v->before_pages);
		b = memory(&last, v->last_pages);
		b.pagemap.len = n;
		assert_int_equal(vol_ckmerge(&a, &b, PAGE, &m, &err), -1);
		assert_int_equal(errno, EBADMSG);
		vol_ckmerge_clear(&m);
		(void)vol_ckmerge_pages_id(b.pagemap, &id, NULL);
	}
}

/* More entries than a first list holds. */
static void many(void **state)
{
	enum { N = 2000 };
	static struct vol_ckmerge m;
	struct vol_ckmemory a, b;
	struct vol_error err;
	static uint8_t buf[2][N * 40];
	struct ckbuf one;
	size_t len[2];

	(void)state;
	for (unsigned int k = 0; k < 2; k++) {
		make(&one, k, (const struct entry[]){{0}});
		memcpy(buf[k], one.b, len[k] = one.n);
		for (unsigned int i = 0; i < N; i++) {
			const struct entry e = {
				2 * i, 1, k && i % 2 ? BEFORE : HERE, WIDE};

			one.n = 0;
			put_entry(&one, &e);
			memcpy(buf[k] + len[k], one.b, one.n);
			len[k] += one.n;
		}
	}
	a = (struct vol_ckmemory){{buf[0], len[0]}, N * PAGE};
	b = (struct vol_ckmemory){{buf[1], len[1]}, N / 2 * PAGE};
	if (vol_ckmerge(&a, &b, PAGE, &m, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(m.n, N);
	assert_true(m.filled == N / 2 * PAGE);
	assert_true(m.copy[N - 1].earlier);
	assert_true(m.copy[N - 1].from == (N - 1) * PAGE);
	assert_int_equal(m.len, len[0]);
	vol_ckmerge_clear(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merged),        cmocka_unit_test(refused),
		cmocka_unit_test(odd_addresses), cmocka_unit_test(cut_off),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
