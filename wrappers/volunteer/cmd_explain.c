/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_explain.c - volunteer explain: why a job is where it is, what a device
 * is like
 *
 * Reads what discoveryd and the select plugin left in files on the controller
 * host and asks slurmctld; each of them may be missing.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "cmd.h"
#include "ctl_client.h"
#include "explain.h"
#include "explain_words.h"
#include "select_install.h"

/* How far discoveryd looks back at days from one time of day. */
#define HISTORY_MAX_S 86400

enum { OPT_JSON = 256, OPT_ALL, OPT_DIR, OPT_SOCKET };

static const char usage[] =
	"Usage: volunteer explain JOBID | JOBID_TASK | NODE\n"
	"                         [--all] [--json] [--dir=DIR] [--socket=PATH]\n"
	"Say why a job was started where it was, where it could start now while\n"
	"it waits, or what the scheduler knows about a device.  Runs on the\n"
	"controller host.\n"
	"\n"
	"  --all          list all nodes, however many\n"
	"  --json         print JSON\n"
	"  --dir=DIR      read the node table and the placements there instead of\n"
	"                 " VOL_RUN_DIR "/controller\n"
	"  --socket=PATH  ask this control socket about a device's history\n";

struct options {
	const char *word, *dir, *socket;
	bool json, all;
};

static int misuse(const char *why, const char *what)
{
	fprintf(stderr, "volunteer explain: %s%s%s\n%s", why, *what ? " " : "",
		what, usage);
	return VOL_EXIT_USAGE;
}

static int fail(const struct vol_error *err)
{
	fprintf(stderr, "volunteer explain: %s\n", err->text);
	return VOL_EXIT_FAILED;
}

/* -1: go on, else the exit status. */
static int parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"all", no_argument, NULL, OPT_ALL},
		{"dir", required_argument, NULL, OPT_DIR},
		{"socket", required_argument, NULL, OPT_SOCKET},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	optind = 0; /* glibc: start anew, main() has parsed its own words */
	while ((c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		switch (c) {
		case OPT_JSON:
			opt->json = true;
			break;
		case OPT_ALL:
			opt->all = true;
			break;
		case OPT_DIR:
			opt->dir = optarg;
			break;
		case OPT_SOCKET:
			opt->socket = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return VOL_EXIT_OK;
		default:
			return misuse(c == ':' ? "value missing for"
					       : "unknown option",
				      argv[optind - 1]);
		}
	}
	if (optind == argc)
		return misuse("give a job or a node", "");
	opt->word = argv[optind++];
	return optind == argc ? -1 : misuse("unexpected word", argv[optind]);
}

static const char *path_in(const struct options *opt, const char *name,
			   char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", opt->dir, name);
	return path;
}

/* What discoveryd remembers of a device's owner for this time of day; added to
 * list.  False when it does not answer: then it need not be asked again. */
static bool add_history(const struct options *opt, json_t *list,
			const char *node, uint32_t horizon_s)
{
	struct vol_error err;
	json_t *history = vol_ctl_ask(
		opt->socket, VOL_CTL_CONTROLLER,
		json_pack("{s:s, s:s, s:I}", "type", "history", "node", node,
			  "horizon_s", (json_int_t)horizon_s),
		&err);

	return history && json_array_append_new(list, history) == 0;
}

/* ---- a job ---- */

static bool on_devices(const struct vol_slurm_request *r,
		       const struct vol_device_list *devices)
{
	size_t i;

	for (i = 0; i < devices->n; i++)
		if (vol_slurm_nodes_have(r->nodes, devices->list[i].name))
			return true;
	return false;
}

/* What slurmctld and the files say about a job; the parts live in *all. */
struct job_facts {
	struct vol_slurm_request request;
	struct vol_slurm_offers offers;
	struct vol_device_list devices;
	struct vol_choices choices;
	struct vol_score_job score;
	struct vol_placement placement;
	json_t *image; /* owned, or NULL */
	struct vol_error trouble;
	struct vol_job_facts facts;
};

static void ask_slurm(struct job_facts *all, uint32_t id, uint32_t task)
{
	struct vol_job_facts *f = &all->facts;

	f->ctld_trouble = "";
	if (vol_slurm_init(&all->trouble) < 0) {
		f->ctld_trouble = all->trouble.text;
		f->ctld_away = true;
	} else if (vol_slurm_request_get(id, task, &all->request,
					 &all->trouble) < 0) {
		f->ctld_trouble = all->trouble.text;
		f->ctld_away = errno != ENOENT;
	} else {
		f->request = &all->request;
	}
}

/* Of a job that was saved. */
static void ask_for_image(const struct options *opt, struct job_facts *all)
{
	struct vol_error err;

	all->image = vol_ctl_ask(opt->socket, VOL_CTL_CONTROLLER,
				 json_pack("{s:s, s:I}", "type", "image-fits",
					   "job", (json_int_t)all->request.id),
				 &err);
	if (json_integer_value(json_object_get(all->image, "number")) > 0)
		all->facts.image = all->image;
}

/* Without the node table a job that waits can not be explained. */
static int weigh_choices(struct job_facts *all, const struct vol_error *table,
			 time_t now, struct vol_error *err)
{
	if (!all->facts.devices)
		return vol_errorf(err, "%s", table->text);
	vol_choice_facts(&all->request, &all->score);
	/* The plugin knew. */
	if (all->facts.placement)
		all->score.checkpoint_s = all->placement.facts.checkpoint_s;
	if (vol_slurm_offers_load(&all->request, &all->offers, err) < 0 ||
	    vol_choices_make(&all->request, &all->score, &all->offers,
			     &all->devices, all->facts.image, now,
			     &all->choices, err) < 0)
		return -1;
	all->facts.choices = &all->choices;
	all->facts.score = &all->score;
	return 0;
}

static void find_start(const char *path, struct job_facts *all, uint32_t id,
		       uint32_t task)
{
	const struct vol_slurm_request *r = all->facts.request;
	struct vol_placement *p = &all->placement;
	bool found;

	if (task != VOL_JOB_NO_TASK && (!r || r->array_task != task))
		return; /* not started yet, or its number is forgotten */
	found = vol_placement_find(path, r ? r->id : id, p, NULL) == 0;
	if (!found && r && r->array_id && r->state != VOL_JOB_PENDING)
		found = vol_placement_find(path, r->array_id, p, NULL) == 0 &&
			vol_explain_is_start(p, r, vol_slurm_nodes_have);
	if (found)
		all->facts.placement = p;
}

static int gather_job(const struct options *opt, uint32_t id, uint32_t task,
		      struct job_facts *all, time_t now, struct vol_error *err)
{
	struct vol_job_facts *f = &all->facts;
	struct vol_error table;
	char path[PATH_MAX];

	f->name = opt->word;
	f->select_active = vol_select_active();
	if (vol_device_list_load(path_in(opt, VOL_NODETABLE_FILE, path),
				 vol_boot_ms(), false, &all->devices,
				 &table) == 0)
		f->devices = &all->devices;
	ask_slurm(all, id, task);
	if (f->request && all->request.state != VOL_JOB_PENDING)
		f->on_devices = on_devices(&all->request, &all->devices);
	find_start(path_in(opt, VOL_PLACEMENT_FILE, path), all, id, task);
	if (f->request && all->request.state == VOL_JOB_PENDING)
		ask_for_image(opt, all);
	if (f->request && all->request.state == VOL_JOB_PENDING &&
	    weigh_choices(all, &table, now, err) < 0)
		return -1;
	return vol_explain_job_check(f, err);
}

/* For as long as the job runs, as far as discoveryd looks. */
static void add_rivals(const struct options *opt, const struct job_facts *all,
		       json_t *page, time_t now)
{
	uint32_t run_s = all->facts.choices ? all->score.limit_s
					    : all->placement.facts.limit_s;
	json_t *list = json_array();
	const char *names[2];
	size_t i, n = vol_explain_rivals(page, now, names, 2);

	if (!run_s || run_s > HISTORY_MAX_S)
		run_s = HISTORY_MAX_S;
	for (i = 0; i < n; i++)
		if (!add_history(opt, list, names[i], run_s))
			break;
	json_object_set_new(page, "history", list);
}

static int explain_job(const struct options *opt, uint32_t id, uint32_t task,
		       time_t now)
{
	struct job_facts all;
	struct vol_error err;
	json_t *page = NULL;
	int rc = VOL_EXIT_OK;

	memset(&all, 0, sizeof(all));
	if (gather_job(opt, id, task, &all, now, &err) < 0)
		rc = fail(&err);
	else
		page = vol_explain_job(&all.facts, now);
	if (page)
		add_rivals(opt, &all, page, now);
	if (page && opt->json)
		rc = vol_print_json(page);
	else if (page)
		vol_explain_job_view(stdout, page, opt->all, now);
	json_decref(page);
	json_decref(all.image);
	vol_choices_clear(&all.choices);
	vol_device_list_clear(&all.devices);
	vol_slurm_offers_clear(&all.offers);
	vol_slurm_request_clear(&all.request);
	return rc;
}

/* ---- a node ---- */

static int unknown_node(const char *name, bool in_slurm, struct vol_error *err)
{
	if (in_slurm)
		return vol_errorf(err,
				  "%s is a node of Slurm, but no volunteer "
				  "device",
				  name);
	return vol_errorf(err, "no volunteer device is called %s", name);
}

static int explain_node(const struct options *opt, time_t now)
{
	struct vol_device_list devices = {0};
	struct vol_node_facts facts = {0};
	struct vol_slurm_node slurm;
	char path[PATH_MAX];
	struct vol_error err;
	json_t *history, *page;
	int rc;

	if (vol_device_list_load(path_in(opt, VOL_NODETABLE_FILE, path),
				 vol_boot_ms(), false, &devices, &err) < 0)
		return fail(&err);
	if (vol_slurm_init(NULL) == 0 &&
	    vol_slurm_node_get(opt->word, &slurm, NULL) == 0)
		facts.slurm = &slurm;
	facts.node = vol_device_list_find(&devices, opt->word);
	if (!facts.node) {
		unknown_node(opt->word, facts.slurm != NULL, &err);
		vol_device_list_clear(&devices);
		return fail(&err);
	}
	facts.now_s = devices.now_s;
	facts.age_ms = devices.age_ms;
	facts.select_active = vol_select_active();
	history = json_array();
	if (add_history(opt, history, opt->word, 3600))
		add_history(opt, history, opt->word, 8 * 3600);
	facts.history = history;
	page = vol_explain_node(&facts, now);
	rc = VOL_EXIT_OK;
	if (opt->json)
		rc = vol_print_json(page);
	else
		vol_explain_node_view(stdout, page, now);
	json_decref(page);
	json_decref(history);
	vol_device_list_clear(&devices);
	return rc;
}

int cmd_explain(int argc, char **argv)
{
	struct options opt = {.dir = VOL_RUN_DIR "/controller"};
	time_t now = time(NULL);
	uint32_t id, task;
	int rc = parse(argc, argv, &opt);

	if (rc >= 0)
		return rc;
	if (vol_words_job(opt.word, &id, &task))
		return explain_job(&opt, id, task, now);
	return explain_node(&opt, now);
}
