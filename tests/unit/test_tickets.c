/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_tickets.c - tokens that are valid, ended, forged, and clocks that jump
 */
#include "config.h"

#include "tickets.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "plain_sha256.h"
#include "vtest.h"

#define HOUR 3600
#define DAY  (24 * HOUR)
#define NOON ((time_t)1800000000)

static const struct vol_fingerprint controller = {{7, 8, 9}};

static const char *path_in(void **state)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/tickets.json", (char *)*state);
	return path;
}

static struct vol_tickets *load(void **state)
{
	struct vol_error err = {""};
	struct vol_tickets *t = vol_tickets_load(path_in(state), &err);

	if (!t)
		fail_msg("%s", err.text);
	return t;
}

static void save(struct vol_tickets *t)
{
	struct vol_error err = {""};

	if (vol_tickets_save(t, &err) < 0)
		fail_msg("%s", err.text);
}

/* Both clocks agree, s seconds after noon. */
static struct vol_tickets_clock at(int64_t s)
{
	return (struct vol_tickets_clock){NOON + s, (uint64_t)(2 * DAY + s)};
}

static struct vol_jointoken make(struct vol_tickets *t, uint32_t uses,
				 uint64_t ttl_s, int64_t s)
{
	struct vol_tickets_clock now = at(s);
	struct vol_error err = {""};
	struct vol_jointoken token;

	if (!vol_tickets_make(t, uses, ttl_s, 1000, &controller, &now,
			      plain_sha256, &token, &err))
		fail_msg("%s", err.text);
	return token;
}

static enum vol_redeem redeem_at(struct vol_tickets *t,
				 const struct vol_jointoken *token, unsigned n,
				 const struct vol_tickets_clock *now)
{
	char device[VOL_DEVICE_ID_SIZE];

	snprintf(device, sizeof(device), "%032x", n);
	return vol_tickets_redeem(t, token->id, token->secret, device, now,
				  plain_sha256);
}

static enum vol_redeem redeem(struct vol_tickets *t,
			      const struct vol_jointoken *token, unsigned n,
			      int64_t s)
{
	struct vol_tickets_clock now = at(s);

	return redeem_at(t, token, n, &now);
}

static void test_empty(void **state)
{
	struct vol_tickets *t = load(state);
	struct vol_jointoken token = {{0}, {0}, {0}};
	struct vol_tickets_clock now = at(0);
	struct vol_error err;

	vol_tickets_destroy(NULL);
	assert_int_equal(vol_tickets_count(t), 0);
	assert_null(vol_tickets_at(t, 0));
	assert_int_equal(redeem(t, &token, 1, 0), VOL_REDEEM_UNKNOWN);
	assert_int_equal(vol_tickets_revoke(t, "00000000", &err), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(vol_tickets_revoke(t, NULL, &err), -1);
	assert_true(vol_tickets_next_s(t, &now) == UINT64_MAX);
	vol_tickets_prune(t, &now);
	save(t);
	assert_int_equal(access(path_in(state), F_OK), -1);
	vol_tickets_destroy(t);
}

static void test_limits(void **state)
{
	static const struct {
		uint32_t uses;
		uint64_t ttl_s;
		const char *part;
	} bad[] = {
		{0, HOUR, "uses"},
		{1001, HOUR, "uses"},
		{UINT32_MAX, HOUR, "uses"},
		{1, 0, "ttl"},
		{1, 59, "ttl"},
		{1, 30 * DAY + 1, "ttl"},
		{1, UINT64_MAX, "ttl"},
	};
	struct vol_tickets *t = load(state);
	struct vol_tickets_clock now = at(0);
	struct vol_jointoken token;
	struct vol_error err;

	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		assert_null(vol_tickets_make(t, bad[i].uses, bad[i].ttl_s, 0,
					     &controller, &now, plain_sha256,
					     &token, &err));
		assert_int_equal(errno, ERANGE);
		assert_contains(err.text, bad[i].part);
	}
	now.wall = (time_t)253402300799;
	assert_null(vol_tickets_make(t, 1, HOUR, 0, &controller, &now,
				     plain_sha256, &token, &err));
	assert_contains(err.text, "clock");
	assert_int_equal(vol_tickets_count(t), 0);
	make(t, 1, 60, 0);
	make(t, 1000, 30 * DAY, 0);
	assert_int_equal(vol_tickets_count(t), 2);
	vol_tickets_destroy(t);
}

static void test_once(void **state)
{
	struct vol_tickets *t = load(state);
	struct vol_jointoken token = make(t, 1, HOUR, 0), other;
	const struct vol_ticket *k = vol_tickets_at(t, 0);
	struct vol_tickets_clock now = at(10);

	assert_memory_equal(token.controller, controller.byte, 16);
	assert_int_equal(k->made, NOON);
	assert_int_equal(k->expires, NOON + HOUR);
	assert_int_equal(k->uid, 1000);
	assert_int_equal(vol_ticket_state(t, k, &now), VOL_TICKET_VALID);
	assert_int_equal(vol_ticket_left_s(t, k, &now), HOUR - 10);
	/* Each wrong bit of the secret, and each of the id. */
	for (size_t i = 0; i < 8 * sizeof(token.secret); i++) {
		other = token;
		other.secret[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(redeem(t, &other, 1, 10), VOL_REDEEM_WRONG);
	}
	for (size_t i = 0; i < 8 * sizeof(token.id); i++) {
		other = token;
		other.id[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(redeem(t, &other, 1, 10), VOL_REDEEM_UNKNOWN);
	}
	assert_int_equal(vol_tickets_redeem(t, token.id, token.secret, "me",
					    &now, plain_sha256),
			 VOL_REDEEM_FAILED);
	assert_int_equal(vol_tickets_at(t, 0)->used.n, 0);
	assert_int_equal(redeem(t, &token, 1, 11), VOL_REDEEM_OK);
	assert_int_equal(redeem(t, &token, 2, 12), VOL_REDEEM_USED_UP);
	/* The one that has it may ask again. */
	assert_int_equal(redeem(t, &token, 1, 13), VOL_REDEEM_OK);
	assert_int_equal(vol_tickets_at(t, 0)->used.n, 1);
	/* Who does not know the secret is not told more. */
	other = token;
	other.secret[0] ^= 1;
	assert_int_equal(redeem(t, &other, 1, 14), VOL_REDEEM_WRONG);
	assert_int_equal(redeem(t, &token, 1, HOUR), VOL_REDEEM_EXPIRED);
	vol_tickets_destroy(t);
}

static void test_file(void **state)
{
	struct vol_tickets *t = load(state);
	struct vol_jointoken a = make(t, 3, HOUR, 0), b = make(t, 1, HOUR, 1);
	char *text, digits[2 * VOL_JOINTOKEN_SECRET + 1];
	struct stat st;

	assert_int_equal(redeem(t, &a, 1, 2), VOL_REDEEM_OK);
	assert_int_equal(vol_tickets_revoke(t, vol_tickets_at(t, 1)->id, NULL),
			 0);
	save(t);
	vol_tickets_destroy(t);
	assert_int_equal(stat(path_in(state), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	text = vol_file_read(path_in(state), 65536, NULL, NULL);
	for (size_t i = 0; i < sizeof(a.secret); i++)
		snprintf(digits + 2 * i, 3, "%02x", a.secret[i]);
	assert_null(strstr(text, digits));
	free(text);

	t = load(state);
	assert_int_equal(vol_tickets_count(t), 2);
	assert_int_equal(vol_tickets_at(t, 0)->used.n, 1);
	assert_int_equal(vol_tickets_at(t, 0)->expires, NOON + HOUR);
	assert_int_equal(redeem(t, &b, 1, 3), VOL_REDEEM_REVOKED);
	assert_int_equal(redeem(t, &a, 2, 3), VOL_REDEEM_OK);
	assert_int_equal(redeem(t, &a, 3, 3), VOL_REDEEM_OK);
	assert_int_equal(redeem(t, &a, 4, 3), VOL_REDEEM_USED_UP);
	/* Killed before it was saved: no use is lost, none is won. */
	vol_tickets_destroy(t);
	t = load(state);
	assert_int_equal(vol_tickets_at(t, 0)->used.n, 1);
	assert_int_equal(redeem(t, &a, 4, 4), VOL_REDEEM_OK);
	/* Killed after that, before the device was in the registry. */
	save(t);
	vol_tickets_destroy(t);
	t = load(state);
	assert_int_equal(redeem(t, &a, 4, 5), VOL_REDEEM_OK);
	assert_int_equal(vol_tickets_at(t, 0)->used.n, 2);
	save(t); /* writes nothing */
	assert_int_equal(unlink(path_in(state)), 0);
	save(t);
	assert_int_equal(access(path_in(state), F_OK), -1);
	vol_tickets_destroy(t);
}

/* The clock goes back a day: while we run, and while we do not. */
static void test_clock_back(void **state)
{
	struct vol_tickets *t = load(state);
	struct vol_jointoken token = make(t, 2, HOUR, 0);
	struct vol_tickets_clock now = at(10);

	save(t);
	assert_int_equal(redeem(t, &token, 1, 10), VOL_REDEEM_OK);
	/* It goes on at the pace of the other clock. */
	now.wall -= DAY;
	now.boot_s += 5;
	assert_int_equal(vol_ticket_left_s(t, vol_tickets_at(t, 0), &now),
			 HOUR - 15);
	now.boot_s += HOUR;
	assert_int_equal(redeem_at(t, &token, 2, &now), VOL_REDEEM_EXPIRED);
	now.wall -= DAY;
	assert_int_equal(redeem_at(t, &token, 2, &now), VOL_REDEEM_EXPIRED);
	/* That it has expired reaches the disk. */
	vol_tickets_prune(t, &now);
	save(t);
	vol_tickets_destroy(t);
	t = load(state);
	now = (struct vol_tickets_clock){NOON - DAY, 17};
	assert_int_equal(redeem_at(t, &token, 2, &now), VOL_REDEEM_EXPIRED);
	now.boot_s = 3; /* another boot's */
	assert_int_equal(redeem_at(t, &token, 2, &now), VOL_REDEEM_EXPIRED);
	vol_tickets_destroy(t);
}

/* An expiry that nobody asked for is written once, when its time has come. */
static void test_next(void **state)
{
	struct vol_tickets *t = load(state);
	struct vol_jointoken a = make(t, 1, HOUR, 0), b = make(t, 1, 60, 0);
	struct vol_tickets_clock now = at(1);

	save(t);
	assert_int_equal(vol_tickets_next_s(t, &now), 59);
	vol_tickets_prune(t, &now);
	assert_int_equal(unlink(path_in(state)), 0);
	save(t);
	assert_int_equal(access(path_in(state), F_OK), -1);
	now = at(60);
	assert_int_equal(vol_tickets_next_s(t, &now), HOUR - 60);
	vol_tickets_prune(t, &now);
	save(t);
	assert_int_equal(access(path_in(state), F_OK), 0);
	assert_int_equal(vol_tickets_count(t), 2);
	assert_int_equal(unlink(path_in(state)), 0);
	vol_tickets_prune(t, &now);
	save(t);
	assert_int_equal(access(path_in(state), F_OK), -1);
	assert_int_equal(redeem(t, &a, 1, 61), VOL_REDEEM_OK);
	assert_int_equal(redeem(t, &b, 1, 61), VOL_REDEEM_EXPIRED);
	/* A week later it is not even known. */
	now = at(60 + 7 * DAY - 1);
	vol_tickets_prune(t, &now);
	assert_int_equal(vol_tickets_count(t), 2);
	now = at(60 + 7 * DAY);
	vol_tickets_prune(t, &now);
	assert_int_equal(vol_tickets_count(t), 1);
	assert_int_equal(redeem(t, &b, 1, 60 + 7 * DAY), VOL_REDEEM_UNKNOWN);
	vol_tickets_destroy(t);
}

/* A clock that was far ahead for a moment ends all tokens; once they are gone,
 * new ones are as long-lived as others. */
static void test_clock_ahead(void **state)
{
	struct vol_tickets *t = load(state);
	struct vol_jointoken token = make(t, 1, HOUR, 0);
	struct vol_tickets_clock far = at(0), now = at(2);

	far.wall += 3650 * (time_t)DAY;
	assert_int_equal(redeem_at(t, &token, 1, &far), VOL_REDEEM_EXPIRED);
	assert_int_equal(redeem(t, &token, 1, 1), VOL_REDEEM_EXPIRED);
	token = make(t, 1, HOUR, 1);
	assert_int_equal(redeem(t, &token, 1, 2), VOL_REDEEM_OK);
	assert_int_equal(redeem(t, &token, 1, HOUR + 2), VOL_REDEEM_EXPIRED);
	far.boot_s += 30 * DAY;
	vol_tickets_prune(t, &far);
	assert_int_equal(vol_tickets_count(t), 0);
	make(t, 1, HOUR, 2);
	assert_int_equal(vol_tickets_at(t, 0)->made, now.wall);
	vol_tickets_destroy(t);
}

static void test_full(void **state)
{
	struct vol_tickets *t = load(state);
	struct vol_tickets_clock now = at(100);
	struct vol_jointoken token;
	struct vol_error err;
	char id[VOL_TICKET_ID_SIZE];

	make(t, 1, 60, 0);
	for (int i = 1; i < VOL_TICKETS_MAX; i++)
		make(t, 1, HOUR, 0);
	/* The ended one makes room. */
	make(t, 1, HOUR, 100);
	assert_int_equal(vol_tickets_count(t), VOL_TICKETS_MAX);
	assert_null(vol_tickets_make(t, 1, HOUR, 0, &controller, &now,
				     plain_sha256, &token, &err));
	assert_int_equal(errno, ENOSPC);
	strcpy(id, vol_tickets_at(t, 100)->id);
	assert_int_equal(vol_tickets_revoke(t, id, NULL), 0);
	make(t, 1, HOUR, 100);
	assert_int_equal(vol_tickets_revoke(t, id, NULL), -1);
	save(t);
	vol_tickets_destroy(t);
	vol_tickets_destroy(load(state));
}

/* A thousand devices, and a thousand and first. */
static void test_crowd(void **state)
{
	struct vol_tickets *t = load(state);
	struct vol_jointoken token = make(t, 1000, HOUR, 0);

	for (unsigned n = 0; n < 1000; n++)
		assert_int_equal(redeem(t, &token, n, 1), VOL_REDEEM_OK);
	assert_int_equal(redeem(t, &token, 1000, 1), VOL_REDEEM_USED_UP);
	save(t);
	vol_tickets_destroy(t);
	t = load(state);
	for (unsigned n = 0; n < 1000; n++)
		assert_int_equal(redeem(t, &token, n, 2), VOL_REDEEM_OK);
	assert_int_equal(redeem(t, &token, 1000, 2), VOL_REDEEM_USED_UP);
	vol_tickets_destroy(t);
}

static void test_failed_save(void **state)
{
	struct vol_tickets *t = load(state);
	struct vol_jointoken token = make(t, 1, HOUR, 0);
	struct rlimit old, small;
	struct vol_error err;

	save(t);
	assert_int_equal(redeem(t, &token, 1, 1), VOL_REDEEM_OK);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(vol_tickets_save(t, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_contains(err.text, "tickets.json");
	assert_int_equal(vtest_count_entries(*state), 1);
	save(t);
	vol_tickets_destroy(t);
	t = load(state);
	assert_int_equal(vol_tickets_at(t, 0)->used.n, 1);
	vol_tickets_destroy(t);
}

#define D32 "0123456789abcdef0123456789abcdef"
#define ONE                                                          \
	"{\"id\": \"0a0b0c0d\", \"digest\": \"" D32 D32              \
	"\", \"uses\": 1, \"made\": 1, \"expires\": 2, \"uid\": 0, " \
	"\"revoked\": false, \"used\": [%s]}"
#define FILE_OF(x) "{\"version\": 1, \"clock\": 5, \"tickets\": [" x "]}"

static void test_damaged(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{"", "tickets.json:1:"},
		{"[]", "version"},
		{"{\"version\": 2, \"clock\": 0, \"tickets\": []}", "version"},
		{"{\"version\": 1, \"tickets\": []}", "clock"},
		{"{\"version\": 1, \"clock\": -1, \"tickets\": []}", "clock"},
		{"{\"version\": 1, \"clock\": \"x\", \"tickets\": []}",
		 "clock"},
		{"{\"version\": 1, \"clock\": 1, \"tickets\": {}}", "tickets"},
		{"{\"version\": 1, \"clock\": 1, \"tickets\": [], \"x\": 1}",
		 "unknown member"},
		{FILE_OF("1"), "ticket 1: want an object"},
		{FILE_OF("{}"), "ticket 1: id: missing"},
		{FILE_OF("{\"id\": \"0a0b0c0\"}"), "id"},
		{FILE_OF("{\"id\": \"0A0b0c0d\"}"), "id"},
		{FILE_OF("{\"id\": \"0a0b0c0d\", \"digest\": \"00\"}"),
		 "digest"},
	};
	static const struct {
		const char *used, *part;
	} bad_used[] = {
		{"1", "used: want a string"},
		{"\"" D32 "0\"", "used"},
		{"\"x\"", "used"},
		{"\"" D32 "\", \"" D32 "\"", "used 2 times, but for 1"},
	};
	char text[2048];
	struct vol_error err;

	for (size_t i = 0; i < N_ELEMENTS(bad) + N_ELEMENTS(bad_used); i++) {
		size_t k = i - N_ELEMENTS(bad);
		const char *part =
			i < N_ELEMENTS(bad) ? bad[i].part : bad_used[k].part;

		if (i < N_ELEMENTS(bad))
			snprintf(text, sizeof(text), "%s", bad[i].text);
		else
			snprintf(text, sizeof(text), FILE_OF(ONE),
				 bad_used[k].used);
		assert_int_equal(vol_file_replace(path_in(state), text,
						  strlen(text), 0600, 0, &err),
				 0);
		errno = 0;
		assert_null(vol_tickets_load(path_in(state), &err));
		assert_int_equal(errno, EINVAL);
		assert_contains(err.text, "tickets.json");
		assert_contains(err.text, part);
	}
	snprintf(text, sizeof(text), FILE_OF(ONE ", " ONE), "", "");
	vol_file_replace(path_in(state), text, strlen(text), 0600, 0, &err);
	assert_null(vol_tickets_load(path_in(state), &err));
	assert_contains(err.text, "ticket 2: id 0a0b0c0d given twice");
	snprintf(text, sizeof(text), FILE_OF(ONE), "\"" D32 "\"");
	vol_file_replace(path_in(state), text, strlen(text), 0600, 0, &err);
	vol_tickets_destroy(load(state));
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(vol_ticket_state_name(VOL_TICKET_REVOKED),
			    "revoked");
	assert_string_equal(vol_ticket_state_name(99), "unknown");
	assert_string_equal(vol_redeem_name(VOL_REDEEM_EXPIRED), "has expired");
	assert_string_equal(vol_redeem_name(99), "unknown");
}

#define TEST(name)                                                \
	cmocka_unit_test_setup_teardown(name, vtest_folder_setup, \
					vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),       TEST(test_limits),     TEST(test_once),
		TEST(test_file),        TEST(test_clock_back), TEST(test_next),
		TEST(test_clock_ahead), TEST(test_full),       TEST(test_crowd),
		TEST(test_failed_save), TEST(test_damaged),    TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
