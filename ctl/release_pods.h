/* release_pods.h -- guard release where nighd runs in pods: by an annotation of the zone's Domain.
 *
 * A pod releases a zone only to its own machine; all of them read nigh.dev/release-guard: ID of the Domain that makes
 * the zone.  Each replica counts its own ids, so each id that is in use is written in turn, until no pod holds the
 * zone; then the annotation is taken away, as a later hold may get the same id.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_RELEASE_PODS_H
#define CTL_RELEASE_PODS_H

struct command;
struct json_object;
struct pods;

/* COMMAND_FINE when no pod holds the zone any more, and then *root is {zone, released}; else it has told why not. */
int release_pods(const struct command *c, const char *zone, struct json_object **root);
/* The id of a hold of `zone` that one of the pods (which were asked for /status) tells of, or NULL; borrowed. */
const char *release_pods_find(const struct pods *p, const char *zone);

#endif
