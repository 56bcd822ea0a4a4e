/* member_nodes.h -- region and zones of a member, as the labels of its nodes say.
 *
 * Labels of both generations, topology.kubernetes.io before failure-domain.beta.kubernetes.io.  Read as
 * metadata alone, page by page, every five minutes; a list that fails is tried again after one, and what was read stays.  On the
 * loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_MEMBER_NODES_H
#define PROPAGATOR_MEMBER_NODES_H

#include <stdint.h>

#include "kube/transport.h"

struct json_object;
struct member_nodes;

/* `client` is borrowed. */
struct member_nodes *member_nodes_new(struct kube_client *client);
void member_nodes_free(struct member_nodes *n);

/* The member is ready: reads them if it is time. */
void member_nodes_look(struct member_nodes *n, uint64_t now_ms);

/* Of the first node that has one; "": none has, or none was read. */
const char *member_nodes_region(const struct member_nodes *n);
/* A list of texts, sorted, unique, never empty; NULL: no node has a zone, or none was read.  Borrowed. */
struct json_object *member_nodes_zones(const struct member_nodes *n);

#endif
