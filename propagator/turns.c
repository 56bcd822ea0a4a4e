/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/turns.h"

enum { IN_A_ROW = 3 };

static void append(struct turns_lane *lane, struct turn *turn)
{
	turn->lane = lane;
	turn->next = NULL;
	turn->before = lane->last;
	if (lane->last)
		lane->last->next = turn;
	else
		lane->first = turn;
	lane->last = turn;
	lane->count++;
}

static void take_out(struct turn *turn)
{
	struct turns_lane *lane = turn->lane;

	if (turn->before)
		turn->before->next = turn->next;
	else
		lane->first = turn->next;
	if (turn->next)
		turn->next->before = turn->before;
	else
		lane->last = turn->before;
	lane->count--;
	turn->lane = NULL;
}

void turns_add_asked(struct turns *t, struct turn *turn)
{
	if (turn->lane == &t->asked)
		return;
	if (turn->lane)
		take_out(turn);
	append(&t->asked, turn);
}

void turns_add_again(struct turns *t, struct turn *turn)
{
	if (!turn->lane)
		append(&t->again, turn);
}

struct turn *turns_take(struct turns *t)
{
	bool is_asked = t->asked.first && (!t->again.first || t->since_again < IN_A_ROW);
	struct turn *turn = is_asked ? t->asked.first : t->again.first;

	t->since_again = is_asked && t->again.first ? t->since_again + 1 : 0;
	if (turn)
		take_out(turn);
	return turn;
}

size_t turns_count(const struct turns *t) { return t->asked.count + t->again.count; }
