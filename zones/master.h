/* master.h -- the lines of a master file (RFC 1035 5.1), comments and parentheses resolved.
 *
 * Knows nothing of names and types.  Text of strangers: every line is bounded, every fault told
 * with its line, and reading goes on behind it.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_MASTER_H
#define ZONES_MASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

enum { MASTER_LINE_MAX = 256 * 1024 }; /* bytes: every RDATA as \DDD fits */

struct master {
	struct bytes text; /* borrowed: what is left of the file */
	uint32_t line;     /* of what comes next; the first is 1 */
	struct buffer joined;
};
struct master_line {
	struct bytes
		text; /* one record or directive, without blanks at its ends; good until the next call */
	uint32_t line;    /* where it begins; of a fault: where it is */
	bool is_indented; /* it begins with a blank: the owner is that of the record before */
};
enum master_got { MASTER_END, MASTER_LINE, MASTER_FAULT };

void master_init(struct master *m, struct bytes text);
void master_fini(struct master *m);
/* The next line that is not empty.  A fault: `why` says it; the line is passed over, or all the rest when a
 * parenthesis stays open. */
enum master_got master_next(struct master *m, struct master_line *out, struct reason *why);

#endif
