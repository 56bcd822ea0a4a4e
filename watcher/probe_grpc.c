/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/probe_grpc.h"

enum { FRAME_HEADER = 5, TAG_STATE = 1 << 3, TAG_SERVICE = 1 << 3 | 2, SEVEN_BITS = 0x7f };

size_t probe_grpc_encode(struct bytes service, uint8_t out[PROBE_GRPC_REQUEST_MOST])
{
	size_t len = service.len < PROBE_GRPC_SERVICE_MOST ? service.len : PROBE_GRPC_SERVICE_MOST;
	size_t at = FRAME_HEADER;

	if (len > 0) {
		out[at++] = TAG_SERVICE;
		if (len > SEVEN_BITS)
			out[at++] = (uint8_t)(len & SEVEN_BITS) | 0x80;
		out[at++] = (uint8_t)(len > SEVEN_BITS ? len >> 7 : len);
		memcpy(out + at, service.data, len);
		at += len;
	}
	out[0] = out[1] = out[2] = 0; /* not compressed; lengths below 64 KiB */
	out[3] = (uint8_t)((at - FRAME_HEADER) >> 8);
	out[4] = (uint8_t)(at - FRAME_HEADER);
	return at;
}

/* A protobuf's varint. */
static uint64_t read_varint(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(c);

		value |= (uint64_t)(byte & SEVEN_BITS) << shift;
		if (!(byte & 0x80))
			return value;
	}
	c->bad = true;
	return 0;
}

/* Passes over a field that we do not know. */
static void skip_field(struct cursor *c, uint64_t tag)
{
	switch (tag & 7) {
	case 0:
		(void)read_varint(c);
		break;
	case 1:
		(void)cursor_bytes(c, 8);
		break;
	case 2: {
		uint64_t len = read_varint(c);

		(void)cursor_bytes(c, len < SIZE_MAX ? (size_t)len : SIZE_MAX);
		break;
	}
	case 5:
		(void)cursor_bytes(c, 4);
		break;
	default:
		c->bad = true;
	}
}

static const char *name_of(uint64_t state)
{
	static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "a state without a name";
}

bool probe_grpc_is_serving(struct bytes body, const char **said)
{
	struct cursor c = cursor_over(body.data, body.len);
	bool compressed = cursor_u8(&c) != 0;
	uint32_t len = cursor_u32(&c);
	uint64_t state = 0;

	*said = "the answer is not a HealthCheckResponse";
	if (c.bad || compressed || len != cursor_left(&c))
		return false;
	while (!c.bad && cursor_left(&c) > 0) {
		uint64_t tag = read_varint(&c);

		if (tag == TAG_STATE)
			state = read_varint(&c);
		else
			skip_field(&c, tag);
	}
	if (c.bad)
		return false;
	*said = name_of(state);
	return state == 1;
}
