/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/pause.h"

uint64_t pause_doubled(uint64_t first_ms, uint64_t most_ms, unsigned times)
{
	uint64_t pause_ms = first_ms;

	for (unsigned i = 0; i < times && pause_ms < most_ms; i++)
		pause_ms *= 2;
	return pause_ms < most_ms ? pause_ms : most_ms;
}
