/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stepenv.c - how a job's environment gets into its steps past an srun that
 * must not see it */
#include "config.h"

#include "stepenv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "srunline_options.h"
#include "textlist.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* Longer than any list of nodes or masks that srun gets from Slurm. */
#define VALUE_MAX 65536

/* From src/srun/opt.c (env_vars) and getenv() in src/srun, src/api of 22.05 to
 * 26.05.  Each is the option of that name, or tells srun of the job.  Left out
 * are those that name files or programs and what srunline.h refuses. */
static const struct {
	const char *name;
	unsigned char kind; /* enum vol_srunkind */
} passing[] = {
	{"SLURM_ACCTG_FREQ", VOL_SRUN_WORD},
	{"SLURM_ARRAY_JOB_ID", VOL_SRUN_NUMBER},
	{"SLURM_ARRAY_TASK_ID", VOL_SRUN_NUMBER},
	{"SLURM_CPU_BIND", VOL_SRUN_WORD},
	{"SLURM_CPU_FREQ_REQ", VOL_SRUN_WORD},
	{"SLURM_CPUS_PER_GPU", VOL_SRUN_WORD},
	{"SLURM_CPUS_PER_TASK", VOL_SRUN_WORD},
	{"SLURM_DEBUG", VOL_SRUN_WORD},
	{"SLURM_DISABLE_STATUS", VOL_SRUN_WORD},
	{"SLURM_DIST_PLANESIZE", VOL_SRUN_NUMBER},
	{"SLURM_DISTRIBUTION", VOL_SRUN_WORD},
	{"SLURM_EXACT", VOL_SRUN_WORD},
	{"SLURM_EXCLUSIVE", VOL_SRUN_WORD},
	{"SLURM_EXIT_ERROR", VOL_SRUN_NUMBER},
	{"SLURM_EXIT_IMMEDIATE", VOL_SRUN_NUMBER},
	{"SLURM_GPU_BIND", VOL_SRUN_WORD},
	{"SLURM_GPU_FREQ", VOL_SRUN_WORD},
	{"SLURM_GPUS", VOL_SRUN_WORD},
	{"SLURM_GPUS_PER_NODE", VOL_SRUN_WORD},
	{"SLURM_GPUS_PER_SOCKET", VOL_SRUN_WORD},
	{"SLURM_GPUS_PER_TASK", VOL_SRUN_WORD},
	{"SLURM_GRES", VOL_SRUN_WORD},
	{"SLURM_GRES_FLAGS", VOL_SRUN_WORD},
	{"SLURM_HINT", VOL_SRUN_WORD},
	{"SLURM_JOB_NAME", VOL_SRUN_TEXT},
	{"SLURM_JOB_NODELIST", VOL_SRUN_NODES},
	{"SLURM_JOB_NUM_NODES", VOL_SRUN_NUMBER},
	{"SLURM_KILL_BAD_EXIT", VOL_SRUN_WORD},
	{"SLURM_LABELIO", VOL_SRUN_WORD},
	{"SLURM_MEM_BIND", VOL_SRUN_WORD},
	{"SLURM_MEM_PER_CPU", VOL_SRUN_WORD},
	{"SLURM_MEM_PER_GPU", VOL_SRUN_WORD},
	{"SLURM_MEM_PER_NODE", VOL_SRUN_WORD},
	{"SLURM_MPI_TYPE", VOL_SRUN_MPI},
	{"SLURM_NCORES_PER_SOCKET", VOL_SRUN_WORD},
	{"SLURM_NO_KILL", VOL_SRUN_WORD},
	{"SLURM_NPROCS", VOL_SRUN_WORD},
	{"SLURM_NSOCKETS_PER_NODE", VOL_SRUN_WORD},
	{"SLURM_NTASKS", VOL_SRUN_WORD},
	{"SLURM_NTASKS_PER_CORE", VOL_SRUN_WORD},
	{"SLURM_NTASKS_PER_GPU", VOL_SRUN_WORD},
	{"SLURM_NTASKS_PER_NODE", VOL_SRUN_WORD},
	{"SLURM_NTASKS_PER_TRES", VOL_SRUN_WORD},
	{"SLURM_OOM_KILL_STEP", VOL_SRUN_WORD},
	{"SLURM_OVERCOMMIT", VOL_SRUN_WORD},
	{"SLURM_OVERLAP", VOL_SRUN_WORD},
	{"SLURM_PROFILE", VOL_SRUN_WORD},
	{"SLURM_RESV_PORTS", VOL_SRUN_WORD},
	{"SLURM_SIGNAL", VOL_SRUN_WORD},
	{"SLURM_SPREAD_JOB", VOL_SRUN_WORD},
	{"SLURM_SRUN_REDUCE_TASK_EXIT_MSG", VOL_SRUN_WORD},
	{"SLURM_TASKS_PER_NODE", VOL_SRUN_TEXT}, /* "2(x3)" */
	{"SLURM_THREAD_SPEC", VOL_SRUN_WORD},
	{"SLURM_THREADS", VOL_SRUN_NUMBER},
	{"SLURM_THREADS_PER_CORE", VOL_SRUN_WORD},
	{"SLURM_TIMELIMIT", VOL_SRUN_WORD},
	{"SLURM_TRES_BIND", VOL_SRUN_WORD},
	{"SLURM_TRES_PER_TASK", VOL_SRUN_WORD},
	{"SLURM_UNBUFFEREDIO", VOL_SRUN_WORD},
	{"SLURM_USE_MIN_NODES", VOL_SRUN_WORD},
	{"SLURM_WAIT", VOL_SRUN_NUMBER},
	{"SLURMD_DEBUG", VOL_SRUN_WORD},
	{"SRUN_CPUS_PER_TASK", VOL_SRUN_WORD},
};

/* Options of our SPANK plugin, as the job was submitted with. */
#define OURS "_SLURM_SPANK_OPTION_volunteer_"

/* What srun needs to be found by those that it starts: nobody. */
#define SRUN_PATH "PATH=/usr/bin:/bin"

bool vol_stepenv_passes(const char *variable)
{
	size_t len = strcspn(variable, "=");
	const char *value = variable + len + 1;

	if (!variable[len] || strlen(value) > VALUE_MAX)
		return false;
	if (!strncmp(variable, OURS, strlen(OURS)))
		return !*value || vol_srunoption_value(VOL_SRUN_WORD, value);
	for (size_t i = 0; i < N_ELEMENTS(passing); i++)
		if (strlen(passing[i].name) == len &&
		    !memcmp(passing[i].name, variable, len))
			return vol_srunoption_value(passing[i].kind, value);
	return false;
}

bool vol_stepenv_is_slurms(const char *name)
{
	return !strncmp(name, "SLURM_", 6) || !strncmp(name, "SLURMD_", 7) ||
	       !strncmp(name, "SRUN_", 5);
}

const char *vol_stepenv_packed(const char *variable)
{
	size_t len = strlen(VOL_STEPENV_PREFIX);

	if (strncmp(variable, VOL_STEPENV_PREFIX, len) != 0)
		return NULL;
	variable += len;
	/* A name of no letters can not be set. */
	return *variable && *variable != '=' && strchr(variable, '=') ? variable
								      : NULL;
}

/* --- writing ------------------------------------------------------------- */

static void put(struct vol_textlist *list, const char *prefix, const char *text,
		size_t len)
{
	vol_textlist_begin(list);
	vol_textlist_part(list, prefix, strlen(prefix));
	vol_textlist_part(list, text, len);
	vol_textlist_end(list);
}

static void put_text(struct vol_textlist *list, const char *prefix,
		     const char *text)
{
	put(list, prefix, text, strlen(text));
}

/* Packed, if srun itself would have it in its environment: it begins with a
 * name. */
static void put_packed(struct vol_textlist *list, const char *variable)
{
	if (*variable && *variable != '=' && strchr(variable, '='))
		put_text(list, VOL_STEPENV_PREFIX, variable);
}

/* --- --export ------------------------------------------------------------ */

static const char *find(char *const env[], const char *name, size_t len)
{
	for (; *env; env++)
		if (!strncmp(*env, name, len) && (*env)[len] == '=')
			return *env;
	return NULL;
}

/* The next of a list with commas, which may be quoted, as Slurm's
 * find_quote_token() cuts it; one that is quoted as a whole loses its quotes.
 */
static bool next_token(const char **list, const char **token, size_t *len)
{
	const char *from = *list, *at = from;
	char quote = 0;

	if (!*from)
		return false;
	for (; *at && (quote || *at != ','); at++) {
		if (quote && *at == quote)
			quote = 0;
		else if (!quote && (*at == '"' || *at == '\''))
			quote = *at;
	}
	*list = *at ? at + 1 : at;
	if (at - from >= 2 && (*from == '"' || *from == '\'') &&
	    at[-1] == *from) {
		from++;
		at--;
	}
	*token = from;
	*len = (size_t)(at - from);
	return true;
}

static bool is_word(const char *token, size_t len, const char *name)
{
	return len == strlen(name) && !strncasecmp(token, name, len);
}

/* Does a list say that all variables go along? */
static bool says_all(const char *export)
{
	const char *token;
	bool all = false;
	size_t len;

	while (next_token(&export, &token, &len) &&
	       !is_word(token, len, "NONE"))
		all |= is_word(token, len, "ALL");
	return all;
}

/* The named ones.  None comes twice: srun lets the environment win over a
 * value in the list. */
static void put_named(struct vol_textlist *list, char *const env[],
		      const char *export, bool all)
{
	const char *token;
	size_t len;

	while (next_token(&export, &token, &len) &&
	       !is_word(token, len, "NONE")) {
		const char *equals = memchr(token, '=', len);
		size_t name_len = equals ? (size_t)(equals - token) : len;
		const char *variable =
			name_len ? find(env, token, name_len) : NULL;

		if (!name_len ||
		    (variable && (all || vol_stepenv_is_slurms(token))))
			continue;
		if (equals)
			put(list, VOL_STEPENV_PREFIX, token, len);
		else if (variable)
			put_packed(list, variable);
	}
}

static const char *find_export(char *const env[])
{
	static const char *const names[] = {"SRUN_EXPORT_ENV",
					    "SLURM_EXPORT_ENV"};

	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		size_t len = strlen(names[i]);
		const char *found = find(env, names[i], len);

		if (found)
			return found + len + 1;
	}
	return NULL;
}

bool vol_stepenv_all(char *const env[], const char *export)
{
	if (!export)
		export = find_export(env);
	return !export || says_all(export);
}

/* A name that would end a list's word, or be taken for two. */
static bool is_listable(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr(",\"'", name[i]))
			return false;
	return true;
}

char *vol_stepenv_export(char *const list[], struct vol_error *err)
{
	size_t size = sizeof("NONE"), len = 0;
	char *text;

	for (size_t i = 0; list[i]; i++)
		size += strcspn(list[i], "=") + 1;
	text = malloc(size);
	if (!text) {
		vol_errorf_errno(err, ENOMEM, "no memory");
		return NULL;
	}
	for (size_t i = 0; list[i]; i++) {
		size_t name_len = strcspn(list[i], "=");

		if (!vol_stepenv_packed(list[i]) ||
		    !is_listable(list[i], name_len))
			continue;
		memcpy(text + len, list[i], name_len);
		len += name_len;
		text[len++] = ',';
	}
	if (len > 0)
		text[len - 1] = '\0';
	else
		strcpy(text, "NONE");
	return text;
}

static void write_all(struct vol_textlist *list, char *const env[],
		      const char *export, const char *job, const char *conf)
{
	bool all = vol_stepenv_all(env, export);

	put_text(list, SRUN_PATH, "");
	put_text(list, "SLURM_JOB_ID=", job);
	if (conf)
		put_text(list, "SLURM_CONF=", conf);
	for (size_t i = 0; env[i]; i++)
		if (vol_stepenv_passes(env[i]))
			put_text(list, "", env[i]);
	if (export)
		put_named(list, env, export, all);
	/* What is Slurm's goes along whatever --export says. */
	for (size_t i = 0; env[i]; i++)
		if (all || vol_stepenv_is_slurms(env[i]))
			put_packed(list, env[i]);
}

char **vol_stepenv_pack(char *const env[], const char *export, uint32_t job,
			const char *conf, struct vol_error *err)
{
	struct vol_textlist packed = {0};
	char number[16];

	if (!export)
		export = find_export(env);
	snprintf(number, sizeof(number), "%" PRIu32, job);
	write_all(&packed, env, export, number, conf);
	if (vol_textlist_make(&packed, err) < 0)
		return NULL;
	write_all(&packed, env, export, number, conf);
	return packed.list;
}
