/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/saved.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "watcher/saved_dir.h"
#include "watcher/saved_image.h"
#include "watcher/saved_load.h"
#include "watcher/saved_pending.h"
#include "watcher/saved_state.h"

enum {
	JOURNALS_MOST = 64,
	JOURNALS_MOST_BYTES = 64 << 20,
	RETRY_FIRST_MS = 1000,
	RETRY_LAST_MS = 60000,
	SETTLES_MOST = 5
};

static const struct saved_pace usual_pace = {1000, 100, 600000, 64 << 10};

/* One write, in the pool: of a base (image) or to a journal (pending).  Freed when its loop comes
 * back to it, which may be after saved_close(). */
struct job {
	uv_work_t work;
	uv_sem_t done;
	struct saved *saved; /* NULL: its result has been taken */
	const struct saved_dir *dir;
	struct saved_image *image;
	struct saved_pending *pending;
	struct saved_file_writer writer;
	uint64_t gaps; /* saved's, when it began */
	enum err err;
	struct reason why;
	uint64_t bytes; /* written */
	size_t skipped;
};

/* Changes flow: put -> pending -> the journal of `journal_generation`.  A base begins a new journal
 * when its image is taken, so that base G and the journals from G on are always everything.
 * When a write fails, changes may be missing in the journals (a gap): none is collected any more,
 * which bounds the memory, until a base that began after the gap has been written. */
struct saved {
	uv_loop_t *loop;
	struct saved_pace pace;
	uv_timer_t *timer;     /* freed by its close callback */
	struct saved_dir *dir; /* NULL: none, and suspended for ever */
	bool is_suspended;     /* nothing is written */
	bool is_handed; /* what the directory holds was another process's, and goes on behind */
	struct saved_state *state;
	struct saved_pending *pending;
	uint64_t pending_ms;       /* since when there is something; 0: there is nothing */
	struct job *append, *base; /* under way */

	uint64_t lineage;
	uint64_t base_generation, base_length;
	uint64_t journal_generation, journal_length;
	bool journal_is_bad;           /* its file may hold what no base may be followed by */
	uint64_t older_length;         /* of the journals between base and journal */
	uint64_t appended_ms, base_ms; /* when the last one began */
	uint64_t retry_ms;             /* no base before */
	unsigned failures;             /* writes in a row */
	uint64_t gaps, gaps_mended;

	bool restored;
	struct saved_counts counts;
};

static void on_timer(uv_timer_t *timer);

static bool has_gap(const struct saved *s) { return s->gaps != s->gaps_mended; }

/* Is a change of now missing in what is or will be on disk unless it is collected? */
static bool collects(const struct saved *s)
{
	return !has_gap(s) || (s->base && s->base->gaps == s->gaps);
}

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

static uint64_t base_due_ms(const struct saved *s)
{
	uint64_t journals = s->older_length + s->journal_length;

	if (s->append || s->base)
		return UINT64_MAX;
	if (has_gap(s) || (journals > s->pace.journal_enough && journals > s->base_length / 2))
		return s->retry_ms;
	return journals ? larger(s->base_ms + s->pace.base_every_ms, s->retry_ms) : UINT64_MAX;
}

static uint64_t append_due_ms(const struct saved *s)
{
	if (s->append || has_gap(s) || s->pending_ms == 0)
		return UINT64_MAX;
	return larger(s->pending_ms + s->pace.settle_ms, s->appended_ms + s->pace.append_every_ms);
}

/* A change waits, not for long, until records has made of it what it leads to (names that the guard
 * holds), so that both are written at once. */
static uint64_t wait_ms(const struct saved *s, uint64_t now_ms)
{
	uint64_t most = s->pending_ms + SETTLES_MOST * s->pace.settle_ms;

	if (!facts_has_changes(saved_state_facts(s->state)) || most <= now_ms)
		return 0;
	return s->pace.settle_ms / 4 + 1;
}

static void schedule(struct saved *s)
{
	uint64_t base = base_due_ms(s), append = append_due_ms(s);
	uint64_t now = clock_monotonic_ms(), due;

	if (s->is_suspended) {
		uv_timer_stop(s->timer);
		return;
	}
	due = base < append ? base : append;
	if (due <= now)
		due = now + wait_ms(s, now);
	if (due == UINT64_MAX) {
		uv_timer_stop(s->timer);
		return;
	}
	uv_update_time(s->loop);
	CHECK(uv_timer_start(s->timer, on_timer, due > now ? due - now : 0, 0) == 0);
}

/* --- one write --- */

static bool more(struct saved_file_writer *w, void *arg) { return saved_image_print_some(arg, w); }

static void run_append(struct job *j)
{
	struct saved_file_writer *w = &j->writer;

	if (w->offset == 0)
		saved_file_add_header(w);
	j->skipped = saved_pending_print(j->pending, w);
	saved_file_end_frame(w);
	j->bytes = w->out.len;
	j->err = saved_dir_append(j->dir, w->header.generation, w->offset,
	                          (struct bytes){w->out.data, w->out.len}, &j->why);
}

static void run_base(struct job *j)
{
	j->err = saved_dir_write_base(j->dir, &j->writer, more, j->image, &j->why);
	j->bytes = j->writer.offset;
	j->skipped = saved_image_skipped(j->image);
}

static void run(struct job *j)
{
	if (j->image)
		run_base(j);
	else
		run_append(j);
	saved_image_free(j->image);
	saved_pending_free(j->pending);
	buffer_fini(&j->writer.out);
	uv_sem_post(&j->done);
}

static void on_work(uv_work_t *work) { run(work->data); }

static struct saved_pending *take_pending(struct saved *s)
{
	struct saved_pending *taken = s->pending;

	s->pending = saved_pending_new();
	s->pending_ms = 0;
	return taken;
}

static void note_failure(struct saved *s, const struct job *j)
{
	uint64_t wait = RETRY_FIRST_MS;

	if (s->failures++ == 0)
		log_error("watcher", "saving the state failed, trying again until it works: %s",
		          j->why.text);
	for (unsigned n = 1; n < s->failures && wait < RETRY_LAST_MS; n++)
		wait *= 2;
	s->retry_ms = clock_monotonic_ms() + (wait < RETRY_LAST_MS ? wait : RETRY_LAST_MS);
	s->counts.write_errors++;
}

static void note_success(struct saved *s, const struct job *j)
{
	if (j->skipped)
		log_warn("watcher", "%zu objects are too long to be saved", j->skipped);
	s->counts.writes++;
}

static void append_ended(struct saved *s, const struct job *j)
{
	s->append = NULL;
	if (j->err) {
		s->gaps++;
		s->journal_is_bad = true;
		saved_pending_free(take_pending(s));
		note_failure(s, j);
		return;
	}
	s->journal_length = j->writer.offset + j->bytes;
	s->counts.journal_bytes += j->bytes;
	note_success(s, j);
}

/* Bases fail, appending works: that may not go on for ever. */
static bool journals_are_too_much(const struct saved *s)
{
	return s->journal_generation - s->base_generation > JOURNALS_MOST ||
	       s->older_length + s->journal_length > JOURNALS_MOST_BYTES + 4 * s->base_length;
}

static void base_ended(struct saved *s, const struct job *j)
{
	s->base = NULL;
	if (j->err) {
		if (journals_are_too_much(s))
			s->gaps++;
		if (has_gap(s))
			saved_pending_free(take_pending(s));
		note_failure(s, j);
		return;
	}
	if (s->failures)
		log_info("watcher", "the state is saved again");
	s->failures = 0;
	s->gaps_mended = j->gaps;
	s->base_generation = j->writer.header.generation;
	s->base_length = j->bytes;
	s->older_length = 0;
	s->counts.base_bytes += j->bytes;
	note_success(s, j);
}

static void take_result(struct job *j)
{
	struct saved *s = j->saved;

	if (!s)
		return;
	j->saved = NULL;
	if (s->append == j)
		append_ended(s, j);
	else
		base_ended(s, j);
}

static void on_worked(uv_work_t *work, int status)
{
	struct job *j = work->data;
	struct saved *s = j->saved;

	(void)status; /* cancelled: saved_close() ran it itself */
	take_result(j);
	if (s)
		schedule(s);
	uv_sem_destroy(&j->done);
	free(j);
}

static void queue(struct job *j)
{
	CHECK(uv_queue_work(j->saved->loop, &j->work, on_work, on_worked) == 0);
}

static struct job *start_job(struct saved *s, enum saved_file_kind kind)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->work.data = j;
	j->saved = s;
	j->dir = s->dir;
	j->gaps = s->gaps;
	j->writer.kind = kind;
	j->writer.header = (struct saved_file_header){s->lineage, s->journal_generation};
	CHECK(uv_sem_init(&j->done, 0) == 0);
	return j;
}

static void start_append(struct saved *s)
{
	struct job *j = start_job(s, SAVED_FILE_JOURNAL);

	j->pending = take_pending(s);
	j->writer.offset = s->journal_length;
	s->appended_ms = clock_monotonic_ms();
	s->append = j;
	queue(j);
}

/* What is pending stays so: it is in the image, and again in the new journal in case that the base
 * is never finished. */
static void start_base(struct saved *s)
{
	if (s->journal_length || s->journal_is_bad || s->journal_generation == s->base_generation) {
		s->journal_generation++;
		s->journal_is_bad = false;
		s->older_length += s->journal_length;
		s->journal_length = 0;
	}
	s->base = start_job(s, SAVED_FILE_BASE);
	s->base->image = saved_image_take(s->state);
	s->base_ms = clock_monotonic_ms();
	queue(s->base);
}

static void on_timer(uv_timer_t *timer)
{
	struct saved *s = timer->data;
	uint64_t now = clock_monotonic_ms();

	if (wait_ms(s, now) == 0) {
		if (base_due_ms(s) <= now)
			start_base(s);
		if (append_due_ms(s) <= now)
			start_append(s);
	}
	schedule(s);
}

/* --- since when clusters are unseen --- */

static void put_unseen(struct saved *s, uint16_t cluster, int64_t unix_ms)
{
	struct buffer value = {0};

	buffer_u64(&value, (uint64_t)unix_ms);
	saved_put_value(s, SAVED_UNSEEN, saved_state_cluster(s->state, cluster),
	                (struct bytes){value.data, value.len});
	buffer_fini(&value);
}

/* A restored cluster is as old as it was: a restart makes no cluster younger. */
static void date_cluster(struct saved *s, struct facts *f, uint16_t cluster)
{
	struct cluster_state state = *facts_cluster(f, cluster);
	int64_t age_ms;
	struct bytes value;
	struct cursor c;

	if (!state.registered || state.knowledge != KNOWLEDGE_UNSEEN)
		return;
	if (!saved_find_value(s, SAVED_UNSEEN, saved_state_cluster(s->state, cluster), &value) ||
	    value.len != 8) {
		put_unseen(s, cluster, clock_unix_ms());
		return;
	}
	c = cursor_over(value.data, value.len);
	age_ms = clock_unix_ms() - (int64_t)cursor_u64(&c);
	if (age_ms > 0)
		state.since_ms -=
			(uint64_t)age_ms < state.since_ms ? (uint64_t)age_ms : state.since_ms;
	facts_set_cluster(f, cluster, &state);
}

static void date_clusters(struct saved *s)
{
	struct facts *f = saved_state_facts(s->state);

	for (uint16_t id = 0; id < facts_cluster_count(f); id++)
		date_cluster(s, f, id);
}

/* --- open and close --- */

static void on_timer_closed(uv_handle_t *handle) { free(handle); }

static void begin(struct saved *s, const struct saved_load *load)
{
	s->lineage = load->base.lineage;
	s->base_generation = load->base.generation;
	s->base_length = load->base_bytes;
	s->journal_generation = load->journal;
	s->journal_length = load->journal_bytes;
	s->older_length = load->older_bytes;
	s->restored = load->was_restored;
	s->counts.torn_tails = load->torn_tails;
	s->counts.set_aside = load->set_aside;
	s->gaps = load->needs_base;
	s->journal_is_bad = load->needs_base;
	if (s->lineage == 0)
		s->lineage = random_u64();
	s->pace = usual_pace;
	s->base_ms = clock_monotonic_ms();
	s->pending = saved_pending_new();
	s->timer = xcalloc(1, sizeof(*s->timer));
	s->timer->data = s;
	CHECK(uv_timer_init(s->loop, s->timer) == 0);
	schedule(s);
}

enum err saved_open(uv_loop_t *loop, const char *dir, struct facts *facts, struct saved **out,
                    struct reason *why)
{
	struct saved *s = xcalloc(1, sizeof(*s));
	struct saved_load load;
	enum err err = saved_dir_open(dir, &s->dir, why);

	s->loop = loop;
	s->state = saved_state_new(facts);
	if (!err)
		err = saved_load(s->dir, s->state, &load, why);
	if (err) {
		saved_state_free(s->state);
		saved_dir_close(s->dir);
		free(s);
		return err;
	}
	begin(s, &load);
	date_clusters(s);
	*out = s;
	return ERR_OK;
}

bool saved_was_restored(const struct saved *s) { return s->restored; }

struct saved_counts saved_counts(const struct saved *s) { return s->counts; }

void saved_set_pace(struct saved *s, const struct saved_pace *pace)
{
	s->pace = *pace;
	schedule(s);
}

/* Waits for a job, or does it here when the pool has not come to it. */
static void complete(struct job *j)
{
	if (!j)
		return;
	if (uv_cancel((uv_req_t *)&j->work) == 0)
		run(j);
	uv_sem_wait(&j->done);
	take_result(j);
}

void saved_flush(struct saved *s)
{
	if (s->is_suspended)
		return;
	complete(s->append);
	if (!has_gap(s) && s->pending_ms)
		start_append(s);
	complete(s->append);
}

static void write_all(struct saved *s)
{
	if (s->is_suspended)
		return;
	complete(s->append);
	complete(s->base);
	if (has_gap(s))
		start_base(s);
	else if (s->pending_ms)
		start_append(s);
	complete(s->base);
	complete(s->append);
}

void saved_close(struct saved *s)
{
	if (!s)
		return;
	write_all(s);
	uv_close((uv_handle_t *)s->timer, on_timer_closed);
	saved_pending_free(s->pending);
	saved_state_free(s->state);
	saved_dir_close(s->dir);
	free(s);
}

/* --- one process after the other --- */

void saved_print(struct saved *s, struct buffer *out)
{
	struct saved_file_writer w = {.kind = SAVED_FILE_BASE,
	                              .header = {s->lineage, s->journal_generation}};
	struct saved_image *image = saved_image_take(s->state);

	saved_file_add_header(&w);
	while (saved_image_print_some(image, &w))
		saved_file_end_frame(&w);
	saved_file_add_end(&w);
	saved_image_free(image);
	*out = w.out;
}

struct restoring {
	struct saved_state *state;
	bool was_restored;
};

static void restore(const struct saved_file_record *record, void *arg)
{
	struct restoring *r = arg;

	r->was_restored |= saved_state_apply(r->state, record);
}

/* Nothing of it but that it is there: what was in it has been handed over. */
static enum err open_dir_handed(struct saved *s, const char *dir, int *take_lock,
                                struct reason *why)
{
	return dir ? saved_dir_open_locked(dir, take_lock, &s->dir, why) : ERR_OK;
}

enum err saved_open_handed(uv_loop_t *loop, const char *dir, int *take_lock, struct bytes handed,
                           struct facts *facts, struct saved **out, struct reason *why)
{
	struct saved_load load = {.needs_base = true};
	struct saved *s = xcalloc(1, sizeof(*s));
	struct restoring restoring = {.state = saved_state_new(facts)};
	enum err err = ERR_OK;

	if (handed.len > 0)
		err = saved_file_check_base(handed, &load.base, why);
	if (!err)
		err = open_dir_handed(s, dir, take_lock, why);
	if (err) {
		saved_state_free(restoring.state);
		free(s);
		return err;
	}
	if (handed.len > 0)
		(void)saved_file_each(handed, restore, &restoring);
	load.was_restored = restoring.was_restored;
	load.base = (struct saved_file_header){0}; /* a lineage of its own */
	s->loop = loop;
	s->state = restoring.state;
	s->is_suspended = s->is_handed = true;
	begin(s, &load);
	date_clusters(s);
	*out = s;
	return ERR_OK;
}

void saved_suspend(struct saved *s)
{
	write_all(s);
	s->is_suspended = true;
	schedule(s);
}

/* No journal that is there may seem to follow the base that comes. */
static void go_on_behind(struct saved *s)
{
	uint64_t *generation;
	size_t count;
	struct reason why;

	if (saved_dir_journals(s->dir, &generation, &count, &why) != ERR_OK) {
		log_error("watcher", "the state directory: %s", why.text);
		return;
	}
	if (count > 0)
		s->journal_generation = generation[count - 1];
	free(generation);
}

void saved_resume(struct saved *s)
{
	if (!s->dir || !s->is_suspended)
		return;
	if (s->is_handed)
		go_on_behind(s);
	s->is_suspended = s->is_handed = false;
	schedule(s);
}

int saved_lock(const struct saved *s) { return s->dir ? saved_dir_lock(s->dir) : -1; }

/* --- changes --- */

/* Where a change is to be put; NULL: nowhere, a base to come will have it.  A first one starts the
 * clock. */
static struct saved_pending *collector(struct saved *s)
{
	if (!collects(s))
		return NULL;
	if (s->pending_ms == 0) {
		s->pending_ms = clock_monotonic_ms();
		schedule(s);
	}
	return s->pending;
}

static void put(struct saved *s, const struct saved_file_record *record)
{
	struct saved_pending *pending = collector(s);

	if (pending)
		saved_pending_put(pending, record);
}

void saved_put_fact(struct saved *s, uint16_t cluster, const struct fact *fact)
{
	struct saved_pending *pending = collector(s);

	if (pending)
		saved_pending_put_fact(pending, saved_state_cluster(s->state, cluster), fact);
}

void saved_remove_fact(struct saved *s, uint16_t cluster, enum fact_kind kind,
                       struct bytes namespace, struct bytes name)
{
	struct saved_file_record record = {
		.type = SAVED_FILE_FACT_GONE,
		.kind = (uint8_t)kind,
		.namespace = namespace,
		.name = name,
		.cluster = saved_state_cluster(s->state, cluster),
	};

	put(s, &record);
}

void saved_put_cluster(struct saved *s, uint16_t cluster, enum cluster_source source)
{
	struct saved_file_record record = {
		.type = SAVED_FILE_CLUSTER,
		.kind = (uint8_t)source,
		.cluster = saved_state_cluster(s->state, cluster),
	};

	if (saved_state_set_known(s->state, cluster, source))
		put(s, &record);
}

void saved_put_knowledge(struct saved *s, uint16_t cluster, enum knowledge knowledge)
{
	if (knowledge == KNOWLEDGE_UNSEEN)
		put_unseen(s, cluster, clock_unix_ms());
	else
		saved_put_value(s, SAVED_UNSEEN, saved_state_cluster(s->state, cluster),
		                (struct bytes){0});
}

void saved_drop_cluster(struct saved *s, uint16_t cluster)
{
	struct saved_pending *pending = collector(s);

	saved_state_set_unknown(s->state, cluster);
	saved_put_knowledge(s, cluster, KNOWLEDGE_NEVER);
	if (pending)
		saved_pending_drop_cluster(pending, saved_state_cluster(s->state, cluster));
}

void saved_put_value(struct saved *s, enum saved_class class, struct bytes key, struct bytes value)
{
	struct saved_file_record record = {
		.type = SAVED_FILE_VALUE,
		.kind = (uint8_t) class,
		.name = key,
		.body = value,
	};

	if (saved_state_put_value(s->state, (uint8_t) class, key, value))
		put(s, &record);
}

bool saved_find_value(const struct saved *s, enum saved_class class, struct bytes key,
                      struct bytes *value)
{
	return saved_state_find_value(s->state, (uint8_t) class, key, value);
}

size_t saved_count_values(const struct saved *s, enum saved_class class)
{
	return saved_state_count_values(s->state, (uint8_t) class);
}

struct each {
	saved_on_value_fn *fn;
	void *arg;
};

static void each_value(uint8_t class, struct bytes key, struct bytes value, void *arg)
{
	const struct each *each = arg;

	(void)class;
	each->fn(key, value, each->arg);
}

void saved_each_value(const struct saved *s, enum saved_class class, saved_on_value_fn *fn,
                      void *arg)
{
	struct each each = {fn, arg};

	saved_state_each_value(s->state, (uint8_t) class, each_value, &each);
}
