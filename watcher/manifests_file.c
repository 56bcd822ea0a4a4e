/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_file.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "base/yaml.h"
#include "watcher/manifests_errors.h"

enum {
	SIZE_MOST = 64 << 20, /* of a file, bytes */
	LIST_DEPTH = 4,       /* a List in a List */
	RACY_MS = 20,         /* two changes within a tick of the clock look like one */
	EMPTIED_MS = 700      /* how long an emptied file may be about to be filled */
};

/* --- stamps --- */

static int64_t nanoseconds(struct timespec t) { return t.tv_sec * 1000000000LL + t.tv_nsec; }

struct manifests_stamp manifests_stamp_of(const struct stat *st)
{
	return (struct manifests_stamp){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime_ns = nanoseconds(st->st_mtim),
		.ctime_ns = nanoseconds(st->st_ctim),
	};
}

bool manifests_stamp_equal(const struct manifests_stamp *a, const struct manifests_stamp *b)
{
	return a->error == b->error && a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/* Whether it was written within the last `ms`; not when that lies in the future. */
static bool is_fresh(const struct manifests_stamp *stamp, int64_t ms)
{
	struct timespec now;
	int64_t age_ns;

	clock_gettime(CLOCK_REALTIME, &now);
	age_ns = nanoseconds(now) - stamp->mtime_ns;
	return age_ns > -1000000000LL && age_ns < ms * 1000000;
}

/* --- life --- */

static struct manifests_file *file_new(const struct manifests_source *source,
                                       const struct manifests_object *objects, size_t count)
{
	struct manifests_file *f = xcalloc(1, sizeof(*f) + count * sizeof(*objects));

	atomic_init(&f->refs, 1);
	f->dir = source->dir;
	f->path = xstrdup(source->path);
	f->count = count;
	for (size_t i = 0; i < count; i++) {
		f->objects[i] = objects[i];
		f->objects[i].index = (uint32_t)i;
	}
	return f;
}

struct manifests_file *manifests_file_ref(struct manifests_file *file)
{
	atomic_fetch_add_explicit(&file->refs, 1, memory_order_relaxed);
	return file;
}

void manifests_file_unref(struct manifests_file *file)
{
	if (!file || atomic_fetch_sub_explicit(&file->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < file->count; i++)
		fact_unref(file->objects[i].fact);
	for (size_t i = 0; i < file->secret_count; i++)
		decode_secret_unref(file->secrets[i]);
	free(file->secrets);
	free(file->path);
	free(file->error);
	free(file->warning);
	free(file);
}

const struct manifests_file *manifests_file_of(const struct manifests_object *object)
{
	const struct manifests_object *first = object - object->index;

	return (const void *)((const char *)first - offsetof(struct manifests_file, objects));
}

/* With a reference of each. */
static void set_secrets(struct manifests_file *f, struct decode_secret *const *secrets,
                        size_t count)
{
	f->secrets = xcalloc(count + 1, sizeof(struct decode_secret *));
	f->secret_count = count;
	for (size_t i = 0; i < count; i++)
		f->secrets[i] = decode_secret_ref(secrets[i]);
}

/* A file that keeps the objects it had. */
static struct manifests_file *file_as_before(const struct manifests_source *source)
{
	const struct manifests_file *before = source->before;
	struct manifests_file *f =
		file_new(source, before ? before->objects : NULL, before ? before->count : 0);

	for (size_t i = 0; i < f->count; i++)
		(void)fact_ref(f->objects[i].fact);
	if (before)
		set_secrets(f, before->secrets, before->secret_count);
	f->was_good = before && before->was_good;
	return f;
}

struct manifests_file *manifests_file_unreadable(const struct manifests_source *source,
                                                 const char *text)
{
	struct manifests_file *f = file_as_before(source);
	struct manifests_errors errors = {0};

	manifests_errors_add(&errors, source->path, 1, text);
	f->error = manifests_errors_take(&errors, source->path);
	return f;
}

/* --- parsing --- */

struct parsing {
	const struct manifests_source *source;
	struct arena *arena;
	struct buffer objects; /* of struct manifests_object */
	struct buffer secrets; /* of struct decode_secret *, with a reference each */
	struct manifests_errors errors, warnings;
};

static bool take_secret(struct parsing *p, struct json_object *object)
{
	struct decode_secret *secret =
		p->source->role == DECODE_HOST ? decode_secret(object) : NULL;

	if (secret)
		buffer_put(&p->secrets, &secret, sizeof(secret));
	return secret != NULL;
}

static void take_object(struct parsing *p, struct json_object *object, unsigned line,
                        unsigned depth)
{
	struct json_object *items = decode_list_items(object);
	size_t count = items ? json_object_array_length(items) : 0;
	struct manifests_object taken = {.line = line};
	struct reason why;
	enum err err;

	if (items && depth == LIST_DEPTH) {
		manifests_errors_add(&p->errors, p->source->path, line,
		                     "a List in a List, deeper than 4");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		unsigned item_line = yaml_line(item);

		take_object(p, item, item_line ? item_line : line, depth + 1);
	}
	if (items || take_secret(p, object))
		return;
	arena_reset(p->arena);
	err = decode_object(object, p->source->role, p->arena, &taken.fact, &why);
	if (err)
		manifests_errors_add(&p->errors, p->source->path, line, why.text);
	else if (why.text[0] != '\0')
		manifests_errors_add(&p->warnings, p->source->path, line, why.text);
	if (!err && taken.fact)
		buffer_put(&p->objects, &taken, sizeof(taken));
}

static void on_document(struct json_object *root, unsigned line, void *arg)
{
	take_object(arg, root, line, 0);
	json_object_put(root);
}

static struct manifests_file *parsed_file(struct parsing *p)
{
	struct manifests_object *objects = (void *)p->objects.data;
	size_t count = p->objects.len / sizeof(*objects);
	struct decode_secret **secrets = (void *)p->secrets.data;
	size_t secret_count = p->secrets.len / sizeof(*secrets);
	struct manifests_file *f;

	if (p->errors.count > 0) {
		for (size_t i = 0; i < count; i++)
			fact_unref(objects[i].fact);
		f = file_as_before(p->source);
		f->error = manifests_errors_take(&p->errors, p->source->path);
	} else {
		f = file_new(p->source, objects, count);
		f->was_good = true;
		f->warning = manifests_errors_take(&p->warnings, p->source->path);
		set_secrets(f, secrets, secret_count);
	}
	for (size_t i = 0; i < secret_count; i++)
		decode_secret_unref(secrets[i]);
	return f;
}

/* yaml_read() says "LINE: text". */
static void add_yaml_error(struct parsing *p, const char *why)
{
	char *end;
	unsigned long line = strtoul(why, &end, 10);

	manifests_errors_add(&p->errors, p->source->path, (unsigned)line, end + strspn(end, ": "));
}

struct manifests_file *manifests_file_parse(const struct manifests_source *source,
                                            struct bytes text)
{
	struct parsing p = {.source = source, .arena = arena_new()};
	struct reason why;
	struct manifests_file *f;

	if (yaml_read(text, on_document, &p, &why) != ERR_OK)
		add_yaml_error(&p, why.text);
	f = parsed_file(&p);
	arena_free(p.arena);
	buffer_fini(&p.objects);
	buffer_fini(&p.secrets);
	manifests_errors_fini(&p.errors);
	manifests_errors_fini(&p.warnings);
	return f;
}

/* --- reading --- */

/* All `size` bytes; false on an error (errno) or when the file has become shorter (errno 0). */
static bool read_all(int fd, uint8_t *to, size_t size)
{
	for (size_t have = 0; have < size;) {
		ssize_t n = read(fd, to + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n < 0 ? errno : 0;
			return false;
		}
		have += (size_t)n;
	}
	return true;
}

/* NULL with errno 0: it changed meanwhile. */
static struct manifests_file *read_open(const struct manifests_source *source, int fd, size_t size)
{
	uint8_t *data = xmalloc(size + 1);
	struct manifests_file *f = NULL;

	if (read_all(fd, data, size))
		f = manifests_file_parse(source, (struct bytes){data, size});
	else if (errno != 0)
		f = manifests_file_unreadable(source, strerror(errno));
	free(data);
	return f;
}

/* `kubectl get ... > FILE` leaves the file empty until kubectl has its answer. */
static bool was_emptied(const struct manifests_source *source, const struct manifests_stamp *stamp)
{
	return stamp->size == 0 && source->before && source->before->count > 0 &&
	       is_fresh(stamp, EMPTIED_MS);
}

static struct manifests_file *read_stamped(const struct manifests_source *source, int fd,
                                           const struct stat *st)
{
	struct manifests_stamp stamp = manifests_stamp_of(st), after;
	struct manifests_file *f;
	struct stat again;

	if (!S_ISREG(st->st_mode))
		f = manifests_file_unreadable(source, "not a regular file");
	else if (st->st_size > SIZE_MOST)
		f = manifests_file_unreadable(source, "larger than 64 MiB");
	else if (was_emptied(source, &stamp))
		f = file_as_before(source);
	else
		f = read_open(source, fd, (size_t)st->st_size);
	if (!f)
		return NULL;
	f->stamp = stamp;
	f->restless = was_emptied(source, &stamp) || is_fresh(&stamp, RACY_MS);
	if (fstat(fd, &again) == 0) {
		after = manifests_stamp_of(&again);
		if (manifests_stamp_equal(&stamp, &after))
			return f;
	}
	manifests_file_unref(f);
	return NULL;
}

struct manifests_file *manifests_file_read(const struct manifests_source *source, int dir_fd,
                                           const char *name)
{
	/* Not blocking: a FIFO would wait for its writer. */
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct manifests_file *f;
	struct stat st;

	if (fd < 0 && manifests_is_absent(errno))
		return NULL;
	if (fd < 0 || fstat(fd, &st) != 0)
		f = manifests_file_unreadable(source, strerror(errno));
	else
		f = read_stamped(source, fd, &st);
	if (fd >= 0)
		(void)close(fd);
	return f;
}
