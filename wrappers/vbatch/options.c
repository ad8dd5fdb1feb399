/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - what sbatch's options look like
 *
 * One table for Slurm 22.05 to 26.05: no option changed between them in a way
 * that matters for finding the next one.  Options that do take a word are
 * listed too, because getopt_long accepts any unambiguous beginning of a name.
 */
#include "config.h"

#include "options.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NONE     VB_ARG_NONE
#define ATTACHED VB_ARG_ATTACHED
#define WORD     VB_ARG_WORD

static const struct vb_option options[] = {
	{"account", 'A', WORD, VB_OPT_OTHER},
	{"acctg-freq", 0, WORD, VB_OPT_OTHER},
	{"array", 'a', WORD, VB_OPT_ARRAY},
	{"autocomplete", 0, WORD, VB_OPT_OTHER},
	{"batch", 0, WORD, VB_OPT_OTHER},
	{"bb", 0, WORD, VB_OPT_OTHER},
	{"bbf", 0, WORD, VB_OPT_OTHER},
	{"begin", 'b', WORD, VB_OPT_OTHER},
	{"chdir", 'D', WORD, VB_OPT_OTHER},
	{"cluster", 0, WORD, VB_OPT_CLUSTERS},
	{"cluster-constraint", 0, WORD, VB_OPT_OTHER},
	{"clusters", 'M', WORD, VB_OPT_CLUSTERS},
	{"comment", 0, WORD, VB_OPT_OTHER},
	{"consolidate-segments", 0, NONE, VB_OPT_OTHER},
	{"constraint", 'C', WORD, VB_OPT_OTHER},
	{"container", 0, WORD, VB_OPT_OTHER},
	{"container-id", 0, WORD, VB_OPT_OTHER},
	{"container-type", 0, WORD, VB_OPT_OTHER},
	{"context", 0, WORD, VB_OPT_OTHER},
	{"contiguous", 0, NONE, VB_OPT_OTHER},
	{"core-spec", 'S', WORD, VB_OPT_OTHER},
	{"cores-per-socket", 0, WORD, VB_OPT_OTHER},
	{"cpu-freq", 0, WORD, VB_OPT_OTHER},
	{"cpus-per-gpu", 0, WORD, VB_OPT_OTHER},
	{"cpus-per-task", 'c', WORD, VB_OPT_OTHER},
	{"deadline", 0, WORD, VB_OPT_OTHER},
	{"delay-boot", 0, WORD, VB_OPT_OTHER},
	{"dependency", 'd', WORD, VB_OPT_DEPENDENCY},
	{"distribution", 'm', WORD, VB_OPT_OTHER},
	{"error", 'e', WORD, VB_OPT_OTHER},
	{"exclude", 'x', WORD, VB_OPT_OTHER},
	{"exclusive", 0, ATTACHED, VB_OPT_OTHER},
	{"export", 0, WORD, VB_OPT_OTHER},
	{"export-file", 0, WORD, VB_OPT_OTHER},
	{"external", 0, NONE, VB_OPT_OTHER},
	{"extra", 0, WORD, VB_OPT_OTHER},
	{"extra-node-info", 'B', WORD, VB_OPT_OTHER},
	{"get-user-env", 0, ATTACHED, VB_OPT_OTHER},
	{"gid", 0, WORD, VB_OPT_OTHER},
	{"gpu-bind", 0, WORD, VB_OPT_OTHER},
	{"gpu-freq", 0, WORD, VB_OPT_OTHER},
	{"gpus", 'G', WORD, VB_OPT_OTHER},
	{"gpus-per-node", 0, WORD, VB_OPT_OTHER},
	{"gpus-per-socket", 0, WORD, VB_OPT_OTHER},
	{"gpus-per-task", 0, WORD, VB_OPT_OTHER},
	{"gres", 0, WORD, VB_OPT_OTHER},
	{"gres-flags", 0, WORD, VB_OPT_OTHER},
	{"help", 'h', NONE, VB_OPT_HELP},
	{"hint", 0, WORD, VB_OPT_OTHER},
	{"hold", 'H', NONE, VB_OPT_OTHER},
	{"ignore-pbs", 0, NONE, VB_OPT_OTHER},
	{"input", 'i', WORD, VB_OPT_OTHER},
	{"job-name", 'J', WORD, VB_OPT_OTHER},
	{"kill-on-invalid-dep", 0, WORD, VB_OPT_OTHER},
	{"licenses", 'L', WORD, VB_OPT_OTHER},
	{"mail-type", 0, WORD, VB_OPT_OTHER},
	{"mail-user", 0, WORD, VB_OPT_OTHER},
	{"mcs-label", 0, WORD, VB_OPT_OTHER},
	{"mem", 0, WORD, VB_OPT_OTHER},
	{"mem-bind", 0, WORD, VB_OPT_OTHER},
	{"mem-per-cpu", 0, WORD, VB_OPT_OTHER},
	{"mem-per-gpu", 0, WORD, VB_OPT_OTHER},
	{"mem-update", 0, WORD, VB_OPT_OTHER},
	{"mincpus", 0, WORD, VB_OPT_OTHER},
	{"network", 0, WORD, VB_OPT_OTHER},
	{"nice", 0, ATTACHED, VB_OPT_OTHER},
	{"no-kill", 'k', ATTACHED, VB_OPT_OTHER},
	{"no-requeue", 0, NONE, VB_OPT_OTHER},
	{"nodefile", 'F', WORD, VB_OPT_OTHER},
	{"nodelist", 'w', WORD, VB_OPT_OTHER},
	{"nodes", 'N', WORD, VB_OPT_OTHER},
	{"ntasks", 'n', WORD, VB_OPT_OTHER},
	{"ntasks-per-core", 0, WORD, VB_OPT_OTHER},
	{"ntasks-per-gpu", 0, WORD, VB_OPT_OTHER},
	{"ntasks-per-node", 0, WORD, VB_OPT_OTHER},
	{"ntasks-per-socket", 0, WORD, VB_OPT_OTHER},
	{"ntasks-per-tres", 0, WORD, VB_OPT_OTHER},
	{"oom-kill-step", 0, ATTACHED, VB_OPT_OTHER},
	{"open-mode", 0, WORD, VB_OPT_OTHER},
	{"output", 'o', WORD, VB_OPT_OTHER},
	{"overcommit", 'O', NONE, VB_OPT_OTHER},
	{"oversubscribe", 's', NONE, VB_OPT_OTHER},
	{"parsable", 0, NONE, VB_OPT_OTHER},
	{"partition", 'p', WORD, VB_OPT_OTHER},
	{"power", 0, WORD, VB_OPT_OTHER},
	{"prefer", 0, WORD, VB_OPT_OTHER},
	{"priority", 0, WORD, VB_OPT_OTHER},
	{"profile", 0, WORD, VB_OPT_OTHER},
	{"propagate", 0, ATTACHED, VB_OPT_OTHER},
	{"qos", 'q', WORD, VB_OPT_OTHER},
	{"quiet", 'Q', NONE, VB_OPT_QUIET},
	{"reboot", 0, NONE, VB_OPT_OTHER},
	{"requeue", 0, ATTACHED, VB_OPT_OTHER},
	{"reservation", 0, WORD, VB_OPT_OTHER},
	{"resources", 0, WORD, VB_OPT_OTHER},
	{"resv-ports", 0, ATTACHED, VB_OPT_OTHER},
	{"segment", 0, WORD, VB_OPT_OTHER},
	{"signal", 0, WORD, VB_OPT_OTHER},
	{"sockets-per-node", 0, WORD, VB_OPT_OTHER},
	{"spread-job", 0, NONE, VB_OPT_OTHER},
	{"spread-segments", 0, NONE, VB_OPT_OTHER},
	{"stepmgr", 0, NONE, VB_OPT_OTHER},
	{"switches", 0, WORD, VB_OPT_OTHER},
	{"tasks-per-node", 0, WORD, VB_OPT_OTHER},
	{"test-only", 0, NONE, VB_OPT_TEST_ONLY},
	{"thread-spec", 0, WORD, VB_OPT_OTHER},
	{"threads-per-core", 0, WORD, VB_OPT_OTHER},
	{"time", 't', WORD, VB_OPT_OTHER},
	{"time-min", 0, WORD, VB_OPT_OTHER},
	{"tmp", 0, WORD, VB_OPT_OTHER},
	{"tres-bind", 0, WORD, VB_OPT_OTHER},
	{"tres-per-task", 0, WORD, VB_OPT_OTHER},
	{"uid", 0, WORD, VB_OPT_OTHER},
	{"usage", 0, NONE, VB_OPT_OTHER},
	{"use-min-nodes", 0, NONE, VB_OPT_OTHER},
	{"verbose", 'v', NONE, VB_OPT_OTHER},
	{"version", 'V', NONE, VB_OPT_VERSION},
	{"wait", 'W', NONE, VB_OPT_WAIT},
	{"wait-all-nodes", 0, WORD, VB_OPT_OTHER},
	{"wckey", 0, WORD, VB_OPT_OTHER},
	{"wrap", 0, WORD, VB_OPT_WRAP},
};

#define OPTIONS (sizeof(options) / sizeof(*options))

int vb_option_long(const char *name, size_t size, vb_unknown_f unknown,
		   void *arg, struct vb_option *found, struct vol_error *err)
{
	size_t matches = 0;

	*found = (struct vb_option){.arg = WORD};
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct vb_option *o = &options[i];

		if (strncmp(o->name, name, size) != 0)
			continue;
		if (!o->name[size]) {
			*found = *o;
			return 0;
		}
		/* Of several, only the kind matters here: sbatch decides what
		 * to make of them. */
		if (matches && found->arg != o->arg)
			return vol_errorf_errno(
				err, EINVAL,
				"option --%.*s is ambiguous: --%s or --%s?",
				(int)size, name, found->name, o->name);
		if (!matches++)
			*found = *o;
		else
			found->id = VB_OPT_OTHER;
	}
	if (!matches && unknown)
		found->arg = unknown(name, size, arg);
	return 0;
}

struct vb_option vb_option_short(char letter)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		if (options[i].letter == letter)
			return options[i];
	}
	return (struct vb_option){.letter = letter, .arg = NONE};
}

enum vb_arg vb_option_in_help(const char *help, const char *name, size_t size)
{
	for (const char *p = help; (p = strstr(p, "--")); p += 2) {
		if (strncmp(p + 2, name, size) != 0)
			continue;
		switch (p[2 + size]) {
		case ' ':
		case '\n':
		case '\0':
			return NONE;
		case '[':
			return ATTACHED;
		case '=':
			return WORD;
		}
	}
	return WORD;
}
