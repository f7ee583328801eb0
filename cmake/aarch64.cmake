# SPDX-License-Identifier: BSD-2-Clause
#
# Debian's cross compiler for aarch64, with libraries that sysroot.sh fetches;
# its libc and the compiler's own are the ones that came with it. Programs run
# under qemu-user.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)

set(sysroot ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot-aarch64)
execute_process(COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/sysroot.sh ${sysroot}
  COMMAND_ERROR_IS_FATAL ANY)
get_filename_component(sysroot ${sysroot} REALPATH)

# Nothing of this machine's. Its folders have the names of the target's, so
# pkg-config must not take them for the ones that a compiler knows by itself.
set(ENV{PKG_CONFIG_LIBDIR} ${sysroot}/usr/lib/aarch64-linux-gnu/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${sysroot})
set(ENV{PKG_CONFIG_ALLOW_SYSTEM_CFLAGS} 1)
set(ENV{PKG_CONFIG_ALLOW_SYSTEM_LIBS} 1)
