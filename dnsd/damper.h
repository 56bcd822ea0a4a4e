/* damper.h -- sites whose objects say up and down again and again, and counts that do: not all of it moves clients.
 *
 * Wiring: part of pipeline, between records and zones.  What probes say is damped in verdicts.h; here it is the layers that come
 * from objects (enum site_layer), by the same rule (watcher/flap.h): a site counts as gone down when it lacks a layer that
 * the last snapshot has, each time once, when it is back.  A site that is held is used when its name has no other that is usable
 * and not held.  And the shares of `capacity`: fewer ready endpoints count at once, more when they have not become fewer for a
 * while.  Only sites that changed lately are remembered, DAMPER_MOST at most; for others all counts at once.
 * Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_DAMPER_H
#define DNSD_DAMPER_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "records/endpoint.h"
#include "watcher/flap.h"
#include "zones/build.h"

enum { DAMPER_MOST = 65536 };

struct damper;
struct damper_settings {
	struct flap_settings flap;
	uint64_t rise_ms; /* so long more ready endpoints must have stayed; 0: they count at once */
};
/* How it is at that moment. */
struct damper_times {
	const struct snapshot
		*last;   /* as published; NULL: none, or it is not complete: all is new */
	uint64_t now_ms; /* monotonic */
};

struct damper *damper_new(void);
void damper_free(struct damper *d); /* NULL is fine */
void damper_configure(struct damper *d, const struct damper_settings *settings);

/* zones_put() and zones_remove(), with what is to be said of the sites' past. */
void damper_put(struct damper *d, struct zones *z, const struct endpoint *e,
                const struct damper_times *at);
void damper_remove(struct damper *d, struct zones *z, struct bytes owner);
/* What time alone changes: holds end, shares rise, and what was quiet is forgotten. */
void damper_look(struct damper *d, struct zones *z, const struct damper_times *at);

struct damper_counts {
	size_t sites;         /* that are remembered */
	size_t flapping;      /* sites */
	size_t held;          /* of them, now */
	uint64_t not_watched; /* changes of sites for which there was no room, since the start */
};
struct damper_counts damper_counts(const struct damper *d);

#endif
