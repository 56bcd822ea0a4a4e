/* lone_file.h -- one manifest file by itself, for --check: its objects, whosever they may be.
 *
 * Wiring.  Without its folder nobody knows whether it is the host's or a member's:
 * it is read as both, and each kind counts for the one that has it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_LONE_FILE_H
#define DNSD_LONE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "records/facts.h"
#include "watcher/probe_secrets.h"

/* Is something there, and no folder? */
bool lone_file_is_at(const char *path);
/* Puts the objects into facts, the Secrets of probes beside them, and tells of each where it stands; `fact` is borrowed.  A Domain that a record
 * refers to may stand in another file: one is made up.  Errors as lines "FILE:LINE: text". */
typedef void lone_file_on_object_fn(uint16_t cluster, const struct fact *fact, const char *path,
                                    unsigned line, void *arg);
void lone_file_put(const char *path, struct facts *facts, struct probe_secrets *secrets,
                   lone_file_on_object_fn *on_object, void *arg, struct text *errors);

#endif
