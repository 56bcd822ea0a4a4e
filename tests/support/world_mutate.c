/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_mutate.h"

#include <string.h>

#include "base/bytes.h"
#include "tests/support/world_probe.h"

/* --- numbers --- */

struct mutator mutate_begin(uint64_t seed) { return (struct mutator){seed}; }

/* splitmix64 */
static uint64_t next(struct mutator *m)
{
	uint64_t x = m->state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

unsigned mutate_below(struct mutator *m, unsigned bound)
{
	return bound > 0 ? (unsigned)(next(m) % bound) : 0;
}

/* --- good queries --- */

#define ONE             "0001 0000 0000"
#define ASK(name, type) "1234 0100" ONE "0000" name type "0001"
#define ASK_EDNS(name, type, len, options)                                                         \
	"1234 0000" ONE "0001" name type "0001" OPT("00000000", len, options)
#define TSIG(key, mac)                                                                             \
	"1234 0000" ONE "0001 W 0001 0001" key                                                     \
	"00fa 00ff 00000000 003d 0b686d61632d736861323536 00 00006a000000 012c 0020" mac           \
	"1234 0000 0000"
#define MAC "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Names of the zone that hostile scenarios serve: aliases, a tree of DNAME, a wildcard, a cut, SVCB. */
static const char *const good[] = {
	ASK("W", "0001"),
	ASK("W", "00ff"),
	ASK("Z", "0006"),
	ASK("Z", "0002"),
	ASK("Z", "0030"),
	ASK("X", "0010"),
	ASK("N", "0001"),
	ASK("00", "0002"),
	ASK("05616c696173 Z", "0001"),            /* alias */
	ASK("046c6f6f70 Z", "0001"),              /* loop */
	ASK("0178 0474726565 Z", "0001"),         /* x.tree */
	ASK("0178 0477696c64 Z", "0001"),         /* x.wild */
	ASK("0178 03637574 Z", "0001"),           /* x.cut */
	ASK("03637574 Z", "002b"),                /* cut, DS */
	ASK("037376 63 Z", "0040"),               /* svc, SVCB */
	ASK("037376 63 Z", "0041"),               /* svc, HTTPS */
	ASK("04 5f736970 04 5f746370 Z", "0021"), /* _sip._tcp, SRV */
	ASK("046d616e79 Z", "0001"),              /* many */
	"1234 0000 0001 0000 0000 0000 07 76657273696f6e 04 62696e64 00 0010 0003",
	"1234 0000 0001 0000 0000 0000 02 6964 06 736572766572 00 0010 0003",
	ASK_EDNS("W", "0001", "0000", ""),
	ASK_EDNS("W", "0001", "000b", "0008 0007 0001 18 00 c63364"),
	ASK_EDNS("W", "001c", "000f", "0008 000b 0002 38 00 20010db8000000"),
	ASK_EDNS("W", "0001", "0008", ECS_NONE),
	ASK_EDNS("W", "0001", "000c", COOKIE),
	ASK_EDNS("W", "0001", "001c",
                 "000a 0018 0102030405060708 010000005cf79f111f8130c3eee29480"),
	ASK_EDNS("W", "0001", "002c",
                 "000a 0028 0102030405060708 "
                 "0000000000000000000000000000000000000000000000000000000000000000"),
	ASK_EDNS("W", "0001", "0044",
                 "0003 0000" COOKIE "0009 0000 000b 0000 0008 0007 0001 18 00 c63364"
                 "000c 0008 0000000000000000 000f 0006 001400000000 0064 0000 fde9 0004 00000000"),
	ASK_EDNS("N", "0001", "0004", "0003 0000"),
	ASK_EDNS("X", "0001", "0004", "0009 0000"),
	"1234 0000 0000 0000 0000 0001" OPT("00000000", "000c", COOKIE),
	EDNS("0000", "00010000", "0004", "0003 0000"),
	EDNS("0000", "00008000", "0000", ""),
	ASK("Z", "00fc"),
	"1234 0000 0001 0000 0001 0000 Z 00fb 0001 c00c 0006 0001 00000000"
	"0016 00 00 00000001 00000001 00000001 00000001 00000001",
	"1234 0000 0001 0000 0001 0001 Z 00fb 0001 c00c 0006 0001 00000000"
	"0016 00 00 00000001 00000001 00000001 00000001 00000001" OPT("00000000", "0000", ""),
	TSIG("00", MAC),
	TSIG("08 7472616e73666572 00", MAC),
	"1234 2400 0001 0001 0000 0000 Z 0006 0001 c00c 0006 0001 00000000"
	"0016 00 00 00000001 00000001 00000001 00000001 00000001",
	"1234 2800 0001 0000 0001 0000 Z 0006 0001 W 0001 0001 0000003c 0004 c0000207",
	"1234 3000 0000 0000 0000 0000",
};

size_t mutate_pick(struct mutator *m, uint8_t out[MUTATE_ROOM])
{
	return probe_build(good[mutate_below(m, sizeof good / sizeof good[0])], out);
}

/* --- changes --- */

static void flip_bits(struct mutator *m, uint8_t *bytes, size_t len)
{
	for (unsigned i = 1 + mutate_below(m, 8); i > 0 && len > 0; i--)
		bytes[mutate_below(m, (unsigned)len)] ^= (uint8_t)(1 << mutate_below(m, 8));
}

static unsigned odd_number(struct mutator *m)
{
	static const unsigned odd[] = {0, 1, 2, 4, 5, 6, 0x7fff, 0x8000, 0xfffe, 0xffff};
	unsigned which = mutate_below(m, sizeof odd / sizeof odd[0] + 3);

	return which < sizeof odd / sizeof odd[0] ? odd[which] : mutate_below(m, 0x10000);
}

static void lie_in_counts(struct mutator *m, uint8_t *bytes, size_t len)
{
	if (len >= 12)
		bytes_put16(bytes + 4 + 2 * mutate_below(m, 4), (uint16_t)odd_number(m));
}

static void lie_in_a_number(struct mutator *m, uint8_t *bytes, size_t len)
{
	if (len >= 14)
		bytes_put16(bytes + 12 + mutate_below(m, (unsigned)len - 13),
		            (uint16_t)odd_number(m));
}

static void point_somewhere(struct mutator *m, uint8_t *bytes, size_t len)
{
	if (len >= 14)
		bytes_put16(bytes + 12 + mutate_below(m, (unsigned)len - 13),
		            (uint16_t)(0xc000 | mutate_below(m, (unsigned)len + 4)));
}

/* A part of it once more, or many times, behind itself. */
static size_t repeat(struct mutator *m, uint8_t *bytes, size_t len)
{
	size_t from = mutate_below(m, (unsigned)len), part = 1 + mutate_below(m, 60);
	unsigned times = mutate_below(m, 4) > 0 ? 1 : 1 + mutate_below(m, 60);
	uint8_t tail[MUTATE_ROOM];
	size_t rest;

	if (len == 0)
		return 0;
	part = part < len - from ? part : len - from;
	rest = len - from - part;
	memcpy(tail, bytes + from + part, rest);
	for (; times > 0 && len + part <= MUTATE_ROOM; times--, len += part)
		memcpy(bytes + len - rest, bytes + from, part);
	memcpy(bytes + len - rest, tail, rest);
	return len;
}

static size_t take_out(struct mutator *m, uint8_t *bytes, size_t len)
{
	size_t from = mutate_below(m, (unsigned)len), part = 1 + mutate_below(m, 20);

	if (from + part > len)
		return len;
	memmove(bytes + from, bytes + from + part, len - from - part);
	return len - part;
}

/* Its beginning and the end of another. */
static size_t splice(struct mutator *m, uint8_t *bytes, size_t len)
{
	uint8_t other[MUTATE_ROOM];
	size_t other_len = mutate_pick(m, other), at = mutate_below(m, (unsigned)len + 1);
	size_t from = mutate_below(m, (unsigned)other_len);

	if (at + other_len - from > MUTATE_ROOM)
		return len;
	memcpy(bytes + at, other + from, other_len - from);
	return at + other_len - from;
}

static size_t append_noise(struct mutator *m, uint8_t *bytes, size_t len)
{
	unsigned most = mutate_below(m, 50) > 0 ? 40 : 4200;
	size_t more = mutate_below(m, most);

	for (; more > 0 && len < MUTATE_ROOM; more--)
		bytes[len++] = (uint8_t)mutate_below(m, 256);
	return len;
}

size_t mutate_change(struct mutator *m, uint8_t bytes[MUTATE_ROOM], size_t len)
{
	switch (mutate_below(m, 9)) {
	case 0:
		return mutate_below(m, (unsigned)len + 1);
	case 1:
		return repeat(m, bytes, len);
	case 2:
		return take_out(m, bytes, len);
	case 3:
		return splice(m, bytes, len);
	case 4:
		return append_noise(m, bytes, len);
	case 5:
		lie_in_counts(m, bytes, len);
		return len;
	case 6:
		lie_in_a_number(m, bytes, len);
		return len;
	case 7:
		point_somewhere(m, bytes, len);
		return len;
	default:
		flip_bits(m, bytes, len);
		return len;
	}
}

size_t mutate_message(struct mutator *m, uint16_t id, uint8_t out[MUTATE_ROOM])
{
	size_t len = mutate_pick(m, out);

	for (unsigned i = 1 + mutate_below(m, 4); i > 0; i--)
		len = mutate_change(m, out, len);
	if (len >= 2)
		bytes_put16(out, id);
	return len;
}
