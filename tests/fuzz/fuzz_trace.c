/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_trace.c - any file as a trace of owners
 *
 * Besides memory errors: a refused one leaves nothing and names a line; an
 * accepted one can be written and read again, and means the same.
 */
#include "config.h"

#include "fuzz.h"
#include "trace.h"

static void check_device(const struct trace_device *d, int64_t end)
{
	int64_t last = 0;

	fuzz_assert(d->name[0]);
	for (size_t i = 0; i < d->n; i++) {
		fuzz_assert(d->busy[i].start >= last);
		fuzz_assert(d->busy[i].end > d->busy[i].start);
		last = d->busy[i].end;
	}
	fuzz_assert(last <= end);
}

static void check_again(const struct trace *t)
{
	struct trace again;
	FILE *f = tmpfile();

	if (!f)
		abort();
	trace_write(t, f);
	rewind(f);
	fuzz_assert(trace_read(&again, f, "again", NULL) == 0);
	fuzz_assert(again.epoch == t->epoch && again.end == t->end);
	fuzz_assert(again.n == t->n);
	for (size_t i = 0; i < t->n; i++) {
		const struct trace_device *a = &t->devices[i];
		const struct trace_device *b = &again.devices[i];

		fuzz_assert(strcmp(a->name, b->name) == 0 && a->n == b->n);
		fuzz_assert(a->n == 0 || memcmp(a->busy, b->busy,
						a->n * sizeof(*a->busy)) == 0);
		check_device(a, t->end);
	}
	fclose(f);
	trace_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct vol_error err = {""};
	struct trace t;
	FILE *f = fmemopen(text, size ? size : 1, "r");

	if (!f)
		abort();
	if (trace_read(&t, f, "trace", &err) == 0) {
		fuzz_assert(t.n > 0);
		check_again(&t);
		trace_clear(&t);
	} else {
		fuzz_assert(t.n == 0 && !t.devices);
		fuzz_assert(strncmp(err.text, "trace:", 6) == 0);
	}
	fclose(f);
	free(text);
	return 0;
}
