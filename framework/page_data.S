/* SPDX-License-Identifier: BSD-2-Clause */

/* The page as it is sent, from where page/bundle.cmake has put it. */

#include <page_made.h>

	.section .rodata

	.globl	sp_page, sp_page_end
	.hidden	sp_page, sp_page_end
sp_page:
	.incbin	SP_PAGE
sp_page_end:

	.globl	sp_page_gzip, sp_page_gzip_end
	.hidden	sp_page_gzip, sp_page_gzip_end
sp_page_gzip:
	.incbin	SP_PAGE_GZIP
sp_page_gzip_end:

	.section .note.GNU-stack, "", %progbits
