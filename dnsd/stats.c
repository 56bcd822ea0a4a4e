/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { CACHE_LINE = 64, PROBES = 32 };

struct stats *stats_new(void)
{
	size_t size = (sizeof(struct stats) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	struct stats *s = aligned_alloc(CACHE_LINE, size);

	CHECK(s != NULL);
	memset(s, 0, size);
	return s;
}

/* The place of a key, or where it would go; -1: the neighbourhood is full. */
static int find_place(const struct stats *s, uint64_t key)
{
	for (unsigned i = 0; i < PROBES; i++) {
		unsigned at = ((unsigned)key + i) % STATS_ZONES;
		uint64_t there = atomic_load_explicit(&s->zones[at].key, memory_order_acquire);

		if (there == key || there == 0)
			return (int)at;
	}
	return -1;
}

static void add_zone(struct stats *s, uint64_t key, uint64_t n)
{
	int at = find_place(s, key);

	if (at < 0 || key == 0) {
		stats_add(&s->other_zones, n);
		return;
	}
	stats_add(&s->zones[at].answers, n);
	if (stats_read(&s->zones[at].key) == 0)
		atomic_store_explicit(&s->zones[at].key, key, memory_order_release);
}

void stats_add_zone_slowly(struct stats *s, uint64_t zone_key) { add_zone(s, zone_key, 1); }

uint64_t stats_zone(const struct stats *s, uint64_t zone_key)
{
	int at = find_place(s, zone_key);

	return at >= 0 && stats_read(&s->zones[at].key) == zone_key
	               ? stats_read(&s->zones[at].answers)
	               : 0;
}

void stats_merge(struct stats *into, const struct stats *from)
{
	for (size_t i = 0; i < STATS_KINDS; i++)
		stats_add(&into->answers[i], stats_read(&from->answers[i]));
	for (unsigned i = 0; i < STATS_EVENTS; i++)
		stats_add(&into->events[i], stats_read(&from->events[i]));
	for (unsigned i = 0; i < STATS_LIMITS; i++) {
		for (unsigned k = 0; k < STATS_CLASSES; k++)
			stats_add(&into->limits[i][k], stats_read(&from->limits[i][k]));
	}
	for (unsigned i = 0; i < RANKING_MAX_CLUSTERS; i++)
		stats_add(&into->clusters[i], stats_read(&from->clusters[i]));
	for (unsigned i = 0; i < STATS_ZONES; i++) {
		uint64_t key = atomic_load_explicit(&from->zones[i].key, memory_order_acquire);

		if (key != 0)
			add_zone(into, key, stats_read(&from->zones[i].answers));
	}
	stats_add(&into->other_zones, stats_read(&from->other_zones));
}

/* --- sums of answers --- */

static size_t rcode_of(size_t kind) { return kind % STATS_RCODES; }
static size_t reason_of(size_t kind) { return kind / STATS_RCODES % STATS_REASONS; }
static size_t opt_of(size_t kind) { return kind / STATS_RCODES / STATS_REASONS % STATS_OPTS; }
static size_t transport_of(size_t kind) { return kind / (STATS_KINDS / STATS_TRANSPORTS); }

uint64_t stats_answers(const struct stats *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < STATS_KINDS; i++)
		sum += stats_read(&s->answers[i]);
	return sum;
}

uint64_t stats_answers_coded(const struct stats *s, enum stats_transport transport, unsigned rcode)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < STATS_KINDS; i++)
		if (transport_of(i) == transport && rcode_of(i) == rcode)
			sum += stats_read(&s->answers[i]);
	return sum;
}

uint64_t stats_answers_for(const struct stats *s, enum stats_reason reason)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < STATS_KINDS; i++)
		if (reason_of(i) == reason)
			sum += stats_read(&s->answers[i]);
	return sum;
}

static uint64_t answers_with(const struct stats *s, enum stats_opt least)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < STATS_KINDS; i++)
		if (opt_of(i) >= least)
			sum += stats_read(&s->answers[i]);
	return sum;
}

uint64_t stats_events(const struct stats *s, enum stats_event event)
{
	if (event == STATS_EDNS)
		return answers_with(s, STATS_OPT);
	if (event == STATS_ECS)
		return answers_with(s, STATS_OPT_WITH_SUBNET);
	return stats_read(&s->events[event]);
}

const char *stats_transport_label(enum stats_transport transport)
{
	static const char *const labels[] = {"udp", "tcp", "tls"};

	return labels[transport];
}

const char *stats_reason_label(enum stats_reason reason)
{
	static const char *const labels[] = {
#define REASON_LABEL(code, label) label,
		STATS_REASON_LIST(REASON_LABEL)
#undef REASON_LABEL
	};

	return labels[reason];
}

const char *stats_event_label(enum stats_event event)
{
	static const char *const labels[] = {
#define EVENT_LABEL(code, label, sentence) label,
		STATS_EVENT_LIST(EVENT_LABEL)
#undef EVENT_LABEL
	};

	return labels[event];
}

const char *stats_event_sentence(enum stats_event event)
{
	static const char *const sentences[] = {
#define EVENT_SENTENCE(code, label, sentence) sentence,
		STATS_EVENT_LIST(EVENT_SENTENCE)
#undef EVENT_SENTENCE
	};

	return sentences[event];
}

const char *stats_class_label(enum stats_class class)
{
	static const char *const labels[] = {
#define CLASS_LABEL(code, label) label,
		STATS_CLASS_LIST(CLASS_LABEL)
#undef CLASS_LABEL
	};

	return labels[class];
}

const char *stats_limit_label(enum stats_limit limit)
{
	static const char *const labels[] = {
#define LIMIT_LABEL(code, label, sentence) label,
		STATS_LIMIT_LIST(LIMIT_LABEL)
#undef LIMIT_LABEL
	};

	return labels[limit];
}

const char *stats_limit_sentence(enum stats_limit limit)
{
	static const char *const sentences[] = {
#define LIMIT_SENTENCE(code, label, sentence) sentence,
		STATS_LIMIT_LIST(LIMIT_SENTENCE)
#undef LIMIT_SENTENCE
	};

	return sentences[limit];
}

uint64_t stats_limits(const struct stats *s, enum stats_limit limit)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < STATS_CLASSES; i++)
		sum += stats_read(&s->limits[limit][i]);
	return sum;
}
