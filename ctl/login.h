/* login.h -- which API server the person means, and how it lets them in. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_LOGIN_H
#define CTL_LOGIN_H

#include <stdbool.h>

#include "base/err.h"
#include "kube/access.h"

struct command;

/* Is an API server named anywhere: --kubeconfig, --context, kubectl's own file, or this is a pod? */
bool login_is_known(const struct command *c);
/* Reads the first of these into `out`, which is zeroed, and runs the kubeconfig's credential plugin where it has
 * one: it is the person's own file.  The caller ends it with kube_access_fini(); on an error nothing is in it. */
enum err login_read(const struct command *c, struct kube_access *out,
                    struct reason *why) MUST_CHECK;

#endif
