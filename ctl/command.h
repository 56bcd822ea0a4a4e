/* command.h -- what the person asked for, and the functions that do it.
 *
 * Made by main.c from argv; borrowed by the commands.  Each command prints and
 * returns the exit status: 0 fine, 1 failed, 2 wrong use.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ctl/print.h"

struct json_object;

enum { COMMAND_FINE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };
/* Of plan and diff, whose wrong use is 1: something would change.  The process ends with COMMAND_CHANGES_STATUS. */
enum { COMMAND_CHANGES = 3, COMMAND_CHANGES_STATUS = 2 };

struct command {
	const char *program; /* "nighctl" or "kubectl nigh" */
	enum print_format format;
	const char *server;                   /* URL */
	bool is_usual_server;                 /* nobody has said which */
	const char *kubeconfig, *context;     /* NULL: not given */
	const char *namespace;                /* KubeFed's */
	const char *object_namespace;         /* of the object that is named; NULL: not given */
	const char *pods_namespace;           /* where nighd runs; NULL: not given */
	const char *type, *client, *resolver; /* of explain; NULL: not given */
	const char *cluster, *to, *over, *curve, *ttl_wait, *start; /* of moves; NULL: not given */
	const char *policy; /* of failback; NULL: not given */
	bool undo, dry_run;
	/* Of the federation (ctl/flags.c); NULL: not given. */
	const char *file; /* "-": standard input */
	const char *federated_group, *federated_version, *federation;
	const char *member_kubeconfig, *member_context, *host_name, *secret_name, *token_for;
	bool delete_crd, contents, enable_types, by_cluster, rotate, compatible, keep, orphan,
		remove, force;
	char *const *args; /* behind the command's word */
	size_t arg_count;
};

/* GETs `path` (with arguments) from the server, shows it in c->format; `print` makes tables. */
typedef void command_print_fn(struct json_object *root, bool wide, struct text *out);
int command_show(const struct command *c, const char *path, command_print_fn *print);
/* Is it to be text for people (PRINT_TABLE, PRINT_WIDE), not data? */
bool command_is_table(const struct command *c);
/* Appends the JSON in c->format, which is PRINT_JSON or PRINT_YAML. */
void command_add(const struct command *c, struct json_object *root, struct text *out);
/* Shows the JSON in c->format, or `text`, to people. */
void command_tell(const struct command *c, struct json_object *root, const char *text);
/* GET; *root belongs to the caller. */
int command_get(const struct command *c, const char *path, struct json_object **root);
/* The same, and what goes wrong is not told: *root is NULL then. */
enum err command_ask(const struct command *c, const char *path, struct json_object **root,
                     struct reason *why) MUST_CHECK;
/* The same, for whom it does not matter why: NULL. */
struct json_object *command_try(const struct command *c, const char *path);
/* POST; *root belongs to the caller. */
int command_post(const struct command *c, const char *path, struct json_object **root);
/* A duration of the command line ("30m") in whole seconds, at most a year; false: told, with the flag's name. */
bool command_seconds(const struct command *c, const char *flag, const char *text, int64_t *out);
/* --start, which is given: RFC 3339, or "+30m" from `now` on; in Unix seconds, not before `now`.  False: told. */
bool command_start(const struct command *c, int64_t now, int64_t *out);
/* "PROGRAM: text" to standard error; returns COMMAND_FAILED. */
int command_fail(const struct command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

int overview_run(const struct command *c); /* status */
int story_run(const struct command *c);    /* explain NAME */
int verify_run(const struct command *c);   /* check PATH... */
int release_run(const struct command *c);  /* guard release ZONE */
int zone_run(const struct command *c);     /* zone status|export ZONE, zone reload|notify [ZONE] */
int failback_run(const struct command *c); /* failback */
int shift_run(const struct command *c);    /* shift */
int drain_run(const struct command *c);    /* drain CLUSTER */
int drain_undo_run(const struct command *c); /* undrain CLUSTER */
int plan_run(const struct command *c);       /* plan -f FILE */
int diff_run(const struct command *c);       /* diff TYPE NAME */
int get_run(const struct command *c);        /* get TYPE NAME */
int completion_run(const struct command *c); /* completion SHELL */
/* What kubectl asks its plugin's helper: words that could stand for the last of these, then a directive. */
int completion_answer(size_t count, char *const *words);
int federate_run(const struct command *c); /* federate ... */
int join_run(const struct command *c);     /* join CLUSTER */
int unjoin_run(const struct command *c);   /* unjoin CLUSTER */
int forget_run(const struct command *c);   /* forget CLUSTER */

#endif
