/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/check.h"
#include "records/names.h"
#include "zones/plain.h"
#include "zones/rrset.h"
#include "zones/zonefile_inside.h"

enum { COPY_MODE = 0600 };

static bool print_address(uint16_t type, struct bytes rdata, struct text *out)
{
	struct addr a = {.family = type == RR_A ? ADDR_IPV4 : ADDR_IPV6};
	char text[ADDR_TEXT_SIZE];

	if (type != RR_A && type != RR_AAAA)
		return false;
	memcpy(a.bytes, rdata.data, rdata.len);
	text_add(out, addr_print(&a, text));
	return true;
}

/* What large zones have most of as people write it, which is read several times faster than the form of RFC 3597 5, which every
 * type has. */
static void print_record(const char *owner, const struct zonefile_record *record,
                         struct bytes rdata, struct text *out)
{
	const char *fields = plain_fields(record->type);

	text_printf(out, "%s %" PRIu32 " IN TYPE%u ", owner, record->ttl, (unsigned)record->type);
	if (!(fields && plain_print_fields(fields, rdata, out)) &&
	    !(record->type == RR_TXT && plain_print_text(rdata, out)) &&
	    !print_address(record->type, rdata, out))
		plain_print_generic(rdata, out);
	text_add(out, "\n");
}

static void print_all(const struct zonefile *z, FILE *out)
{
	struct text lines = {0};
	char owner[NAMES_TEXT_SIZE];

	fputs("; Made by nighd: what the file of this zone was when it last had no error.\n", out);
	for (size_t i = 0; i < z->owner_count; i++) {
		const struct zonefile_owner *o = &z->owners[i];

		names_to_text(z->wires.data + o->wire, owner);
		text_reset(&lines);
		for (uint32_t r = o->first; r != ZONEFILE_NONE; r = z->records[r].next)
			print_record(
				owner, &z->records[r],
				(struct bytes){z->rdata.data + z->records[r].at, z->records[r].len},
				&lines);
		if (lines.len > 0)
			fwrite(lines.data, 1, lines.len, out);
	}
	text_fini(&lines);
}

static enum err fail(const char *path, struct reason *why)
{
	enum err err = errno == ENOSPC || errno == EDQUOT ? ERR_NOSPACE : ERR_IO;

	return reason_set(why, err, "%s: %s", path, strerror(errno));
}

/* Whole, or not at all: written beside it, where no other process writes, then renamed. */
enum err zonefile_copy(const struct zonefile *z, const char *to, struct reason *why)
{
	char beside[4096];
	int fd = -1;
	FILE *out;
	bool good;

	CHECK(z->records != NULL);
	if (snprintf(beside, sizeof(beside), "%s.%ld.new", to, (long)getpid()) <
	    (int)sizeof(beside))
		fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, COPY_MODE);
	out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out)
		return fail(beside, why);
	print_all(z, out);
	good = fflush(out) == 0 && !ferror(out) && fsync(fd) == 0;
	if (fclose(out) != 0 || !good || rename(beside, to) != 0) {
		enum err err = fail(to, why);

		(void)unlink(beside);
		return err;
	}
	return ERR_OK;
}
