/* health.h -- is an object what it shall be: kstatus's rules for every kind, and a few more.
 *
 * The rules are those of sigs.k8s.io/cli-utils/pkg/kstatus; docs/object-health.md says where they are left: a Pod that
 * failed is Failed, a Service of type LoadBalancer and an Ingress wait for an address, a claim that is lost is Failed,
 * HorizontalPodAutoscaler and Namespace have rules.  What is read comes from strangers: fields of a wrong type count
 * as absent.  Pure, values only; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_HEALTH_H
#define PROPAGATOR_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* From good to bad: of several clusters the worst tells. */
enum health_state {
	HEALTH_CURRENT,
	HEALTH_IN_PROGRESS,
	HEALTH_TERMINATING,
	HEALTH_UNKNOWN,
	HEALTH_FAILED,
};

enum { HEALTH_REASON_SIZE = 64, HEALTH_MESSAGE_SIZE = 256 };

struct health {
	enum health_state state;
	char reason
		[HEALTH_REASON_SIZE]; /* a word as conditions have ("LessReady"); "" when Current */
	char message
		[HEALTH_MESSAGE_SIZE]; /* one line for people, cut to fit, without control characters */
};

/* "Current", "InProgress", "Terminating", "Unknown", "Failed". */
const char *health_state_text(enum health_state state);

/* Of an object as its API server gave it, with apiVersion and kind, at now_s, Unix seconds.  NULL: it is not there,
 * which is InProgress; what is no object is Unknown. */
struct health health_of(struct json_object *object, int64_t now_s);

/* Of an object that cannot be asked: its cluster is not reachable. */
struct health health_unknown(const char *why);

/* So many of its pods are looked at. */
enum { HEALTH_PODS_MOST = 100 };

/* Puts what its pods and its Events (`items` of lists; NULL: none) tell, at now_s, in the place of "LessReady" and the like:
 * ImageCannotBePulled, NoNodeFits, QuotaExceeded, ContainerCrashLooping, ....  The state stays; what is Current,
 * Terminating or Unknown stays whole; of a Failed one the message is added to. */
void health_why(struct health *h, struct json_object *pods, struct json_object *events,
                int64_t now_s);
/* How long after so many questions why (1: the first) to wait before the next, while it fares the same. */
uint64_t health_pause_ms(unsigned asked);
/* Are there fewer pods than it asks for, and nothing said why?  Then its Events may. */
bool health_lacks_pods(const struct health *h);

/* The roll-up over clusters; zeroed: none. */
struct health_roll {
	size_t count[HEALTH_FAILED + 1];
	char cluster[254]; /* the first by name of those with the worst state */
	struct health worst;
};

/* The order of adding does not matter. */
void health_roll_add(struct health_roll *r, const char *cluster, const struct health *h);
/* The worst state; its reason; "is Current in 2 of 3 clusters; gondor InProgress: Ready: 1/4".  Without clusters: Current. */
struct health health_roll_up(const struct health_roll *r);

#endif
