/* world_wire.h -- DNS messages as bytes, for scenarios that say things no decent client says.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_WIRE_H
#define TESTS_SUPPORT_WORLD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/world.h"

enum { WIRE_ROOM = 65535 };

/* The query as it goes over UDP, with that ID; returns its length (512 at most).  `client` and
 * no_edns as in struct world_question. */
size_t world_wire_build(const struct world_question *q, uint16_t id, uint8_t out[512]);
/* Sends it as q's from, to and port say (q NULL: the usual ones) and waits for a message from where it was sent to;
 * returns its length, 0 for silence. */
size_t world_wire_udp(struct world *w, const struct world_question *q, const uint8_t *query,
                      size_t len, uint8_t *reply, unsigned within_ms);
/* A socket for datagrams to and from nighd, as q's from, to and port say; the caller closes it. */
int world_wire_open(struct world *w, const struct world_question *q);
/* A connection to nighd; the caller closes it. */
int world_wire_connect(struct world *w);
/* The same as q's from, to and port say. */
int world_wire_connect_to(struct world *w, const struct world_question *q);
/* Bytes as they are, so that a message can come in pieces; frame it first. */
void world_wire_send(struct world *w, int fd, const uint8_t *bytes, size_t len);
/* The header of a proxy (PROXY protocol, version 2) that names the client, over UDP or over TCP; returns its length. */
enum { WIRE_PROXY_ROOM = 52 };
size_t world_wire_proxy(const char *client, bool tcp, uint8_t out[WIRE_PROXY_ROOM]);
/* Two bytes of length, then the message; returns the length of both. */
size_t world_wire_frame(const uint8_t *query, size_t len, uint8_t *out);
/* The next message; 0 when the connection ends or nothing comes in time. */
size_t world_wire_receive(struct world *w, int fd, uint8_t *reply, unsigned within_ms);
/* A reply as world_question() gives it; fails when ldns cannot read it. */
struct world_answer world_wire_read(struct world *w, const uint8_t *reply, size_t len);

#endif
