/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/saved_load.h"

#include <stdlib.h>

#include "base/log.h"

/* One start. */
struct loading {
	const struct saved_dir *dir;
	struct saved_state *state;
	struct saved_load *out;
	uint64_t *journal; /* generations found, ascending */
	size_t journal_count;
	size_t refused; /* records of a good file that the state would not take */
};

static void apply(const struct saved_file_record *record, void *arg)
{
	struct loading *l = arg;

	if (saved_state_apply(l->state, record))
		l->out->was_restored = true;
	else
		l->refused++;
}

static void apply_file(struct loading *l, const char *name, struct bytes file)
{
	size_t skipped;

	l->refused = 0;
	skipped = saved_file_each(file, apply, l);
	if (skipped + l->refused)
		log_warn("watcher",
		         "%zu records of %s in the state directory make no sense, skipped",
		         skipped + l->refused, name);
}

static enum err set_aside(struct loading *l, const char *name, const char *cause,
                          struct reason *why)
{
	char as[SAVED_DIR_NAME_SIZE];
	enum err err = saved_dir_set_aside(l->dir, name, as, why);

	if (err)
		return err;
	l->out->set_aside++;
	log_error("watcher", "%s in the state directory was set aside as %s: %s", name, as, cause);
	return ERR_OK;
}

/* Journals from the n-th on, which cannot follow what was loaded. */
static enum err set_journals_aside(struct loading *l, size_t n, const char *cause,
                                   struct reason *why)
{
	char name[SAVED_DIR_NAME_SIZE];
	enum err err = ERR_OK;

	for (; n < l->journal_count && !err; n++)
		err = set_aside(l, saved_dir_name(SAVED_FILE_JOURNAL, l->journal[n], name), cause,
		                why);
	return err;
}

/* ERR_PARSE and ERR_UNSUPPORTED: the file is not ours to use, for the reason in `cause`. */
static enum err read_base(struct loading *l, struct buffer *file, struct reason *cause)
{
	enum err err = saved_dir_read(l->dir, "base", file, cause);

	if (err == ERR_IO)
		return ERR_PARSE;
	if (err)
		return err;
	return saved_file_check_base((struct bytes){file->data, file->len}, &l->out->base, cause);
}

static enum err load_base(struct loading *l, struct reason *why)
{
	struct buffer file = {0};
	struct reason cause = {0};
	enum err err = read_base(l, &file, &cause);

	switch ((int)err) {
	case ERR_OK:
		l->out->needs_base = false;
		l->out->base_bytes = file.len;
		apply_file(l, "base", (struct bytes){file.data, file.len});
		break;
	case ERR_NOTFOUND: /* the first start, as a rule */
		err = set_journals_aside(l, 0, "its base is missing", why);
		break;
	case ERR_PARSE:
	case ERR_UNSUPPORTED:
		err = set_aside(l, "base", cause.text, why);
		if (!err)
			err = set_journals_aside(l, 0, "its base was set aside", why);
		break;
	default:
		reason_set(why, err, "%s", cause.text);
		break;
	}
	buffer_fini(&file);
	return err;
}

/* Good frames follow a bad one: that is more than a torn tail, so it is kept.  Without room for a
 * copy the journal itself is, and its good part goes into the next base. */
static enum err keep_damaged(struct loading *l, const char *name, struct bytes file, size_t good,
                             struct reason *why)
{
	char as[SAVED_DIR_NAME_SIZE];
	struct reason cause;

	if (saved_dir_copy_aside(l->dir, name, file, as, &cause)) {
		l->out->needs_base = true;
		return set_aside(l, name, "damaged in the middle", why);
	}
	l->out->set_aside++;
	log_error("watcher",
	          "%s in the state directory is damaged at byte %zu of %zu; used up to there, "
	          "the whole is kept as %s",
	          name, good, file.len, as);
	return ERR_OK;
}

static enum err mend_journal(struct loading *l, const char *name, struct bytes file, size_t good,
                             enum saved_file_tail tail, struct reason *why)
{
	struct reason cause;

	if (tail == SAVED_FILE_DAMAGED) {
		enum err err = keep_damaged(l, name, file, good, why);

		if (err || l->out->needs_base)
			return err;
	} else {
		l->out->torn_tails++;
		log_warn("watcher",
		         "%s in the state directory had a torn tail, %zu bytes were cut off", name,
		         file.len - good);
	}
	if (saved_dir_cut(l->dir, name, good, &cause)) {
		log_error("watcher", "%s", cause.text);
		l->out->needs_base = true;
	}
	return ERR_OK;
}

/* *whole: a later journal may follow. */
static enum err use_journal(struct loading *l, uint64_t generation, const char *name,
                            struct bytes file, bool *whole, struct reason *why)
{
	struct saved_file_header header = {0};
	struct reason cause = {0};
	enum saved_file_tail tail;
	size_t good;
	enum err err = saved_file_check_journal(file, &header, &good, &tail, &cause);

	if (!err && good &&
	    (header.lineage != l->out->base.lineage || header.generation != generation))
		err = reason_set(&cause, ERR_PARSE, "it belongs to another base");
	if (err)
		return set_aside(l, name, cause.text, why);
	if (file.len == 0)
		log_warn("watcher",
		         "%s in the state directory is empty: what changed since the file before "
		         "it is lost, if anything did",
		         name);
	*whole = tail == SAVED_FILE_WHOLE;
	apply_file(l, name, (struct bytes){file.data, good});
	l->out->older_bytes += l->out->journal_bytes;
	l->out->journal = generation;
	l->out->journal_bytes = good;
	return *whole ? ERR_OK : mend_journal(l, name, file, good, tail, why);
}

static enum err load_journal(struct loading *l, uint64_t generation, bool *whole,
                             struct reason *why)
{
	char name[SAVED_DIR_NAME_SIZE];
	struct buffer file;
	struct reason cause;
	enum err err;

	*whole = false;
	saved_dir_name(SAVED_FILE_JOURNAL, generation, name);
	err = saved_dir_read(l->dir, name, &file, &cause);
	if (err == ERR_IO)
		return set_aside(l, name, cause.text, why);
	if (err)
		return reason_set(why, err, "%s", cause.text);
	err = use_journal(l, generation, name, (struct bytes){file.data, file.len}, whole, why);
	buffer_fini(&file);
	return err;
}

/* Generations follow each other without a gap.  After a base, none need have begun. */
static void tell_missing(uint64_t expected, uint64_t found)
{
	char name[SAVED_DIR_NAME_SIZE];

	if (found != expected)
		log_warn("watcher", "%s in the state directory is missing: what it held is lost",
		         saved_dir_name(SAVED_FILE_JOURNAL, expected, name));
}

static enum err load_journals(struct loading *l, struct reason *why)
{
	uint64_t expected = l->out->base.generation;
	enum err err = ERR_OK;
	bool whole = true;
	size_t n = 0;

	l->out->journal = expected;
	for (; n < l->journal_count && whole && !err; n++) {
		if (l->journal[n] < l->out->base.generation)
			continue;
		tell_missing(expected, l->journal[n]);
		expected = l->journal[n] + 1;
		err = load_journal(l, l->journal[n], &whole, why);
	}
	if (expected == l->out->base.generation)
		log_info("watcher",
		         "no journal follows the base in the state directory: nothing changed "
		         "since, or it was removed");
	return err ? err : set_journals_aside(l, n, "the journal before it ends too early", why);
}

enum err saved_load(const struct saved_dir *d, struct saved_state *state, struct saved_load *out,
                    struct reason *why)
{
	struct loading l = {.dir = d, .state = state, .out = out};
	enum err err;

	*out = (struct saved_load){.needs_base = true};
	err = saved_dir_journals(d, &l.journal, &l.journal_count, why);
	if (!err)
		err = load_base(&l, why);
	if (!err && !out->needs_base)
		err = load_journals(&l, why);
	free(l.journal);
	return err;
}
