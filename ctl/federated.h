/* federated.h -- the federated form of an object, as kubefedctl federate made it, and of Federation v1's objects what
 * their annotations ask for besides.
 *
 * Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_FEDERATED_H
#define CTL_FEDERATED_H

#include "base/err.h"
#include "base/text.h"

struct json_object;

struct federated_settings {
	const char *group, *version; /* of federated kinds */
	const char *namespace;       /* KubeFed's, where Domains are */
	/* A Federation v1 of that name, whose zone has that name ("ufp", "example.com"): its Services of type LoadBalancer
	 * get the names that they had.  NULL: none. */
	const char *federation, *suffix;
};

/* Adds to `out` the federated object and, of a Federation v1's object, its ReplicaSchedulingPreference, or Domain and
 * ServiceDNSRecord.  `warnings`: what is lost, line by line.  ERR_PARSE, ERR_UNSUPPORTED: it cannot be said in a
 * federated object where it goes; nothing is added then. */
enum err federated_make(const struct federated_settings *settings, struct json_object *object,
                        struct json_object *out, struct text *warnings,
                        struct reason *why) MUST_CHECK;

#endif
