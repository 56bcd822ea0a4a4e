/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/flags.h"

#include <getopt.h>

#include "ctl/command.h"

#define VALUE(name, field, of, misuse)                                                             \
	{                                                                                          \
		name, offsetof(struct command, field), false, of, misuse                           \
	}
#define SWITCH(name, field, of, misuse)                                                            \
	{                                                                                          \
		name, offsetof(struct command, field), true, of, misuse                            \
	}

static const struct flag {
	const char *name;
	size_t offset;
	bool is_switch; /* a bool; else a text */
	unsigned of;
	const char *misuse;
} flags_table[] = {
	VALUE("federated-group", federated_group, OF_FEDERATE,
              "--federated-group belongs to federate, not to "),
	VALUE("federated-version", federated_version, OF_FEDERATE,
              "--federated-version belongs to federate, not to "),
	VALUE("federation", federation, OF_FEDERATE, "--federation belongs to federate, not to "),
	SWITCH("delete-crd", delete_crd, OF_FEDERATE,
               "--delete-crd belongs to federate disable, not to "),
	SWITCH("enable-types", enable_types, OF_FEDERATE,
               "--enable-types belongs to federate, not to "),
	SWITCH("contents", contents, OF_FEDERATE, "--contents belongs to federate, not to "),
	VALUE("cluster-kubeconfig", member_kubeconfig, OF_MEMBER,
              "--cluster-kubeconfig belongs to join and unjoin, not to "),
	VALUE("cluster-context", member_context, OF_MEMBER,
              "--cluster-context belongs to join and unjoin, not to "),
	VALUE("host-cluster-name", host_name, OF_MEMBER,
              "--host-cluster-name belongs to join and unjoin, not to "),
	VALUE("secret-name", secret_name, OF_JOIN, "--secret-name belongs to join, not to "),
	VALUE("token-for", token_for, OF_JOIN, "--token-for belongs to join, not to "),
	SWITCH("rotate", rotate, OF_JOIN, "--rotate belongs to join, not to "),
	SWITCH("kubefed-compatible", compatible, OF_JOIN,
               "--kubefed-compatible belongs to join, not to "),
	SWITCH("keep", keep, OF_UNJOIN, "--keep belongs to unjoin, not to "),
	SWITCH("orphan", orphan, OF_UNJOIN, "--orphan belongs to unjoin, not to "),
	SWITCH("remove", remove, OF_UNJOIN, "--remove belongs to unjoin, not to "),
	SWITCH("by-cluster", by_cluster, OF_GET, "--by-cluster belongs to get, not to "),
	SWITCH("force", force, OF_FORCE,
               "--force belongs to federate, join, unjoin and forget, not to "),
};

enum { COUNT = sizeof(flags_table) / sizeof(flags_table[0]) };
_Static_assert(sizeof(flags_table) / sizeof(flags_table[0]) <= FLAGS_MOST,
               "FLAGS_MOST is too small");

void flags_options(int first, struct option *out)
{
	for (size_t i = 0; i < COUNT; i++)
		out[i] = (struct option){flags_table[i].name,
		                         flags_table[i].is_switch ? no_argument : required_argument,
		                         NULL, first + (int)i};
}

void flags_take(struct command *c, size_t row, const char *value)
{
	char *field = (char *)c + flags_table[row].offset;

	if (flags_table[row].is_switch)
		*(bool *)field = true;
	else
		*(const char **)field = value;
}

const char *flags_find_misuse(const struct command *c, unsigned flags)
{
	for (size_t i = 0; i < COUNT; i++) {
		const struct flag *f = &flags_table[i];
		const char *field = (const char *)c + f->offset;
		bool is_given =
			f->is_switch ? *(const bool *)field : *(const char *const *)field != NULL;

		if (is_given && !(flags & f->of))
			return f->misuse;
	}
	return NULL;
}
