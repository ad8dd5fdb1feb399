/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rotation.c - phases of a key rotation, and what devices are sent in them
 */
#include "config.h"

#include "rotation.h"
#include "rotation_file.h"

#include <errno.h>
#include <sys/stat.h>

#include "vtest.h"

#define OLD  "0000000000000000"
#define NEW  "1111111111111111"
#define ELSE "2222222222222222"

#define DO(_what) VOL_ROTATION_DO_##_what

static void walk(const enum vol_rotation_event *events, size_t n,
		 enum vol_rotation_phase *phase, unsigned *last)
{
	for (size_t i = 0; i < n; i++) {
		*last = vol_rotation_step(phase, events[i]);
		assert_false(*last & DO(WRONG));
	}
}

static void forward(void **state)
{
	static const enum vol_rotation_event events[] = {
		VOL_ROTATION_BEGIN,  VOL_ROTATION_PREPARED, VOL_ROTATION_CLOSED,
		VOL_ROTATION_TURNED, VOL_ROTATION_PLACED,   VOL_ROTATION_OPENED,
	};
	enum vol_rotation_phase phase = VOL_ROTATION_NONE;
	unsigned last = 0;

	(void)state;
	walk(events, N_ELEMENTS(events), &phase, &last);
	assert_int_equal(phase, VOL_ROTATION_NONE);
	assert_true(last & DO(DONE));
	assert_false(last & DO(DROP));
}

static void back(void **state)
{
	static const enum vol_rotation_event events[] = {
		VOL_ROTATION_BEGIN,
		VOL_ROTATION_PREPARED,
		VOL_ROTATION_STOP,
		VOL_ROTATION_OPENED,
	};
	enum vol_rotation_phase phase = VOL_ROTATION_NONE;
	unsigned last = 0;

	(void)state;
	walk(events, N_ELEMENTS(events), &phase, &last);
	assert_int_equal(phase, VOL_ROTATION_NONE);
	assert_true(last & DO(DROP));
	assert_false(last & DO(DONE));
}

/* Whatever happens in whatever order. */
static void no_way_back_once_it_turns(void **state)
{
	(void)state;
	for (int p = 0; p < VOL_ROTATION_PHASES; p++) {
		for (int e = 0; e < VOL_ROTATION_EVENTS; e++) {
			enum vol_rotation_phase from = p, to = p;
			unsigned todo = vol_rotation_step(&to, e);

			if (todo & DO(WRONG)) {
				assert_int_equal(to, from);
				continue;
			}
			if (vol_rotation_turning(from)) {
				assert_false(todo & DO(DROP));
				assert_true(vol_rotation_turning(to) ||
					    todo & DO(DONE));
			} else {
				assert_false(todo & (DO(DONE) | DO(PLACE)));
			}
			/* A turn is on disk before anybody hears of it. */
			if (vol_rotation_turning(to) && to != from)
				assert_true(todo & DO(SAVE));
		}
	}
}

static void killed_anywhere(void **state)
{
	static const struct {
		enum vol_rotation_phase found, then;
		unsigned todo;
	} cases[] = {
		{VOL_ROTATION_CLOSE, VOL_ROTATION_UNDO, DO(SAVE) | DO(OPEN)},
		{VOL_ROTATION_UNDO, VOL_ROTATION_UNDO, DO(OPEN)},
		{VOL_ROTATION_TURN, VOL_ROTATION_TURN, DO(SEND)},
		{VOL_ROTATION_SELF, VOL_ROTATION_SELF, DO(PLACE)},
		{VOL_ROTATION_OPEN, VOL_ROTATION_OPEN, DO(OPEN)},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		enum vol_rotation_phase phase = cases[i].found;

		assert_int_equal(vol_rotation_step(&phase, VOL_ROTATION_START),
				 cases[i].todo);
		assert_int_equal(phase, cases[i].then);
	}
}

static void what_is_due(void **state)
{
	static const struct {
		enum vol_rotation_phase phase;
		const char *has, *next;
		enum vol_rotation_send due;
	} cases[] = {
		{VOL_ROTATION_NONE, OLD, "", VOL_SEND_NOTHING},
		{VOL_ROTATION_NONE, "", "", VOL_SEND_KEY_NOW},
		{VOL_ROTATION_NONE, ELSE, NEW, VOL_SEND_KEY_NOW},
		{VOL_ROTATION_PREPARE, OLD, "", VOL_SEND_KEY_NEXT},
		{VOL_ROTATION_PREPARE, OLD, ELSE, VOL_SEND_KEY_NEXT},
		{VOL_ROTATION_PREPARE, "", "", VOL_SEND_KEY_NOW},
		{VOL_ROTATION_PREPARE, OLD, NEW, VOL_SEND_NOTHING},
		{VOL_ROTATION_CLOSE, OLD, "", VOL_SEND_NOTHING},
		{VOL_ROTATION_CLOSE, "", "", VOL_SEND_KEY_NOW},
		{VOL_ROTATION_UNDO, OLD, NEW, VOL_SEND_NOTHING},
		{VOL_ROTATION_TURN, OLD, NEW, VOL_SEND_TURN},
		{VOL_ROTATION_TURN, OLD, "", VOL_SEND_KEY_NOW},
		{VOL_ROTATION_TURN, NEW, NEW, VOL_SEND_NOTHING},
		{VOL_ROTATION_SELF, ELSE, ELSE, VOL_SEND_KEY_NOW},
		{VOL_ROTATION_SELF, OLD, NEW, VOL_SEND_TURN},
		{VOL_ROTATION_OPEN, "", "", VOL_SEND_KEY_NOW},
		{VOL_ROTATION_OPEN, NEW, "", VOL_SEND_NOTHING},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_rotation_device d = {
			.approved = true,
			.allowed = true,
			.proven = true,
			.has = cases[i].has,
			.next = cases[i].next,
		};

		assert_int_equal(vol_rotation_due(cases[i].phase, OLD, NEW, &d),
				 cases[i].due);
	}
}

/* Every state that there is: a key goes to none that is revoked, not allowed to
 * have it, or has not proven who it is; and never one that there is not. */
static void nothing_for_the_others(void **state)
{
	static const char *const ids[] = {"", OLD, NEW, ELSE};
	size_t sent = 0;

	(void)state;
	for (int i = 0; i < VOL_ROTATION_PHASES * 8 * 16 * 4; i++) {
		struct vol_rotation_device d = {
			.approved = i & 1,
			.allowed = i & 2,
			.proven = i & 4,
			.has = ids[i >> 3 & 3],
			.next = ids[i >> 5 & 3],
		};
		const char *current = i >> 7 & 1 ? OLD : "";
		const char *next = i >> 8 & 1 ? NEW : "";
		enum vol_rotation_phase phase = (unsigned)i >> 9;
		enum vol_rotation_send due =
			vol_rotation_due(phase, current, next, &d);

		if (due == VOL_SEND_NOTHING)
			continue;
		sent++;
		assert_true(d.approved && d.allowed && d.proven);
		if (due == VOL_SEND_KEY_NOW)
			assert_true(*(vol_rotation_turning(phase) ? next
								  : current));
		else
			assert_true(*next);
		if (due == VOL_SEND_TURN)
			assert_true(vol_rotation_turning(phase));
	}
	assert_true(sent > 50);
}

/* ---- the file ---- */

static void fill(struct vol_rotation_record *r)
{
	memset(r, 0, sizeof(*r));
	r->phase = VOL_ROTATION_TURN;
	strcpy(r->old, OLD);
	strcpy(r->next, NEW);
	strcpy(r->partitions, "fixed,volunteer,gpu-1.x_y");
	r->closed_ms = 1764400000123;
	r->apart_ms = 1764400002456;
}

static void file_there_and_back(void **state)
{
	struct vol_rotation_record r, back;
	struct vol_error err = {""};
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/rotation.json", (char *)*state);
	memset(&back, 1, sizeof(back));
	assert_int_equal(vol_rotation_load(path, &back, &err), 0);
	assert_int_equal(back.phase, VOL_ROTATION_NONE);
	for (int p = VOL_ROTATION_CLOSE; p <= VOL_ROTATION_UNDO; p++) {
		fill(&r);
		r.phase = p;
		if (p == VOL_ROTATION_UNDO) {
			memset(r.old, 0, sizeof(r.old));
			memset(r.partitions, 0, sizeof(r.partitions));
		}
		assert_int_equal(vol_rotation_save(path, &r, &err), 0);
		assert_int_equal(vol_rotation_load(path, &back, &err), 0);
		assert_memory_equal(&r, &back, sizeof(r));
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	r.phase = VOL_ROTATION_NONE;
	assert_int_equal(vol_rotation_save(path, &r, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(vol_rotation_save(path, &r, &err), 0);
}

static void damaged_files(void **state)
{
	static const char *const cases[] = {
		"",
		"{}",
		"[]",
		"{\"version\": 2, \"phase\": \"turn\", \"next\": \"" NEW
		"\", \"partitions\": \"\", \"closed_ms\": 0, \"apart_ms\": 0}",
		"{\"version\": 1, \"phase\": \"prepare\", \"next\": \"" NEW
		"\", \"partitions\": \"\", \"closed_ms\": 0, \"apart_ms\": 0}",
		"{\"version\": 1, \"phase\": \"none\", \"next\": \"" NEW
		"\", \"partitions\": \"\", \"closed_ms\": 0, \"apart_ms\": 0}",
		"{\"version\": 1, \"phase\": \"turn\", \"next\": \"\", "
		"\"partitions\": \"\", \"closed_ms\": 0, \"apart_ms\": 0}",
		"{\"version\": 1, \"phase\": \"turn\", \"next\": \"" NEW
		"\", \"partitions\": \"a b\", \"closed_ms\": 0, "
		"\"apart_ms\": 0}",
		"{\"version\": 1, \"phase\": \"turn\", \"next\": \"" NEW
		"\", \"partitions\": \"a\", \"closed_ms\": -1, "
		"\"apart_ms\": 0}",
		"{\"version\": 1, \"phase\": \"turn\", \"next\": \"" NEW
		"\", \"partitions\": \"a\", \"closed_ms\": 0, "
		"\"apart_ms\": 0, \"more\": 1}",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_rotation_record r;
		struct vol_error err = {""};

		memset(&r, 7, sizeof(r));
		assert_int_equal(vol_rotation_parse("here", cases[i],
						    strlen(cases[i]), &r, &err),
				 -1);
		assert_contains(err.text, "here");
		assert_printable(err.text);
		assert_int_equal(r.next[0], 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forward),
		cmocka_unit_test(back),
		cmocka_unit_test(no_way_back_once_it_turns),
		cmocka_unit_test(killed_anywhere),
		cmocka_unit_test(what_is_due),
		cmocka_unit_test(nothing_for_the_others),
		cmocka_unit_test_setup_teardown(file_there_and_back,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test(damaged_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
