/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_loader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "dnsd/zone_copy.h"
#include "records/names.h"

enum {
	LOOK_MS = 100,
	RESTLESS_LOOKS = 10,
	COPY_AFTER_MS = 3000 /* of rest: not each of many changes is worth a copy */
};

/* What is in force of a file, the better the more.  Another nighd is told these numbers: never renumber. */
enum served { SERVED_NOT, SERVED_AS_KEPT, SERVED_AS_READ };

enum job { JOB_READ, JOB_COPY, JOB_RESTORE };

struct seen {
	char *path;
	struct stamp read, looked; /* when it was read; at the last look */
};

struct entry {
	struct zone_loader *loader;
	uint8_t *apex;
	size_t apex_len;
	char *path;
	char name[NAMES_TEXT_SIZE]; /* of the apex */
	int64_t read_at;            /* Unix seconds, of the one in force */
	uint64_t readings;          /* that were taken up, good or not */
	uint32_t ttl;
	bool has_nameservers;
	struct zonefile *current; /* in force; NULL: none was good yet */
	enum served served, due;  /* that, and what the process before had */
	struct seen *seen;        /* of the last reading */
	size_t seen_count;
	unsigned restless; /* looks that saw a change since the last reading */
	char *errors;      /* of the last reading; NULL: none */
	char *warnings;    /* of the one in force */
	bool must_read, busy, doomed;
	char *copy; /* the file in the state; NULL: none */
	bool is_uncopied; /* what is in force, read from its file, is not in there yet, and has its records for it */
	uint64_t good_ms; /* monotonic: when that was read */
	/* the job */
	enum job job;
	enum err copied;
	struct reason fault; /* of that */
	uv_work_t work;
	struct zonefile_request request;
	char *request_path;
	struct zonefile *fresh;
	uint64_t begun_ms;
};

struct zone_loader {
	uv_loop_t *loop;
	uv_timer_t timer;
	char *state; /* NULL: none */
	struct name_key key;
	struct zone_loader_events events;
	struct entry **entries;
	size_t count;
	unsigned busy; /* jobs, those of doomed entries too */
	bool stopping;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
	bool may_keep; /* copies in the state */
	unsigned
		doomed_copies; /* being written, by doomed entries: maybe to where another's is to be */
};

static char *copy(const char *text) { return text ? xstrdup(text) : NULL; }

static void forget_seen(struct entry *e)
{
	for (size_t i = 0; i < e->seen_count; i++)
		free(e->seen[i].path);
	free(e->seen);
	e->seen = NULL;
	e->seen_count = 0;
}

static void entry_free(struct entry *e)
{
	forget_seen(e);
	zonefile_free(e->current);
	zonefile_free(e->fresh);
	free(e->request_path);
	free(e->copy);
	free(e->errors);
	free(e->warnings);
	free(e->path);
	free(e->apex);
	free(e);
}

/* Where it is; NULL: nowhere. */
static struct entry **find_entry(const struct zone_loader *l, struct bytes apex)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = l->entries[i];

		if (e && bytes_equal((struct bytes){e->apex, e->apex_len}, apex))
			return &l->entries[i];
	}
	return NULL;
}

/* --- one reading --- */

static void work(uv_work_t *w)
{
	struct entry *e = w->data;

	if (e->job == JOB_COPY)
		e->copied = zone_copy_write(e->current, e->copy, &e->fault);
	else
		e->fresh = zonefile_read(&e->request);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct zone_loader *l = handle->data;

	for (size_t i = 0; i < l->count; i++)
		entry_free(l->entries[i]);
	free(l->entries);
	free(l->state);
	l->on_stopped(l->stopped_arg);
	free(l);
}

static void end(struct zone_loader *l) { uv_close((uv_handle_t *)&l->timer, on_timer_closed); }

static void note_seen(struct entry *e)
{
	struct stamp stamp;
	const char *path;

	forget_seen(e);
	while ((path = zonefile_file(e->fresh, e->seen_count, &stamp)) != NULL) {
		e->seen = xreallocarray(e->seen, e->seen_count + 1, sizeof *e->seen);
		e->seen[e->seen_count++] = (struct seen){xstrdup(path), stamp, stamp};
	}
}

static void put_in_force(struct entry *e, enum served as)
{
	struct zone_loader *l = e->loader;
	struct zonefile *before = e->current;
	uint64_t read_ms = clock_monotonic_ms();

	e->current = e->fresh;
	e->served = as;
	e->read_at = clock_unix_s();
	e->fresh = NULL;
	free(e->warnings);
	e->warnings = copy(zonefile_warnings(e->current));
	l->events.on_file((struct bytes){e->apex, e->apex_len}, e->current, l->events.arg);
	zonefile_drop_images(e->current);
	zonefile_free(before);
	log_info("dnsd",
	         "zone file read zone=%s names=%zu changed=%zu serial=%" PRIu32 " read_ms=%" PRIu64
	         " build_ms=%" PRIu64,
	         e->name, zonefile_name_count(e->current), zonefile_change_count(e->current),
	         zonefile_serial(e->current), read_ms - e->begun_ms,
	         clock_monotonic_ms() - read_ms);
}

/* All errors are in /status; the first says where to begin. */
static void refuse(struct entry *e)
{
	const char *errors = e->errors != NULL ? e->errors : "";

	log_warn("dnsd", "zone file has errors, %s zone=%s file=%s first=\"%.*s\"",
	         e->current ? "the last good one stays" : "none was good yet", e->name, e->path,
	         (int)strcspn(errors, "\n"), errors);
	zonefile_free(e->fresh);
	e->fresh = NULL;
}

static void begin(struct entry *e);
static void begin_job(struct entry *e, enum job job, const char *path);

static void take_up(struct entry *e)
{
	bool was_bad = e->errors != NULL;

	note_seen(e);
	e->readings++;
	free(e->errors);
	e->errors = copy(zonefile_errors(e->fresh));
	if (zonefile_is_good(e->fresh)) {
		if (was_bad)
			log_info("dnsd", "zone file is good again zone=%s file=%s", e->name,
			         e->path);
		put_in_force(e, SERVED_AS_READ);
		e->is_uncopied = true;
		e->good_ms = clock_monotonic_ms();
	} else {
		refuse(e);
		if (e->current == NULL && e->copy != NULL)
			begin_job(e, JOB_RESTORE, e->copy);
	}
	e->loader->events.on_errors(e->loader->events.arg);
}

/* Of the state: what is wrong with the file itself stays told. */
static void take_copy(struct entry *e)
{
	struct text errors = {0};

	if (!zonefile_is_good(e->fresh))
		return;
	put_in_force(e, SERVED_AS_KEPT);
	e->read_at = zone_copy_time(e->copy);
	text_add(&errors, e->errors != NULL ? e->errors : "");
	text_printf(&errors, "%s: what was last good of it is served as the state has it\n",
	            e->path);
	free(e->errors);
	e->errors = text_take(&errors);
	log_warn("dnsd", "zone is served as the state has it zone=%s file=%s", e->name, e->path);
	e->loader->events.on_errors(e->loader->events.arg);
}

static void finish(struct entry *e)
{
	switch (e->job) {
	case JOB_READ:
		take_up(e);
		return;
	case JOB_RESTORE:
		take_copy(e);
		return;
	case JOB_COPY:
		zonefile_drop_records(e->current);
		if (e->copied != ERR_OK)
			log_warn("dnsd", "zone is not kept in the state zone=%s: %s", e->name,
			         e->fault.text);
		return;
	}
}

/* Its zone is not there any more; unless it is there again, and it is not another process's either. */
static void forget_copy(const struct entry *e)
{
	const struct zone_loader *l = e->loader;

	if (e->copy != NULL && l->may_keep && !find_entry(l, (struct bytes){e->apex, e->apex_len}))
		(void)unlink(e->copy);
}

static void after_work(uv_work_t *w, int status)
{
	struct entry *e = w->data;
	struct zone_loader *l = e->loader;

	CHECK(status == 0);
	e->busy = false;
	l->busy--;
	if (e->doomed) {
		l->doomed_copies -= e->job == JOB_COPY;
		forget_copy(e);
		entry_free(e);
	} else if (!l->stopping) {
		if (e->job == JOB_COPY || !e->must_read)
			finish(e);
		if (e->must_read)
			begin(e);
	}
	if (l->stopping && l->busy == 0)
		end(l);
}

static void begin_job(struct entry *e, enum job job, const char *path)
{
	zonefile_free(e->fresh);
	e->fresh = NULL;
	free(e->request_path);
	e->request_path = xstrdup(path);
	e->request = (struct zonefile_request){
		.path = e->request_path,
		.apex = {e->apex, e->apex_len},
		.ttl = e->ttl,
		.has_nameservers = e->has_nameservers,
		.key = e->loader->key,
		.before = job == JOB_READ ? e->current : NULL,
		.keeps_records = job == JOB_READ && e->copy != NULL,
	};
	e->job = job;
	e->fault = (struct reason){0};
	e->busy = true;
	e->loader->busy++;
	e->begun_ms = clock_monotonic_ms();
	e->work.data = e;
	CHECK(uv_queue_work(e->loader->loop, &e->work, work, after_work) == 0);
}

static void begin(struct entry *e)
{
	if (e->busy)
		return;
	e->must_read = false;
	e->restless = 0;
	begin_job(e, JOB_READ, e->path);
}

/* --- looking --- */

/* Has a file changed, and does it rest? */
static void look(struct entry *e)
{
	bool changed = false, rests = true;

	for (size_t i = 0; i < e->seen_count; i++) {
		struct seen *s = &e->seen[i];
		struct stamp now = stamp_at(s->path);

		changed |= !stamp_equal(&now, &s->read);
		rests &= stamp_equal(&now, &s->looked);
		s->looked = now;
	}
	e->restless = changed ? e->restless + 1 : 0;
	if (changed && (rests || e->restless >= RESTLESS_LOOKS))
		begin(e);
}

static void keep_copy(struct entry *e)
{
	if (e->busy || !e->is_uncopied || e->copy == NULL || e->loader->doomed_copies > 0 ||
	    clock_monotonic_ms() - e->good_ms < COPY_AFTER_MS)
		return;
	e->is_uncopied = false;
	begin_job(e, JOB_COPY, e->path);
}

static void on_timer(uv_timer_t *timer)
{
	struct zone_loader *l = timer->data;

	for (size_t i = 0; i < l->count; i++)
		if (!l->entries[i]->busy)
			look(l->entries[i]);
	for (size_t i = 0; i < l->count && l->may_keep; i++)
		keep_copy(l->entries[i]);
}

void zone_loader_keep(struct zone_loader *l, bool may) { l->may_keep = may; }

/* --- which zones --- */

static struct entry *take_entry(struct zone_loader *l, struct bytes apex)
{
	struct entry **at = find_entry(l, apex);
	struct entry *e = at ? *at : NULL;

	if (at)
		*at = NULL;
	return e;
}

static struct entry *entry_new(struct zone_loader *l, struct bytes apex)
{
	struct entry *e = xcalloc(1, sizeof *e);

	e->loader = l;
	e->apex = xmemdup(apex.data, apex.len);
	e->apex_len = apex.len;
	names_to_text(e->apex, e->name);
	e->copy = zone_copy_path(l->state, e->name);
	return e;
}

static void configure(struct entry *e, const struct zone_loader_zone *zone)
{
	if (e->path && strcmp(e->path, zone->path) == 0 && e->ttl == zone->ttl &&
	    e->has_nameservers == zone->has_nameservers)
		return;
	free(e->path);
	e->path = xstrdup(zone->path);
	e->ttl = zone->ttl;
	e->has_nameservers = zone->has_nameservers;
	e->must_read = true;
	begin(e);
}

/* Its names go; it goes itself, or when its job is done. */
static void drop(struct entry *e)
{
	struct zone_loader *l = e->loader;

	l->events.on_file((struct bytes){e->apex, e->apex_len}, NULL, l->events.arg);
	forget_copy(e);
	e->doomed = e->busy;
	l->doomed_copies += e->busy && e->job == JOB_COPY;
	if (!e->busy)
		entry_free(e);
}

void zone_loader_set(struct zone_loader *l, const struct zone_loader_zone *zones, size_t count)
{
	struct entry **entries = xcalloc(count + 1, sizeof(struct entry *)), **before = l->entries;
	size_t before_count = l->count;

	for (size_t i = 0; i < count; i++) {
		entries[i] = take_entry(l, zones[i].apex);
		if (!entries[i])
			entries[i] = entry_new(l, zones[i].apex);
		configure(entries[i], &zones[i]);
	}
	l->entries = entries;
	l->count = count;
	for (size_t i = 0; i < before_count; i++)
		if (before[i])
			drop(before[i]);
	free(before);
	l->events.on_errors(l->events.arg);
}

enum err zone_loader_read(struct zone_loader *l, const char *zone, uint64_t *reading,
                          struct reason *why)
{
	uint8_t wire[NAMES_WIRE_MAX];
	size_t len;
	enum err err = names_from_text(bytes_of(zone), wire, &len, why);

	for (size_t i = 0; err == ERR_OK && i < l->count; i++) {
		struct entry *e = l->entries[i];

		if (!names_wire_equal(e->apex, wire))
			continue;
		*reading = e->readings + 1;
		e->must_read = true;
		begin(e);
		return ERR_OK;
	}
	return err != ERR_OK ? err : reason_set(why, ERR_NOTFOUND, "zone %s has no file", zone);
}

bool zone_loader_is_read(const struct zone_loader *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (!l->entries[i]->current)
			return false;
	return true;
}

/* --- one process after the other: for each zone the length of its apex, the apex, how it is served --- */

void zone_loader_print_served(const struct zone_loader *l, struct buffer *out)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = l->entries[i];

		buffer_u8(out, (uint8_t)e->apex_len);
		buffer_put(out, e->apex, e->apex_len);
		buffer_u8(out, (uint8_t)e->served);
	}
}

bool zone_loader_expect(struct zone_loader *l, struct bytes served)
{
	struct cursor c = cursor_over(served.data, served.len);

	while (cursor_left(&c) > 0) {
		size_t len = cursor_u8(&c);
		struct entry **at;
		uint8_t due;

		if (cursor_left(&c) <= len)
			return false;
		at = find_entry(l, cursor_bytes(&c, len));
		due = cursor_u8(&c);
		if (due > SERVED_AS_READ)
			return false;
		if (at)
			(*at)->due = due;
	}
	return true;
}

const char *zone_loader_lacking(const struct zone_loader *l, bool *is_reading)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = l->entries[i];

		*is_reading = e->busy;
		if (e->served < e->due)
			return e->path;
	}
	return NULL;
}

void zone_loader_print_warnings(const char *lines, struct text *out)
{
	while (lines && *lines) {
		size_t len = strcspn(lines, "\n");
		const char *text = strstr(lines, ": ");
		size_t place = text && text < lines + len ? (size_t)(text - lines) + 2 : 0;

		text_printf(out, "%.*swarning: %.*s\n", (int)place, lines, (int)(len - place),
		            lines + place);
		lines += len + (lines[len] == '\n');
	}
}

void zone_loader_print(const struct zone_loader *l, struct text *out)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->entries[i]->errors)
			text_add(out, l->entries[i]->errors);
		zone_loader_print_warnings(l->entries[i]->warnings, out);
	}
}

bool zone_loader_file(const struct zone_loader *l, size_t i, struct snapshot_zone_file *out)
{
	const struct entry *e = i < l->count ? l->entries[i] : NULL;

	if (!e)
		return false;
	*out = (struct snapshot_zone_file){
		.zone = e->name,
		.path = e->path,
		.read_at = e->read_at,
		.names = e->current ? zonefile_name_count(e->current) : 0,
		.serial = e->current ? zonefile_serial(e->current) : 0,
		.readings = e->readings,
		.errors = e->errors ? e->errors : "",
	};
	return true;
}

/* --- life --- */

struct zone_loader *zone_loader_start(uv_loop_t *loop, const struct name_key *key,
                                      const char *state, const struct zone_loader_events *events)
{
	struct zone_loader *l = xcalloc(1, sizeof *l);

	l->loop = loop;
	l->key = *key;
	l->state = copy(state);
	l->may_keep = true;
	l->events = *events;
	l->timer.data = l;
	CHECK(uv_timer_init(loop, &l->timer) == 0);
	CHECK(uv_timer_start(&l->timer, on_timer, LOOK_MS, LOOK_MS) == 0);
	return l;
}

void zone_loader_stop(struct zone_loader *l, void (*on_stopped)(void *arg), void *arg)
{
	l->stopping = true;
	l->on_stopped = on_stopped;
	l->stopped_arg = arg;
	uv_timer_stop(&l->timer);
	if (l->busy == 0)
		end(l);
}
