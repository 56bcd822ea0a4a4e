/* lease_record.h -- who leads, as a Lease or a leader's annotation says it, and whether that leader still lives.
 *
 * Times of other machines are never compared with the local clock: a leader lives as long as its record goes on changing
 * before our eyes (as client-go has it).  Pure; now_ms is of clock_boottime_ms().
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_LEASE_RECORD_H
#define KUBE_LEASE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;

enum { KUBE_IDENTITY_MOST = 320 /* with its NUL */, KUBE_LEASE_MOST_MS = 3600000 };

struct kube_lease_record {
	char holder[KUBE_IDENTITY_MOST]; /* printable, cut to fit; "": nobody */
	uint64_t duration_ms;            /* 0..KUBE_LEASE_MOST_MS */
	uint64_t transitions;
	char acquired[64], renewed[64]; /* as they are written; not to be compared with a clock */
	char version[64];               /* the object's resourceVersion */
};

/* A coordination.k8s.io/v1 Lease; what is missing or of another type is empty. */
void kube_lease_record_read(struct json_object *lease, struct kube_lease_record *out);
/* The annotation control-plane.alpha.kubernetes.io/leader of a ConfigMap or Endpoints, as KubeFed's manager keeps it
 * (`kubefed-controller-manager`).  False: there is none, and `out` is empty. */
bool kube_lease_record_read_annotation(struct json_object *object, struct kube_lease_record *out);
/* A Lease without a spec; the caller puts it. */
struct json_object *kube_lease_object_new(const char *namespace, const char *name);
/* Sets holder (none: released), duration (in whole seconds, one at least), transitions and times in its spec; all else stays,
 * but for managedFields, which the server keeps itself. */
void kube_lease_record_write(struct json_object *lease, const struct kube_lease_record *r);

/* A record that is looked at again and again; zeroed: not yet. */
struct kube_lease_sight {
	struct kube_lease_record record;
	uint64_t changed_ms; /* when it was first seen as it is; 0: never seen */
};

/* It was seen now. */
void kube_lease_sight_see(struct kube_lease_sight *s, const struct kube_lease_record *r,
                          uint64_t now_ms);
/* Has it a holder whose time, its own or `at_least_ms` if that is longer, has not passed since it last changed? */
bool kube_lease_sight_lives(const struct kube_lease_sight *s, uint64_t at_least_ms,
                            uint64_t now_ms);

#endif
