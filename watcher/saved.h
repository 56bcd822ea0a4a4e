/* saved.h -- the last good facts on disk, so that a restart in the dark answers as before.
 *
 * A base file, written whole (temporary file, fsync, rename, fsync of the directory) at most every
 * 10 minutes or when the journal outgrows half of it, and a checksummed journal of changes,
 * appended at most once a second.  Bytes follow the change.  A torn tail of the journal is cut off
 * and counted; a damaged or foreign file is set aside (renamed to *.bad-N) with one clear log
 * line, never deleted; a journal that is empty or missing is told.  Writing is done in the thread
 * pool; kill -9 at any moment leaves the old or the new state.  While writing fails, everything
 * goes on in memory; it is said once and tried again.
 * One process per directory (a lock file).  Except for saved_open(), on the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_SAVED_H
#define WATCHER_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "records/facts.h"

struct saved;

/* Creates the directory (0700) if need be, locks it, reads what is there into `facts`, which is
 * borrowed until the end: every cluster that was known comes back registered with KNOWLEDGE_UNSEEN,
 * with its facts; one with facts that was never put (its first list had not ended), with
 * KNOWLEDGE_NEVER.  The other values are read with the functions below.  ERR_DENIED, ERR_IO (the
 * directory cannot be used: fatal for the caller), ERR_CONFLICT (locked). */
enum err saved_open(uv_loop_t *loop, const char *dir, struct facts *facts, struct saved **out,
                    struct reason *why) MUST_CHECK;
/* Was anything restored? */
bool saved_was_restored(const struct saved *s);

/* Changes to keep, after they were made in `facts`; copied or referenced at once, written within a
 * second. */
void saved_put_fact(struct saved *s, uint16_t cluster, const struct fact *fact);
void saved_remove_fact(struct saved *s, uint16_t cluster, enum fact_kind kind,
                       struct bytes namespace, struct bytes name);
void saved_put_cluster(struct saved *s, uint16_t cluster, enum cluster_source source);
void saved_drop_cluster(struct saved *s, uint16_t cluster); /* and all its facts */
/* Unseen from now on, or not: a cluster that comes back unseen is as old as it was. */
void saved_put_knowledge(struct saved *s, uint16_t cluster, enum knowledge knowledge);

/* Small values by class and key, kept in memory and on disk: serials by apex, addresses by host,
 * verdicts by "ADDR:PORT", held names by owner, clusters' times by name, the manifest directories
 * that were read under the empty key, sites that wait to come back by owner and cluster, shifts by cluster. An empty value removes. */
enum saved_class { /* never renumber */
	           SAVED_SERIAL = 1,
	           SAVED_HOST = 2,
	           SAVED_PROBE = 3,
	           SAVED_HELD = 4,
	           SAVED_UNSEEN = 5,
	           SAVED_DIRS = 6,
	           SAVED_WAITING = 7,
	           SAVED_SHIFT = 8
};
void saved_put_value(struct saved *s, enum saved_class class, struct bytes key, struct bytes value);
bool saved_find_value(const struct saved *s, enum saved_class class, struct bytes key,
                      struct bytes *value);
size_t saved_count_values(const struct saved *s, enum saved_class class);
typedef void saved_on_value_fn(struct bytes key, struct bytes value, void *arg);
void saved_each_value(const struct saved *s, enum saved_class class, saved_on_value_fn *fn,
                      void *arg);

/* Since the start.  Bytes are as written; a write is one of a base or of a second's changes. */
struct saved_counts {
	uint64_t journal_bytes, base_bytes, writes, write_errors, torn_tails, set_aside;
};
struct saved_counts saved_counts(const struct saved *s);

/* Other times than the usual ones, for tests. */
struct saved_pace {
	uint64_t append_every_ms; /* 1000 */
	uint64_t settle_ms;       /* a lone change waits so long for company: 100 */
	uint64_t base_every_ms;   /* with changes in between: 600000 */
	uint64_t journal_enough;  /* bytes; a shorter journal is never too long: 65536 */
};
void saved_set_pace(struct saved *s, const struct saved_pace *pace);

/* --- one process after the other --- */

/* All that is kept, as a base has it: what saved_open_handed() of the next process takes. */
void saved_print(struct saved *s, struct buffer *out);
/* As saved_open(), but what is restored is `handed` (of length 0: nothing), not what the directory holds; and nothing is
 * written before saved_resume().  *take_lock becomes -1 when it is the lock of this directory.  `dir` NULL: there is
 * none, all is kept in memory alone.  Also ERR_PARSE: `handed` is not whole. */
enum err saved_open_handed(uv_loop_t *loop, const char *dir, int *take_lock, struct bytes handed,
                           struct facts *facts, struct saved **out, struct reason *why) MUST_CHECK;
/* Writes what is pending and waits for the disk; nothing is written from then on, also not at the end, ... */
void saved_suspend(struct saved *s);
/* ... until this.  After saved_open_handed(), a base of all that is known then takes the place of what the directory holds. */
void saved_resume(struct saved *s);
/* The directory's lock, for another process to have as well; -1: there is no directory. */
int saved_lock(const struct saved *s);

/* Writes what is pending and waits for the disk: for the little that must be there before it is used. */
void saved_flush(struct saved *s);
/* Writes what is pending (waits for the disk), then frees.  The loop has to turn once more before
 * it is closed. */
void saved_close(struct saved *s);

#endif
