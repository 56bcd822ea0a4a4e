/* probe_check.h -- a way to probe, as a copy that outlives the policy it is from; one for all targets with it.
 *
 * For probe*.c, on the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PROBE_CHECK_H
#define WATCHER_PROBE_CHECK_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "records/policy.h"
#include "watcher/probe_file.h"
#include "watcher/probe_secrets.h"

struct probe_check {
	struct arena *arena; /* holds all of it, this too */
	struct policy_check is;
	struct bytes key;
	struct bytes namespace;                      /* of the Secrets that it names */
	struct probe_file ca, certificate, key_file; /* what `is` names, files or keys of Secrets */
	uint64_t ca_version, client_version;         /* of the Secrets that are in these */
	unsigned users;
};

/* With one user. */
struct probe_check *probe_check_new(const struct policy_check *is, struct bytes key,
                                    struct bytes namespace);
void probe_check_unref(struct probe_check *c); /* NULL is fine */
/* Is more asked than a connection? */
bool probe_check_has_exchange(const struct probe_check *c); /* NULL: no */
/* Is it not asked at all, as others say it? */
bool probe_check_is_import(const struct probe_check *c); /* NULL: no */
/* Makes sure that the files and Secrets which it names are there, as they are now: files of `dir` ("": there is none).
 * Without it nothing can be asked. */
enum err probe_check_look(struct probe_check *c, const char *dir,
                          const struct probe_secrets *secrets, uint64_t now_ms,
                          struct reason *why) MUST_CHECK;

#endif
