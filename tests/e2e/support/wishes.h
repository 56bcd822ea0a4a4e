/* wishes.h -- federated objects at random, as users of KubeFed might write them, good ones and bad ones. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_WISHES_H
#define TESTS_E2E_SUPPORT_WISHES_H

#include "base/text.h"
#include "tests/differential/dice.h"

enum { WISHES_KINDS = 6, WISHES_NAME = 32 };

/* Wish number i is of one kind and in one namespace, whenever it is made. */
struct wish {
	const char *federated, *plural; /* "FederatedDeployment", "deployments" in a member */
	const char *api;                /* "/apis/apps/v1", of a member */
	const char *namespace;          /* "everywhere", or "south", which is in gondor alone */
	char name[WISHES_NAME];
};
struct wish wish_number(unsigned i);
/* The object, in JSON; what `out` had is gone. */
void wish_make(const struct wish *w, struct dice *d, struct text *out);
/* What wishes need on the host: both namespaces, federated. */
extern const char wishes_namespaces[];

#endif
