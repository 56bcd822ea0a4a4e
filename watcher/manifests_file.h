/* manifests_file.h -- one manifest file as it was read: its objects as facts.
 *
 * Made in the thread pool, shared by reference between the trees that hold it.
 * A file is good as a whole or not at all: one bad object, and it keeps the
 * objects that it had when it was last good.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_FILE_H
#define WATCHER_MANIFESTS_FILE_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "watcher/decode.h"
#include "watcher/decode_secret.h"

/* What tells whether a file or directory is what it was. */
struct manifests_stamp {
	int error; /* errno that stat(2) gave; the rest is 0 then */
	uint64_t dev, ino;
	int64_t size, mtime_ns, ctime_ns;
	int64_t born_ns; /* of the tops of a DIR alone, else 0; never compared here */
};

/* Does this errno say that nothing is there? */
static inline bool manifests_is_absent(int error) { return error == ENOENT || error == ENOTDIR; }
struct manifests_stamp manifests_stamp_of(const struct stat *st);
bool manifests_stamp_equal(const struct manifests_stamp *a, const struct manifests_stamp *b);

struct manifests_object {
	const struct fact *fact;
	uint32_t line;  /* on which it begins */
	uint32_t index; /* of this object in its file */
};

struct manifests_file {
	atomic_uint refs;
	uint16_t dir; /* which DIR of the configuration; order counts */
	char *path;   /* as shown to people: DIR/... */
	struct manifests_stamp stamp;
	bool restless;    /* may change without its stamp changing: read it again */
	bool was_good;    /* has been read whole; now or before */
	char *error;      /* lines (manifests_errors.h) why the objects are old ones; or NULL */
	char *warning;    /* the same, of objects that were taken; or NULL */
	bool in_conflict; /* the applying thread's mark (manifests_claims.h) */
	struct decode_secret **
		secrets; /* of the host, as they stand; what is wrong in one is no error of the file */
	size_t secret_count;
	size_t count;
	struct manifests_object objects[];
};

/* Where a file is, and what it was before. */
struct manifests_source {
	const char *path; /* shown in errors */
	uint16_t dir;
	enum decode_role role;
	struct manifests_file *before; /* NULL: none */
};

/* Reads `name` below an open directory.  NULL: it vanished or changed while it was read: look again. */
struct manifests_file *manifests_file_read(const struct manifests_source *source, int dir_fd,
                                           const char *name);
/* The same from bytes at hand; the stamp is zero. */
struct manifests_file *manifests_file_parse(const struct manifests_source *source,
                                            struct bytes text);
/* Cannot be read: the objects of before and the error "PATH:1: text". */
struct manifests_file *manifests_file_unreadable(const struct manifests_source *source,
                                                 const char *text);

struct manifests_file *manifests_file_ref(struct manifests_file *file);
void manifests_file_unref(struct manifests_file *file); /* NULL is fine */
/* The file that an object of its objects[] is in. */
const struct manifests_file *manifests_file_of(const struct manifests_object *object);

#endif
