/* asking.h -- many questions to all servers at once, several in flight to each.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIFFERENTIAL_ASKING_H
#define TESTS_DIFFERENTIAL_ASKING_H

#include "tests/differential/question.h"
#include "tests/differential/servers.h"

/* A message, or silence: data NULL. */
struct message {
	uint8_t *data;
	size_t len;
};

/* What all of them say to one question. */
struct said {
	struct message by[SERVERS];
};

/* Fills said[0] to said[count-1]; the caller puts them away with asking_drop().  Fails the test, and tells what was asked
 * last, when a server answers nothing more. */
void asking_all(struct servers *s, const struct question *q, size_t count, struct said *said);
void asking_drop(struct said *said, size_t count);

#endif
