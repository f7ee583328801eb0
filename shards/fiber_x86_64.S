/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * void *sp_fiber_jump(void **save, void *load, void *arg)
 *
 * Leaves the calling fiber's stack in *save and goes on where the fiber that
 * left load stopped; there, the call returns arg. A new fiber begins in its
 * entry function, with arg as argument. sp_fiber_new() lays out what is
 * popped here.
 *
 * Only what a call preserves is kept: rbp, rbx, r12 to r15. Rounding modes
 * and the x87 control word belong to the thread, as restoring them would
 * cost more than all the rest. The return address goes through a register
 * and an indirect jump, because a ret would be predicted to go back to the
 * fiber that is being left.
 */

	.text
	.globl	sp_fiber_jump
	.hidden	sp_fiber_jump
	.type	sp_fiber_jump, @function
	.p2align 4
sp_fiber_jump:
	.cfi_startproc
	endbr64
	popq	%r8
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%r8
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r8
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	movq	%rdx, %rax
	movq	%rdx, %rdi
	jmp	*%r8
	.cfi_endproc
	.size	sp_fiber_jump, .-sp_fiber_jump

	.section .note.GNU-stack, "", @progbits
