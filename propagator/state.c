/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/state.h"

const char *state_text(enum state state)
{
	static const char *const text[] = {
#define STATE_TEXT(code, text, again) text,
		STATE_LIST(STATE_TEXT)
#undef STATE_TEXT
	};

	return text[state];
}

bool state_is_retried(enum state state)
{
	static const bool again[] = {
#define STATE_AGAIN(code, text, again) again,
		STATE_LIST(STATE_AGAIN)
#undef STATE_AGAIN
	};

	return again[state];
}
