/* replicas.h -- what several pods of nighd say to one question, side by side, and in what they differ; and beside them
 * those of nigh-propagator. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_REPLICAS_H
#define CTL_REPLICAS_H

#include <stdbool.h>

#include "base/text.h"
#include "ctl/command.h"
#include "ctl/pods.h"

/* One line for each thing that not all of the pods say alike; `lines` is a JSON array.  Ages and counters are no such
 * thing. */
void replicas_compare_status(const struct pods *p, struct json_object *lines);
void replicas_compare_story(const struct pods *p, struct json_object *lines);

struct replicas_view {
	const char *word; /* the key of an answer in JSON: "status", "explain" */
	command_print_fn *print;
	void (*compare)(const struct pods *p, struct json_object *lines);
	bool only_ready; /* others are not asked */
	bool once;       /* shown once when all say the same */
	bool of_both;    /* pods of nigh-propagator are asked the same */
};
extern const struct replicas_view replicas_status, replicas_story;

/* Tables: each answer below its pod's name, then the differences.  Who says nothing is not in it. */
void replicas_print(const struct pods *p, const struct replicas_view *view, bool wide,
                    struct text *out);

/* Did the person ask for pods (--kubeconfig, --context)? */
bool replicas_are_meant(const struct command *c);
/* Finds the pods, asks them all, shows; a pod that does not answer makes it COMMAND_FAILED, and so does that there is
 * none. */
int replicas_show(const struct command *c, const char *path, const struct replicas_view *view);

#endif
