/* probe_notes.h -- what the last probe of each address found out, in words, for explain, /status and /metrics.
 *
 * Beside the snapshot, whose table has only what answers need.  The control thread writes, the HTTP thread copies one note
 * at a time; the lock between them is held for that long.  By the indexes of the snapshot's probes.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_PROBE_NOTES_H
#define DNSD_PROBE_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"

struct probe_notes; /* shared by the two threads */

enum { PROBE_NOTE_TEXT_SIZE = 200 };

struct probe_note {
	struct addr addr;
	uint16_t port;
	const char *check; /* "tcp", "https"; lives as long as the process */
	bool is_wanted;    /* probed at present */
	bool ok;           /* the last probe succeeded */
	bool down;         /* what counts, after so many in a row, and a hold */
	bool is_void;      /* the last probe could not be made; `text` says why */
	bool flapping;
	uint64_t held_until_ms; /* monotonic; 0: not held */
	uint64_t at_ms;         /* of the last probe; 0: none yet */
};

struct probe_counts {
	uint64_t probes, down, flapping, held;
	uint64_t attempts, waits, voided; /* struct prober_counts */
};

struct probe_notes *probe_notes_new(void);
void probe_notes_free(struct probe_notes *n); /* NULL is fine */

/* --- control thread --- */
/* All notes anew: those of `notes` that equal the ones before in address, port and check, and are wanted as they were, keep
 * what was found out; the others have it from `notes`, without a text. */
void probe_notes_set_all(struct probe_notes *n, const struct probe_note *notes, size_t count);
void probe_notes_set(struct probe_notes *n, size_t index, const struct probe_note *note,
                     const char *text);
void probe_notes_set_counts(struct probe_notes *n, uint64_t attempts, uint64_t waits,
                            uint64_t voided);

/* --- any thread --- */
/* A copy; false: there is none. */
bool probe_notes_get(struct probe_notes *n, size_t index, struct probe_note *out,
                     char text[PROBE_NOTE_TEXT_SIZE]);

/* --- HTTP thread --- */
struct probe_counts probe_notes_counts(struct probe_notes *n);
/* Appends [{"target", "check", "ok", "down", "detail", "ageSeconds", "flapping", "heldForSeconds"}, ...]; `ok` is null when the
 * last probe could not be made. */
void probe_notes_print(struct probe_notes *n, const uint32_t *index, size_t count, uint64_t now_ms,
                       struct text *out);
/* Appends {"probes": COUNT, ..., "flapping": [the first 100, as above]}. */
void probe_notes_print_status(struct probe_notes *n, uint64_t now_ms, struct text *out);

#endif
