/* served.h -- a zone that is served: its endpoints' names and what it adds by itself.
 *
 * By itself: SOA, NS, and the addresses of nameservers inside the zone.  At those names the
 * endpoint's node is kept aside: at the apex both are merged, at a nameserver
 * with addresses the zone's own win.  The names of a zone file: layers.h.  Writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_SERVED_H
#define ZONES_SERVED_H

#include "zones/build.h"
#include "zones/edit.h"
#include "zones/frozen.h"
#include "zones/problems.h"
#include "zones/source.h"
#include "zones/zonefile.h"

struct table;

struct served_nameserver {
	uint8_t *wire;
	struct name name;
	struct addr *addresses; /* none when the name is not inside the zone */
	size_t address_count;
	struct buffer endpoint; /* image of the endpoint's node of this name, empty: none */
	struct buffer file;     /* of the zone file's */
};

struct served {
	struct edit edit;
	struct sources *sources;
	struct problems *problems;
	struct arena *arena; /* scratch */
	uint8_t *apex;       /* as written */
	uint32_t ttl, negative_ttl;
	struct served_nameserver *nameserver;
	size_t nameserver_count;
	struct buffer apex_endpoint; /* like served_nameserver.endpoint */
	bool wants_file;             /* it has a file */
	const struct zonefile *file; /* in force, borrowed; NULL: none was ever good */
	uint32_t file_source;    /* one use, of the source of all the file's names; 0: no file */
	struct buffer apex_file; /* the file's, at the apex */
	struct table *overlaps;  /* layers.c's; NULL: none */
	bool stale;              /* what it adds by itself changed */
	bool must_tell;          /* the file is another: what is hidden is told again */
	uint32_t serial;         /* the last one, 0: none yet */
	struct zone *frozen;     /* as last published, NULL: never */
};

struct served_tools {
	struct tree_writer *tree;
	struct sources *sources;
	struct problems *problems;
	struct arena *arena;
};

/* Is a nameserver inside this zone (and no longer one)? */
typedef bool served_owns_fn(const struct served *s, const struct name *name, void *arg);

struct served *served_new(const struct served_tools *tools, const struct name *apex,
                          uint32_t serial);
/* Every node becomes garbage; readers of the frozen zone may go on. */
void served_free(struct served *s);
/* TTLs and nameservers; nothing happens when they are as before. */
void served_configure(struct served *s, const struct zones_zone *config, served_owns_fn *owns,
                      void *arg);

/* The endpoint's image; takes one use of its source. */
void served_put(struct served *s, const struct name *name, const struct buffer *image);
void served_remove(struct served *s, const struct name *name);
/* zones_amend() of a site of the name's endpoint. */
void served_amend(struct served *s, const struct name *name, uint16_t cluster,
                  const struct zones_amendment *change);

/* The file's names, as they differ from those of the file in force; NULL: the zone has none any more.  `file` is
 * borrowed until the next call, or served_free(). */
void served_set_file(struct served *s, const struct zonefile *file);
/* The same file's names as `from`, a zone of the same apex that is to go, has them. */
void served_carry_file(struct served *s, const struct served *from);

/* The next serial is after this one. */
void served_raise_serial(struct served *s, uint32_t serial);
/* Everything that follows from what was put: marks, what the zone adds by itself, problems of names below others.  The
 * serial moves when data did. */
void served_settle(struct served *s, int64_t unix_s);
/* The zone as it is now: the one from before when nothing changed.  Settles it. */
struct zone *served_freeze(struct served *s, int64_t unix_s);

/* The source of the node or image at a name, for keeping it when it is put again; 0: none. */
uint32_t served_source(const struct served *s, const struct name *name);

#endif
