/* saved_load.h -- a start: what the directory holds goes into the state, what is damaged aside. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_SAVED_LOAD_H
#define WATCHER_SAVED_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "watcher/saved_dir.h"
#include "watcher/saved_state.h"

/* Where writing goes on. */
struct saved_load {
	bool needs_base; /* what is there cannot be appended to: write it whole first */
	bool was_restored;
	struct saved_file_header base;
	uint64_t base_bytes;
	uint64_t journal;       /* the last one's generation */
	uint64_t journal_bytes; /* its length; 0: it does not exist or holds nothing */
	uint64_t older_bytes;   /* of the journals between the base and it */
	uint64_t torn_tails, set_aside;
};

/* One log line for each thing that was not as it should be.  Only a directory that cannot be worked
 * with is an error (ERR_DENIED, ERR_IO). */
enum err saved_load(const struct saved_dir *d, struct saved_state *state, struct saved_load *out,
                    struct reason *why) MUST_CHECK;

#endif
