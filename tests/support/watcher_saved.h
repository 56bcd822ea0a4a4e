/* watcher_saved.h -- a state directory to play with: looked into, copied, damaged. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WATCHER_SAVED_H
#define TESTS_SUPPORT_WATCHER_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "records/facts.h"
#include "watcher/saved.h"

/* A new directory under TMPDIR or /tmp; the caller removes and frees it. */
char *watcher_saved_dir(void);
void watcher_saved_remove_dir(char *dir);
/* A copy of the files of `dir`, as a kill leaves them. */
char *watcher_saved_copy_dir(const char *dir);

/* Whole files; NULL when there is none. */
uint8_t *watcher_saved_read(const char *dir, const char *name, size_t *len);
void watcher_saved_write(const char *dir, const char *name, const void *data, size_t len);
bool watcher_saved_has(const char *dir, const char *name);
/* The name of the newest journal ("" when there is none) into out[64]. */
char *watcher_saved_journal(const char *dir, char out[64]);

/* A DNSEndpoint in namespace "test" with one A record. */
const struct fact *watcher_saved_fact(const char *name, int64_t ttl, const char *address);
/* Its TTL, -1 when it is not there. */
int64_t watcher_saved_ttl(const struct facts *facts, const char *cluster, const char *name);

#endif
