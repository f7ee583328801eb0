/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/page.h"

#include "framework/request.h"

#include <page_made.h> /* as the library is built */

/* page_data.S */
extern const char sp_page[], sp_page_end[];
extern const char sp_page_gzip[], sp_page_gzip_end[];

/*
 * The policy names the one script and the one style that are in the page, so
 * a browser runs nothing else, whatever gets into it; and no other site may
 * have it in a frame, where somebody could be made to press a button.
 */
static const struct {
	const char *name, *value;
} fields[] = {
	{ "Cache-Control", "no-store" },
	{ "Content-Security-Policy", SP_PAGE_POLICY },
	{ "Referrer-Policy", "no-referrer" },
	{ "Vary", "Accept-Encoding" },
	{ "X-Content-Type-Options", "nosniff" },
};

int
sp_page_handler(struct spate_req *req, void *arg)
{
	bool small = sp_req_coding(req, "gzip") != 0;
	const char *page = small ? sp_page_gzip : sp_page;
	const char *end = small ? sp_page_gzip_end : sp_page_end;
	int error = 0;

	(void)arg;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields) && error == 0;
	     i++)
		error = spate_add_header(req, fields[i].name, fields[i].value);
	if (error == 0 && small)
		error = spate_add_header(req, "Content-Encoding", "gzip");
	return error != 0 ? error
			  : spate_respond(req, 200, "text/html; charset=utf-8",
			      page, (size_t)(end - page));
}
