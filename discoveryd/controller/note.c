/* SPDX-License-Identifier: GPL-2.0-or-later */
/* note.c - what slurmctld said about a node, in few bytes; pure */
#include "config.h"

#include "note.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define N_TEXTS 6

struct text {
	char *at;
	size_t size;
};

static void list_texts(struct vol_slurm_node *node, struct text list[N_TEXTS])
{
	const struct text all[N_TEXTS] = {
		{node->name, sizeof(node->name)},
		{node->address, sizeof(node->address)},
		{node->state, sizeof(node->state)},
		{node->reason, sizeof(node->reason)},
		{node->comment, sizeof(node->comment)},
		{node->features, sizeof(node->features)},
	};

	memcpy(list, all, sizeof(all));
}

int vol_note_set(struct vol_note *n, const struct vol_slurm_node *node)
{
	/* Only read through the list. */
	struct vol_slurm_node *from = (struct vol_slurm_node *)node;
	char buf[sizeof(*node)], *end = buf, *texts;
	struct text list[N_TEXTS];
	size_t len;

	list_texts(from, list);
	for (size_t i = 0; i < N_TEXTS; i++)
		end = stpcpy(end, list[i].at) + 1;
	len = (size_t)(end - buf);
	/* Each few seconds all nodes are told, and few of them have changed. */
	if (!n->texts || n->len != len || memcmp(n->texts, buf, len) != 0) {
		texts = malloc(len);
		if (!texts) {
			errno = ENOMEM;
			return -1;
		}
		memcpy(texts, buf, len);
		free(n->texts);
		n->texts = texts;
		n->len = len;
	}
	n->sockets = node->sockets;
	n->cores = node->cores;
	n->threads = node->threads;
	n->cpus = node->cpus;
	n->gpus = node->gpus;
	n->memory_mb = node->memory_mb;
	n->dynamic = node->dynamic;
	n->future = node->future;
	n->registered = node->registered;
	n->down = node->down;
	n->drained = node->drained;
	n->not_responding = node->not_responding;
	n->invalid_reg = node->invalid_reg;
	n->allocated = node->allocated;
	return 0;
}

void vol_note_get(const struct vol_note *n, struct vol_slurm_node *node)
{
	const char *at = n->texts;
	struct text list[N_TEXTS];

	memset(node, 0, sizeof(*node));
	list_texts(node, list);
	for (size_t i = 0; i < N_TEXTS && at; i++) {
		size_t len = strlen(at) + 1;

		memcpy(list[i].at, at, len);
		at += len;
	}
	node->sockets = n->sockets;
	node->cores = n->cores;
	node->threads = n->threads;
	node->cpus = n->cpus;
	node->gpus = n->gpus;
	node->memory_mb = n->memory_mb;
	node->dynamic = n->dynamic;
	node->future = n->future;
	node->registered = n->registered;
	node->down = n->down;
	node->drained = n->drained;
	node->not_responding = n->not_responding;
	node->invalid_reg = n->invalid_reg;
	node->allocated = n->allocated;
}

void vol_note_clear(struct vol_note *n)
{
	free(n->texts);
	memset(n, 0, sizeof(*n));
}
