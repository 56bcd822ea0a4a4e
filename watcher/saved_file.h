/* saved_file.h -- the format of the saved state: bytes to records and back.
 *
 * A file is a header, then frames.  A frame is a magic number, the length of its payload, a check
 * sum and records.  The check sum covers the place of the frame and the name of its file too, so
 * that an old block that surfaces after a power cut is not taken for a frame.  A base ends in a
 * frame that counts its records; a journal just ends.
 *
 *   header  "nigh-sv\n", u16 version, u16 kind, u32 0, u64 lineage, u64 generation, u64 check sum
 *   frame   u32 magic, u32 length, u64 check sum, payload
 *   record  u8 type, u32 length, body
 *
 * Reading is over whole files in memory, which may be anything.  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_SAVED_FILE_H
#define WATCHER_SAVED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

/* 2: DNSEndpoints share the ends of names, and of two API groups.  3: traffic policies, labels of clusters.
 * 4: generations of policies.  What 1 to 3 wrote is read as well. */
enum { SAVED_FILE_VERSION = 4, SAVED_FILE_HEADER_SIZE = 40 };
/* Longer records are not written: nothing that an API server keeps comes near it. */
enum { SAVED_FILE_MAX_RECORD = 64 << 20 };

enum saved_file_kind { SAVED_FILE_BASE = 1, SAVED_FILE_JOURNAL = 2 }; /* never renumber */

/* A base of generation G is followed by the journals of generation G and later, in order. */
struct saved_file_header {
	uint64_t lineage; /* of all files that began with one empty state */
	uint64_t generation;
};

enum saved_file_type {                              /* never renumber */
	               SAVED_FILE_CLUSTER = 1,      /* known; kind: its source */
	               SAVED_FILE_CLUSTER_GONE = 2, /* with all its facts */
	               SAVED_FILE_FACT = 3,         /* body: the fact */
	               SAVED_FILE_FACT_GONE = 4,    /* kind, namespace, name */
	               SAVED_FILE_VALUE =
	                       5 /* kind: its class; name: its key; body: the value, none: gone */
};

struct saved_file_record {
	enum saved_file_type type;
	uint8_t kind;
	struct bytes cluster; /* by name; "" is the host */
	struct bytes namespace, name;
	struct bytes body;
};

/* Puts bytes of one file together; the owner takes them out of `out` as it likes. */
struct saved_file_writer {
	enum saved_file_kind kind;
	struct saved_file_header header;
	uint64_t offset; /* in the file, of out.data[0] */
	uint64_t records;
	size_t frame; /* where the open frame begins in out */
	bool is_open;
	struct buffer out; /* buffer_fini() when done */
};

/* A zeroed writer with kind, header and offset set is ready.  Writes the header. */
void saved_file_add_header(struct saved_file_writer *w);
/* Opens a frame if none is.  False: too long to be saved, nothing was written. */
bool saved_file_add(struct saved_file_writer *w, const struct saved_file_record *record);
/* Ends the open frame, if any. */
void saved_file_end_frame(struct saved_file_writer *w);
/* Ends a base. */
void saved_file_add_end(struct saved_file_writer *w);
/* What is in `out` has been written to the file: empties it.  No frame may be open. */
void saved_file_drained(struct saved_file_writer *w);

/* ERR_OK: every byte is as it was written.  ERR_UNSUPPORTED: a newer version.  ERR_PARSE: anything
 * else. */
enum err saved_file_check_base(struct bytes file, struct saved_file_header *out,
                               struct reason *why) MUST_CHECK;

enum saved_file_tail {
	SAVED_FILE_WHOLE,
	SAVED_FILE_TORN,   /* it ends within a frame, or the header */
	SAVED_FILE_DAMAGED /* good frames follow a bad one */
};
/* The good beginning of a journal: *len bytes, 0 when not even its header was written (then *out
 * is not set; an empty file is whole).  Errors as above, for a bad header. */
enum err saved_file_check_journal(struct bytes file, struct saved_file_header *out, size_t *len,
                                  enum saved_file_tail *tail, struct reason *why) MUST_CHECK;

/* Every record of the file, which the functions above found good up to its end.  The views point
 * into it.  Returns how many records were skipped because they made no sense. */
typedef void saved_file_on_record_fn(const struct saved_file_record *record, void *arg);
size_t saved_file_each(struct bytes file, saved_file_on_record_fn *on_record, void *arg);

#endif
