/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/geo_trial.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dnsd/config_place.h"
#include "dnsd/geo_latency.h"
#include "geo/geodb.h"
#include "geo/geodb_file.h"
#include "geo/networks.h"

enum { FAULTS_TOLD = 20 }; /* of one CSV file */

struct telling {
	const struct config *config;
	geo_trial_tell_fn *tell;
	void *arg;
};

/* Reading ends with a file's first fault; whoever mends it wants to know all. */
static void tell_faults(const struct telling *t, const char *file,
                        size_t find(struct bytes csv, size_t most, struct text *out))
{
	struct buffer csv = {0};
	struct text faults = {0}, rest = {0};
	struct reason why = {0};
	size_t more = 0;

	if (geodb_file_read(file, SIZE_MAX, &csv, &why) == ERR_OK)
		more = find((struct bytes){csv.data, csv.len}, FAULTS_TOLD, &faults);
	if (faults.len > 0)
		t->tell(t->arg, file, faults.data);
	text_printf(&rest, " %zu more", more);
	if (more > 0)
		t->tell(t->arg, file, rest.data);
	text_fini(&rest);
	text_fini(&faults);
	buffer_fini(&csv);
}

/* Each with its place in the config, where it has none of its own. */
static void tell_files(const struct telling *t, const char *lines)
{
	const struct config *c = t->config;
	size_t networks = c->geo.networks != NULL ? strlen(c->geo.networks) : 0;

	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");
		struct reason why = {0};
		bool is_networks = networks > 0 && strncmp(lines, c->geo.networks, networks) == 0;

		(void)reason_set(&why, ERR_IO, "%.*s", (int)len, lines);
		if (is_networks)
			config_place_add(c, c->geo.networks_line, "geo.networks", c->geo.networks,
			                 &why);
		else
			config_place_add(c, c->geo.databases_line, "geo.databases", NULL, &why);
		t->tell(t->arg, NULL, why.text);
		lines += len + (lines[len] == '\n');
	}
}

static const char *behind_line(const char *text)
{
	size_t len = strcspn(text, "\n");

	return text + len + (text[len] == '\n');
}

static void try_places(const struct telling *t)
{
	const struct config *c = t->config;
	struct geodb *geodb = NULL;
	char *errors = NULL;
	enum err err = geodb_open((const char *const *)c->geo.databases.item,
	                          c->geo.databases.count, c->geo.networks, NULL, &geodb, &errors);

	if (err != ERR_OK && config_place_is_in(errors, c->geo.networks)) {
		tell_faults(t, c->geo.networks, networks_faults);
		tell_files(t, behind_line(errors));
	} else if (err != ERR_OK) {
		tell_files(t, errors);
	}
	free(errors);
	geodb_free(geodb);
}

static void try_latency(const struct telling *t)
{
	const struct config *c = t->config;
	struct geo_latency *latency = NULL;
	struct reason why = {0};

	if (c->geo.latency == NULL)
		return;
	if (geo_latency_read(c->geo.latency, &latency, &why) == ERR_OK) {
		geo_latency_free(latency);
	} else if (config_place_is_in(why.text, c->geo.latency)) {
		tell_faults(t, c->geo.latency, latency_faults);
	} else {
		config_place_add(c, c->geo.latency_line, "geo.latency", c->geo.latency, &why);
		t->tell(t->arg, NULL, why.text);
	}
}

void geo_trial(const struct config *c, geo_trial_tell_fn *tell, void *arg)
{
	struct telling t = {c, tell, arg};

	try_places(&t);
	try_latency(&t);
}
