/* SPDX-License-Identifier: BSD-2-Clause */

#include <errno.h>
#include <spate.h>
#include <string.h>

const char *
spate_strerror(int error)
{
	const char *text;

	switch (-error) {
	case 0:
		return "no error";
	case ECANCELED:
		return "the connection is being closed";
	case ESTALE:
		return "the connection has been closed";
	case EALREADY:
		return "already done";
	case EBADMSG:
		return "the body is malformed";
	case EMSGSIZE:
		return "more than was announced";
	default:
		text = strerrordesc_np(error < 0 ? -error : error);
		return text != NULL ? text : "unknown error";
	}
}
