/* kubefields.h -- typed reading of a kubeconfig's mappings; the first thing wrong is kept.
 *
 * Every reader gives NULL, false or nothing when the field is absent, null or empty, and once something was
 * wrong; so a caller reads everything and asks `err` in the end.  What is said names line and field, and never
 * repeats a value: any of them may be a credential in the wrong place.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_KUBEFIELDS_H
#define KUBE_KUBEFIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"
#include "kube/access.h"

struct json_object;

/* What is being read: a kubeconfig, or several that count as one. */
struct kubefields_source {
	struct reason *why; /* "FILE:LINE: field: text" when err */
	enum err err;
};

/* One mapping of it; zeroed but for `in` and `file`: one that is absent. */
struct kubefields {
	struct kubefields_source *in;
	const char *file;        /* in which it is */
	struct json_object *map; /* NULL: absent */
	char name[96];           /* "users[2].user"; "" for the root */
};

/* Keeps an error (if it is the first) at a field, which may be absent.  For use as
 * `kubefields_fail(f, "server", ERR_PARSE, "no %s", what)`. */
void kubefields_fail(const struct kubefields *f, const char *key, enum err err, const char *fmt,
                     ...) PRINTF_LIKE(4, 5);
/* Is there something: not null, not "", not [] nor {}, not false? */
bool kubefields_has(const struct kubefields *f, const char *key);

/* Text without control characters; borrowed from the tree, NULL: none. */
const char *kubefields_text(const struct kubefields *f, const char *key);
/* Any text without a NUL; `limit` bytes at most. */
struct bytes kubefields_raw(const struct kubefields *f, const char *key, size_t limit);
bool kubefields_bool(const struct kubefields *f, const char *key);
/* A file's name, relative to the kubeconfig's folder, made whole; the caller frees. */
char *kubefields_path(const struct kubefields *f, const char *key);
/* PEM in base64. */
void kubefields_pem(const struct kubefields *f, const char *key, struct kube_secret *out);

/* A mapping within; absent: `out->map` is NULL. */
void kubefields_child(const struct kubefields *f, const char *key, struct kubefields *out);
/* How many items a list has, at most `limit` (more is an error); and the mapping at one of them. */
size_t kubefields_count(const struct kubefields *f, const char *key, size_t limit);
void kubefields_item(const struct kubefields *f, const char *key, size_t i, struct kubefields *out);
/* A list of texts (any without a NUL); the caller frees them and it. */
char **kubefields_list(const struct kubefields *f, const char *key, size_t limit, size_t *count);

#endif
