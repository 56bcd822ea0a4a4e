/* probe_pem.h -- is it what a probe can use: authorities, a client's certificate, its key?
 *
 * Looked at before it is used, so that what is wrong shows in words, and an encrypted key has nobody ask a
 * terminal.  Pure; any thread.  What is said never has a part of what was looked at.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PROBE_PEM_H
#define WATCHER_PROBE_PEM_H

#include "base/bytes.h"
#include "base/err.h"

/* Certificates in PEM, one at least; `name` is theirs in `why`: "ca.crt is no certificate in PEM". */
enum err probe_pem_check_certificates(struct bytes pem, const char *name,
                                      struct reason *why) MUST_CHECK;
/* A private key in PEM, not encrypted, and of the first of these (good) certificates. */
enum err probe_pem_check_key(struct bytes pem, const char *name, struct bytes certificates,
                             const char *certificates_name, struct reason *why) MUST_CHECK;

#endif
