/* handover.h -- one writer hands frozen things to many readers, without locks.
 *
 * The writer publishes a thing; from then on it is never changed.  A reader
 * takes the current thing, uses it, and rests.  What was replaced is dropped
 * when every reader has rested, or taken again, since it was replaced.
 *
 * One thread writes; each reader belongs to one thread.  Nobody ever waits.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_HANDOVER_H
#define ZONES_HANDOVER_H

struct handover;
struct reader;

/* `drop` gets each replaced thing once, on the writer's thread. */
struct handover *handover_new(void (*drop)(const void *thing));

/* All readers must have left.  Drops whatever is still held.  NULL is fine. */
void handover_free(struct handover *h);

/* Takes over `thing` (NULL: nothing to read any more). */
void handover_publish(struct handover *h, const void *thing);

/* Drops what no reader can hold; returns how many things still wait.  Publishing
 * does this too; call it from a timer so that the last one does not linger. */
unsigned handover_reclaim(struct handover *h);

/* A reader for the calling thread, or NULL when all 64 places are taken. */
struct reader *handover_join(struct handover *h);
void handover_leave(struct reader *r);

/* The current thing, good until this reader rests, takes again or leaves.
 * Rest before blocking, or nothing can be dropped meanwhile. */
const void *reader_take(struct reader *r);
void reader_rest(struct reader *r);

#endif
