/* SPDX-License-Identifier: GPL-2.0-or-later */
/* srunline_options.c - the options of srun that srunline.c takes
 *
 * From src/common/slurm_opt.c of 22.05 to 26.05: what each does there was read
 * before it came in here.  Left out are those that only concern the making of
 * an allocation, where they would do nothing.
 */
#include "config.h"

#include "srunline_options.h"

#include <string.h>

#include "text.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const struct vol_srunoption options[] = {
	{"accel-bind", 0, VOL_SRUN_WORD, false},
	{"acctg-freq", 0, VOL_SRUN_WORD, false},
	{"chdir", 'D', VOL_SRUN_CHDIR, false},
	{"comment", 0, VOL_SRUN_TEXT, false},
	{"contiguous", 0, VOL_SRUN_FLAG, false},
	{"cores-per-socket", 0, VOL_SRUN_WORD, false},
	{"cpu-bind", 0, VOL_SRUN_WORD, false},
	{"cpu_bind", 0, VOL_SRUN_WORD, false},
	{"cpu-freq", 0, VOL_SRUN_WORD, false},
	{"cpus-per-gpu", 0, VOL_SRUN_WORD, false},
	{"cpus-per-task", 'c', VOL_SRUN_WORD, false},
	{"disable-status", 'X', VOL_SRUN_FLAG, false},
	{"distribution", 'm', VOL_SRUN_WORD, false},
	{"error", 'e', VOL_SRUN_ERROR, false},
	{"exact", 0, VOL_SRUN_FLAG, false},
	{"exclude", 'x', VOL_SRUN_NODES, false},
	{"exclusive", 0, VOL_SRUN_WORD, true},
	{"export", 0, VOL_SRUN_EXPORT, false},
	{"extra-node-info", 'B', VOL_SRUN_WORD, false},
	{"gpu-bind", 0, VOL_SRUN_WORD, false},
	{"gpu-freq", 0, VOL_SRUN_WORD, false},
	{"gpus", 'G', VOL_SRUN_WORD, false},
	{"gpus-per-node", 0, VOL_SRUN_WORD, false},
	{"gpus-per-socket", 0, VOL_SRUN_WORD, false},
	{"gpus-per-task", 0, VOL_SRUN_WORD, false},
	{"gres", 0, VOL_SRUN_WORD, false},
	{"gres-flags", 0, VOL_SRUN_WORD, false},
	{"help", 'h', VOL_SRUN_FLAG, false},
	{"hint", 0, VOL_SRUN_WORD, false},
	{"immediate", 'I', VOL_SRUN_NUMBER, true},
	{"input", 'i', VOL_SRUN_INPUT, false},
	{"job-name", 'J', VOL_SRUN_TEXT, false},
	{"jobid", 0, VOL_SRUN_JOBID, false},
	{"kill-on-bad-exit", 'K', VOL_SRUN_NUMBER, true},
	{"label", 'l', VOL_SRUN_FLAG, false},
	{"mem", 0, VOL_SRUN_WORD, false},
	{"mem-bind", 0, VOL_SRUN_WORD, false},
	{"mem-per-cpu", 0, VOL_SRUN_WORD, false},
	{"mem-per-gpu", 0, VOL_SRUN_WORD, false},
	{"mincpus", 0, VOL_SRUN_WORD, false},
	{"mpi", 0, VOL_SRUN_MPI, false},
	{"msg-timeout", 0, VOL_SRUN_NUMBER, false},
	{"no-kill", 'k', VOL_SRUN_WORD, true},
	{"nodelist", 'w', VOL_SRUN_NODES, false},
	{"nodes", 'N', VOL_SRUN_WORD, false},
	{"ntasks", 'n', VOL_SRUN_WORD, false},
	{"ntasks-per-core", 0, VOL_SRUN_WORD, false},
	{"ntasks-per-gpu", 0, VOL_SRUN_WORD, false},
	{"ntasks-per-node", 0, VOL_SRUN_WORD, false},
	{"ntasks-per-socket", 0, VOL_SRUN_WORD, false},
	{"ntasks-per-tres", 0, VOL_SRUN_WORD, false},
	{"oom-kill-step", 0, VOL_SRUN_NUMBER, true},
	{"open-mode", 0, VOL_SRUN_OPENMODE, false},
	{"output", 'o', VOL_SRUN_OUTPUT, false},
	{"overcommit", 'O', VOL_SRUN_FLAG, false},
	{"overlap", 0, VOL_SRUN_WORD, true},
	{"oversubscribe", 's', VOL_SRUN_FLAG, false},
	{"partition", 'p', VOL_SRUN_WORD, false},
	{"profile", 0, VOL_SRUN_WORD, false},
	{"propagate", 0, VOL_SRUN_WORD, true},
	{"pty", 0, VOL_SRUN_FLAG, false},
	{"quiet", 'Q', VOL_SRUN_FLAG, false},
	{"quit-on-interrupt", 0, VOL_SRUN_FLAG, false},
	{"relative", 'r', VOL_SRUN_NUMBER, false},
	{"resv-ports", 0, VOL_SRUN_NUMBER, true},
	{"signal", 0, VOL_SRUN_WORD, false},
	{"slurmd-debug", 0, VOL_SRUN_WORD, false},
	{"sockets-per-node", 0, VOL_SRUN_WORD, false},
	{"spread-job", 0, VOL_SRUN_FLAG, false},
	{"tasks-per-node", 0, VOL_SRUN_WORD, false},
	{"threads", 'T', VOL_SRUN_NUMBER, false},
	{"threads-per-core", 0, VOL_SRUN_WORD, false},
	{"thread-spec", 0, VOL_SRUN_NUMBER, false},
	{"time", 't', VOL_SRUN_WORD, false},
	{"treewidth", 0, VOL_SRUN_WORD, false},
	{"tres-bind", 0, VOL_SRUN_WORD, false},
	{"tres-per-task", 0, VOL_SRUN_WORD, false},
	{"unbuffered", 'u', VOL_SRUN_FLAG, false},
	{"usage", 0, VOL_SRUN_FLAG, false},
	{"use-min-nodes", 0, VOL_SRUN_FLAG, false},
	{"verbose", 'v', VOL_SRUN_FLAG, false},
	{"version", 'V', VOL_SRUN_FLAG, false},
	{"volunteer-checkpoint", 0, VOL_SRUN_WORD, false},
	{"volunteer-files", 0, VOL_SRUN_WORD, false},
	{"volunteer-info", 0, VOL_SRUN_FLAG, false},
	{"volunteer-net", 0, VOL_SRUN_WORD, false},
	{"volunteer-saves", 0, VOL_SRUN_WORD, false},
	{"volunteer-signal", 0, VOL_SRUN_WORD, false},
	{"wait", 'W', VOL_SRUN_NUMBER, false},
	{"whole", 0, VOL_SRUN_FLAG, false},
};

#define RUNS  "it would run a program outside of the sandbox"
#define READS "it would open a file outside of the sandbox"

/* Those that people use, for a reason better than "not known". */
static const struct {
	const char *name, *why;
} refused[] = {
	{"bb", READS},
	{"bbf", READS},
	{"bcast", READS},
	{"bcast-exclude", READS},
	{"cluster", "a step runs where its job does"},
	{"clusters", "a step runs where its job does"},
	{"container", READS},
	{"container-id", READS},
	{"epilog", RUNS},
	{"gid", "the step would not be the job's user's"},
	{"het-group", "steps of heterogeneous jobs do not work"},
	{"multi-prog", READS},
	{"no-allocate", "a step runs where its job does"},
	{"nodefile", READS},
	{"pack-group", "steps of heterogeneous jobs do not work"},
	{"preserve-env", "the environment is made outside of the sandbox"},
	{"prolog", RUNS},
	{"send-libs", READS},
	{"task-epilog", RUNS},
	{"task-prolog", "have the program run it"},
	{"uid", "the step would not be the job's user's"},
	{"x11", "there is no display"},
};

const struct vol_srunoption *vol_srunoption_find(const char *name, size_t len)
{
	for (size_t i = 0; i < N_ELEMENTS(options); i++)
		if (strlen(options[i].name) == len &&
		    memcmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

const struct vol_srunoption *vol_srunoption_letter(char letter)
{
	for (size_t i = 0; letter && i < N_ELEMENTS(options); i++)
		if (options[i].letter == letter)
			return &options[i];
	return NULL;
}

const char *vol_srunoption_refusal(const char *name, size_t len)
{
	for (size_t i = 0; i < N_ELEMENTS(refused); i++)
		if (strlen(refused[i].name) == len &&
		    memcmp(refused[i].name, name, len) == 0)
			return refused[i].why;
	return NULL;
}

static bool made_of(const char *value, const char *more)
{
	for (; *value; value++)
		if (!vol_char_in((unsigned char)*value, more))
			return false;
	return true;
}

static bool is_number(const char *value)
{
	return value[strspn(value, "0123456789")] == '\0';
}

/* A module's name becomes part of a path below Slurm's plugin folder. */
static bool is_module(const char *value)
{
	return value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_")] ==
	       '\0';
}

static bool is_text(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < 0x20 || *value == 0x7f)
			return false;
	return true;
}

bool vol_srunoption_value(int kind, const char *value)
{
	switch (kind) {
	case VOL_SRUN_FLAG:
		return false;
	case VOL_SRUN_WORD:
		return *value && made_of(value, ".,:;=+-_*%@~!");
	case VOL_SRUN_NUMBER:
	case VOL_SRUN_JOBID:
		return *value && is_number(value);
	case VOL_SRUN_NODES:
		return *value && made_of(value, ".,-_[]");
	case VOL_SRUN_MPI:
		return *value && is_module(value);
	case VOL_SRUN_OPENMODE:
		return !strcmp(value, "append") || !strcmp(value, "truncate");
	case VOL_SRUN_EXPORT: /* any value of a variable is one */
		return true;
	default:
		return is_text(value);
	}
}
