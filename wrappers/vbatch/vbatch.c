/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vbatch.c - sbatch for parameter matrices
 *
 * options.c, args.c  tell vbatch's options and the script from sbatch's options
 * header.c source.c  read the user's script and its #SBATCH lines
 * words.c script.c   generate the script that every task runs
 * limits.c plan.c    cut the matrix into arrays the cluster takes
 * submit.c           run sbatch; campaign.c: for all arrays, with its report
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "campaign.h"
#include "capture.h"
#include "cleanup.h"
#include "clusterdir.h"
#include "error.h"
#include "header.h"
#include "limits.h"
#include "matrix.h"
#include "script.h"
#include "source.h"

#define EXIT_USAGE 2

static const char help_text[] =
	"Usage: vbatch [--cluster NAME] [--matrix NAME=VALUES]... [sbatch options]\n"
	"              script [args] | --wrap=command\n"
	"\n"
	"sbatch for parameter matrices: one task for every point.  Each task finds\n"
	"its point in the variables NAME, VBATCH_POINT and VBATCH_POINTS, and\n"
	"{NAME} in the script's arguments and in --wrap is replaced by the value.\n"
	"\n"
	"      --cluster NAME                 submit to that cluster (see volunteer\n"
	"                                     cluster); before all other options\n"
	"      --matrix NAME=v1,v2,...        these values (repeat for more axes)\n"
	"      --matrix NAME=lo..hi[:step]    these numbers\n"
	"      --matrix NAME=@file            the lines of a file\n"
	"      --matrix-zip                   n-th value with n-th value instead of\n"
	"                                     all combinations\n"
	"      --matrix-exclude NAME=v[,NAME=v...]  leave out these points\n"
	"      --matrix-limit N               run at most N tasks at once\n"
	"      --matrix-first N               start at point N (to resume)\n"
	"      --matrix-list [N]              print N points (10), submit nothing\n"
	"  -h, --help                         this text\n"
	"  -V, --version                      the version\n"
	"\n"
	"All other options are sbatch's: see sbatch --help.\n";

/* "sbatch --help" lists what its SPANK plugins add; asked for once, and only
 * if there is an option that vbatch does not know. */
static enum vb_arg ask_sbatch(const char *name, size_t size, void *arg)
{
	static const char *const argv[] = {"sbatch", "--help", NULL};
	char **help = arg;
	int status;

	if (!*help)
		*help = vb_capture(argv, &status, NULL);
	return *help ? vb_option_in_help(*help, name, size) : VB_ARG_WORD;
}

static int exec_sbatch(char **argv, struct vol_error *err)
{
	argv[0] = "sbatch";
	execvp(argv[0], argv);
	return vol_errorf(err, "cannot run sbatch: %s", strerror(errno));
}

static struct vol_matrix *make_matrix(const struct vb_args *args,
				      struct vol_error *err)
{
	struct vol_matrix *m = vol_matrix_create();

	if (!m) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	vol_matrix_set_zip(m, args->zip);
	for (size_t i = 0; i < args->matrix_count; i++) {
		if (vol_matrix_add(m, args->matrix[i], err) < 0)
			goto error;
	}
	for (size_t i = 0; i < args->exclude_count; i++) {
		if (vol_matrix_exclude(m, args->exclude[i], err) < 0)
			goto error;
	}
	if (vol_matrix_finish(m, err) < 0)
		goto error;
	return m;
error:
	vol_error_prefix(err, "matrix");
	vol_matrix_destroy(m);
	return NULL;
}

/* What cannot be combined with a matrix. */
static int check_seen(const struct vb_seen *seen, struct vol_error *err)
{
	if (seen->array)
		return vol_errorf_errno(err, EINVAL,
					"--array and --matrix exclude each "
					"other: the matrix becomes the array; "
					"instead of %%N there is "
					"--matrix-limit N");
	if (seen->het)
		return vol_errorf_errno(err, EINVAL,
					"a heterogeneous job cannot be a job "
					"array, so it can have no --matrix");
	return 0;
}

static int read_source(struct vb_source *s, const struct vb_args *args,
		       const struct vol_matrix *m, struct vol_error *err)
{
	if (args->seen.wrap && args->script_count)
		return vol_errorf_errno(err, EINVAL,
					"--wrap takes no script and no "
					"arguments ('%s')",
					args->script[0]);
	if (args->seen.wrap)
		return vb_source_wrap(s, m, args->seen.wrap, err);
	if (!args->script_count && isatty(STDIN_FILENO))
		return vol_errorf_errno(err, EINVAL,
					"no script: give its name, or its text "
					"on the standard input");
	return vb_source_read(s, args->script_count ? args->script[0] : NULL,
			      err);
}

static int submit(const struct vb_args *args, const struct vol_matrix *m,
		  const struct vb_source *source,
		  const struct vb_header *header, struct vol_error *err)
{
	struct vb_job job = {
		.matrix = m,
		.source = source,
		.header = header,
		.args = args->script + 1,
		.args_count = args->script_count ? args->script_count - 1 : 0,
	};
	const char *clusters = args->seen.clusters;
	struct vb_limits limits;

	if (check_seen(&header->seen, err) < 0)
		return vol_error_prefix(err, "#SBATCH lines");
	if (!clusters)
		clusters = getenv("SBATCH_CLUSTERS");
	if (!clusters)
		clusters = header->seen.clusters;
	if (vb_limits_ask(clusters, &limits, err) < 0)
		return -1;
	if (args->seen.test_only || header->seen.test_only)
		return vb_campaign_test(args, &job, &limits, err);
	return vb_campaign_submit(args, &job, &limits, err);
}

/* With a matrix. */
static int run(const struct vb_args *args, struct vol_error *err)
{
	struct vol_matrix *m = make_matrix(args, err);
	cleanup_free char *help = NULL;
	struct vb_source source;
	struct vb_header header;
	int rc = -1;

	if (!m)
		return -1;
	if (args->list) {
		vb_campaign_list(args, m);
		vol_matrix_destroy(m);
		return 0;
	}
	if (check_seen(&args->seen, err) == 0 &&
	    read_source(&source, args, m, err) == 0) {
		if (vb_header_read(&header, source.text, source.size,
				   ask_sbatch, &help, err) == 0) {
			rc = submit(args, m, &source, &header, err);
			vb_header_free(&header);
		}
		vb_source_free(&source);
	}
	vol_matrix_destroy(m);
	return rc;
}

static int complain(const struct vol_error *err, int status)
{
	fprintf(stderr, "vbatch: error: %s\n", err->text);
	return status;
}

/* Is any word an option of ours?  If not, what the others mean is none of our
 * business. */
static bool has_own(char **argv)
{
	for (size_t i = 1; argv[i]; i++) {
		if (!strncmp(argv[i], "--matrix", strlen("--matrix")) ||
		    vb_args_is_cluster(argv[i]))
			return true;
	}
	return false;
}

/* "--cluster NAME" is the first option: what the others mean may depend on the
 * cluster, whose sbatch may have other plugins.  Takes it off the words. */
static int enter_cluster(int *argc, char **argv, struct vol_error *err)
{
	int words = 1;
	char *name;

	if (*argc < 2 || !vb_args_is_cluster(argv[1]))
		return 0;
	name = strchr(argv[1], '=');
	if (name)
		name++;
	else if (*argc > 2)
		name = argv[++words];
	else
		return vol_errorf_errno(err, EINVAL, "--cluster needs a name");
	if (vol_clusterdir_enter(vol_clusterdir_root(), name, err) < 0)
		return -1;
	*argc -= words;
	memmove(argv + 1, argv + 1 + words, (size_t)*argc * sizeof(*argv));
	return 0;
}

int main(int argc, char **argv)
{
	struct vol_error err = {.text = ""};
	cleanup_free char *help = NULL;
	struct vb_args args;
	bool own;
	int rc;

	if (enter_cluster(&argc, argv, &err) < 0)
		return complain(&err, EXIT_USAGE);
	own = argc > 0 && has_own(argv);
	if (vb_args_parse(&args, argc, argv, own ? ask_sbatch : NULL, &help,
			  &err) < 0) {
		if (!own)
			exec_sbatch(argv, &err);
		return complain(&err, EXIT_USAGE);
	}
	if (args.help)
		rc = fputs(help_text, stdout) < 0;
	else if (args.version)
		rc = puts("vbatch (" PACKAGE_NAME ") " PACKAGE_VERSION) < 0;
	else if (!args.own)
		rc = exec_sbatch(argv, &err);
	else if (!args.matrix_count)
		rc = vol_errorf(&err,
				"there is no --matrix: see vbatch --help");
	else
		rc = run(&args, &err);
	vb_args_free(&args);
	return rc < 0 ? complain(&err, EXIT_FAILURE) : rc;
}
