/* SPDX-License-Identifier: Apache-2.0 */
#include "records/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "records/annotation_record.h"
#include "records/dns_endpoint.h"
#include "records/draft.h"
#include "records/ingress_record.h"
#include "records/names.h"
#include "records/published_record.h"
#include "records/service_record.h"

struct work *works_get(const struct records *r, uint32_t number)
{
	CHECK(number > 0 && number <= r->work_count);
	return &r->works[number - 1];
}

uint32_t works_of(struct records *r, uint32_t source)
{
	struct source *s = sources_get(&r->sources, source);

	if (s->work)
		return s->work;
	if (r->work_count == r->work_room) {
		r->work_room = r->work_room ? r->work_room * 2 : 64;
		r->works = xreallocarray(r->works, r->work_room, sizeof(*r->works));
	}
	r->works[r->work_count] = (struct work){.source = source};
	s->work = (uint32_t)++r->work_count;
	return s->work;
}

/* What the source's endpoints say they come from. */
static const char *source_text(const struct records *r, const struct source *s)
{
	char text[NAMES_TEXT_SIZE];

	if (s->kind != SOURCE_HOST)
		return world_title(&r->world, s->fact);
	names_to_text(s->kept->bytes, text);
	return arena_printf(r->arena, "annotation %.*s", (int)strlen(text) - 1, text);
}

static struct offer *decode(const struct records *r, const struct source *s,
                            const struct source_kept *kept)
{
	struct bytes draft = source_draft(kept);

	return draft.len ? draft_decode(draft, &r->key, source_text(r, s), r->arena) : NULL;
}

void works_look(struct records *r, uint32_t number)
{
	struct work *work = works_get(r, number);
	struct source *s = sources_get(&r->sources, work->source);
	struct world quiet = r->world;

	if (work->was || work->now)
		return;
	quiet.notes = NULL;
	work->now = s->is_offered ? dns_endpoint_offer(&quiet, s->fact) : decode(r, s, s->kept);
	work->was = work->now;
}

/* --- making --- */

static void make_dns_endpoint(struct records *r, struct work *work, struct source *s)
{
	bool now = !s->is_gone && !s->is_sites && !dns_endpoint_is_rendering(&r->world, s->fact);

	if (s->is_offered) {
		struct world before = r->world;

		/* The names were claimed under the settings and zones of that time. */
		before.notes = NULL;
		before.settings = &r->settings_was;
		before.apexes = r->apexes_was;
		before.policy_index = r->policy_index_was;
		work->was = dns_endpoint_offer(&before, work->fact_was ? work->fact_was : s->fact);
	}
	if (now)
		work->now = dns_endpoint_offer(&r->world, s->fact);
	s->is_offered = now;
}

/* The draft is gone with the scratch: only its bytes stay. */
static void draft_source(struct records *r, struct work *work, struct source *s, struct draft *d)
{
	struct world w = r->world;

	w.arena = r->scratch;
	if (s->kind == SOURCE_HOST) {
		const struct fact *owner =
			annotation_record_make(&w, work->source, source_host(s), d);

		work->fact_was = s->fact;
		work->is_moved = s->fact && owner && world_compare(s->fact, owner) != 0;
		s->fact = owner;
		s->is_gone = !owner && !annotation_record_is_carried(&w, source_host(s));
	} else if (s->kind == FACT_SERVICE_DNS_RECORD && !s->is_gone) {
		service_record_make(&w, work->source, s->fact, d);
	} else if (s->kind == FACT_INGRESS_DNS_RECORD && !s->is_gone) {
		ingress_record_make(&w, work->source, s->fact, d);
	} else if (s->is_sites) {
		published_record_make(&w, work->source, s->fact, d);
	}
}

static void make_with_sites(struct records *r, struct work *work, struct source *s)
{
	struct draft *d;
	struct bytes host = s->kind == SOURCE_HOST ? source_host(s) : (struct bytes){NULL, 0};
	struct bytes was = source_draft(s->kept), now = {NULL, 0};

	arena_reset(r->scratch);
	d = draft_new(r->scratch);
	draft_source(r, work, s, d);
	buffer_reset(&r->draft);
	if (d->name_count > 0 || d->site_count > 0 || d->host_count > 0) {
		draft_encode(d, &r->draft);
		now = (struct bytes){r->draft.data, r->draft.len};
	}
	if (bytes_equal(was, now) && !work->is_moved && !r->is_everything && !work->was &&
	    !work->now) {
		/* Wants are counted once for the bytes that stay. */
		if (now.len > 0)
			draft_release(now, r->wants, work->source);
		work->is_dirty = false;
		return;
	}
	if (was.len > 0)
		work->was = decode(r, s, s->kept);
	work->kept_was = s->kept;
	s->kept = host.len > 0 || now.len > 0 ? source_keep(host, now) : NULL;
	if (now.len > 0)
		work->now = decode(r, s, s->kept);
}

static void touch(struct records *r, uint32_t work, uint32_t hash, const struct endpoint *was,
                  const struct endpoint *now)
{
	if (r->touch_count == r->touch_room) {
		r->touch_room = r->touch_room ? r->touch_room * 2 : 64;
		r->touches = xreallocarray(r->touches, r->touch_room, sizeof(*r->touches));
	}
	r->touches[r->touch_count++] = (struct touch){work, hash, was, now};
}

static void compare(struct records *r, uint32_t number)
{
	const struct work *work = works_get(r, number);
	const struct offer *was = work->was, *now = work->now;

	for (size_t i = 0; was && i < was->count; i++) {
		const struct endpoint *old = &was->endpoints[i];
		const struct endpoint *new = offer_find(now, was->hashes[i], old->owner.data);

		if (!new || work->is_moved || r->is_everything || !endpoint_equal(old, new))
			touch(r, number, was->hashes[i], old, new);
	}
	for (size_t i = 0; now && i < now->count; i++)
		if (!was || !offer_find(was, now->hashes[i], now->endpoints[i].owner.data))
			touch(r, number, now->hashes[i], NULL, &now->endpoints[i]);
}

static bool name_sites(struct records *r, struct facts *f, const struct work *work)
{
	struct source *s = sources_get(&r->sources, work->source);
	bool was = s->is_sites, differs = false;

	s->is_sites = !s->is_gone && fact_is_sites(s->fact) &&
	              !dns_endpoint_is_rendering(&r->world, s->fact);
	if (s->is_sites)
		differs |= site_names_put(&r->named, f, s->fact);
	if (was)
		differs |= site_names_remove(&r->named, work->fact_was ? work->fact_was : s->fact);
	return differs;
}

bool works_name_sites(struct records *r, struct facts *f)
{
	bool differs = false;

	for (uint32_t i = 1; i <= r->work_count; i++) {
		const struct work *work = works_get(r, i);

		if (work->is_dirty &&
		    fact_kind_is_dns_endpoint(sources_get(&r->sources, work->source)->kind))
			differs |= name_sites(r, f, work);
	}
	return differs;
}

void works_make(struct records *r)
{
	/* Making adds no works: only judging looks at more sources. */
	for (uint32_t i = 1; i <= r->work_count; i++) {
		struct work *work = works_get(r, i);
		struct source *s = sources_get(&r->sources, work->source);

		if (!work->is_dirty)
			continue;
		notes_begin(r->notes, NOTES_OF_SOURCE, work->source);
		if (fact_kind_is_dns_endpoint(s->kind))
			make_dns_endpoint(r, work, s);
		if (!fact_kind_is_dns_endpoint(s->kind) || s->is_sites || s->kept)
			make_with_sites(r, work, s);
		if (work->is_dirty)
			compare(r, i);
	}
}

void works_end(struct records *r)
{
	for (uint32_t i = 1; i <= r->work_count; i++) {
		const struct work *work = works_get(r, i);
		struct source *s = sources_get(&r->sources, work->source);

		if (work->kept_was && work->kept_was->len > 0)
			draft_release(source_draft(work->kept_was), r->wants, work->source);
		free(work->kept_was);
		s->work = 0;
		if (!s->is_gone)
			continue;
		if (source_draft(s->kept).len > 0)
			draft_release(source_draft(s->kept), r->wants, work->source);
		notes_begin(r->notes, NOTES_OF_SOURCE, work->source);
		sources_remove(&r->sources, work->source);
	}
	r->work_count = 0;
}
