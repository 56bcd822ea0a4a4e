/* watcher_authority.h -- a certificate authority of a test's own, and what it signs.
 *
 * Files in one folder: ca.crt, and NAME.crt with NAME.key for what it issues.  A fault ends the test.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WATCHER_AUTHORITY_H
#define TESTS_SUPPORT_WATCHER_AUTHORITY_H

struct authority;

struct authority *authority_new(const char *folder);
void authority_free(struct authority *a);
/* Its certificate as PEM. */
const char *authority_pem(const struct authority *a);
/* A server's certificate and key for that IP address: good from an hour ago until for_s from now (negative: it ended that
 * long ago).  What is there under that name is replaced, each file by a rename. */
void authority_issue(struct authority *a, const char *name, const char *address, long for_s);
/* The same for a DNS name, good at both ends of a connection. */
void authority_issue_named(struct authority *a, const char *name, const char *dns_name, long for_s);
/* A bare private key, FOLDER/NAME.key: signs the tokens of service accounts. */
void authority_key(struct authority *a, const char *name);

#endif
