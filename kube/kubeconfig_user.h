/* kubeconfig_user.h -- one user of a kubeconfig. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_KUBECONFIG_USER_H
#define KUBE_KUBECONFIG_USER_H

#include "kube/access.h"
#include "kube/kubefields.h"

/* Adds the credentials to `out`; what is wrong is kept in the source of the fields. */
void kubeconfig_user_read(const struct kubefields *user, struct kube_access *out);

#endif
