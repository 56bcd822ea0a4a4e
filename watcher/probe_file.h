/* probe_file.h -- a certificate or key that a policy names, from the folder of the config (probe.files).
 *
 * A policy comes from an API server: what it names is a file of that folder and nothing else.  On
 * the loop's thread; the folder lies on a local disk.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PROBE_FILE_H
#define WATCHER_PROBE_FILE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/stamp.h"

/* Zeroed: not read yet. */
struct probe_file {
	struct buffer data;
	struct stamp as;
	uint64_t looked_ms;
	bool is_read;
};

/* Reads it when it was never read, or is another now; looks at most every 10 s.  What was read stays when it
 * cannot be read any more.  `dir`: "" for none. */
enum err probe_file_look(struct probe_file *f, const char *dir, struct bytes name, uint64_t now_ms,
                         struct reason *why) MUST_CHECK;
/* It is not read but given: these bytes, copied, in place of what it was. */
void probe_file_set(struct probe_file *f, struct bytes data);
void probe_file_fini(struct probe_file *f); /* wipes it: it may be a key */

#endif
