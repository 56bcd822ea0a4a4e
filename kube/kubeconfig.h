/* kubeconfig.h -- kubectl's configuration file, and a pod's service account, to struct kube_access.
 *
 * Understood: contexts, clusters (server, certificate-authority[-data], insecure-skip-tls-verify,
 * tls-server-name, proxy-url, disable-compression), users (token, tokenFile, client-certificate[-data],
 * client-key[-data], username and password, exec, as).  What is there and not understood (auth-provider,
 * impersonated groups ...) is an error that names it: half a credential is none.  Relative paths are relative to
 * the file's folder.  Data wins over a file.  A name that a list has twice is an error, as to kubectl.  Errors name
 * line and field, and repeat no value of the file: a credential may stand in any place.  Reads files; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "kube/access.h"

enum { KUBECONFIG_MOST = 4 << 20 }; /* bytes of a file */

/* Reads FILE; `context` NULL: its current-context.  Nothing is in `out` on error; `why` is
 * "FILE: text" or "FILE:LINE: text".  Files that it names are read, too (kube_access_refresh); one that cannot be is
 * an error.  `out` is a zeroed struct; the caller ends it with kube_access_fini(). */
enum err kubeconfig_read(const char *file, const char *context, struct kube_access *out,
                         struct reason *why) MUST_CHECK;
/* The same of several files, separated by colons, which count as one, as to kubectl: of contexts, clusters and users
 * of one name, and of current-context, the first file's is taken.  `list` names one file at least. */
enum err kubeconfig_read_list(const char *list, const char *context, struct kube_access *out,
                              struct reason *why) MUST_CHECK;
/* The same from a text; `file` is its name and folder.  Reads none of the files that it names. */
enum err kubeconfig_parse(struct bytes text, const char *file, const char *context,
                          struct kube_access *out, struct reason *why) MUST_CHECK;
/* What a pod is given: KUBERNETES_SERVICE_HOST and _PORT, and the files of
 * /var/run/secrets/kubernetes.io/serviceaccount.  ERR_NOTFOUND outside of one. */
enum err kubeconfig_in_cluster(struct kube_access *out, struct reason *why) MUST_CHECK;
/* The same with the files of another folder, for tests. */
enum err kubeconfig_in_folder(const char *folder, struct kube_access *out,
                              struct reason *why) MUST_CHECK;
/* The files that kubectl would take, for kubeconfig_read_list(): those of KUBECONFIG's list that exist and are not
 * empty, or without a list ~/.kube/config.  The caller frees; NULL: none. */
char *kubeconfig_find(void);

#endif
