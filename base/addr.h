/* addr.h -- IP addresses, networks and socket addresses as values.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/err.h"

enum addr_family { ADDR_NONE = 0, ADDR_IPV4 = 4, ADDR_IPV6 = 6 };

/* Bytes behind the family's length are zero, so that memcmp compares. */
struct addr {
	uint8_t family;    /* enum addr_family */
	uint8_t bytes[16]; /* network order; IPv4 uses the first 4 */
};

struct addr_network {
	struct addr addr; /* bits behind len are zero */
	uint8_t len;      /* 0..32 or 0..128 */
};

enum { ADDR_TEXT_SIZE = 46, ADDR_NETWORK_TEXT_SIZE = 50, ADDR_PORT_TEXT_SIZE = 56 };

uint8_t addr_bits(const struct addr *a);     /* 32 or 128; 0 for ADDR_NONE */
bool addr_is_any(const struct addr *a);      /* 0.0.0.0 or :: */
bool addr_is_loopback(const struct addr *a); /* 127.0.0.0/8 or ::1 */
bool addr_equal(const struct addr *a, const struct addr *b);
int addr_compare(const struct addr *a, const struct addr *b); /* family, then bytes */
/* "192.0.2.1" or "2001:db8::1"; no zone, no brackets, no surrounding space.  False: not one. */
bool addr_parse(struct bytes text, struct addr *out);
/* Into out (ADDR_TEXT_SIZE); IPv6 as RFC 5952.  Returns out. */
char *addr_print(const struct addr *a, char out[ADDR_TEXT_SIZE]);
/* The first len bits kept, the rest zero. */
struct addr addr_masked(const struct addr *a, uint8_t len);
/* ::ffff:a.b.c.d becomes a.b.c.d; anything else stays. */
struct addr addr_unmapped(const struct addr *a);

/* "192.0.2.0/24", or an address alone for its full length.  Bits behind the
 * length must be zero (ERR_RANGE), the text otherwise well formed (ERR_PARSE). */
enum err addr_network_parse(struct bytes text, struct addr_network *out,
                            struct reason *why) MUST_CHECK;
char *addr_network_print(const struct addr_network *n, char out[ADDR_NETWORK_TEXT_SIZE]);
/* Never an address of another family. */
bool addr_network_has(const struct addr_network *n, const struct addr *a);
/* By address, then the longer behind the shorter: what lies in a network comes after it. */
int addr_network_compare(const struct addr_network *a, const struct addr_network *b);
/* ::ffff:192.0.2.0/120 becomes 192.0.2.0/24; anything else stays. */
struct addr_network addr_network_unmapped(const struct addr_network *n);

/* "A.B.C.D:PORT" or "[V6]:PORT", port 0..65535. */
enum err addr_port_parse(struct bytes text, struct addr *addr, uint16_t *port,
                         struct reason *why) MUST_CHECK;
char *addr_port_print(const struct addr *a, uint16_t port, char out[ADDR_PORT_TEXT_SIZE]);

/* Returns the length of what was written. */
socklen_t addr_to_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *out);
/* ADDR_NONE for another family.  IPv4-mapped IPv6 stays IPv6. */
struct addr addr_from_sockaddr(const struct sockaddr *sa, uint16_t *port_out);

#endif
