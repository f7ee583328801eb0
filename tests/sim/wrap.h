/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_WRAP_H
#define SPATE_TESTS_SIM_WRAP_H

/*
 * What the linker puts in place of libc (--wrap, see CMakeLists.txt). A
 * function that the server begins to call and that has no replacement here
 * would ask the real kernel about simulated descriptors: the test
 * sim.symbols fails then.
 */

#include "tests/sim/kernel.h"

#include <dirent.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <time.h>

static inline uint64_t
sim_ns(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000 * SIM_NS_PER_MS
	       + (uint64_t)time->tv_nsec;
}

/* The calling thread is about to sleep: not as a reader. rcu.c. */
void sim_sleeps(void);

/* wrap_io.c */
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_fcntl(int fd, int op, ...);
int __wrap_eventfd(unsigned count, int flags);
ssize_t __wrap_read(int fd, void *buf, size_t size);
ssize_t __wrap_write(int fd, const void *buf, size_t size);
ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t size, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);

/* wrap_net.c */
int __wrap_socket(int family, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_listen(int fd, int backlog);
int
__wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_setsockopt(
    int fd, int level, int name, const void *value, socklen_t size);
int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *size);
int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *size);
int __wrap_unlink(const char *path);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_poll(struct pollfd *fds, nfds_t count, int ms);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_openat(int directory, const char *path, int flags, ...);
int __wrap_fstat(int fd, struct stat *stat);
int __wrap_stat(const char *path, struct stat *stat);
int __wrap_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **found);
void __wrap_freeaddrinfo(struct addrinfo *found);
DIR *__wrap_opendir(const char *path);
struct dirent *__wrap_readdir(DIR *directory);
int __wrap_closedir(DIR *directory);
ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t offset);
ssize_t __wrap_sendfile(int to, int from, off_t *offset, size_t size);

/* timer.c */
int __wrap_timerfd_create(int clock, int flags);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *time,
    struct itimerspec *before);

/* epoll.c */
int __wrap_epoll_create1(int flags);
int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int __wrap_epoll_pwait(int epfd, struct epoll_event *events, int most, int ms,
    const sigset_t *mask);
int __wrap_epoll_pwait2(int epfd, struct epoll_event *events, int most,
    const struct timespec *timeout, const sigset_t *mask);

/* wrap_thread.c */
long __wrap_syscall(long number, ...);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *arg), void *arg);
int __wrap_pthread_join(pthread_t thread, void **result);
pthread_t __wrap_pthread_self(void);
int __wrap_pthread_setname_np(pthread_t thread, const char *name);
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *before);
int
__wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *value));
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);
int __wrap_pthread_getattr_np(pthread_t thread, pthread_attr_t *attr);
pid_t __wrap_getpid(void);
pid_t __wrap_gettid(void);
int __wrap_getpriority(int which, id_t who);
int __wrap_prctl(int option, ...);
int __wrap_sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_nanosleep(clockid_t clock, int flags,
    const struct timespec *time, struct timespec *left);
time_t __wrap_time(time_t *now);
ssize_t __wrap_getrandom(void *buf, size_t size, unsigned flags);
int __wrap_getrlimit(int resource, struct rlimit *limit);

/* memory.c */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);
char *__wrap_strdup(const char *text);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd,
    off_t offset);

#endif /* SPATE_TESTS_SIM_WRAP_H */
