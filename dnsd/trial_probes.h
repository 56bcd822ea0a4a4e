/* trial_probes.h -- for --check: what is wrong with a policy's probe, before it is made.
 *
 * Wiring, part of trial: files of probe.files, imports of the config, Secrets of the same manifests.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TRIAL_PROBES_H
#define DNSD_TRIAL_PROBES_H

#include <stdbool.h>

#include "dnsd/config.h"
#include "records/build.h"
#include "watcher/probe_secrets.h"

/* What is known besides the policy. */
struct trial_probes {
	const struct config *config;         /* without a file nothing is known of its `probe` */
	const struct probe_secrets *secrets; /* of the manifests, judged */
	bool are_all;                        /* a Secret that is not among them is nowhere */
};

typedef void trial_probes_on_fault_fn(bool is_warning, const char *text, void *arg);
/* Each fault begins with its field: "spec.probe.https.caFile: ca.pem: No such file or directory". */
void trial_probes_each(const struct trial_probes *t, const struct records_policy *policy,
                       trial_probes_on_fault_fn *on_fault, void *arg);

#endif
