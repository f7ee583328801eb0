/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * void *sp_fiber_jump(void **save, void *load, void *arg)
 *
 * As in fiber_x86_64.S. Kept: x19 to x30 and the low halves of v8 to v15.
 */

	.text
	.globl	sp_fiber_jump
	.hidden	sp_fiber_jump
	.type	sp_fiber_jump, %function
	.p2align 4
sp_fiber_jump:
	.cfi_startproc
	hint	#34			/* bti c */
	stp	d8, d9, [sp, #-160]!
	stp	d10, d11, [sp, #16]
	stp	d12, d13, [sp, #32]
	stp	d14, d15, [sp, #48]
	stp	x19, x20, [sp, #64]
	stp	x21, x22, [sp, #80]
	stp	x23, x24, [sp, #96]
	stp	x25, x26, [sp, #112]
	stp	x27, x28, [sp, #128]
	stp	x29, x30, [sp, #144]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldp	d10, d11, [sp, #16]
	ldp	d12, d13, [sp, #32]
	ldp	d14, d15, [sp, #48]
	ldp	x19, x20, [sp, #64]
	ldp	x21, x22, [sp, #80]
	ldp	x23, x24, [sp, #96]
	ldp	x25, x26, [sp, #112]
	ldp	x27, x28, [sp, #128]
	ldp	x29, x16, [sp, #144]
	ldp	d8, d9, [sp], #160
	mov	x0, x2
	mov	x30, x16
	br	x16
	.cfi_endproc
	.size	sp_fiber_jump, .-sp_fiber_jump

	.section .note.GNU-stack, "", %progbits
