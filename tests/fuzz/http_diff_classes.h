/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_FUZZ_HTTP_DIFF_CLASSES_H
#define SPATE_TESTS_FUZZ_HTTP_DIFF_CLASSES_H

/*
 * Where Spate's parser and llhttp may disagree, and why. Each class has a
 * predicate of its own in http_diff_classes.c, which looks at the bytes and
 * at what llhttp told, and takes no part of our parser on trust; and, where
 * we are the stricter one, it is only asked about the errors it is for.
 *
 * docs/http-conformance.md has this table; tests/conformance/run copies it.
 */

#include "framework/http_chunked.h"
#include "framework/http_head.h"
#include "tests/llhttp_view.h"

struct diff {
	const char *input;
	size_t size;

	/* What Spate says. */
	enum view_verdict verdict;
	bool in_body; /* the head was accepted */
	const char *error;
	struct sp_http_head head;
	size_t end;
	size_t body_size;
	uint32_t body_hash;

	struct llhttp_view view;
};

/* CLASS(NAME, who is stricter, why) */
#define DIFF_CLASSES                                                           \
	CLASS(BARE_CR, SPATE,                                                  \
	    "a CR that no LF follows ends a value, or vanishes, in llhttp: "   \
	    "what comes behind it becomes a field (CVE-2023-30589), or the "   \
	    "head ends early (CVE-2025-23167)")                                \
	CLASS(BARE_LF, SPATE, "llhttp lets an LF alone end some lines")        \
	CLASS(BLANK_LINES, SPATE,                                              \
	    "llhttp skips any number of CR and LF in front of a request; we "  \
	    "skip four empty lines")                                           \
	CLASS(FOLD, SPATE,                                                     \
	    "llhttp 8 joins a folded line to the value before it "             \
	    "(CVE-2024-27982)")                                                \
	CLASS(NO_NAME, SPATE, "llhttp takes a field whose name is empty")      \
	CLASS(METHOD, SPATE,                                                   \
	    "llhttp knows methods of WebDAV, RTSP and others, and CONNECT")    \
	CLASS(REQUEST_LINE, SPATE,                                             \
	    "llhttp takes several blanks between the words, and a request "    \
	    "without a version")                                               \
	CLASS(VERSION, SPATE, "llhttp takes 0.9 and 2.0 as well")              \
	CLASS(PREFACE, SPATE,                                                  \
	    "the preface of HTTP/2 is refused at its first line; llhttp "      \
	    "waits for all of it, and hands over")                             \
	CLASS(TARGET_BYTE, SPATE,                                              \
	    "a fragment, or a '%' that two hex digits do not follow")          \
	CLASS(TARGET_FORM, SPATE,                                              \
	    "an asterisk without OPTIONS, other schemes than http and https, " \
	    "user information, an authority that RFC 3986 does not know")      \
	CLASS(NO_HOST, SPATE, "llhttp leaves Host to its caller")              \
	CLASS(BAD_HOST, SPATE, "llhttp leaves Host to its caller")             \
	CLASS(SECOND_HOST, SPATE, "llhttp leaves Host to its caller")          \
	CLASS(LENGTH, SPATE,                                                   \
	    "llhttp takes a Content-Length up to 2^64 - 1, we up to 2^63 - 1") \
	CLASS(CODING, SPATE,                                                   \
	    "codings in front of chunked: llhttp hands the coded bytes on, "   \
	    "we "                                                              \
	    "answer 501; empty members of the list, and other text that is "   \
	    "no "                                                              \
	    "name")                                                            \
	CLASS(CODING_1_0, SPATE, "Transfer-Encoding on HTTP/1.0 and below")    \
	CLASS(EXPECT, SPATE, "llhttp leaves Expect to its caller: 417")        \
	CLASS(LIMITS, SPATE, "llhttp has no limits of sizes and numbers")      \
	CLASS(CHUNK_SIZE, SPATE, "more than 16 digits, or more than 2^63 - 1") \
	CLASS(CHUNK_EXT, SPATE,                                                \
	    "extensions whose grammar llhttp does not check, as an empty "     \
	    "name "                                                            \
	    "or value")                                                        \
	CLASS(CHUNK_LF, SPATE,                                                 \
	    "llhttp lets an LF alone end the message behind the last chunk, "  \
	    "or a line of its trailer")                                        \
	CLASS(TRAILER_NAME, SPATE,                                             \
	    "a trailer field that may only stand in a head: llhttp reports "   \
	    "it like any other")                                               \
	CLASS(TRAILER_LIMITS, SPATE, "llhttp has no limits of sizes")          \
	CLASS(BLANK_TAB, LLHTTP,                                               \
	    "a tab beside the value of Content-Length or Transfer-Encoding, "  \
	    "or blanks that RFC 9112, 5 allows there")                         \
	CLASS(EXT_BLANK, LLHTTP,                                               \
	    "blanks around ';' and '=' of an extension: RFC 9110, 5.6.3 "      \
	    "wants "                                                           \
	    "recipients to read over them")                                    \
	CLASS(EXT_SECOND, LLHTTP,                                              \
	    "another extension behind one that has a value")                   \
	CLASS(EXT_QUOTED, LLHTTP,                                              \
	    "text in quotes that has escapes, or bytes that are not ASCII")    \
	CLASS(UPGRADE, NEITHER,                                                \
	    "of a request to upgrade llhttp takes no body if blanks stand "    \
	    "behind the chunked: it passes the chunks on as the new protocol") \
	CLASS(URL_BYTE, LLHTTP,                                                \
	    "an authority in the target that llhttp's state machine for URLs " \
	    "does not know, such as escapes in it")

#define CLASS(name, stricter, why) DIFF_##name,
enum diff_class { DIFF_CLASSES DIFF_CLASS_COUNT };
#undef CLASS

/*
 * diff_explain: the class of a difference in the verdicts, or in where the
 * message ends.
 *
 * => Returns its name, or NULL: nothing explains it.
 */
const char *diff_explain(const struct diff *diff);

#endif /* SPATE_TESTS_FUZZ_HTTP_DIFF_CLASSES_H */
