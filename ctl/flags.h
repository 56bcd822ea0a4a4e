/* flags.h -- flags of the commands of a federation, from one table; and which flags a command has a use for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_FLAGS_H
#define CTL_FLAGS_H

#include <stddef.h>

struct command;
struct option;

enum {
	OF_NIGHD = 1,
	OF_API = 2,
	OF_NAMESPACE = 4,
	OF_QUESTION = 8,
	OF_CLUSTER = 16,  /* --cluster */
	OF_SHIFT = 32,    /* --to, --curve, --undo */
	OF_OVER = 64,     /* --over, --start, --dry-run */
	OF_WAIT = 128,    /* --ttl-wait */
	OF_DRY_RUN = 256, /* --dry-run */
	OF_FILE = 512,    /* -f */
	OF_FEDERATE = 1024,
	OF_FORCE = 2048,
	OF_MEMBER = 4096, /* --cluster-kubeconfig, --cluster-context */
	OF_JOIN = 8192,
	OF_UNJOIN = 16384,
	OF_GET = 32768,
	OF_POLICY = 65536, /* --policy */
	OF_OBJECT = 131072 /* -n is the namespace of the object that is named */
};

enum { FLAGS_MOST = 24 };

/* Their getopt options, whose values begin with `first`; at most FLAGS_MOST. */
void flags_options(int first, struct option *out);
/* Number `row` of them was given. */
void flags_take(struct command *c, size_t row, const char *value);
/* What is wrong with one of them beside a command of these `flags`, up to its name; NULL: nothing. */
const char *flags_find_misuse(const struct command *c, unsigned flags);

#endif
