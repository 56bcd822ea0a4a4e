/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_history.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "zones/serial.h"

enum { WORTH_IT = 65536 }; /* bytes of changes that are sent whatever the zone's size */

/* From one image to the next. */
struct change {
	atomic_uint owners;
	struct change *next; /* newer */
	uint32_t from, to;
	struct buffer records; /* old SOA, what goes, new SOA, what comes */
};

struct zone_history {
	const struct zone_image *newest;
	struct change *first, *last; /* the oldest, and the newest */
	size_t bytes, bytes_most;
};

/* --- changes --- */

static void release_change(const void *held)
{
	struct change *c = (struct change *)(uintptr_t)held;

	if (atomic_fetch_sub_explicit(&c->owners, 1, memory_order_acq_rel) > 1)
		return;
	buffer_fini(&c->records);
	free(c);
}

static void put(struct buffer *out, struct bytes record)
{
	buffer_put(out, record.data, record.len);
}

static struct bytes after(struct bytes records, struct bytes record)
{
	return (struct bytes){records.data + record.len, records.len - record.len};
}

/* The same record with another TTL goes and comes (RFC 2181 5.2: of its whole RRset). */
static void compare(struct bytes old, struct bytes new, struct buffer *gone, struct buffer *come)
{
	while (old.len > 0 || new.len > 0) {
		struct bytes a = zone_image_record(old), b = zone_image_record(new);
		int order = a.len == 0 ? 1 : b.len == 0 ? -1 : zone_image_compare(a, b);

		if (order < 0 || (order == 0 && !bytes_equal(a, b)))
			put(gone, a);
		if (order > 0 || (order == 0 && !bytes_equal(a, b)))
			put(come, b);
		if (order <= 0)
			old = after(old, a);
		if (order >= 0)
			new = after(new, b);
	}
}

static struct change *make_change(const struct zone_image *old, const struct zone_image *new)
{
	struct change *c = xcalloc(1, sizeof(*c));
	struct buffer come = {0};

	atomic_init(&c->owners, 1);
	c->from = zone_image_serial(old);
	c->to = zone_image_serial(new);
	put(&c->records, zone_image_soa(old));
	put(&come, zone_image_soa(new));
	compare(zone_image_records(old), zone_image_records(new), &c->records, &come);
	buffer_put(&c->records, come.data, come.len);
	buffer_fini(&come);
	return c;
}

/* --- the history --- */

struct zone_history *zone_history_new(size_t bytes_most)
{
	struct zone_history *h = xcalloc(1, sizeof(*h));

	h->bytes_most = bytes_most;
	return h;
}

static void forget_oldest(struct zone_history *h)
{
	struct change *c = h->first;

	h->first = c->next;
	if (h->first == NULL)
		h->last = NULL;
	h->bytes -= c->records.len;
	release_change(c);
}

void zone_history_free(struct zone_history *h)
{
	if (h == NULL)
		return;
	while (h->first != NULL)
		forget_oldest(h);
	zone_image_unref(h->newest);
	free(h);
}

static void append(struct zone_history *h, struct change *c)
{
	if (h->last != NULL)
		h->last->next = c;
	else
		h->first = c;
	h->last = c;
	h->bytes += c->records.len;
	while (h->bytes > h->bytes_most)
		forget_oldest(h);
}

void zone_history_add(struct zone_history *h, const struct zone_image *take_image)
{
	const struct zone_image *old = h->newest;

	if (old != NULL && zone_image_serial(old) == zone_image_serial(take_image)) {
		zone_image_unref(take_image);
		return;
	}
	if (old != NULL)
		append(h, make_change(old, take_image));
	h->newest = take_image;
	zone_image_unref(old);
}

const struct zone_image *zone_history_newest(const struct zone_history *h) { return h->newest; }

/* --- transfers --- */

static void release_image(const void *held) { zone_image_unref(held); }

static void add_soa(struct transfer *t, const struct zone_image *i)
{
	transfer_add(t, zone_image_soa(i), zone_image_ref(i), release_image);
}

void zone_history_axfr(const struct zone_history *h, struct transfer *t)
{
	if (h->newest == NULL)
		return;
	add_soa(t, h->newest);
	transfer_add(t, zone_image_records(h->newest), NULL, NULL);
	add_soa(t, h->newest);
}

/* The first change since that serial; NULL: it is not known, or the whole zone would be shorter. */
static struct change *find_change(const struct zone_history *h, uint32_t from)
{
	struct change *c = h->first;
	size_t bytes = 0;

	while (c != NULL && c->from != from)
		c = c->next;
	for (struct change *each = c; each != NULL; each = each->next)
		bytes += each->records.len;
	return bytes > zone_image_records(h->newest).len + WORTH_IT ? NULL : c;
}

void zone_history_ixfr(const struct zone_history *h, uint32_t from, struct transfer *t)
{
	bool is_news = h->newest != NULL && serial_is_after(zone_image_serial(h->newest), from);
	struct change *c = is_news ? find_change(h, from) : NULL;

	if (h->newest == NULL || (is_news && c == NULL)) {
		zone_history_axfr(h, t);
		return;
	}
	add_soa(t, h->newest);
	for (struct change *each = c; each != NULL; each = each->next) {
		atomic_fetch_add_explicit(&each->owners, 1, memory_order_relaxed);
		transfer_add(t, (struct bytes){each->records.data, each->records.len}, each,
		             release_change);
	}
	if (is_news)
		add_soa(t, h->newest);
}
