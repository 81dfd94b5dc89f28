/* Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "agent_connection.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Milliseconds. */
enum { FIRST_PAUSE= 50, LONGEST_PAUSE= 2000, HEARTBEAT= 10000, LEAST_PATIENCE= 3000 };

static pthread_t thread;

int wait_until(long long moment)
{
  struct timespec time= { moment / 1000, moment % 1000 * 1000000 };
  pthread_cond_timedwait(&self->changed, &lock, &time);
  return now() < moment;
}

void wake_thread(void)
{
  uint64_t one= 1;
  if (write(self->wake_fd, &one, sizeof one) < 0)
    return; /* it is full of ones already */
}

/* A healthy agent says something within two seconds to all but a rotation. */
static void expect_word(void)
{
  if (!self->owing)
    self->owing= now();
}

/* The agent is asked again for what is latest after a connection, and as a sign of life. With the lock. */
static size_t write_catching_up(uint8_t *out, size_t length, size_t room)
{
  for (size_t bucket= 0; bucket < BUCKETS; bucket++)
    for (struct held_key *key= self->held.buckets[bucket]; key && room - length >= HEADER_LENGTH; key= key->next)
      if (key->is_latest && key->round != self->round)
      {
        struct frame frame= { FRAME_GET_LATEST, 0, 0, CATCHING_UP, key->id, 0, NULL };
        length+= frame_write(out + length, &frame);
        key->round= self->round;
        expect_word();
      }
  return length;
}

static size_t write_requests(uint8_t *out, size_t room)
{
  size_t length= 0;
  for (struct request *request= self->requests; request && room - length >= HEADER_LENGTH; request= request->next)
    if (request->state == WAITING)
    {
      struct frame frame= { request->type, 0, 0, 0, request->id, request->version, NULL };
      if (++self->last_number == CATCHING_UP)
        self->last_number= 1;
      frame.request= request->number= self->last_number;
      length+= frame_write(out + length, &frame);
      request->state= SENT;
      if (request->type != FRAME_ROTATE)
        expect_word();
    }
  return write_catching_up(out, length, room);
}

static size_t write_hello(uint8_t out[LONGEST_FRAME])
{
  uint8_t payload[LONGEST_PAYLOAD]= "SRKM";
  struct frame frame= { FRAME_HELLO, 0, 0, 0, 0, AGENT_PROTOCOL, payload };
  memcpy(payload + 4, self->options.options, self->options.options_length);
  frame.length= (uint16_t) (4 + self->options.options_length);
  return frame_write(out, &frame);
}

/* NULL: the connection goes on. With the lock. */
static const char *why_to_end(int fd, short events)
{
  if (!(events & ~POLLOUT))
    return NULL;
  ssize_t count= recv(fd, self->in + self->in_length, sizeof self->in - self->in_length, MSG_DONTWAIT);
  if (count == 0)
    return "it closed the connection";
  if (count < 0)
    return errno == EAGAIN || errno == EINTR ? NULL : "the connection broke";
  self->in_length+= (size_t) count;
  if (take_frames() == 0)
    return NULL;
  return self->is_refused ? self->state : "it does not keep to the protocol";
}

/* Speaks with the agent until that has to end; returns why. */
static const char *converse(int fd)
{
  uint8_t out[LONGEST_FRAME];
  size_t length= write_hello(out), sent= 0;
  const char *why= NULL;
  long long beat= now(), patience= self->options.timeout > LEAST_PATIENCE ? self->options.timeout : LEAST_PATIENCE;
  self->owing= beat;
  while (!why && !self->is_stopping)
  {
    struct pollfd fds[2]= { { fd, (short) (POLLIN | (sent < length ? POLLOUT : 0)), 0 }, { self->wake_fd, POLLIN, 0 } };
    uint64_t woken;
    pthread_mutex_unlock(&lock);
    poll(fds, 2, patience < HEARTBEAT ? (int) patience : HEARTBEAT);
    if (fds[1].revents && read(self->wake_fd, &woken, sizeof woken) < 0)
      woken= 0;
    pthread_mutex_lock(&lock);
    why= why_to_end(fd, fds[0].revents);
    if (!why && self->is_connected && now() - beat >= HEARTBEAT)
    {
      beat= now();
      self->round++;
    }
    if (!why && sent == length && self->is_connected)
    {
      sent= 0;
      length= write_requests(out, sizeof out);
    }
    if (!why && sent < length)
    {
      ssize_t count= send(fd, out + sent, length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN && errno != EINTR)
        why= "the connection broke";
      else if (count > 0)
        sent+= (size_t) count;
    }
    if (!why && self->owing && now() - self->owing >= patience)
      why= "it did not answer in time";
  }
  return why ? why : "the server ends";
}

/* -1, with errno, where the agent can't be reached. */
static int connect_to_agent(void)
{
  struct sockaddr_un address= { .sun_family= AF_UNIX };
  int fd= socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  memcpy(address.sun_path, self->options.socket, strlen(self->options.socket));
  if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  int error= errno;
  close(fd);
  errno= error;
  return -1;
}

/* What was asked and not answered is asked again, but for rotations, which would be done twice. With the lock. */
static void forget_connection(const char *why)
{
  /* What the one who opens us hears, we need not tell. */
  int trouble= self->is_refused ? 2 : 1, is_news= self->told < trouble && self->round && !self->is_stopping;
  if (why != self->state)
    snprintf(self->state, LONGEST_TEXT, "%s", why);
  if (self->is_connected)
    self->away= now();
  self->is_connected= 0;
  explicit_bzero(self->in, sizeof self->in);
  self->in_length= 0;
  for (struct request *request= self->requests; request; request= request->next)
    if (request->state == SENT && request->type == FRAME_ROTATE)
    {
      snprintf(request->answer->text, LONGEST_TEXT, "the connection ended before the agent answered: see its log");
      request->answer->outcome= LINK_FAILED;
      request->state= ANSWERED;
    }
    else if (request->state == SENT)
      request->state= WAITING;
  pthread_cond_broadcast(&self->changed);
  if (!is_news)
    return;
  self->told= trouble;
  pthread_mutex_unlock(&lock);
  link_tell(TELL_WARNING, "the agent at %s is gone (%s): held keys are served, and it is tried again", self->options.socket, why);
  pthread_mutex_lock(&lock);
}

static void *keep_connection(void *unused)
{
  long long pause= FIRST_PAUSE;
  (void) unused;
  pthread_mutex_lock(&lock);
  while (!self->is_stopping)
  {
    char reason[128];
    long long began= now();
    int fd= connect_to_agent();
    const char *why= fd < 0 ? strerror_r(errno, reason, sizeof reason) : converse(fd);
    if (fd >= 0)
      close(fd);
    /* Not after every welcome: each connection that is lost makes two lines in the log. */
    int was_lasting= self->is_connected && now() - began >= LONGEST_PAUSE;
    forget_connection(why);
    pause= was_lasting ? FIRST_PAUSE : pause * 2 < LONGEST_PAUSE ? pause * 2 : LONGEST_PAUSE;
    self->is_wanted= 0;
    for (long long soonest= now() + FIRST_PAUSE, end= now() + pause; !self->is_stopping && wait_until(self->is_wanted ? soonest : end);)
      ;
  }
  pthread_mutex_unlock(&lock);
  return NULL;
}

int start_thread(void)
{
  static const int faults[]= { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
  sigset_t all, before;
  pthread_condattr_t by_monotonic_clock;
  pthread_condattr_init(&by_monotonic_clock);
  pthread_condattr_setclock(&by_monotonic_clock, CLOCK_MONOTONIC);
  pthread_cond_init(&self->changed, &by_monotonic_clock);
  pthread_condattr_destroy(&by_monotonic_clock);
  /* Signals are the server's affair, but for those of faults, of which it tells where they were. */
  sigfillset(&all);
  for (size_t i= 0; i < sizeof faults / sizeof *faults; i++)
    sigdelset(&all, faults[i]);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error= pthread_create(&thread, NULL, keep_connection, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error)
    pthread_cond_destroy(&self->changed);
  return error;
}

void end_thread(void)
{
  pthread_mutex_lock(&lock);
  self->is_stopping= 1;
  pthread_cond_broadcast(&self->changed);
  pthread_mutex_unlock(&lock);
  wake_thread();
  pthread_join(thread, NULL);
  pthread_cond_destroy(&self->changed);
}
