/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/answer.h"

#include "tests/sim/app.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
sim_answer_init(struct sim_answer *answer)
{
	memset(answer, 0, offsetof(struct sim_answer, line));
}

/* The value of a field of the head, or NULL. */
static const char *
field(const char *head, const char *name)
{
	size_t size = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line != NULL;
	     line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, size) == 0 && line[size] == ':')
			return line + size + 1 + strspn(line + size + 1, " ");
	}
	return NULL;
}

static bool
is_value(const char *value, const char *expected)
{
	size_t size = strlen(expected);

	return value != NULL && strncasecmp(value, expected, size) == 0
	       && value[size] == '\r';
}

static enum sim_answer_result
end_head(struct sim_answer *answer)
{
	const char *length;
	uint32_t told;

	answer->line[answer->used] = '\0';
	answer->used = 0;
	if (strncmp(answer->line, "HTTP/1.1 ", 9) != 0)
		return SIM_ANSWER_BAD;
	answer->status = atoi(answer->line + 9);
	if (answer->status < 200) {
		told = answer->told + 1;
		sim_answer_init(answer);
		answer->told = told;
		return SIM_ANSWER_MORE;
	}
	answer->closes = is_value(field(answer->line, "connection"), "close");
	answer->chunked = is_value(
	    field(answer->line, "transfer-encoding"), "chunked");
	length = field(answer->line, "content-length");
	if (answer->chunked == (length != NULL))
		return SIM_ANSWER_BAD;
	answer->state = answer->chunked ? SIM_ANSWER_SIZE : SIM_ANSWER_BODY;
	answer->left = length != NULL ? (uint32_t)atol(length) : 0;
	return !answer->chunked && answer->left == 0 ? SIM_ANSWER_DONE
						     : SIM_ANSWER_MORE;
}

/* Collect a line. => Returns true: it is whole, without its end. */
static bool
take_line(struct sim_answer *answer, uint8_t byte)
{
	answer->line[answer->used++] = (char)byte;
	if (answer->used < 2 || byte != '\n')
		return false;
	answer->line[answer->used - 2] = '\0';
	answer->used = 0;
	return true;
}

static enum sim_answer_result
take_head(struct sim_answer *answer, uint8_t byte)
{
	answer->started = true;
	answer->line[answer->used++] = (char)byte;
	if (byte == '\n' && answer->used >= 4
	    && memcmp(answer->line + answer->used - 4, "\r\n\r\n", 4) == 0)
		return end_head(answer);
	return SIM_ANSWER_MORE;
}

static void
take_body(struct sim_answer *answer, uint8_t byte, uint32_t number)
{
	if (answer->status == 200 && byte != sim_app_byte(number, answer->got))
		answer->wrong = true;
	answer->got++;
	answer->left--;
}

enum sim_answer_result
sim_answer_feed(struct sim_answer *answer, uint8_t byte, uint32_t number)
{
	if (answer->used == SIM_HEAD_MAX - 1)
		return SIM_ANSWER_BAD;
	switch (answer->state) {
	case SIM_ANSWER_HEAD:
		return take_head(answer, byte);
	case SIM_ANSWER_BODY:
		take_body(answer, byte, number);
		return answer->left == 0 ? SIM_ANSWER_DONE : SIM_ANSWER_MORE;
	case SIM_ANSWER_SIZE:
		if (!take_line(answer, byte))
			break;
		answer->left = (uint32_t)strtoul(answer->line, NULL, 16);
		answer->state = answer->left != 0 ? SIM_ANSWER_CHUNK
						  : SIM_ANSWER_TRAILER;
		break;
	case SIM_ANSWER_CHUNK:
		take_body(answer, byte, number);
		if (answer->left == 0)
			answer->state = SIM_ANSWER_CHUNK_END;
		break;
	case SIM_ANSWER_CHUNK_END:
		if (take_line(answer, byte))
			answer->state = SIM_ANSWER_SIZE;
		break;
	case SIM_ANSWER_TRAILER:
		if (take_line(answer, byte) && answer->line[0] == '\0')
			return SIM_ANSWER_DONE;
		break;
	}
	return SIM_ANSWER_MORE;
}
