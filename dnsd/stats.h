/* stats.h -- what one worker has counted.
 *
 * Each worker writes its own, on its own cache lines, without locks: a counter has one
 * writer and any readers.  stats_merge() sums them for /metrics and /status.  All
 * tables are of fixed size, whatever strangers send.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_STATS_H
#define DNSD_STATS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/ranking.h"

enum stats_transport { STATS_UDP, STATS_TCP, STATS_TLS, STATS_TRANSPORTS };

/* Why an answer was what it was.  X(code, label) */
#define STATS_REASON_LIST(X)                                                                       \
	X(STATS_FIXED, "fixed")        /* the same for every client */                             \
	X(STATS_NEAREST, "nearest")    /* the nearest usable site */                               \
	X(STATS_ALL, "all")            /* the union of all usable sites */                         \
	X(STATS_FAIL_OPEN, "failOpen") /* no site was usable, answered as if all were */           \
	X(STATS_FALLBACK, "fallback")  /* no site was usable, sent to the next level */            \
	X(STATS_NODATA, "nodata")                                                                  \
	X(STATS_NXDOMAIN, "nxdomain")                                                              \
	X(STATS_REFERRAL, "referral")                                                              \
	X(STATS_OUTSIDE, "outside")       /* no zone of ours, or not served to anyone */           \
	X(STATS_PROHIBITED, "prohibited") /* a zone of ours, but not for this client */            \
	X(STATS_NOT_READY, "notReady")    /* sources not read yet */                               \
	X(STATS_ERROR, "error")           /* FORMERR, NOTIMP, BADVERS and the like */

enum stats_reason {
#define STATS_REASON_CODE(code, label) code,
	STATS_REASON_LIST(STATS_REASON_CODE)
#undef STATS_REASON_CODE
		STATS_REASONS
};

/* Events beside answers.  X(code, label, one-line meaning) */
#define STATS_EVENT_LIST(X)                                                                        \
	X(STATS_RECEIVED, "received", "messages received")                                         \
	X(STATS_SILENT, "silent",                                                                  \
	  "messages not answered: shorter than a header, or answers themselves")                   \
	X(STATS_UNSENT, "unsent",                                                                  \
	  "answers that the kernel did not take, or whose connection ended")                       \
	X(STATS_MALFORMED, "malformed", "queries answered FORMERR")                                \
	X(STATS_TRUNCATED, "truncated", "answers with TC set")                                     \
	X(STATS_EDNS, "edns", "queries with an OPT record")                                        \
	X(STATS_ECS, "ecs", "queries with a client subnet")                                        \
	X(STATS_PROXIED, "proxied", "messages over UDP behind a PROXY header")                     \
	X(STATS_PROXY_BROKEN, "proxyBroken",                                                       \
	  "messages over UDP dropped: from a listed proxy without a good PROXY header")            \
	X(STATS_COOKIE, "cookies", "queries with a DNS cookie")                                    \
	X(STATS_GOOD_COOKIE, "goodCookies", "queries with a server cookie of ours")                \
	X(STATS_TRANSFERS, "transfers", "transfers begun")                                         \
	X(STATS_TRANSFERS_REFUSED, "transfersRefused",                                             \
	  "queries for a transfer refused: of no zone of ours, or not for this client")            \
	X(STATS_SIGNED, "signed", "queries with a TSIG record")                                    \
	X(STATS_BAD_SIGNATURE, "badSignatures", "of them, those that are not believed")            \
	X(STATS_TSIG_BADKEY, "tsigBadKey", "of these, those of a key that is not in tsig")         \
	X(STATS_TSIG_BADSIG, "tsigBadSig", "of these, those that the secret does not confirm")     \
	X(STATS_TSIG_BADTIME, "tsigBadTime", "of these, those whose clock differs too much")       \
	X(STATS_TSIG_BADTRUNC, "tsigBadTrunc", "of these, those that are cut too short")           \
	X(STATS_BATCHES, "batches", "batches received over UDP")                                   \
	X(STATS_TCP_OPENED, "tcpOpened", "TCP connections accepted")                               \
	X(STATS_TCP_REFUSED, "tcpRefused", "TCP connections closed for want of room")              \
	X(STATS_TCP_EXPIRED, "tcpExpired",                                                         \
	  "TCP connections closed: silent for too long, or not reading")                           \
	X(STATS_TCP_WAITED, "tcpWaited", "times that a TCP connection stood in line for its turn") \
	X(STATS_TCP_OVERSIZE, "tcpOversize", "TCP connections closed: a query of more than 8 KiB") \
	X(STATS_TCP_PROXIED, "tcpProxied", "TCP connections behind a PROXY header")                \
	X(STATS_TCP_PROXY_BROKEN, "tcpProxyBroken",                                                \
	  "TCP connections closed: from a listed proxy without a good PROXY header")               \
	X(STATS_TLS_OPENED, "tlsOpened", "TLS handshakes done")                                    \
	X(STATS_TLS_RESUMED, "tlsResumed", "TLS handshakes that resumed a session")                \
	X(STATS_TLS_FAILED, "tlsFailed", "TLS connections that ended before the handshake was done")

enum stats_event {
#define STATS_EVENT_CODE(code, label, sentence) code,
	STATS_EVENT_LIST(STATS_EVENT_CODE)
#undef STATS_EVENT_CODE
		STATS_EVENTS
};

/* What answers are limited by, beside the network that they go to.  X(code, label) */
#define STATS_CLASS_LIST(X)                                                                        \
	X(STATS_CLASS_POSITIVE, "positive") /* of a name, or of the wildcard that covers it */     \
	X(STATS_CLASS_NXDOMAIN, "nxdomain") /* of a zone */                                        \
	X(STATS_CLASS_NODATA, "nodata")     /* of a name */                                        \
	X(STATS_CLASS_REFERRAL, "referral") /* of a delegation */                                  \
	X(STATS_CLASS_ERROR, "error")       /* REFUSED, SERVFAIL, FORMERR and the like */

enum stats_class {
#define STATS_CLASS_CODE(code, label) code,
	STATS_CLASS_LIST(STATS_CLASS_CODE)
#undef STATS_CLASS_CODE
		STATS_CLASSES
};

/* What became of answers over the limit.  X(code, label, one-line meaning) */
#define STATS_LIMIT_LIST(X)                                                                        \
	X(STATS_LIMIT_LIMITED, "limited",                                                          \
	  "Answers over the rate limit: slipped, dropped, or only logged")                         \
	X(STATS_LIMIT_SLIPPED, "slipped", "Answers over the rate limit sent empty, with TC set")   \
	X(STATS_LIMIT_DROPPED, "dropped", "Answers over the rate limit not sent")                  \
	X(STATS_LIMIT_EXEMPT, "exempt",                                                            \
	  "Answers over the rate limit sent, as the network is exempt")

enum stats_limit {
#define STATS_LIMIT_CODE(code, label, sentence) code,
	STATS_LIMIT_LIST(STATS_LIMIT_CODE)
#undef STATS_LIMIT_CODE
		STATS_LIMITS
};

/* What a query has of EDNS. */
enum stats_opt { STATS_NO_OPT, STATS_OPT, STATS_OPT_WITH_SUBNET, STATS_OPTS };

enum {
	STATS_RCODES = 24,  /* 0..22 as they are; 23: any other */
	STATS_ZONES = 1024, /* a power of two */
	/* Answers by all that is told of them at once. */
	STATS_KINDS = STATS_TRANSPORTS * STATS_OPTS * STATS_REASONS * STATS_RCODES
};

static inline size_t stats_kind(enum stats_transport transport, enum stats_opt opt,
                                enum stats_reason reason, unsigned rcode)
{
	enum { OTHER = STATS_RCODES - 1 };

	return (((size_t)transport * STATS_OPTS + opt) * STATS_REASONS + reason) * STATS_RCODES +
	       (rcode < OTHER ? rcode : OTHER);
}

struct stats {
	_Atomic uint64_t answers
		[STATS_KINDS]; /* so that each is counted once; summed up when they are read */
	_Atomic uint64_t events[STATS_EVENTS]; /* but for those that answers tell */
	_Atomic uint64_t limits[STATS_LIMITS][STATS_CLASSES];
	_Atomic uint64_t other_zones; /* answers from zones for which the table had no room */
	struct {
		_Atomic uint64_t key; /* 0: free */
		_Atomic uint64_t answers;
	} zones[STATS_ZONES];
	_Atomic uint64_t
		clusters[RANKING_MAX_CLUSTERS]; /* answers from each cluster's site, by id */
};

/* By the one writer only. */
static inline void stats_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
	                      memory_order_relaxed);
}
static inline uint64_t stats_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Zeroed, on cache lines of its own; free() gives it back. */
struct stats *stats_new(void);
/* Adds `from` (its writer may go on) to `into` (which nobody else touches). */
void stats_merge(struct stats *into, const struct stats *from);

/* An answer from the zone of this zone_key(). */
void stats_add_zone_slowly(struct stats *s, uint64_t zone_key);
static inline void stats_add_zone(struct stats *s, uint64_t zone_key)
{
	size_t at = zone_key % STATS_ZONES;

	if (stats_read(&s->zones[at].key) == zone_key)
		stats_add(&s->zones[at].answers, 1);
	else /* it is new, or another one stands in its place */
		stats_add_zone_slowly(s, zone_key);
}
uint64_t stats_zone(const struct stats *s, uint64_t zone_key);

/* All answers; those of a transport with an rcode (0..STATS_RCODES - 1); those of a reason. */
uint64_t stats_answers(const struct stats *s);
uint64_t stats_answers_coded(const struct stats *s, enum stats_transport transport, unsigned rcode);
uint64_t stats_answers_for(const struct stats *s, enum stats_reason reason);
uint64_t stats_events(const struct stats *s, enum stats_event event);

/* Labels are never NULL. */
const char *stats_transport_label(enum stats_transport transport);
const char *stats_reason_label(enum stats_reason reason);
const char *stats_event_label(enum stats_event event);
const char *stats_event_sentence(enum stats_event event);
const char *stats_class_label(enum stats_class class);
const char *stats_limit_label(enum stats_limit limit);
const char *stats_limit_sentence(enum stats_limit limit);
/* Of all classes. */
uint64_t stats_limits(const struct stats *s, enum stats_limit limit);

#endif
