/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_owner_list.c - owners that change hands */
#include "config.h"

#include "device/owner_list.h"

#include <errno.h>

#include "vtest.h"

static void moves(void **state)
{
	static const struct {
		const char *list, *from, *to, *after;
		int error;
	} cases[] = {
		{NULL, NULL, "bob", "bob", 0},
		{"", NULL, "bob", "bob", 0},
		{"ann", NULL, "bob", "bob", 0},
		{"ann", "ann", "bob", "bob", 0},
		{"ann", "ann", "ann", "ann", 0},
		{"ann, carol", "ann", "bob", "bob, carol", 0},
		{"ann carol\tdave", "carol", "bob", "ann, bob, dave", 0},
		{" ann ,, carol ", "carol", "bob", "ann, bob", 0},
		{"ann, carol", "ann", "carol", "carol", 0},
		{"ann, carol", "carol", "ann", "ann", 0},
		{"ann, ann", "ann", "bob", "bob", 0},
		{"ann, carol", NULL, "bob", NULL, ENOENT},
		{"ann", "carol", "bob", NULL, ENOENT},
		{"anna", "ann", "bob", NULL, ENOENT},
		{NULL, "ann", "bob", NULL, ENOENT},
		{"ann", "ann", "", NULL, EINVAL},
		{"ann", "ann", "all", NULL, EINVAL},
		{"ann", "ann", "bob carol", NULL, EINVAL},
		{"ann", "ann", "bob,carol", NULL, EINVAL},
		{"ann", "ann", "bob\nsandbox = no", NULL, EINVAL},
		{"ann", "ann", "b#b", NULL, EINVAL},
		{"ann", "ann", "*", NULL, EINVAL},
		{"ann", "ann", "-x", NULL, EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_error err = {""};
		char *after = vol_owner_list_move(cases[i].list, cases[i].from,
						  cases[i].to, &err);

		if (cases[i].after) {
			assert_non_null(after);
			assert_string_equal(after, cases[i].after);
		} else {
			assert_null(after);
			assert_int_equal(errno, cases[i].error);
			assert_printable(err.text);
		}
		free(after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
