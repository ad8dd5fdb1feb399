/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_crowd.c - many at the door: strangers that sit there, and claimants
 *
 * Who makes room for whom is in test_gate.c.
 */
#include "config.h"

#include "controller.h"

#include "controller_bed.h"

#define SILENT (VOL_GATE_PLACES + 40)

/* More links than places, none of which says a word, are before it. */
static void silent_links_keep_nobody_out(void **state)
{
	static struct client silent[SILENT];
	struct bed *bed = *state;
	struct client c;
	char byte;
	unsigned i, gone = 0;

	for (i = 0; i < SILENT; i++)
		dial(bed, &silent[i]);
	join(bed, &c, ID_A, "desk", "desk");
	assert_contains(bed->log,
			"refused 127.0.0.1: too many links without a hello");
	for (i = 0; i < SILENT; i++) {
		gone += recv(silent[i].fd, &byte, 1, MSG_DONTWAIT) == 0;
		hang_up(&silent[i]);
	}
	/* No more than had to. */
	assert_true(gone > 0 && gone <= SILENT + 1 - VOL_GATE_PLACES);
	hang_up(&c);
}

/* Each place is given back, however its link ends: else they run out. */
static void places_are_given_back(void **state)
{
	struct bed *bed = *state;
	struct client c;
	unsigned i;
	char byte;

	for (i = 0; i < VOL_GATE_PLACES + 10; i++) {
		dial(bed, &c);
		/* No TLS: it is shown the door. */
		if (i % 2 && send(c.fd, "?", 1, 0) == 1)
			run_until(bed,
				  recv(c.fd, &byte, 1, MSG_DONTWAIT) >= 0 ||
					  errno != EAGAIN);
		hang_up(&c);
		turn(bed);
	}
	join(bed, &c, ID_A, "desk", "desk");
	assert_null(strstr(bed->log, "too many"));
	hang_up(&c);
}

/* The same device again and again, while it is linked: one of them waits. */
static void one_claimant_each(void **state)
{
	struct bed *bed = *state;
	struct client linked, older, newer;
	struct vol_link_msg hello, m;

	join(bed, &linked, ID_A, "desk", "desk");
	fill_hello(bed, &hello, ID_A, "desk");
	memset(hello.boot, '7', sizeof(hello.boot) - 1);
	dial(bed, &older);
	dial(bed, &newer);
	/* Before either says it, since a claim is over after a second. */
	shake_hands(&older, device_key(bed, ID_A));
	shake_hands(&newer, device_key(bed, ID_A));
	send_msg(&older, &hello);
	for (int i = 0; i < 10; i++)
		turn(bed);
	send_msg(&newer, &hello);
	run_until(bed, try_recv(&older, &m) || older.closed);
	if (!older.closed)
		fail_msg("%s: %s\n%s", vol_link_type_name(m.type), m.reason,
			 bed->log);
	expect(bed, &newer, VOL_LINK_REFUSE, &m);
	assert_string_equal(m.code, "duplicate_id");
	/* And when nobody claims it any more. */
	hang_up(&older);
	hang_up(&newer);
	hang_up(&linked);
	run_until(bed, strstr(bed->log, "link ended"));
	dial(bed, &newer);
	send_msg(&newer, &hello);
	expect(bed, &newer, VOL_LINK_WELCOME, &m);
	hang_up(&newer);
}

int main(void)
{
#define bed_test(_f) cmocka_unit_test_setup_teardown(_f, setup, teardown)
	const struct CMUnitTest tests[] = {
		bed_test(silent_links_keep_nobody_out),
		bed_test(places_are_given_back),
		bed_test(one_claimant_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
