/* data_plane.h -- what stands behind a published address: somebody who takes TCP connections, and can die.
 *
 * The kernel takes them (the backlog is larger than any test is long); nobody reads.  A fault ends the test.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_DATA_PLANE_H
#define TESTS_E2E_SUPPORT_DATA_PLANE_H

/* Listens on that address; port 0 is chosen by the kernel, and told.  The result is for data_plane_close(). */
int data_plane_open(const char *address, unsigned *port);
/* From now on connections are refused.  *fd becomes -1; -1 is fine. */
void data_plane_close(int *fd);

#endif
