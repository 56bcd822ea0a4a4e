/* probe_secrets.h -- the Secrets that policies' probes name: what is known of each, and what is wrong with it.
 *
 * Sources tell what there is: files of the host's folder, and its API server; where both have one, the file's
 * counts.  What was good once stays in use when it is gone or broken.  In memory alone: no state, no
 * log and no status has any of it.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PROBE_SECRETS_H
#define WATCHER_PROBE_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "records/policy.h"
#include "watcher/decode_secret.h"

struct probe_secrets;

/* Whoever may write policies can name as many as he likes, and each is a watch. */
enum { PROBE_SECRETS_MOST = 256 };

struct probe_secrets *probe_secrets_new(void);
void probe_secrets_free(struct probe_secrets *s); /* NULL is fine */

/* --- which are wanted --- */

/* From now on all are left that no call of probe_secrets_want() names before probe_secrets_end(): they are wiped. */
void probe_secrets_begin(struct probe_secrets *s);
/* Those that the check of a policy in that namespace names, if it is made at all. */
void probe_secrets_want(struct probe_secrets *s, struct bytes namespace,
                        const struct policy_check *check);
/* True: others are wanted than before.  Those beyond PROBE_SECRETS_MOST are not, whoever was first. */
bool probe_secrets_end(struct probe_secrets *s);
typedef void probe_secrets_on_name_fn(const char *namespace, const char *name, void *arg);
void probe_secrets_each(const struct probe_secrets *s, probe_secrets_on_name_fn *fn, void *arg);

/* --- what sources tell --- */

/* All that files have, in the order in which they count; takes a reference of each.  `is_whole`: what is not among them is in no
 * file. */
void probe_secrets_set_files(struct probe_secrets *s, struct decode_secret *const *list,
                             size_t count, bool is_whole);
/* Is there an API server to be asked?  When there is none any more, what it told is forgotten. */
void probe_secrets_set_server(struct probe_secrets *s, bool is_asked);
/* What the API server has (a reference is taken), or, NULL, why it gives none: "does not exist". */
void probe_secrets_put(struct probe_secrets *s, const char *namespace, const char *name,
                       struct decode_secret *is, const char *why);

/* --- what follows --- */

/* Looks at what was told since: what is good is in use from now on.  True: another word than before about any. */
bool probe_secrets_judge(struct probe_secrets *s);

/* Does any source have such a Secret now, good or not? */
bool probe_secrets_has(const struct probe_secrets *s, struct bytes namespace, struct bytes name);

enum probe_secrets_sight {
	PROBE_SECRETS_GOOD, /* or it names none, or is not made */
	PROBE_SECRETS_OLD,  /* something is wrong; what there was before is in use */
	PROBE_SECRETS_NONE  /* it cannot be made */
};
/* What there is for the check of a policy in that namespace; but for GOOD, `why`, for a person. */
enum probe_secrets_sight probe_secrets_look(const struct probe_secrets *s, struct bytes namespace,
                                            const struct policy_check *check, struct reason *why);

/* What is in use of one Secret; empty where it was never good. */
struct probe_secret {
	struct bytes ca, certificate, key;
	uint64_t version; /* another number when one of them is another; 0: there is nothing */
};
/* Borrowed until the next judge or end. */
struct probe_secret probe_secrets_find(const struct probe_secrets *s, struct bytes namespace,
                                       struct bytes name);

#endif
