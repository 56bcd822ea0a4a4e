/* fuzz_grpc.c -- any bytes as the answer of a gRPC health check. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "watcher/probe_grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t request[PROBE_GRPC_REQUEST_MOST];
	const char *said = NULL;
	bool serving = probe_grpc_is_serving((struct bytes){data, size}, &said);

	CHECK(said != NULL && serving == bytes_equal_text(bytes_of(said), "SERVING"));
	CHECK(probe_grpc_encode((struct bytes){data, size}, request) <= sizeof(request));
	return 0;
}
