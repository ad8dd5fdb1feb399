/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trust.c - whom a device believes, and how long it waits for him */
#include "config.h"

#include "device/trust.h"

#include <errno.h>

#include "device/join.h"
#include "device/uplink_fsm.h"
#include "hex.h"
#include "plain_sha256.h"
#include "vtest.h"

static const struct vol_fingerprint own = {{1, 1}}, ours = {{2, 2}},
				    forger = {{3, 3}};

static uint64_t clock_ms = 1000000;

/* A number of one digit throughout. */
static void fill_nonce(struct vol_link_msg *m, char digit)
{
	memset(m, 0, sizeof(*m));
	m->type = VOL_LINK_NONCE;
	memset(m->nonce, digit, sizeof(m->nonce) - 1);
	strcpy(m->cluster, "lab");
}

static bool knocks(struct vol_trust *t, bool insisted,
		   const struct vol_fingerprint *controller,
		   struct vol_link_msg *knock)
{
	uint8_t nonce[VOL_SHORTCODE_NONCE];

	memset(nonce, 0x77, sizeof(nonce));
	return vol_trust_knocks(t, insisted, controller, &own, nonce,
				plain_sha256, knock);
}

/* Knock and wait; the code is in t->last. */
static void wait_at(struct vol_trust *t,
		    const struct vol_fingerprint *controller)
{
	struct vol_link_msg m;

	assert_true(knocks(t, false, controller, &m));
	assert_string_equal(m.id, "01010000000000000000000000000000");
	fill_nonce(&m, '5');
	assert_int_equal(
		vol_trust_nonce(t, &m, clock_ms, plain_sha256, &m, NULL), 0);
	assert_int_equal(m.type, VOL_LINK_REVEAL);
	assert_int_equal(strspn(m.nonce, "7"), 64);
	fill_nonce(&m, '5');
	assert_true(vol_trust_pending(t, &m));
	assert_true(t->waits);
	assert_int_equal(strlen(t->last), 6);
}

static void first_word(void **state)
{
	struct vol_trust t = {.told_off = false};
	struct vol_link_msg m;

	(void)state;
	/* Who is not known hears no more than a knock, who is known a hello. */
	assert_true(knocks(&t, false, &ours, &m));
	assert_int_equal(m.type, VOL_LINK_KNOCK);
	assert_int_equal(m.proto, VOL_LINK_PROTO);
	assert_int_equal(strlen(m.commit), 64);
	assert_string_equal(m.token, "");
	assert_false(knocks(&t, true, &ours, &m));
	/* Our controller does not know us any more. */
	m = (struct vol_link_msg){.type = VOL_LINK_REFUSE, .code = "knock"};
	assert_false(vol_trust_refused(&t, &m));
	assert_true(knocks(&t, true, &ours, &m));
	assert_true(vol_trust_approved(&t, true, VOL_TRUST_CODE));
	assert_false(knocks(&t, true, &ours, &m));
	vol_trust_lost(&t);
	assert_false(knocks(&t, true, &ours, &m));
	m = (struct vol_link_msg){.type = VOL_LINK_REFUSE, .code = "bad_token"};
	assert_true(vol_trust_refused(&t, &m));
	m = (struct vol_link_msg){.type = VOL_LINK_REFUSE, .code = "busy"};
	assert_false(vol_trust_refused(&t, &m));
	assert_false(t.told_off);
}

/* Anybody can say that he approves of us. */
static void approval_proves_nothing(void **state)
{
	struct vol_trust t = {.told_off = false};
	struct vol_link_msg m;

	(void)state;
	assert_true(knocks(&t, false, &forger, &m));
	assert_false(vol_trust_approved(&t, false, VOL_TRUST_CODE));
	assert_true(t.unbelieved);
	/* Not on the next link either, and not without a code. */
	vol_trust_lost(&t);
	assert_true(knocks(&t, false, &forger, &m));
	assert_int_equal(vol_trust_confirm(&t, "000000", NULL), -1);
	assert_int_equal(errno, ENOENT);
	vol_trust_lost(&t);
	wait_at(&t, &forger);
	assert_false(vol_trust_approved(&t, false, VOL_TRUST_CODE));
	/* With trust = first it does. */
	assert_true(vol_trust_approved(&t, false, VOL_TRUST_FIRST));
	assert_false(t.unbelieved);
	assert_false(knocks(&t, false, &forger, &m));
	vol_trust_lost(&t);
	assert_true(knocks(&t, false, &forger, &m));
}

static void a_code_is_confirmed(void **state)
{
	struct vol_trust t = {.told_off = false};
	struct vol_error err;
	char other[VOL_SHORTCODE_TEXT], code[VOL_SHORTCODE_TEXT];

	(void)state;
	wait_at(&t, &ours);
	strcpy(code, t.last);
	strcpy(other, t.last);
	other[5] = other[5] == '0' ? '1' : '0';
	assert_int_equal(vol_trust_confirm(&t, other, &err), -1);
	assert_int_equal(errno, EINVAL);
	/* The approval may come first, and ends the link then. */
	assert_false(vol_trust_approved(&t, false, VOL_TRUST_CODE));
	vol_trust_lost(&t);
	assert_int_equal(vol_trust_confirm(&t, code, &err), 0);
	assert_memory_equal(&t.last_key, &ours, sizeof(ours));
	assert_string_equal(t.last_cluster, "lab");
	/* A code is of one controller. */
	wait_at(&t, &forger);
	assert_string_not_equal(t.last, code);
	assert_int_equal(vol_trust_confirm(&t, code, &err), -1);
	assert_int_equal(vol_trust_confirm(&t, t.last, &err), 0);
	assert_memory_equal(&t.last_key, &forger, sizeof(forger));
}

static void out_of_turn(void **state)
{
	struct vol_trust t = {.told_off = false};
	struct vol_link_msg m, reveal;
	struct vol_error err;

	(void)state;
	/* A number, or the end of it, that nobody asked for. */
	fill_nonce(&m, '5');
	assert_int_equal(vol_trust_nonce(&t, &m, clock_ms, plain_sha256,
					 &reveal, &err),
			 -1);
	assert_false(vol_trust_pending(&t, &m));
	assert_false(t.waits);
	assert_string_equal(t.last, "");
	memset(&t, 0, sizeof(t));
	assert_true(knocks(&t, false, &ours, &reveal));
	assert_false(vol_trust_pending(&t, &m));
	assert_false(t.waits);
	assert_int_equal(vol_trust_nonce(&t, &m, clock_ms, plain_sha256,
					 &reveal, &err),
			 0);
	/* A second number would be a second guess. */
	assert_int_equal(vol_trust_nonce(&t, &m, clock_ms, plain_sha256,
					 &reveal, &err),
			 -1);
	assert_int_equal(errno, EPROTO);
	assert_false(vol_trust_pending(&t, &m));
	assert_string_equal(t.last, "");
}

/* Somebody in between draws until the code is one of those that he has waiting
 * at the controller. */
static void codes_are_rationed(void **state)
{
	struct vol_trust t = {.told_off = false};
	struct vol_link_msg m, reveal;
	struct vol_error err;
	char last[VOL_SHORTCODE_TEXT];
	unsigned n = 0;

	(void)state;
	for (int i = 0; i < VOL_TRUST_CODES; i++)
		wait_at(&t, &forger);
	strcpy(last, t.last);
	assert_true(knocks(&t, false, &forger, &m));
	fill_nonce(&m, '6');
	assert_int_equal(vol_trust_nonce(&t, &m, clock_ms, plain_sha256,
					 &reveal, &err),
			 -1);
	assert_int_equal(errno, EAGAIN);
	assert_contains(err.text, "too many codes");
	assert_false(vol_trust_pending(&t, &m));
	assert_string_equal(t.last, last);
	/* Four draws a second for a day, over as many links. */
	for (uint64_t end = clock_ms + 86400000; clock_ms < end;
	     clock_ms += 250) {
		vol_trust_lost(&t);
		assert_true(knocks(&t, false, &forger, &m));
		fill_nonce(&m, '6');
		n += vol_trust_nonce(&t, &m, clock_ms, plain_sha256, &reveal,
				     NULL) == 0;
	}
	assert_in_range(n, 86400000 / VOL_TRUST_CODE_MS - 1,
			86400000 / VOL_TRUST_CODE_MS);
	clock_ms += VOL_TRUST_CODE_MS;
	wait_at(&t, &ours);
}

/* ---- the link that waits ---- */

static struct vol_uplink_fsm f;
static uint64_t now;

static unsigned hear(enum vol_link_type type)
{
	struct vol_link_msg msg = {
		.type = type, .heartbeat_ms = 5000, .lease_ms = 15000};

	return vol_uplink_fsm_message(&f, now, &msg);
}

static void start_waiting(bool others)
{
	now = 1000000;
	vol_uplink_fsm_init(&f, now, 1, NULL);
	vol_uplink_fsm_target(&f, now);
	vol_uplink_fsm_dialed(&f, now, others);
	assert_int_equal(vol_uplink_fsm_connected(&f, now),
			 VOL_UPLINK_DO_HELLO);
	assert_int_equal(hear(VOL_LINK_NONCE), 0);
	assert_int_equal(hear(VOL_LINK_PENDING), 0);
	assert_int_equal(f.state, VOL_UPLINK_PENDING);
	assert_string_equal(vol_uplink_state_name(f.state), "pending");
}

/* How long it waits, with and without an answer to its pings. */
static uint64_t wait_for_the_end(bool answered, uint64_t most)
{
	uint64_t begin = now;

	while (f.state == VOL_UPLINK_PENDING && now - begin < most) {
		unsigned todo;

		if (vol_uplink_fsm_deadline(&f) > now)
			now = vol_uplink_fsm_deadline(&f);
		todo = vol_uplink_fsm_time(&f, now);
		if (f.state != VOL_UPLINK_PENDING) {
			assert_int_equal(todo, VOL_UPLINK_DO_CLOSE);
			break;
		}
		assert_int_equal(todo, VOL_UPLINK_DO_PING);
		if (answered)
			assert_int_equal(hear(VOL_LINK_PONG), 0);
	}
	return now - begin;
}

static void waits(void **state)
{
	(void)state;
	start_waiting(false);
	/* For days, if need be, and with a silent controller for a moment. */
	assert_true(wait_for_the_end(true, 86400000) >= 86400000);
	assert_int_equal(wait_for_the_end(false, 86400000),
			 VOL_UPLINK_PENDING_SILENCE_MS);
	/* The first that answers need not be ours. */
	start_waiting(true);
	assert_int_equal(wait_for_the_end(true, 86400000),
			 VOL_UPLINK_PENDING_MS);
	start_waiting(false);
	now += 60000;
	hear(VOL_LINK_PONG);
	vol_uplink_fsm_target(&f, now);
	assert_int_equal(f.state, VOL_UPLINK_PENDING);
	assert_int_equal(wait_for_the_end(true, 86400000),
			 VOL_UPLINK_PENDING_MS - 60000);
}

static void is_approved(void **state)
{
	static const enum vol_link_type early[] = {
		VOL_LINK_WELCOME,    VOL_LINK_NONCE,   VOL_LINK_PENDING,
		VOL_LINK_NODE,       VOL_LINK_EVICTED, VOL_LINK_HELLO,
		VOL_LINK_REREGISTER,
	};

	(void)state;
	start_waiting(false);
	now += 5000;
	assert_int_equal(hear(VOL_LINK_APPROVED), VOL_UPLINK_DO_HELLO);
	assert_int_equal(f.state, VOL_UPLINK_GREETING);
	assert_int_equal(hear(VOL_LINK_WELCOME), VOL_UPLINK_DO_WELCOMED);
	assert_int_equal(f.state, VOL_UPLINK_UP);
	/* Not a second time. */
	assert_int_equal(hear(VOL_LINK_APPROVED),
			 VOL_UPLINK_DO_CLOSE | VOL_UPLINK_DO_LOST);
	for (size_t i = 0; i < N_ELEMENTS(early); i++) {
		start_waiting(false);
		assert_int_equal(hear(early[i]), VOL_UPLINK_DO_CLOSE);
		assert_int_equal(f.state, VOL_UPLINK_WAITING);
	}
	/* One that we do not believe is not asked again at once. */
	start_waiting(false);
	assert_int_equal(vol_uplink_fsm_distrust(&f, now), VOL_UPLINK_DO_CLOSE);
	assert_true(vol_uplink_fsm_deadline(&f) >= now + 30000);
	assert_false(f.fence.armed);
	/* Not for a record that is announced anew, either. */
	vol_uplink_fsm_target(&f, now);
	assert_true(vol_uplink_fsm_deadline(&f) >= now + 30000);
}

/* Dialled, and it is nobody that we know. */
static void knock_at(bool others)
{
	vol_uplink_fsm_dialed(&f, now, others);
	assert_int_equal(vol_uplink_fsm_connected(&f, now),
			 VOL_UPLINK_DO_HELLO);
	f.knocked = true;
}

/* He can not make us his, nor keep us from asking others. */
static void a_stranger_answers(void **state)
{
	struct vol_link_msg go_away = {.type = VOL_LINK_REFUSE,
				       .retry_ms = 86400000};

	(void)state;
	start_waiting(true);
	vol_uplink_fsm_redial(&f, now);
	knock_at(true);
	assert_int_equal(hear(VOL_LINK_WELCOME), VOL_UPLINK_DO_CLOSE);
	assert_int_equal(f.state, VOL_UPLINK_WAITING);
	assert_false(f.fence.armed);
	vol_uplink_fsm_redial(&f, now);
	knock_at(true);
	assert_int_equal(vol_uplink_fsm_message(&f, now, &go_away),
			 VOL_UPLINK_DO_CLOSE);
	assert_in_range(vol_uplink_fsm_deadline(&f) - now, 1,
			VOL_UPLINK_BACKOFF_MAX_MS);
	/* Ours may be the one that shows up. */
	assert_int_equal(vol_uplink_fsm_target(&f, now), 0);
	assert_in_range(vol_uplink_fsm_deadline(&f) - now, 1, 1000);
	/* Alone, it is heeded: it may be ours, and have ten thousand others. */
	vol_uplink_fsm_redial(&f, now);
	knock_at(false);
	vol_uplink_fsm_message(&f, now, &go_away);
	assert_int_equal(vol_uplink_fsm_deadline(&f) - now,
			 VOL_UPLINK_RETRY_MAX_MS);
	/* One that approves of us, and is believed, hears a hello. */
	vol_uplink_fsm_redial(&f, now);
	knock_at(false);
	assert_int_equal(hear(VOL_LINK_APPROVED), VOL_UPLINK_DO_HELLO);
	assert_int_equal(hear(VOL_LINK_WELCOME), VOL_UPLINK_DO_WELCOMED);
}

/* ---- join.json ---- */

#define TOKEN \
	"sv1-aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypsaijcep4qa"

static void a_token_is_kept(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"token\": 5}",
		"{\"token\": \"sv1-\"}",
		"{\"controller\": \"a:0\"}",
		"{\"x\": \"y\"}",
		"{\"token\": \"" TOKEN "\", \"token\": \"" TOKEN "\"}",
	};
	struct vol_join j = {.has_token = true}, back;
	struct vol_error err;
	char path[PATH_MAX];

	assert_int_equal(vol_join_load(*state, &back, &err), 0);
	assert_false(back.has_token);
	assert_string_equal(back.controller, "");
	assert_int_equal(vol_jointoken_parse(TOKEN, &j.token, NULL), 0);
	strcpy(j.controller, "head.lab:7000");
	assert_int_equal(vol_join_save(*state, &j, &err), 0);
	assert_int_equal(vol_join_load(*state, &back, &err), 0);
	assert_true(back.has_token);
	assert_memory_equal(&back.token, &j.token, sizeof(j.token));
	assert_string_equal(back.controller, "head.lab:7000");
	snprintf(path, sizeof(path), "%s/" VOL_JOIN_FILE, (char *)*state);
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		FILE *file = fopen(path, "w");

		fputs(bad[i], file);
		fclose(file);
		assert_int_equal(vol_join_load(*state, &back, &err), -1);
		assert_contains(err.text, path);
		assert_null(strstr(err.text, "ibceqtcqkrm"));
	}
	memset(&j, 0, sizeof(j));
	assert_int_equal(vol_join_save(*state, &j, &err), 0);
	assert_int_equal(vol_join_load(*state, &back, &err), 0);
	assert_false(back.has_token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_word),
		cmocka_unit_test(approval_proves_nothing),
		cmocka_unit_test(a_code_is_confirmed),
		cmocka_unit_test(out_of_turn),
		cmocka_unit_test(codes_are_rationed),
		cmocka_unit_test(waits),
		cmocka_unit_test(is_approved),
		cmocka_unit_test(a_stranger_answers),
		cmocka_unit_test_setup_teardown(a_token_is_kept,
						vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
