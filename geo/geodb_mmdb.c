/* geodb_mmdb.c -- libmaxminddb opens the file and reads nodes; nothing of it stays afterwards. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/geodb_mmdb.h"

#include <errno.h>
#include <maxminddb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "geo/geodb_file.h"
#include "geo/intern.h"

#define MAX_FILE ((size_t)2 << 30)

/* Records share values by pointers, so more values are looked at than there are bytes; but only a
 * file that was made to keep us busy comes near this. */
enum { VALUES_PER_BYTE = 16, VALUES_FREE = 1 << 20 };

struct conversion {
	const MMDB_s *file;
	struct bytes section;
	uint64_t values_left;   /* to look at in the whole section */
	struct intern *offsets; /* of the records seen */
	uint32_t *values;       /* for each of them */
	size_t room;
	geodb_mmdb_on_record_fn *on_record;
	void *arg;
};

/* The value for the record at a place of the data section. */
static enum err value_of(struct conversion *c, uint32_t offset, uint32_t *out, struct reason *why)
{
	uint32_t known = intern_count(c->offsets), number = intern_put(c->offsets, &offset);
	struct geodb_record record;
	enum err err;

	if (number >= c->room) {
		c->room = c->room * 2 + 64;
		c->values = xreallocarray(c->values, c->room, sizeof(*c->values));
	}
	if (number == known) {
		err = geodb_record_decode(c->section, offset, &c->values_left, &record, why);
		if (err != ERR_OK)
			return err;
		c->values[number] = record.has_place ? c->on_record(&record, c->arg) : PREFIX_NONE;
	}
	*out = c->values[number];
	return ERR_OK;
}

/* One of a node's two records in our form. */
static enum err convert(struct conversion *c, uint8_t type, uint64_t record, uint32_t *out,
                        struct reason *why)
{
	uint64_t nodes = c->file->metadata.node_count, offset = record - nodes - 16;
	enum err err;

	if (type == MMDB_RECORD_TYPE_SEARCH_NODE) {
		*out = (uint32_t)record;
		return ERR_OK;
	}
	if (type == MMDB_RECORD_TYPE_EMPTY) {
		*out = PREFIX_NONE;
		return ERR_OK;
	}
	if (type != MMDB_RECORD_TYPE_DATA || record < nodes + 16 || offset >= c->section.len)
		return reason_set(why, ERR_PARSE, "the search tree points to nowhere");
	err = value_of(c, (uint32_t)offset, out, why);
	if (err == ERR_OK && *out != PREFIX_NONE)
		*out |= PREFIX_LEAF;
	return err;
}

/* Node by node in the file's order, keeping the numbers: what the file shares (the aliases of
 * the IPv4 space) stays shared, and no shape of tree costs more than its nodes. */
static enum err convert_nodes(struct conversion *c, struct prefix_node *nodes, struct reason *why)
{
	enum err err = ERR_OK;

	for (uint32_t i = 0; i < c->file->metadata.node_count && err == ERR_OK; i++) {
		MMDB_search_node_s node;

		if (MMDB_read_node(c->file, i, &node) != MMDB_SUCCESS)
			return reason_set(why, ERR_PARSE,
			                  "node %u of the search tree cannot be read", i);
		err = convert(c, node.left_record_type, node.left_record, &nodes[i].record[0], why);
		if (err == ERR_OK)
			err = convert(c, node.right_record_type, node.right_record,
			              &nodes[i].record[1], why);
	}
	return err;
}

static enum err read_tree(const MMDB_s *file, geodb_mmdb_on_record_fn *on_record, void *arg,
                          struct prefix_tree **out, struct reason *why)
{
	struct conversion c = {
		.file = file,
		.section = {file->data_section, file->data_section_size},
		.values_left = (uint64_t)file->data_section_size * VALUES_PER_BYTE + VALUES_FREE,
		.on_record = on_record,
		.arg = arg,
	};
	uint32_t count = file->metadata.node_count;
	struct prefix_node *nodes;
	enum err err;

	if (file->metadata.ip_version != 4 && file->metadata.ip_version != 6)
		return reason_set(why, ERR_PARSE, "ip_version is %u, not 4 or 6",
		                  file->metadata.ip_version);
	nodes = xcalloc(count, sizeof(*nodes));
	c.offsets = intern_new(sizeof(uint32_t));
	err = convert_nodes(&c, nodes, why);
	intern_free(c.offsets);
	free(c.values);
	if (err == ERR_OK)
		return prefix_tree_adopt(nodes, count, file->metadata.ip_version == 6, out, why);
	free(nodes);
	return err;
}

enum err geodb_mmdb_read(const char *path, geodb_mmdb_on_record_fn *on_record, void *arg,
                         struct prefix_tree **out, struct reason *why)
{
	char copy[GEODB_FILE_PATH_SIZE];
	int fd = -1, status;
	enum err err = geodb_file_copy(path, MAX_FILE, &fd, copy, why);
	MMDB_s file;

	if (err != ERR_OK && err != ERR_UNSUPPORTED)
		return err;
	status = MMDB_open(err == ERR_OK ? copy : path, MMDB_MODE_MMAP, &file);
	if (status == MMDB_SUCCESS) {
		err = read_tree(&file, on_record, arg, out, why);
		MMDB_close(&file);
	} else if (status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR) {
		err = reason_set(why, ERR_IO, "cannot be read: %s", strerror(errno));
	} else {
		err = reason_set(why, ERR_PARSE, "is not a MaxMind database: %s",
		                 MMDB_strerror(status));
	}
	if (fd >= 0)
		close(fd);
	return err;
}
