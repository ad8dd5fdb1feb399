/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_spank.c - Slurm's side of SPANK out of one structure */
#include "config.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The ABI test loads the plugin, which looks these up in the program. */
#pragma GCC visibility push(default)
#include "fake_spank.h"

struct spank_handle {
	int unused;
};

static struct spank_handle handle;
struct fake_spank fake_spank;

spank_t fake_spank_handle(void)
{
	return &handle;
}

void fake_spank_reset(enum spank_context context)
{
	fake_spank = (struct fake_spank){
		.context = context,
		.job = 12,
		.step = 0,
		.array_task = 0xfffffffe,
		.uid = 1000,
		.gid = 1001,
		.tasks = 2,
		.task = -1,
	};
}

const char *fake_spank_env(const char *name)
{
	for (size_t i = 0; i < fake_spank.n_env; i++)
		if (!strcmp(fake_spank.env[i].name, name))
			return fake_spank.env[i].value;
	return NULL;
}

int fake_spank_give_option(const char *name, const char *arg, int remote)
{
	for (size_t i = 0; i < fake_spank.n_options; i++)
		if (!strcmp(fake_spank.options[i]->name, name))
			return fake_spank.options[i]->cb(
				fake_spank.options[i]->val, arg, remote);
	return -1;
}

spank_context_t spank_context(void)
{
	return fake_spank.context;
}

int spank_remote(spank_t spank)
{
	return spank ? fake_spank.context == S_CTX_REMOTE : -1;
}

spank_err_t spank_option_register(spank_t spank, struct spank_option *opt)
{
	if (!spank || fake_spank.refuse_options ||
	    fake_spank.n_options == FAKE_OPTIONS_MAX)
		return ESPANK_BAD_ARG;
	fake_spank.options[fake_spank.n_options++] = opt;
	return ESPANK_SUCCESS;
}

static spank_err_t put_u32(va_list *ap, uint32_t value)
{
	*va_arg(*ap, uint32_t *) = value;
	return ESPANK_SUCCESS;
}

/* As Slurm keeps it: "NAME=VALUE", NULL at the end. */
static char **job_env(void)
{
	static char text[FAKE_ENV_MAX][sizeof(fake_spank.env[0])];
	static char *env[FAKE_ENV_MAX + 1];

	for (size_t i = 0; i < fake_spank.n_env; i++) {
		snprintf(text[i], sizeof(text[i]), "%s=%s",
			 fake_spank.env[i].name, fake_spank.env[i].value);
		env[i] = text[i];
	}
	env[fake_spank.n_env] = NULL;
	return env;
}

static spank_err_t get_item(spank_item_t item, va_list *ap)
{
	switch (item) {
	case S_JOB_ID:
		return put_u32(ap, fake_spank.job);
	case S_JOB_STEPID:
		return put_u32(ap, fake_spank.step);
	case S_JOB_ARRAY_ID:
		return put_u32(ap, fake_spank.array_job);
	case S_JOB_ARRAY_TASK_ID:
		return put_u32(ap, fake_spank.array_task);
	case S_JOB_LOCAL_TASK_COUNT:
		return put_u32(ap, fake_spank.tasks);
	case S_JOB_UID:
		*va_arg(*ap, uid_t *) = fake_spank.uid;
		return ESPANK_SUCCESS;
	case S_JOB_GID:
		*va_arg(*ap, gid_t *) = fake_spank.gid;
		return ESPANK_SUCCESS;
	case S_JOB_ARGV:
		*va_arg(*ap, int *) = fake_spank.argv[0] ? 1 : 0;
		*va_arg(*ap, char ***) = fake_spank.argv;
		return ESPANK_SUCCESS;
	case S_JOB_ENV:
		*va_arg(*ap, char ***) = job_env();
		return ESPANK_SUCCESS;
	case S_JOB_NCPUS:
		*va_arg(*ap, uint16_t *) = fake_spank.cpus;
		return ESPANK_SUCCESS;
	case S_STEP_ALLOC_MEM:
		*va_arg(*ap, uint64_t *) = fake_spank.step_memory_mb;
		return ESPANK_SUCCESS;
	case S_STEP_ALLOC_CORES:
		*va_arg(*ap, const char **) = fake_spank.step_cores;
		return ESPANK_SUCCESS;
	case S_TASK_ID:
		*va_arg(*ap, int *) = fake_spank.task;
		return fake_spank.task < 0 ? ESPANK_NOT_TASK : ESPANK_SUCCESS;
	default:
		return ESPANK_BAD_ARG;
	}
}

spank_err_t spank_get_item(spank_t spank, spank_item_t item, ...)
{
	spank_err_t rc;
	va_list ap;

	if (!spank || fake_spank.refuse_items)
		return ESPANK_BAD_ARG;
	if (fake_spank.context != S_CTX_REMOTE)
		return ESPANK_NOT_REMOTE;
	va_start(ap, item);
	rc = get_item(item, &ap);
	va_end(ap);
	return rc;
}

spank_err_t spank_getenv(spank_t spank, const char *var, char *buf, int len)
{
	const char *value = fake_spank_env(var);

	if (!spank || len < 0)
		return ESPANK_BAD_ARG;
	if (fake_spank.context != S_CTX_REMOTE)
		return ESPANK_NOT_REMOTE;
	if (!value)
		return ESPANK_ENV_NOEXIST;
	return snprintf(buf, (size_t)len, "%s", value) < len ? ESPANK_SUCCESS
							     : ESPANK_NOSPACE;
}

static spank_err_t set_env(const char *var, const char *val, int overwrite)
{
	size_t i = 0;

	while (i < fake_spank.n_env && strcmp(fake_spank.env[i].name, var))
		i++;
	if (i < fake_spank.n_env && !overwrite)
		return ESPANK_ENV_EXISTS;
	if (i == FAKE_ENV_MAX)
		return ESPANK_ERROR;
	if (i == fake_spank.n_env)
		fake_spank.n_env++;
	snprintf(fake_spank.env[i].name, sizeof(fake_spank.env[i].name), "%s",
		 var);
	snprintf(fake_spank.env[i].value, sizeof(fake_spank.env[i].value), "%s",
		 val);
	return ESPANK_SUCCESS;
}

/* The job's environment and that of its prologs are never both written in one
 * process: they share env. */
spank_err_t spank_job_control_setenv(spank_t spank, const char *var,
				     const char *val, int overwrite)
{
	if (!spank || !var || !val || fake_spank.refuse_env)
		return ESPANK_BAD_ARG;
	if (fake_spank.context != S_CTX_LOCAL &&
	    fake_spank.context != S_CTX_ALLOCATOR)
		return ESPANK_NOT_LOCAL;
	return set_env(var, val, overwrite);
}

spank_err_t spank_setenv(spank_t spank, const char *var, const char *val,
			 int overwrite)
{
	if (!spank || !var || !val || fake_spank.refuse_env)
		return ESPANK_BAD_ARG;
	if (fake_spank.context != S_CTX_REMOTE)
		return ESPANK_NOT_REMOTE;
	return set_env(var, val, overwrite);
}

spank_err_t spank_unsetenv(spank_t spank, const char *var)
{
	size_t i = 0;

	if (!spank || !var)
		return ESPANK_BAD_ARG;
	if (fake_spank.context != S_CTX_REMOTE)
		return ESPANK_NOT_REMOTE;
	while (i < fake_spank.n_env && strcmp(fake_spank.env[i].name, var))
		i++;
	if (i < fake_spank.n_env)
		fake_spank.env[i] = fake_spank.env[--fake_spank.n_env];
	return ESPANK_SUCCESS;
}

void slurm_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(fake_spank.last_error, sizeof(fake_spank.last_error), format,
		  ap);
	va_end(ap);
	fake_spank.errors++;
}

void slurm_info(const char *format, ...)
{
	(void)format;
	fake_spank.messages++;
}

void slurm_debug(const char *format, ...)
{
	(void)format;
	fake_spank.messages++;
}
#pragma GCC visibility pop
