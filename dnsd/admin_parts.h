/* admin_parts.h -- the pieces of admin.c: what each page prints.
 *
 * For admin*.c alone.  HTTP thread; a page gets the snapshot that was current when
 * it was asked, never NULL unless said.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ADMIN_PARTS_H
#define DNSD_ADMIN_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/metric.h"
#include "base/text.h"
#include "dnsd/admin.h"
#include "dnsd/stats.h"
#include "zones/snapshot.h"

enum { ADMIN_UPDATE_BOUNDS = 11 };
/* Seconds; the last cell of admin_pulse.update_us counts what is above. */
extern const double admin_update_bounds[ADMIN_UPDATE_BOUNDS];

/* What takes a walk over all names to know. */
struct admin_count {
	uint64_t records;      /* resource records of all zones, each site's counted */
	uint32_t *largest_ttl; /* by cluster id, of answers with that cluster; admin_count_fini() */
	size_t cluster_count;
};

/* What a page is made from. */
struct admin_view {
	const struct snapshot *snapshot;
	const struct admin_pulse *pulse;
	const struct cluster_notes_table *notes; /* may be NULL */
	struct probe_notes *probes;              /* may be NULL */
	struct replica_notes *replicas;          /* the same */
	const struct server *server;             /* NULL: counts nothing, listens nowhere */
	struct addr http;                        /* where this page was asked for */
	uint16_t http_port;
	const struct stats *stats; /* the sum over all workers */
	const struct admin_count *count;
	int64_t started_s, now_s; /* Unix */
	uint64_t now_ms;          /* monotonic */
};

/* Walks all of the snapshot.  What `out` had before is given back: zeroed, it has nothing. */
void admin_count(const struct snapshot *s, struct admin_count *out);
void admin_count_fini(struct admin_count *c);

void admin_print_status(const struct admin_view *view, struct text *out);
void admin_print_metrics(const struct admin_view *view, struct text *out);
/* A metric that is a field of a struct of numbers. */
struct admin_number {
	const char *name;
	enum metric_type type;
	const char *sentence;
	size_t offset; /* of a uint64_t */
};
/* Its sample in these `numbers`, a struct; `label` NULL: none. */
void admin_sample_number(const struct admin_number *row, const void *numbers,
                         const struct metric_label *label, struct text *out);
/* Heads and samples of several. */
void admin_print_numbers(const struct admin_number *rows, size_t count, const void *numbers,
                         struct text *out);
/* What is known of the other replicas: their part of each. */
void admin_add_replicas(const struct admin_view *view, struct text *out);
void admin_print_replica_metrics(const struct admin_view *view, struct text *out);
/* What is known of probes: their part of each. */
void admin_add_probes(const struct admin_view *view, struct text *out);
void admin_print_probe_metrics(const struct admin_view *view, struct text *out);

/* A page of /status/names. */
struct admin_names {
	const char *zone;   /* name of a zone, or NULL: all */
	const char *prefix; /* of owner names, without case, or NULL */
	const char *from;   /* `continue` of the page before, or NULL */
	size_t limit;       /* how many names, at least 1 */
	bool as_records; /* lines of a master file, those of all sites together: /status/records */
};
enum {
	ADMIN_PAGE_MOST = 8 << 20
}; /* bytes, and one name more: then a page ends before its limit */
/* Items of a page of records; those of one name without any that cannot stand together. */
void admin_add_records(const struct zone *z, const struct node *n, bool is_first, struct text *out);
/* ERR_NOTFOUND: no such zone.  ERR_PARSE: not a token of ours. */
enum err admin_print_names(const struct admin_view *view, const struct admin_names *asked,
                           struct text *out, struct reason *why) MUST_CHECK;

/* A wire name in presentation form without the last dot (the root: "."), appended. */
void admin_add_name(struct text *out, const uint8_t *wire);
/* The same between quotation marks. */
void admin_add_json_name(struct text *out, const uint8_t *wire);
/* Are both the same name, as texts, with or without the last dot? */
bool admin_same_name(const char *a, const char *b);

#endif
