/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state.c - libslurm's node records and error numbers in our words */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <slurm/slurm_errno.h>

#include "internal.h"

static const struct {
	uint32_t flag;
	const char *word;
} flag_words[] = {
	{NODE_STATE_DYNAMIC_NORM, "DYNAMIC_NORM"},
	{NODE_STATE_DRAIN, "DRAIN"},
	{NODE_STATE_COMPLETING, "COMPLETING"},
	{NODE_STATE_FAIL, "FAIL"},
	{NODE_STATE_MAINT, "MAINTENANCE"},
	{NODE_STATE_RES, "RESERVED"},
	{NODE_STATE_NO_RESPOND, "NOT_RESPONDING"},
	{NODE_STATE_INVALID_REG, "INVALID_REG"},
};

static const char *base_word(uint32_t state)
{
	switch (state & NODE_STATE_BASE) {
	case NODE_STATE_DOWN:
		return "DOWN";
	case NODE_STATE_IDLE:
		return "IDLE";
	case NODE_STATE_ALLOCATED:
		return "ALLOCATED";
	case NODE_STATE_MIXED:
		return "MIXED";
	case NODE_STATE_FUTURE:
		return "FUTURE";
	default:
		return "UNKNOWN";
	}
}

void vol_slurm_state_text(uint32_t state, char *buf, size_t size)
{
	size_t i, len;

	snprintf(buf, size, "%s", base_word(state));
	for (i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++) {
		if (!(state & flag_words[i].flag))
			continue;
		len = strlen(buf);
		snprintf(buf + len, size - len, "+%s", flag_words[i].word);
	}
}

static int is_unreachable(int code)
{
	switch (code) {
	case SLURM_COMMUNICATIONS_CONNECTION_ERROR:
	case SLURM_COMMUNICATIONS_SEND_ERROR:
	case SLURM_COMMUNICATIONS_RECEIVE_ERROR:
	case SLURM_COMMUNICATIONS_SHUTDOWN_ERROR:
	case SLURM_COMMUNICATIONS_MISSING_SOCKET_ERROR:
	case SLURMCTLD_COMMUNICATIONS_CONNECTION_ERROR:
	case SLURMCTLD_COMMUNICATIONS_SEND_ERROR:
	case SLURMCTLD_COMMUNICATIONS_RECEIVE_ERROR:
	case SLURMCTLD_COMMUNICATIONS_SHUTDOWN_ERROR:
	case SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT:
	case ESLURM_IN_STANDBY_MODE:
	case ESLURM_IN_STANDBY_USE_BACKUP:
#if HAVE_DECL_SLURM_COMMUNICATIONS_CONNECT_TIMEOUT
	case SLURM_COMMUNICATIONS_CONNECT_TIMEOUT:
	case SLURM_COMMUNICATIONS_WRITE_TIMEOUT:
	case SLURM_COMMUNICATIONS_READ_TIMEOUT:
	case SLURM_COMMUNICATIONS_REJECTED:
	case SLURMCTLD_COMMUNICATIONS_BACKOFF:
	case SLURMCTLD_COMMUNICATIONS_HARD_DROP:
#endif
	case ECONNREFUSED:
	case ECONNRESET:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EPIPE:
	case EAGAIN:
		return 1;
	}
	return 0;
}

static int our_errno(int code)
{
	if (is_unreachable(code))
		return EAGAIN;
	switch (code) {
	case ESLURM_INVALID_NODE_NAME:
	case ESLURM_INVALID_JOB_ID:
		return ENOENT;
	case ESLURM_NODES_BUSY:
	case ESLURM_TRANSITION_STATE_NO_UPDATE:
		return EBUSY;
	case ESLURM_JOB_PENDING:
		return EALREADY;
	case ESLURM_ALREADY_DONE:
	case ESLURM_JOB_FINISHED:
		return ESRCH;
	case ESLURM_DISABLED:
	case ESLURM_BATCH_ONLY:
		return ENOTSUP;
	case ESLURM_INVALID_NODE_STATE:
#if HAVE_DECL_ESLURM_INVALID_NODE_STATE_TRANSITION
	case ESLURM_INVALID_NODE_STATE_TRANSITION:
#endif
		return EINVAL;
	case ESLURM_USER_ID_MISSING:
	case ESLURM_ACCESS_DENIED:
		return EACCES;
/* 22.05 has no numbers for these two: it says success. */
#if HAVE_DECL_ESLURM_NODE_TABLE_FULL
	case ESLURM_NODE_TABLE_FULL:
		return ENOSPC;
#endif
#if HAVE_DECL_ESLURM_NODE_ALREADY_EXISTS
	case ESLURM_NODE_ALREADY_EXISTS:
		return EEXIST;
#endif
	}
	return EIO;
}

int vol_slurm_fail(struct vol_error *err, const char *what, const char *name)
{
	int code = errno;

	return vol_errorf_errno(err, our_errno(code), "%s%s%s: %s", what,
				name ? " " : "", name ? name : "",
				slurm_strerror(code));
}

/* Anybody may have written it: only what is ASCII and printable goes on. */
static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
	for (; *to; to++)
		if (*to < ' ' || *to > '~')
			*to = '?';
}

/* "gpu:2", "gpu:a100:2(S:0)", possibly among others. */
static uint32_t count_gpus(const char *gres)
{
	const char *p = gres, *colon, *end;
	uint32_t total = 0, n;

	while (p && *p) {
		end = p + strcspn(p, ",(");
		if (strncmp(p, "gpu:", 4) == 0) {
			colon = memrchr(p, ':', (size_t)(end - p));
			if (sscanf(colon + 1, "%u", &n) == 1)
				total += n;
		}
		p = strchr(p, ',');
		if (p)
			p++;
	}
	return total;
}

void vol_slurm_node_convert(const node_info_t *info,
			    struct vol_slurm_node *node)
{
	uint32_t state = info->node_state, base = state & NODE_STATE_BASE;

	memset(node, 0, sizeof(*node));
	copy(node->name, sizeof(node->name), info->name);
	copy(node->address, sizeof(node->address), info->node_addr);
	copy(node->reason, sizeof(node->reason), info->reason);
	copy(node->comment, sizeof(node->comment), info->comment);
	copy(node->features, sizeof(node->features), info->features);
	vol_slurm_state_text(state, node->state, sizeof(node->state));
	node->sockets = info->sockets;
	node->cores = info->cores;
	node->threads = info->threads;
	node->cpus = info->cpus;
	node->gpus = count_gpus(info->gres);
	node->memory_mb = info->real_memory;
	node->dynamic = state & NODE_STATE_DYNAMIC_NORM;
	node->future = base == NODE_STATE_FUTURE;
	node->down = base == NODE_STATE_DOWN;
	node->drained = state & NODE_STATE_DRAIN;
	node->not_responding = state & NODE_STATE_NO_RESPOND;
	node->registered = !node->future && !node->not_responding;
	node->invalid_reg = state & NODE_STATE_INVALID_REG;
	node->allocated = base == NODE_STATE_ALLOCATED ||
			  base == NODE_STATE_MIXED ||
			  (state & NODE_STATE_COMPLETING);
}
