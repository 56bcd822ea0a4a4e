/* field_manager.h -- the name under which this program owns fields of objects (server-side apply). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_FIELD_MANAGER_H
#define PROPAGATOR_FIELD_MANAGER_H

#define FIELD_MANAGER "nigh-propagator"

#endif
