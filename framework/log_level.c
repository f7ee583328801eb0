/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/log_level.h"

#include "framework/log.h"
#include "framework/request.h"

#include <stdio.h>
#include <string.h>

static enum spate_log_level
level_of(struct spate_server *server)
{
	return (enum spate_log_level)sp_load(&server->log_level, relaxed);
}

/* Told of while the lower of the two is in force, or it might not be seen. */
static void
change(struct spate_server *server, enum spate_log_level level)
{
	enum spate_log_level before = level_of(server);

	if (level < before)
		sp_store(&server->log_level, level, relaxed);
	if (level != before)
		sp_log(server, SPATE_LOG_INFO,
		    "the log's level is %s now, and was %s",
		    sp_log_level_name(level), sp_log_level_name(before));
	sp_store(&server->log_level, level, relaxed);
}

int
sp_log_level_handler(struct spate_req *req, void *arg)
{
	struct spate_str text;
	char json[64];
	int level;

	(void)arg;
	if (req->head.method == SP_HTTP_PUT) {
		text = spate_query_str(req, "level");
		level = text.data != NULL
			    ? sp_log_level_parse(text.data, text.size)
			    : -1;
		if (level < 0)
			return spate_error(
			    req, 400, "level is debug, info, warning or error");
		change(req->server, (enum spate_log_level)level);
	}
	spate_add_header(req, "Cache-Control", "no-store");
	snprintf(json, sizeof(json), "{\"level\":\"%s\"}\n",
	    sp_log_level_name(level_of(req->server)));
	return spate_respond(req, 200, "application/json", json, strlen(json));
}
