/* propagator_kubeconfig.h -- a scripted API server in a kubeconfig, for what reads one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_PROPAGATOR_KUBECONFIG_H
#define TESTS_SUPPORT_PROPAGATOR_KUBECONFIG_H

#include "tests/support/fakeapi.h"

/* Writes one to a new file, which the caller unlinks, and its path to `path`. */
void propagator_kubeconfig(const struct fakeapi *f, char *path, size_t room);

#endif
