/* documents.h -- the objects of a file of manifests. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_DOCUMENTS_H
#define CTL_DOCUMENTS_H

#include "base/bytes.h"
#include "base/err.h"

struct json_object;

enum { DOCUMENTS_MOST = 64 << 20 }; /* bytes of a file */

/* Appends a file, or "-", standard input. */
enum err documents_load(const char *path, struct buffer *out, struct reason *why) MUST_CHECK;
/* Its objects, as a list that the caller puts; those of a `kind: List` one by one. */
enum err documents_read(const char *path, struct json_object **out, struct reason *why) MUST_CHECK;

#endif
