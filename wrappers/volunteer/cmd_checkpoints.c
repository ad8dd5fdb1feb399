/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_checkpoints.c - volunteer checkpoints: images of jobs on the controller
 */
#include "config.h"

#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "ctl_client.h"
#include "table.h"
#include "text.h"
#include "units.h"

/* An image of 1 GB takes a second: often enough to show that it goes on. */
#define LOOK_MS 200

static const char usage[] =
	"Usage: volunteer checkpoints [list] [--json] [--socket=PATH]\n"
	"       volunteer checkpoints verify [JOB] [--json] [--socket=PATH]\n"
	"       volunteer checkpoints prune [--older=DURATION] [JOB] [--json]\n"
	"                                   [--socket=PATH]\n"
	"Look after the images of jobs that this controller keeps.\n"
	"\n"
	"  list           which there are; the newest whole one of a job is what\n"
	"                 it goes on from\n"
	"  verify         read all of them, or a job's, from the disk and compare\n"
	"                 them with what came\n"
	"  prune          remove those of jobs that Slurm has not any more; all\n"
	"                 of JOB; those that came so long ago, except the newest\n"
	"                 of each job that waits or runs, unless it is named\n"
	"  --older=DURATION\n"
	"                 as 12h or 7d\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/controller/control.sock\n";

static const struct vol_column columns[] = {
	{"JOB", "job"},           {"IMAGE", "number"}, {"USER", "user"},
	{"DEVICE", "node"},       {"SIZE", "size"},    {"MADE", "made_at"},
	{"RESTARTS", "restarts"}, {"STATE", "state"},  {"SLURM", "slurm"},
	{"VERIFIED", "verified"}, {NULL, NULL},
};

static int fail(const struct vol_error *err)
{
	fprintf(stderr, "volunteer checkpoints: %s\n", err->text);
	return VOL_EXIT_FAILED;
}

static int misuse(const char *what, const char *word)
{
	fprintf(stderr, "volunteer checkpoints: %s %s\n%s", what, word, usage);
	return VOL_EXIT_USAGE;
}

static json_int_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* Page after page until there is no more. */
static json_t *ask_all(const char *socket, struct vol_error *err)
{
	json_int_t job = 0, number = 0;
	json_t *all = NULL, *images, *page;
	const json_t *last;
	bool more = true;

	while (more) {
		page = vol_ctl_ask(socket, VOL_CTL_CONTROLLER,
				   json_pack("{s:s, s:I, s:I}", "type",
					     "images", "after_job", job,
					     "after_number", number),
				   err);
		if (!page) {
			json_decref(all);
			return NULL;
		}
		if (!all)
			all = json_incref(page);
		else
			json_array_extend(json_object_get(all, "images"),
					  json_object_get(page, "images"));
		images = json_object_get(all, "images");
		last = json_array_get(images, json_array_size(images) - 1);
		job = number_of(last, "job");
		number = number_of(last, "number");
		more = json_is_true(json_object_get(page, "more")) && last;
		json_decref(page);
	}
	json_object_del(all, "more");
	return all;
}

/* ---- list ---- */

/* What is for people only. */
static void add_words(json_t *image, time_t now)
{
	uid_t uid = (uid_t)number_of(image, "uid");
	json_int_t checked = number_of(image, "checked_at");
	const struct passwd *pw = getpwuid(uid);
	char size[32], user[32], age[40] = "";
	bool live = json_is_true(json_object_get(image, "live"));

	snprintf(user, sizeof(user), "%u", (unsigned)uid);
	if (checked) {
		vol_table_duration(
			now > checked ? (uint64_t)(now - checked) * 1000 : 0,
			age, sizeof(age) - sizeof(" ago"));
		strcat(age, " ago");
	}
	json_object_set_new(image, "user",
			    json_string(pw ? pw->pw_name : user));
	vol_size_format((uint64_t)number_of(image, "bytes"), size,
			sizeof(size));
	json_object_set_new(image, "size", json_string(size));
	json_object_set_new(image, "slurm", json_string(live ? "" : "gone"));
	json_object_set_new(image, "verified", json_string(age));
}

static void print_sum(const json_t *data)
{
	char used[32], quota[32];
	uint64_t limit = (uint64_t)number_of(data, "quota");

	vol_size_format((uint64_t)number_of(data, "used"), used, sizeof(used));
	if (limit)
		printf("%s of %s are used\n", used,
		       vol_size_format(limit, quota, sizeof(quota)));
	else
		printf("%s are used\n", used);
}

static int list(const struct vol_ask_options *opt)
{
	struct vol_error err;
	json_t *data = ask_all(opt->socket, &err), *images, *image;
	int rc = VOL_EXIT_OK;
	size_t i;

	if (!data)
		return fail(&err);
	images = json_object_get(data, "images");
	if (opt->json) {
		rc = vol_print_json(data);
	} else {
		json_array_foreach(images, i, image)
			add_words(image, time(NULL));
		vol_table_print(stdout, images, columns, time(NULL));
		print_sum(data);
	}
	json_decref(data);
	return rc;
}

/* ---- verify ---- */

/* What came of it; NULL: discoveryd does not answer. */
static json_t *verify_one(const char *socket, json_int_t job, json_int_t number,
			  struct vol_error *err)
{
	json_t *data =
		vol_ctl_ask(socket, VOL_CTL_CONTROLLER,
			    json_pack("{s:s, s:I, s:I}", "type", "verify-image",
				      "job", job, "number", number),
			    err);

	while (data && json_is_true(json_object_get(data, "running"))) {
		/* The daemon answers at once, and can not call back. */
		(void)poll(NULL, 0, LOOK_MS);
		json_decref(data);
		data = vol_ctl_ask(socket, VOL_CTL_CONTROLLER,
				   json_pack("{s:s}", "type", "verified-image"),
				   err);
	}
	return data;
}

static void print_verified(const json_t *result)
{
	const char *state = text_of(result, "state");
	const char *reason = text_of(result, "reason");

	printf("job %" JSON_INTEGER_FORMAT " image %" JSON_INTEGER_FORMAT
	       ": %s%s%s\n",
	       number_of(result, "job"), number_of(result, "number"), state,
	       *reason ? ": " : "", reason);
	fflush(stdout);
}

/* Those of job (0: of all), whose states go into results.  -1: *err. */
static int verify_all(const struct vol_ask_options *opt, const json_t *images,
		      uint64_t job, json_t *results, struct vol_error *err)
{
	const json_t *image;
	int bad = 0;
	size_t i;

	json_array_foreach(images, i, image) {
		json_t *result;

		if ((job && number_of(image, "job") != (json_int_t)job) ||
		    strcmp(text_of(image, "state"), "coming") == 0)
			continue;
		result = verify_one(opt->socket, number_of(image, "job"),
				    number_of(image, "number"), err);
		if (!result)
			return -1;
		/* One that went meanwhile is no fault. */
		bad += strcmp(text_of(result, "state"), "damaged") == 0;
		if (!opt->json)
			print_verified(result);
		json_array_append_new(results, result);
	}
	return bad;
}

static int verify(const struct vol_ask_options *opt, uint64_t job)
{
	json_t *results = json_array(), *data;
	struct vol_error err;
	int bad = -1, rc;

	data = ask_all(opt->socket, &err);
	if (data)
		bad = verify_all(opt, json_object_get(data, "images"), job,
				 results, &err);
	rc = bad == 0 ? VOL_EXIT_OK : VOL_EXIT_FAILED;
	if (bad < 0) {
		fail(&err);
	} else if (job && json_array_size(results) == 0) {
		fprintf(stderr,
			"volunteer checkpoints: there is no image of job "
			"%llu\n",
			(unsigned long long)job);
		rc = VOL_EXIT_FAILED;
	} else if (opt->json && vol_print_json(results) != VOL_EXIT_OK) {
		rc = VOL_EXIT_FAILED;
	}
	json_decref(results);
	json_decref(data);
	return rc;
}

/* ---- prune ---- */

static int prune(const struct vol_ask_options *opt, uint64_t job)
{
	uint64_t older_ms = 0;
	struct vol_error err;
	json_t *data;
	int rc = VOL_EXIT_OK;

	if (opt->older &&
	    (vol_duration_parse(opt->older, &older_ms, &err) < 0 ||
	     older_ms < 1000))
		return misuse("--older: a duration is wanted, not", opt->older);
	data = vol_ctl_ask(opt->socket, VOL_CTL_CONTROLLER,
			   json_pack("{s:s, s:I, s:I}", "type", "prune-images",
				     "job", (json_int_t)job, "older_s",
				     (json_int_t)(older_ms / 1000)),
			   &err);
	if (!data)
		return fail(&err);
	if (opt->json)
		rc = vol_print_json(data);
	else
		printf("%" JSON_INTEGER_FORMAT " removed\n",
		       number_of(data, "removed"));
	json_decref(data);
	return rc;
}

int cmd_checkpoints(int argc, char **argv)
{
	struct vol_ask_options opt;
	uint64_t job = 0;
	const char *deed;
	int rc = vol_ask_parse(argc, argv, usage,
			       VOL_TAKES_WORDS | VOL_TAKES_OLDER, &opt);

	if (rc >= 0)
		return rc;
	deed = opt.word ? opt.word : "list";
	if (opt.word2 && vol_text_number(opt.word2, strlen(opt.word2), 1,
					 UINT32_MAX, &job) < 0)
		return misuse("the number of a job is wanted, not", opt.word2);
	if (opt.older && strcmp(deed, "prune") != 0)
		return misuse("--older is of prune, not of", deed);
	if (strcmp(deed, "list") == 0 && !job)
		return list(&opt);
	if (strcmp(deed, "verify") == 0)
		return verify(&opt, job);
	if (strcmp(deed, "prune") == 0)
		return prune(&opt, job);
	return misuse("unexpected word", job ? opt.word2 : deed);
}
