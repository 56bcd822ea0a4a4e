/* splitter_sink.h -- where an object is kept while it comes, up to a limit: for splitter.c alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_SPLITTER_SINK_H
#define KUBE_SPLITTER_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Bytes past the limit that are kept, since they may be taken off again; more than `,"managedFields"` has. */
enum { SPLITTER_SINK_SLACK = 32 };

/* Zeroed, but for `most`, it is empty. */
struct splitter_sink {
	uint8_t *data;
	size_t room;
	size_t most;  /* the limit */
	uint64_t len; /* goes on when it is full */
	bool full;    /* past limit and slack: nothing is kept */
	bool deep;    /* what is in it is nested too deep */
};

/* The memory of a single object never grows past limit and slack. */
void splitter_sink_add(struct splitter_sink *k, const void *data, size_t len);
/* What it holds, when it is whole, is within its limits. */
bool splitter_sink_fits(const struct splitter_sink *k);
/* Good until the next change; only of one that fits. */
struct bytes splitter_sink_bytes(const struct splitter_sink *k);
/* Empties it; memory of more than `left` bytes is given back. */
void splitter_sink_clear(struct splitter_sink *k, size_t left);

#endif
