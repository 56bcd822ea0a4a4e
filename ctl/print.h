/* print.h -- what nighctl shows: JSON, YAML, or tables for people.
 *
 * Texts come from a server and from API objects of strangers: in tables, control
 * characters become "?"; in JSON and YAML they are escaped.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct json_object;

enum print_format { PRINT_TABLE, PRINT_WIDE, PRINT_JSON, PRINT_YAML };

/* "table", "wide", "json", "yaml"; false: none of these. */
bool print_format_parse(const char *text, enum print_format *out);

/* Indented, with a newline at the end. */
void print_json(struct json_object *value, struct text *out);
/* Block style; texts that could be taken for something else are quoted. */
void print_yaml(struct json_object *value, struct text *out);

/* `s` with control characters as "?". */
void print_safe(const char *s, struct text *out);

/* Columns as wide as their widest cell.  Cells come row by row, one for each head. */
struct print_table;
struct print_table *print_table_new(const char *const *heads,
                                    size_t columns);      /* heads are borrowed */
void print_cell(struct print_table *t, const char *text); /* copied; "" shows as "-" */
/* Writes heads and rows (nothing when there are none) and frees. */
void print_table_end(struct print_table *t, struct text *out);

#endif
