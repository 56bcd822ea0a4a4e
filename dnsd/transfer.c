/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "dnsd/query.h"
#include "dnsd/zone_image.h"

enum { QUESTION_MOST = NAME_MAX_LEN + 4, MESSAGE_MOST = 65535 };
enum { FLAG_QR = 0x8000, FLAG_AA = 0x0400 };

struct piece {
	struct bytes left; /* to be sent */
	const void *held;
	void (*release)(const void *held);
};

struct transfer {
	struct piece *pieces;
	size_t count, at; /* the part that is being sent */
	uint16_t id, question_len;
	uint8_t question[QUESTION_MOST];
	bool is_refused; /* and that has been said */
	bool is_signed;
	struct tsig tsig;
};

struct transfer *transfer_new(uint16_t id, struct bytes question, const struct tsig *tsig)
{
	struct transfer *t = xcalloc(1, sizeof(*t));

	CHECK(question.len <= sizeof(t->question));
	t->id = id;
	t->question_len = (uint16_t)question.len;
	memcpy(t->question, question.data, question.len);
	t->is_signed = tsig != NULL;
	if (tsig != NULL)
		t->tsig = *tsig;
	return t;
}

void transfer_add(struct transfer *t, struct bytes records, const void *held,
                  void (*release)(const void *held))
{
	t->pieces = xreallocarray(t->pieces, t->count + 1, sizeof(*t->pieces));
	t->pieces[t->count++] = (struct piece){records, held, release};
}

void transfer_free(struct transfer *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		if (t->pieces[i].release != NULL)
			t->pieces[i].release(t->pieces[i].held);
	free(t->pieces);
	free(t);
}

/* The next record; none when all have been taken. */
static struct bytes peek(struct transfer *t)
{
	while (t->at < t->count && t->pieces[t->at].left.len == 0)
		t->at++;
	return t->at < t->count ? zone_image_record(t->pieces[t->at].left) : (struct bytes){0};
}

static void take(struct transfer *t, size_t len)
{
	t->pieces[t->at].left.data += len;
	t->pieces[t->at].left.len -= len;
}

/* The question stands in each message, so that owners can point to it: all of them end in its name. */
static size_t put(uint8_t *out, struct bytes record, const uint8_t *question)
{
	enum { POINTER_TO_QUESTION = 0xc000 | DNS_HEADER_LEN };
	size_t owner = name_wire_len(record.data), apex = name_wire_len(question);
	size_t own = owner - apex; /* labels of its own */

	memcpy(out, record.data, own);
	bytes_put16(out + own, POINTER_TO_QUESTION);
	memcpy(out + own + 2, record.data + owner, record.len - owner);
	return own + 2 + record.len - owner;
}

static size_t begin(const struct transfer *t, unsigned flags, uint8_t *out)
{
	memset(out, 0, DNS_HEADER_LEN);
	bytes_put16(out, t->id);
	bytes_put16(out + 2, (uint16_t)flags);
	bytes_put16(out + 4, 1);
	memcpy(out + DNS_HEADER_LEN, t->question, t->question_len);
	return (size_t)DNS_HEADER_LEN + t->question_len;
}

static size_t end(struct transfer *t, size_t len, uint64_t now_s, uint8_t *out)
{
	return t->is_signed ? tsig_sign(&t->tsig, out, len, now_s) : len;
}

static size_t refuse(struct transfer *t, uint64_t now_s, uint8_t *out)
{
	if (t->is_refused)
		return 0;
	t->is_refused = true;
	return end(t, begin(t, FLAG_QR | RCODE_SERVFAIL, out), now_s, out);
}

size_t transfer_next(struct transfer *t, uint64_t now_s, uint8_t *out)
{
	size_t len = begin(t, FLAG_QR | FLAG_AA, out),
	       room = t->is_signed ? tsig_room(&t->tsig) : 0;
	struct bytes record = peek(t);
	uint16_t count = 0;

	if (t->count == 0)
		return refuse(t, now_s, out);
	if (record.len == 0)
		return 0;
	while (record.len > 0 && count < UINT16_MAX) {
		size_t after = len + record.len + room;

		if (after > MESSAGE_MOST || (count > 0 && after > TRANSFER_MESSAGE))
			break;
		len += put(out + len, record, t->question);
		take(t, record.len);
		count++;
		record = peek(t);
	}
	/* A record that no message holds: the transfer ends without its end, and the secondary keeps what it has. */
	if (count == 0)
		return 0;
	bytes_put16(out + 6, count);
	return end(t, len, now_s, out);
}
