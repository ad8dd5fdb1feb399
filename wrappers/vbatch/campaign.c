/* SPDX-License-Identifier: GPL-2.0-or-later */
/* campaign.c - submit a whole matrix, or say what would be submitted
 *
 * Arrays are submitted in the order of their points, so that a submission that
 * breaks off can be resumed at one number.
 */
#include "config.h"

#include "campaign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "plan.h"
#include "submit.h"

#define PROGRESS_ARRAYS 5 /* fewer are submitted before one looks */

struct campaign {
	const struct vb_args *args;
	const struct vb_job *job;
	const struct vb_limits *limits;
	bool wait;
	struct vb_sbatch *sbatches; /* all so far, for their ids and --wait */
	size_t count;
};

/* --- several arrays --------------------------------------------------------
 */

static const char *user_dependency(const struct campaign *c)
{
	if (c->args->seen.dependency)
		return c->args->seen.dependency;
	return c->job->header->seen.dependency;
}

/* At most N tasks at once over several arrays means one array after the
 * other; that needs each job's id and one cluster. */
static int check_limit(const struct campaign *c, struct vol_error *err)
{
	const char *clusters = c->args->seen.clusters;
	const char *dependency = user_dependency(c);

	if (!c->args->limit)
		return 0;
	if (c->args->seen.quiet || c->job->header->seen.quiet)
		return vol_errorf_errno(err, EINVAL,
					"--matrix-limit over several arrays "
					"needs their job ids: leave out "
					"--quiet");
	if (clusters && (strchr(clusters, ',') || !strcmp(clusters, "all")))
		return vol_errorf_errno(err, EINVAL,
					"--matrix-limit over several arrays "
					"needs one cluster, not '%s'",
					clusters);
	if (dependency && strchr(dependency, '?'))
		return vol_errorf_errno(err, EINVAL,
					"--matrix-limit over several arrays "
					"cannot be combined with a dependency "
					"on any of several ('?')");
	return 0;
}

/* What the next array must wait for, NULL: nothing new. */
static int make_dependency(const struct campaign *c, char **dependency)
{
	const char *user = user_dependency(c);

	*dependency = NULL;
	if (!c->args->limit || !c->count)
		return 0;
	return asprintf(dependency, "%s%safterany:%" PRIu64, user ? user : "",
			user ? "," : "", c->sbatches[c->count - 1].id);
}

static int submit_array(struct campaign *c, const struct vb_array *array,
			struct vol_error *err)
{
	cleanup_free char *dependency = NULL;
	struct vb_sbatch *grown;

	grown = reallocarray(c->sbatches, c->count + 1, sizeof(*grown));
	if (!grown)
		return vol_errorf(err, "out of memory");
	c->sbatches = grown;
	if (make_dependency(c, &dependency) < 0)
		return vol_errorf(err, "out of memory");
	if (vb_submit(c->args, array, dependency, c->wait,
		      &c->sbatches[c->count], err) < 0)
		return -1;
	if (c->sbatches[c->count].accepted) {
		c->count++;
		return 0;
	}
	return vol_errorf_errno(err, EIO, "sbatch refused it (exit status %d)",
				c->sbatches[c->count].status);
}

static void show_progress(const struct campaign *c,
			  const struct vb_array *array)
{
	if (c->count < PROGRESS_ARRAYS || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr,
		"vbatch: %zu arrays, up to point %" PRIu64 " of %" PRIu64 "\r",
		c->count, array->base + array->span - 1,
		vol_matrix_count(c->job->matrix));
}

static void report_broken(const struct campaign *c, uint64_t from,
			  const char *why)
{
	fprintf(stderr,
		"vbatch: error: points %" PRIu64 " to %" PRIu64
		" are not submitted: %s\n",
		from, vol_matrix_count(c->job->matrix) - 1, why);
	if (c->count && c->sbatches[0].id) {
		fputs("vbatch: submitted jobs:", stderr);
		for (size_t i = 0; i < c->count; i++)
			fprintf(stderr, " %" PRIu64, c->sbatches[i].id);
		putc('\n', stderr);
	}
	fprintf(stderr,
		"vbatch: to submit the rest, repeat the command with "
		"--matrix-first=%" PRIu64 "\n",
		from);
}

/* With --wait the sbatches are still there; theirs is the exit status. */
static int reap_all(struct campaign *c)
{
	int status = 0;

	vb_submit_stop_at_once();
	for (size_t i = 0; i < c->count; i++) {
		vb_submit_reap(&c->sbatches[i]);
		if (c->sbatches[i].status > status)
			status = c->sbatches[i].status;
	}
	return status;
}

/* Submit array and all behind it. */
static int submit_many(struct campaign *c, struct vb_array *array)
{
	struct vol_error err = {.text = ""};
	uint64_t from = array->base;
	int rc = 1;

	vb_submit_catch_stop();
	while (rc > 0) {
		if (vb_submit_stopped()) {
			rc = vol_errorf_errno(&err, EINTR, "interrupted");
			break;
		}
		rc = submit_array(c, array, &err);
		free(array->script);
		if (rc < 0)
			break;
		show_progress(c, array);
		from = array->base + array->span;
		rc = vb_plan_next(c->job, c->limits, from, c->args->limit,
				  array, &err);
	}
	if (c->count >= PROGRESS_ARRAYS && isatty(STDERR_FILENO))
		putc('\n', stderr);
	if (rc == 0)
		return reap_all(c);
	if (c->count == 0 && errno == EIO)
		return c->sbatches[0].status;
	report_broken(c, from, err.text);
	reap_all(c);
	return 1;
}

static void warn_full(const struct campaign *c)
{
	uint64_t points = vol_matrix_count(c->job->matrix) - c->args->first;

	if (points < c->limits->jobs)
		return;
	fprintf(stderr,
		"vbatch: warning: up to %" PRIu64 " points, but this cluster "
		"keeps fewer than %" PRIu64 " jobs at a time (MaxJobCount) and "
		"each point is one; what does not fit can be submitted later\n",
		points, c->limits->jobs);
}

/* The first array; -1 also if there is none. */
static int plan_first(const struct campaign *c, struct vb_array *array,
		      struct vol_error *err)
{
	int rc = vb_plan_next(c->job, c->limits, c->args->first, c->args->limit,
			      array, err);

	if (rc == 0)
		return vol_errorf_errno(err, ENOENT,
					"no point is left to submit (of "
					"%" PRIu64 ", from %" PRIu64 " on)",
					vol_matrix_count(c->job->matrix),
					c->args->first);
	return rc;
}

int vb_campaign_submit(const struct vb_args *args, const struct vb_job *job,
		       const struct vb_limits *limits, struct vol_error *err)
{
	struct campaign c = {
		.args = args,
		.job = job,
		.limits = limits,
		.wait = args->seen.wait || job->header->seen.wait ||
			getenv("SBATCH_WAIT"),
	};
	struct vb_array first, second;
	int rc;

	if (plan_first(&c, &first, err) < 0)
		return -1;
	rc = vb_plan_next(job, limits, first.base + first.span, args->limit,
			  &second, err);
	free(second.script);
	if (rc == 0)
		rc = vb_submit_exec(args, &first, err);
	else if (rc > 0)
		rc = check_limit(&c, err);
	if (rc < 0) {
		free(first.script);
		return -1;
	}
	warn_full(&c);
	rc = submit_many(&c, &first);
	free(c.sbatches);
	return rc;
}

/* --- looking only ----------------------------------------------------------
 */

int vb_campaign_test(const struct vb_args *args, const struct vb_job *job,
		     const struct vb_limits *limits, struct vol_error *err)
{
	struct campaign c = {.args = args, .job = job, .limits = limits};
	uint64_t arrays = 0, tasks = 0, largest = 0;
	struct vb_array first, array;
	int rc = plan_first(&c, &first, err);

	if (rc < 0)
		return -1;
	array = first;
	while (rc > 0) {
		arrays++;
		tasks += array.tasks;
		if (array.tasks > largest)
			largest = array.tasks;
		if (arrays > 1)
			free(array.script);
		rc = vb_plan_next(job, limits, array.base + array.span,
				  args->limit, &array, err);
	}
	if (rc == 0) {
		fprintf(stderr,
			"vbatch: %" PRIu64 " points in %" PRIu64
			" array%s of up to %" PRIu64 " tasks\n",
			tasks, arrays, arrays == 1 ? "" : "s", largest);
		warn_full(&c);
		rc = vb_submit_exec(args, &first, err);
	}
	free(first.script);
	return rc;
}

void vb_campaign_list(const struct vb_args *args, const struct vol_matrix *m)
{
	char value[VOL_MATRIX_VALUE_SIZE];
	uint64_t left = args->list;

	for (uint64_t p = args->first; p < vol_matrix_count(m) && left; p++) {
		if (vol_matrix_excluded(m, p))
			continue;
		printf("%" PRIu64, p);
		for (size_t i = 0; i < vol_matrix_axes(m); i++) {
			uint64_t index = p / vol_matrix_stride(m, i) %
					 vol_matrix_length(m, i);

			if (vol_matrix_value(m, i, index, value,
					     sizeof(value)) == 0)
				printf("\t%s=%s", vol_matrix_name(m, i), value);
		}
		putchar('\n');
		left--;
	}
}
