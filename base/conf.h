/* conf.h -- settings from one table: parser, checks, printing and manual.
 *
 * A program declares its settings as rows.  A path names the place in the YAML
 * tree ("probe.interval", "listen.dns"); the rows give type, default, bounds,
 * whether SIGHUP may change it, and one sentence.  Unknown and doubled keys are
 * errors; all errors of a file are reported, each as "FILE:LINE: text".
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct json_object;

enum conf_type {
	CONF_STRING,   /* char * (owned), NULL when absent and no default */
	CONF_BOOL,     /* bool */
	CONF_U64,      /* uint64_t, min..max */
	CONF_DURATION, /* uint64_t milliseconds, min..max */
	CONF_ENUM,     /* int: index into words ("a|b|c") */
	CONF_STRINGS,  /* struct conf_strings (owned) */
	CONF_NETWORKS, /* struct conf_strings, each checked as a network */
	CONF_PATH,     /* char *: as CONF_STRING, made relative to the file's folder */
	CONF_PATHS,    /* struct conf_strings of such */
	CONF_CUSTOM    /* parsed by the row's own function */
};

struct conf_strings {
	char **item;
	size_t count;
};

/* The same texts in the same order? */
bool conf_strings_equal(const struct conf_strings *a, const struct conf_strings *b);
void conf_strings_fini(struct conf_strings *strings);

struct conf_file; /* where one parse stands: file name, errors so far */

/* For CONF_CUSTOM: reads `value` into `out` (the settings struct's field).
 * Complains with conf_complain(). */
typedef void conf_custom_fn(struct conf_file *file, struct json_object *value, void *out);

struct conf_row {
	const char *path; /* "probe.interval" */
	enum conf_type type;
	size_t offset;      /* of the field in the settings struct */
	const char *preset; /* the default as YAML text; NULL: none (zero, NULL, empty) */
	uint64_t min, max;  /* CONF_U64, CONF_DURATION; 0,0: no bounds */
	const char *words;  /* CONF_ENUM: "nearest|all" */
	conf_custom_fn *custom;
	void (*print)(const void *field, struct text *out); /* CONF_CUSTOM: as flow YAML; without
						 * it conf_print() and conf_changed() pass over the row */
	bool reloadable;
	const char *sentence; /* for the manual page */
	size_t line_offset;   /* of an unsigned that gets the value's line; 0: none */
};

/* Fills `settings` from the rows' defaults alone. */
void conf_defaults(const struct conf_row *rows, size_t count, void *settings);

/* Reads FILE over what is in `settings` (defaults first).  Every error is
 * appended to `errors` as one line "FILE:LINE: text", or "FILE: text" where the
 * file cannot be read.  ERR_OK only without errors. */
enum err conf_read(const struct conf_row *rows, size_t count, const char *file, void *settings,
                   struct text *errors) MUST_CHECK;
/* The same from a text in memory; `file` is only its name and folder. */
enum err conf_read_text(const struct conf_row *rows, size_t count, const char *file,
                        struct bytes yaml, void *settings, struct text *errors) MUST_CHECK;

/* One error at `value`'s line (NULL: line 1); the parse goes on and fails in the end. */
void conf_complain(struct conf_file *file, struct json_object *value, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* `path` relative to the config file's folder; the caller frees. */
char *conf_relative(const struct conf_file *file, const char *path);

/* The settings as YAML that conf_read() reads back to the same (relative paths as
 * absolute ones, so that the text may lie in any folder). */
void conf_print(const struct conf_row *rows, size_t count, const void *settings, struct text *out);
/* A path of a CONF_CUSTOM row as that prints paths: from the root, in quotation marks. */
void conf_print_path(const char *path, struct text *out);
/* Paths (lines, joined by ", ") whose values differ and which are not reloadable; empty: none. */
void conf_changed(const struct conf_row *rows, size_t count, const void *before, const void *after,
                  struct text *out);
/* Frees owned fields, leaves zeros; custom rows are the caller's. */
void conf_fini(const struct conf_row *rows, size_t count, void *settings);
/* The rows as an mdoc(7) list for the manual page. */
void conf_manual(const struct conf_row *rows, size_t count, struct text *out);

#endif
