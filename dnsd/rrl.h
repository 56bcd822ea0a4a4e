/* rrl.h -- response rate limiting: nobody's network gets more of one kind of answer than is good for it.
 *
 * Over UDP a source address proves nothing, so answers are counted by the network that they go to (IPv4 /24,
 * IPv6 /56) and by what they say.  Two looks: a small table of each worker's own, without tags, tells who is far
 * below the limit, and that is nearly everybody; only the others are looked up, under a keyed hash, in one table
 * of all workers.  Both are of fixed size; old entries give way, and who loses one
 * gets a new allowance.  No lock: workers that meet at an entry may lose a count, never more.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_RRL_H
#define DNSD_RRL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/conf.h"
#include "dnsd/answer.h"
#include "dnsd/stats.h"

enum rrl_mode { RRL_OFF, RRL_LOG_ONLY, RRL_ON }; /* the words of rateLimit.mode, in order */

enum {
	RRL_MOST_PER_SECOND = 1000000,
	RRL_MOST_SLIP = 100,
	RRL_NOTICES = 64 /* networks that a minute's log has room for */
};

struct rrl_settings {
	enum rrl_mode mode;
	uint32_t per_second; /* answers of a class to a network; 1..RRL_MOST_PER_SECOND */
	uint32_t slip;       /* each so many-th over the limit is told to come over TCP; 0: none */
	const struct conf_strings *exempt; /* networks, checked */
};

enum rrl_verdict { RRL_ANSWER, RRL_SLIP /* an empty answer with TC */, RRL_DROP };

struct rrl_table; /* of all workers */
struct rrl_rules; /* settings as a worker reads them, frozen */
struct rrl;       /* of one worker */

/* 1.5 MB, hashed with a new random key.  Outlives all that is made with it. */
struct rrl_table *rrl_table_new(void);
void rrl_table_free(struct rrl_table *t);
/* The network of one that went over the limit and was not told yet; false: there is none.  At most RRL_NOTICES
 * in a minute, each once.  One thread besides the workers. */
bool rrl_table_notice(struct rrl_table *t, struct addr_network *out);

/* `workers`: how many share the limit. */
struct rrl_rules *rrl_rules_new(const struct rrl_settings *settings, unsigned workers);
void rrl_rules_free(struct rrl_rules *r);

/* A worker's own part, 300 KB; counts in `stats`.  Nothing is limited before rrl_set_rules(). */
struct rrl *rrl_new(struct rrl_table *table, struct stats *stats);
void rrl_free(struct rrl *r); /* NULL is fine */
/* By the worker, between queries; takes the rules and frees those before. */
void rrl_set_rules(struct rrl *r, struct rrl_rules *take_rules);
/* Is it in a network of `exempt`, whatever the mode?  NULL, or no rules yet: no. */
bool rrl_exempts(const struct rrl *r, const struct addr *client);
/* The time that counts for what follows; once for each batch. */
void rrl_set_now(struct rrl *r, uint64_t now_ms);

/* What is to become of an answer over UDP to that client; counts it.  `proven`: that the address is the client's
 * own is certain (a valid server cookie): never limited. */
enum rrl_verdict rrl_judge(struct rrl *r, const struct addr *client, const struct answer *a,
                           bool proven);

#endif
