/* probe_grpc.h -- the messages of grpc.health.v1.Health/Check, and what an answer means.
 *
 * A message is a byte (compressed or not), four of length, and a protobuf with one field: in the
 * request the service's name (1: string), in the answer its state (1: enum).  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PROBE_GRPC_H
#define WATCHER_PROBE_GRPC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum { PROBE_GRPC_SERVICE_MOST = 256, PROBE_GRPC_REQUEST_MOST = PROBE_GRPC_SERVICE_MOST + 8 };

#define PROBE_GRPC_PATH "/grpc.health.v1.Health/Check"

/* The request's body; its length.  A longer name is cut. */
size_t probe_grpc_encode(struct bytes service, uint8_t out[PROBE_GRPC_REQUEST_MOST]);
/* Does the whole body of an answer say SERVING?  `said`: the state's name, or what is wrong with the body. */
bool probe_grpc_is_serving(struct bytes body, const char **said);

#endif
