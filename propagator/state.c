/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/state.h"

const char *state_text(enum state state)
{
	static const char *const text[] = {
#define STATE_TEXT(code, text) text,
		STATE_LIST(STATE_TEXT)
#undef STATE_TEXT
	};

	return text[state];
}
