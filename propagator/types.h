/* types.h -- the FederatedTypeConfigs of the host, each enabled one with its controller.
 *
 * A type of namespaced objects runs when the type `namespaces` is configured.  A config that is wrong leaves
 * the last good one running, and says so in the log and in /status.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_TYPES_H
#define PROPAGATOR_TYPES_H

#include "propagator/controller.h"

struct types;

/* `around` is copied; its namespace_placement is set here. */
struct types *types_start(const struct controller_around *around);
void types_stop(struct types *t);

/* What members tell (members.h), for all controllers. */
void types_on_client(struct types *t, struct member *m);
void types_on_no_client(struct types *t, struct member *m);
/* The settings are others now. */
void types_on_settings(struct types *t);
/* A member came, went or changed, or something else that concerns all objects did. */
void types_on_all(struct types *t);

/* Are all FederatedTypeConfigs known? */
bool types_are_listed(const struct types *t);
/* The controller of the type of that name; NULL: it does not run. */
struct controller *types_find(const struct types *t, const char *name);

struct types_note {
	const char *name;
	bool runs;
	const char *why; /* it does not, or its config is wrong; "": nothing */
	struct controller_counts counts;
};
typedef void types_on_note_fn(const struct types_note *note, void *arg);
void types_each(const struct types *t, types_on_note_fn *on_note, void *arg);

#endif
