/* kubefed.h -- KubeFed itself on a federation's host: its kinds, its kubefedctl, its manager.
 *
 * The program is hyperfed of $KUBEBUILDER_ASSETS (tests/e2e/build-servers hyperfed), with what its chart installs beside it.
 * A fault ends the test.  One thread at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_KUBEFED_H
#define TESTS_E2E_SUPPORT_KUBEFED_H

#include <sys/types.h>

#include "tests/e2e/support/federation.h"

struct kubefed {
	struct federation *f;
	pid_t manager, webhook; /* 0: it does not run */
	char contexts
		[200]; /* a kubeconfig: "host", which is the current one, and the members by their names */
};

/* A host as KubeFed's chart leaves it, with delays of a second, and members that kubefedctl has joined.  The federation is
 * freed by kubefed_free(). */
void kubefed_init(struct kubefed *k, unsigned members);
/* The same, and no member is joined. */
void kubefed_init_alone(struct kubefed *k, unsigned members);
void kubefed_free(struct kubefed *k);

/* Its controller manager, which tries to lead at once. */
void kubefed_start(struct kubefed *k);
void kubefed_stop(struct kubefed *k); /* SIGTERM, and gone */
/* What its chart installs besides its kinds, as Helm renders it, with the webhook registered, and the webhook itself, at the address
 * of its Service, which becomes one of this machine: only where kubefed_be_alone() was called first. */
void kubefed_install(struct kubefed *k);
/* The process, as a kubelet would begin it, whose Deployment says so then; and end it. */
void kubefed_start_webhook(struct kubefed *k);
void kubefed_stop_webhook(struct kubefed *k);
/* A network of its own for this process and all that it starts, with every port free.  Before there is any thread. */
void kubefed_be_alone(void);

/* To the standard error, the end of its words. */
void kubefed_show_log(struct kubefed *k);

#endif
