/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/threshold.h"

struct threshold threshold_known(bool is_ready, int64_t probed_at_s, int64_t changed_at_s)
{
	return (struct threshold){.is_known = true,
	                          .is_ready = is_ready,
	                          .probed_at_s = probed_at_s,
	                          .changed_at_s = changed_at_s};
}

bool threshold_heed(struct threshold *t, bool is_ready, int64_t now_s, int64_t failures,
                    int64_t successes)
{
	int64_t limit = is_ready ? successes : failures;

	t->probed_at_s = now_s;
	if (t->is_known && t->is_ready == is_ready) {
		t->contrary = 0;
		return true;
	}
	if (t->is_known && ++t->contrary < limit)
		return false;
	*t = threshold_known(is_ready, now_s, now_s);
	return true;
}
