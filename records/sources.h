/* sources.h -- who offers names: records, DNSEndpoints, and annotated host names.
 *
 * A source has a number as long as it lives.  What it offered in the last build
 * is kept as bytes (see draft.h), but for DNSEndpoints without sites, whose fact is
 * that already.  Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_SOURCES_H
#define RECORDS_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "records/fact.h"
#include "records/idmap.h"

enum { SOURCE_HOST = FACT_KINDS }; /* beside the kinds of facts: an annotated host name */

/* What a source offered, behind its host name. */
struct source_kept {
	uint32_t len; /* of the draft's bytes */
	uint8_t host_len;
	uint8_t bytes[]; /* the host in wire form, lower case; the draft's bytes */
};

struct source {
	const struct fact *fact;  /* its place in the order of sources; NULL: it offers nothing */
	struct source_kept *kept; /* never NULL for a host */
	uint32_t work;            /* number of its work in this build, 0: none */
	uint8_t kind;             /* of its fact, or SOURCE_HOST; 0: the number is free */
	bool is_offered;          /* DNSEndpoint: its names are claimed, as its fact says them */
	bool is_sites; /* DNSEndpoint of published sites, which is no rendering: it is kept */
	bool is_gone;  /* ends with this build */
};

struct sources { /* zeroed but for the key: empty */
	struct hash_key key;
	struct source *list; /* number n is list[n - 1] */
	size_t count, room;
	uint32_t unused; /* chain through `work`, 0 ends */
	struct idmap index;
};

void sources_fini(struct sources *s);
struct source *sources_get(const struct sources *s, uint32_t number);
uint32_t sources_find(const struct sources *s, enum fact_kind kind, struct bytes namespace,
                      struct bytes name);
uint32_t sources_add(struct sources *s, const struct fact *fact);
/* `host` in wire form, lower case. */
uint32_t sources_find_host(const struct sources *s, struct bytes host);
uint32_t sources_add_host(struct sources *s, struct bytes host);
void sources_remove(struct sources *s, uint32_t number);

struct bytes source_host(const struct source *s);
/* The draft's bytes; none before the first. */
struct bytes source_draft(const struct source_kept *kept);
struct source_kept *source_keep(struct bytes host, struct bytes draft);

#endif
