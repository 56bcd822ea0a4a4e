/* yaml.h -- YAML 1.1 (and JSON) text into json-c values, with the line of each.
 *
 * The only file that knows libyaml.  Plain scalars follow the rules that
 * Kubernetes users rely on (YAML 1.2 core schema: true false null numbers;
 * "yes" and "on" stay text); quoted scalars are text.  Anchors and aliases are expanded up to
 * YAML_ALIAS_LIMIT bytes a document, nesting goes to YAML_DEPTH_LIMIT; doubled
 * keys of one mapping are errors.  Any thread; no state between calls.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"

struct json_object;

enum { YAML_ALIAS_LIMIT = 1 << 20, YAML_DEPTH_LIMIT = 64 };

/* One document.  `root` belongs to the caller (json_object_put). `line` counts from 1. */
typedef void yaml_on_document_fn(struct json_object *root, unsigned line, void *arg);

/* Reads all documents of a stream, in order; empty documents are left out.
 * ERR_PARSE: `why` is "LINE: text"; documents before the bad one have been given. */
enum err yaml_read(struct bytes text, yaml_on_document_fn *on_document, void *arg,
                   struct reason *why) MUST_CHECK;

/* The line (from 1) on which a value of a document begins; 0 when unknown.  It is
 * kept as the value's userdata: json_object_deep_copy() will not copy such values,
 * and json_object_set_userdata() loses the line. */
unsigned yaml_line(struct json_object *value);

/* The line of a key of `mapping`, also where its value is null; 0 when unknown. */
unsigned yaml_key_line(struct json_object *mapping, const char *key);

#endif
