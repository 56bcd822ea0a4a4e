/* wishes.h -- federated objects at random, as users of KubeFed might write them, good ones and bad ones. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_WISHES_H
#define TESTS_E2E_SUPPORT_WISHES_H

#include <stdbool.h>

#include "base/text.h"
#include "tests/differential/dice.h"

enum { WISHES_KINDS = 8, WISHES_NAME = 32, WISHES_PATH = 200 };

/* Wish number i is of one kind and in one namespace, whenever it is made. */
struct wish {
	const char *federated, *plural; /* "FederatedDeployment", "deployments" in a member */
	const char *api;                /* "/apis/apps/v1", of a member */
	const char *namespace; /* "everywhere"; "south", which moves; "" of what has none */
	char name[WISHES_NAME];
};
struct wish wish_number(unsigned i);
/* Where the federated objects of its kind are on the host, in its namespace; where its copies are in a member. */
void wish_list(const struct wish *w, char out[WISHES_PATH]);
void wish_copy(const struct wish *w, char out[WISHES_PATH]);
/* The object, in JSON; what `out` had is gone. */
void wish_make(const struct wish *w, struct dice *d, struct text *out);
/* Has it replicas?  May a preference plan them?  One that does, likewise. */
bool wish_has_replicas(const struct wish *w);
bool wish_is_planned(const struct wish *w);
void wish_prefer(const struct wish *w, struct dice *d, struct text *out);
/* A placement at random, in JSON. */
const char *wish_place(struct dice *d);
/* What wishes need on the host: both namespaces, federated. */
extern const char wishes_namespaces[];

#endif
