/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_note.c - what was said about a node comes back as it was */
#include "config.h"

#include <string.h>

#include "note.h"

#include "vtest.h"

static void come_back(struct vol_note *note, const struct vol_slurm_node *node)
{
	struct vol_slurm_node back;

	assert_int_equal(vol_note_set(note, node), 0);
	memset(&back, 0xa5, sizeof(back));
	vol_note_get(note, &back);
	assert_string_equal(back.name, node->name);
	assert_string_equal(back.address, node->address);
	assert_string_equal(back.state, node->state);
	assert_string_equal(back.reason, node->reason);
	assert_string_equal(back.comment, node->comment);
	assert_string_equal(back.features, node->features);
	assert_int_equal(back.sockets, node->sockets);
	assert_int_equal(back.cores, node->cores);
	assert_int_equal(back.threads, node->threads);
	assert_int_equal(back.cpus, node->cpus);
	assert_int_equal(back.gpus, node->gpus);
	assert_int_equal(back.memory_mb, node->memory_mb);
	assert_int_equal(back.dynamic, node->dynamic);
	assert_int_equal(back.future, node->future);
	assert_int_equal(back.registered, node->registered);
	assert_int_equal(back.down, node->down);
	assert_int_equal(back.drained, node->drained);
	assert_int_equal(back.not_responding, node->not_responding);
	assert_int_equal(back.invalid_reg, node->invalid_reg);
	assert_int_equal(back.allocated, node->allocated);
}

static void what_was_said_comes_back(void **state)
{
	struct vol_slurm_node node = {
		.name = "desk",
		.address = "192.0.2.7",
		.state = "IDLE+DRAIN",
		.reason = "volunteer: owner present",
		.comment = "volunteer device, host desk, 01234567",
		.features = "volunteer,x86_64",
		.sockets = 1,
		.cores = 4,
		.threads = 2,
		.cpus = 8,
		.gpus = 3,
		.memory_mb = UINT64_C(1) << 40,
		.dynamic = true,
	};
	bool *const flags[] = {&node.future,    &node.registered,
			       &node.down,      &node.drained,
			       &node.dynamic,   &node.not_responding,
			       &node.allocated, &node.invalid_reg};
	struct vol_note note = {0};
	struct vol_slurm_node back;
	const char *texts;

	(void)state;
	vol_note_get(&note, &back);
	assert_string_equal(back.name, "");
	assert_int_equal(back.cpus, 0);
	come_back(&note, &node);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		*flags[i] = !*flags[i];
		come_back(&note, &node);
	}
	/* The same again takes no memory of its own. */
	texts = note.texts;
	come_back(&note, &node);
	assert_ptr_equal(note.texts, texts);
	/* The same length, and an end that moves from one text to the next. */
	node.reason[0] = 'V';
	come_back(&note, &node);
	strcpy(node.state, "IDLE");
	strcpy(node.reason, "");
	come_back(&note, &node);
	vol_note_clear(&note);
	vol_note_clear(&note);
}

static void longest_texts(void **state)
{
	struct vol_slurm_node node = {0};
	struct vol_note note = {0};

	(void)state;
	come_back(&note, &node);
	memset(node.name, 'n', sizeof(node.name) - 1);
	memset(node.address, 'a', sizeof(node.address) - 1);
	memset(node.state, 's', sizeof(node.state) - 1);
	memset(node.reason, 'r', sizeof(node.reason) - 1);
	memset(node.comment, 'c', sizeof(node.comment) - 1);
	memset(node.features, 'f', sizeof(node.features) - 1);
	come_back(&note, &node);
	vol_note_clear(&note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_said_comes_back),
		cmocka_unit_test(longest_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
