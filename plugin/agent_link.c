/* Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "agent_link.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds. */
enum { FIRST_PAUSE= 50, LONGEST_PAUSE= 2000, HEARTBEAT= 10000, LEAST_PATIENCE= 3000, LATER_WAIT= 500 };

/* The request number of what nobody waits for. */
static const uint32_t CATCHING_UP= 0xffffffffU;

enum request_state { WAITING, SENT, ANSWERED };

/* Lies on the stack of the one who waits for it. */
struct request
{
  struct request *next;
  uint8_t type;
  uint32_t number, id, version;
  enum request_state state;
  struct link_answer *answer;
};

/* In secret memory: the keys pass through its buffer. */
struct link
{
  struct link_options options;
  struct held_keys held;
  struct request *requests;
  uint32_t last_number, round;
  int is_wanted; /* somebody asks while there is no connection */
  long long away; /* ms; since when there is none */
  int is_connected, is_refused, is_stopping;
  int told; /* that the agent can't be had: 1, and that it refuses: 2 */
  int has_told_of_swap;
  long long heard, owing; /* ms; when the agent last said anything, and since when it owes us a word; 0: never, it doesn't */
  char keyring_id[64], state[LONGEST_TEXT];
  uint8_t in[LONGEST_FRAME];
  size_t in_length;
};

static struct link *self;
static pthread_mutex_t lock= PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_t thread;
static int wake_fd= -1;

static long long now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void wake(void)
{
  uint64_t one= 1;
  if (write(wake_fd, &one, sizeof one) < 0)
    return; /* it is full of ones already */
}

/* Waits, with the lock, until something has changed or the time has come. Whether it has not come yet. */
static int wait_until(long long moment)
{
  struct timespec time= { moment / 1000, moment % 1000 * 1000000 };
  pthread_cond_timedwait(&changed, &lock, &time);
  return now() < moment;
}

/* Cut to the size. It goes into the error log: what the agent says stays one line. */
static void copy_line(char *to, size_t size, const void *from, size_t length)
{
  length= length < size - 1 ? length : size - 1;
  memcpy(to, from, length);
  to[length]= 0;
  for (size_t i= 0; i < length; i++)
    if ((unsigned char) to[i] < ' ')
      to[i]= ' ';
}

/* What the agent says goes into the error log: it stays one line. */
static void make_one_line(char *text)
{
  for (; *text; text++)
    if ((unsigned char) *text < ' ')
      *text= ' ';
}

static void copy_text(char to[LONGEST_TEXT], const struct frame *from)
{
  size_t length= from->length < LONGEST_TEXT - 1 ? from->length : LONGEST_TEXT - 1;
  memcpy(to, from->payload, length);
  to[length]= 0;
  make_one_line(to);
}

/* --- What the agent says */

/* The value of an option of the welcome; the empty text where it isn't there. */
static void copy_option(char *to, size_t size, const struct frame *welcome, const char *name)
{
  const char *at= (const char *) welcome->payload + 4, *end= (const char *) welcome->payload + welcome->length;
  size_t name_length= strlen(name);
  *to= 0;
  while (at < end)
  {
    size_t length= strnlen(at, (size_t) (end - at));
    if (length > name_length && length - name_length <= size && memcmp(at, name, name_length) == 0 && at[name_length] == '=')
      copy_line(to, size, at + name_length + 1, length - name_length - 1);
    at+= length + 1;
  }
}

static int take_welcome(const struct frame *frame)
{
  char id[sizeof self->keyring_id];
  copy_option(id, sizeof id, frame, "keyring-id");
  if (self->held.count && *self->keyring_id && strcmp(id, self->keyring_id) != 0)
  {
    snprintf(self->state, LONGEST_TEXT, "it now has keyring %.40s, and this server was started with %.40s: restart the server", id,
             self->keyring_id);
    self->is_refused= 1;
    return -1;
  }
  strcpy(self->keyring_id, id);
  if (self->is_connected)
    return 0; /* said again with its first key a keyring has an id */
  self->round++; /* asks anew for what is latest */
  enum link_level level= self->told ? TELL_ALWAYS : TELL_INFO;
  pthread_mutex_unlock(&lock);
  link_tell(level, "connected to the agent at %s", self->options.socket);
  pthread_mutex_lock(&lock);
  self->is_connected= 1;
  self->is_refused= self->told= 0;
  return 0;
}

static struct request *find_request(uint32_t number)
{
  struct request *request= self->requests;
  while (request && !(request->state == SENT && request->number == number))
    request= request->next;
  return request;
}

/* Whether that frame may be the answer to that request. */
static int is_answer(const struct frame *frame, const struct request *request)
{
  if (frame->type == FRAME_FAILED)
    return 1;
  if (request->type == FRAME_ROTATE)
    return frame->type == FRAME_ROTATED;
  if (frame->key_id != request->id || frame->type == FRAME_ROTATED)
    return 0;
  if (request->type == FRAME_GET_LATEST)
    return frame->type != FRAME_KEY || frame->flags & FLAG_LATEST;
  return frame->version == request->version;
}

static void tell_key(const struct frame *frame, enum hold_result result, int was_disputed)
{
  if (result == HELD_ANEW && frame->flags & FLAG_GENERATED)
    link_tell(TELL_ALWAYS, "generated encrypted datakey for key id=%u, version=%u", frame->key_id, frame->version);
  if (result == HELD_ANEW)
    link_tell(TELL_ALWAYS, "loaded key %u, version %u, key length %u bit", frame->key_id, frame->version, frame->length * 8);
  if (result == HELD_ANEW && !memory_is_locked() && !self->has_told_of_swap)
  {
    self->has_told_of_swap= 1;
    link_tell(TELL_WARNING, "the memory for keys cannot be locked and may be swapped: raise LimitMEMLOCK (ulimit -l)");
  }
  if (result == HELD_OTHERWISE && !was_disputed)
    link_tell(TELL_ERROR, "the agent has other bytes for key %u, version %u than those that are held, which stay in use",
              frame->key_id, frame->version);
}

/* Of what nobody waits for: we asked for it once, as somebody who has given up or to catch up, or it is a new latest version. */
static int was_asked(const struct frame *frame)
{
  return frame->request == CATCHING_UP ? find_key(&self->held, frame->key_id, 0) != NULL : frame->request <= self->last_number;
}

static enum link_outcome outcome_of(const struct frame *frame)
{
  switch (frame->type)
  {
  case FRAME_ABSENT:
    return LINK_ABSENT;
  case FRAME_FAILED:
    return frame->flags & FLAG_UNDECRYPTED ? LINK_UNDECRYPTED : LINK_FAILED;
  default:
    return LINK_DONE;
  }
}

/* With the lock, which is given up while something is told. -1: the connection has to end. */
static int take_frame(const struct frame *frame)
{
  struct request *request;
  enum hold_result result= HELD_ALREADY;
  if (frame->type == FRAME_WELCOME)
    return take_welcome(frame);
  if (frame->type == FRAME_REFUSED)
  {
    copy_text(self->state, frame);
    self->is_refused= !self->is_connected;
    return -1;
  }
  request= find_request(frame->request);
  /* Whoever asked may have given up since. */
  if (!self->is_connected || (request ? !is_answer(frame, request) : !was_asked(frame)))
    return -1;
  if (frame->type == FRAME_KEY)
  {
    int was_disputed= 0;
    struct held_key *key;
    result= hold_key(&self->held, frame);
    if ((key= find_key(&self->held, frame->key_id, frame->version)))
    {
      was_disputed= key->is_disputed;
      key->is_disputed|= result == HELD_OTHERWISE;
      if (result == HELD_ANEW)
        key->round= self->round;
    }
    /* Before the one who waits goes on, so that the lines of the log come in their order. */
    pthread_mutex_unlock(&lock);
    tell_key(frame, result, was_disputed);
    pthread_mutex_lock(&lock);
    request= find_request(frame->request); /* it may have given up meanwhile */
  }
  if (!request)
    return 0;
  if (frame->type == FRAME_FAILED && frame->flags & FLAG_AGAIN)
  {
    request->state= WAITING;
    copy_text(request->answer->text, frame); /* why, in case time runs out */
    return 0;
  }
  request->state= ANSWERED;
  request->answer->outcome= result == OUT_OF_MEMORY ? LINK_FAILED : outcome_of(frame);
  request->answer->version= frame->version;
  if (frame->type == FRAME_KEY)
    strcpy(request->answer->text, result == OUT_OF_MEMORY ? "no memory to hold it" : "");
  else
    copy_text(request->answer->text, frame);
  return 0;
}

/* Takes all whole frames of the buffer, and zeroes what it has taken. With the lock. */
static int take_frames(void)
{
  struct frame frame;
  size_t at= 0;
  int length= 0, result= 0;
  while (result == 0 && (length= frame_read(&frame, self->in + at, self->in_length - at)) > 0)
  {
    self->heard= now();
    self->owing= 0;
    result= take_frame(&frame);
    at+= (size_t) length;
  }
  memmove(self->in, self->in + at, self->in_length - at);
  self->in_length-= at;
  explicit_bzero(self->in + self->in_length, at);
  pthread_cond_broadcast(&changed);
  return length < 0 ? -1 : result;
}

/* --- The connection */

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
    struct pollfd fds[2]= { { fd, (short) (POLLIN | (sent < length ? POLLOUT : 0)), 0 }, { wake_fd, POLLIN, 0 } };
    uint64_t woken;
    pthread_mutex_unlock(&lock);
    poll(fds, 2, patience < HEARTBEAT ? (int) patience : HEARTBEAT);
    if (fds[1].revents && read(wake_fd, &woken, sizeof woken) < 0)
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
  pthread_cond_broadcast(&changed);
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

static int start_thread(void)
{
  static const int faults[]= { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
  sigset_t all, before;
  pthread_condattr_t by_monotonic_clock;
  pthread_condattr_init(&by_monotonic_clock);
  pthread_condattr_setclock(&by_monotonic_clock, CLOCK_MONOTONIC);
  pthread_cond_init(&changed, &by_monotonic_clock);
  pthread_condattr_destroy(&by_monotonic_clock);
  /* Signals are the server's affair, but for those of faults, of which it tells where they were. */
  sigfillset(&all);
  for (size_t i= 0; i < sizeof faults / sizeof *faults; i++)
    sigdelset(&all, faults[i]);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error= pthread_create(&thread, NULL, keep_connection, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

/* --- For those who want keys */

static void release(void)
{
  if (self)
  {
    drop_keys(&self->held);
    free_secret_memory(self, sizeof *self);
  }
  if (wake_fd >= 0)
    close(wake_fd);
  self= NULL;
  wake_fd= -1;
}

int link_open(const struct link_options *options, char text[LONGEST_TEXT])
{
  struct sockaddr_un address;
  /* An empty one is an abstract name (unix(7)), which anybody may take. */
  if (!*options->socket || strlen(options->socket) >= sizeof address.sun_path)
  {
    snprintf(text, LONGEST_TEXT, "the path of a socket has at most %zu bytes, and this has %zu: %.200s", sizeof address.sun_path - 1,
             strlen(options->socket), options->socket);
    return -1;
  }
  self= secret_memory(sizeof *self);
  wake_fd= eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!self || wake_fd < 0)
  {
    snprintf(text, LONGEST_TEXT, "there is no memory, or no file descriptor, for the connection to the agent");
    release();
    return -1;
  }
  self->options= *options;
  self->away= now();
  strcpy(self->state, "it has not answered yet");
  int error= start_thread();
  if (error)
  {
    snprintf(text, LONGEST_TEXT, "cannot start a thread for the connection to the agent (error %d)", error);
    release();
    return -1;
  }
  pthread_mutex_lock(&lock);
  for (long long end= now() + options->timeout; !self->is_connected && !self->is_refused && wait_until(end);)
    ;
  int result= self->is_connected ? 0 : self->is_refused ? -1 : 1;
  self->told= result;
  snprintf(text, LONGEST_TEXT, "%s", self->state);
  pthread_mutex_unlock(&lock);
  if (result < 0)
    link_close();
  return result;
}

void link_close(void)
{
  if (!self)
    return;
  pthread_mutex_lock(&lock);
  self->is_stopping= 1;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  wake();
  pthread_join(thread, NULL);
  pthread_cond_destroy(&changed);
  release();
}

static void put_request(struct request *request)
{
  struct request **end= &self->requests;
  while (*end)
    end= &(*end)->next;
  *end= request;
  self->is_wanted= 1;
  pthread_cond_broadcast(&changed);
  wake();
}

static void take_back_request(struct request *request)
{
  struct request **at= &self->requests;
  while (*at != request)
    at= &(*at)->next;
  *at= request->next;
}

/*
  A start asks several times. For an agent that could not be had for the whole time-out already, the next one only waits for the
  attempt that it causes.
*/
static long long patience_of_asker(void)
{
  long long timeout= self->options.timeout;
  int is_gone= !self->is_connected && now() - self->away >= timeout;
  return is_gone && timeout > LATER_WAIT ? LATER_WAIT : timeout;
}

/* Has the thread ask the agent, and waits for its answer. With the lock. */
static void ask(uint8_t type, uint32_t id, uint32_t version, struct link_answer *answer)
{
  struct request request= { .type= type, .id= id, .version= version, .answer= answer };
  /* Pages without encryption say 0, damaged ones anything. The protocol has no such keys. */
  if ((type != FRAME_ROTATE && id == 0) || (type == FRAME_GET_KEY && version == 0) || version > LATEST_POSSIBLE_VERSION)
  {
    answer->outcome= LINK_ABSENT;
    snprintf(answer->text, LONGEST_TEXT, "there is no such number");
    return;
  }
  *answer->text= 0;
  put_request(&request);
  for (long long end= now() + patience_of_asker(); request.state != ANSWERED && wait_until(end);)
    ;
  take_back_request(&request);
  if (request.state == ANSWERED)
    return;
  answer->outcome= LINK_FAILED;
  if (request.state == WAITING)
    snprintf(answer->text, LONGEST_TEXT, "the agent at %.150s was not to be had within %u ms (%.200s)", self->options.socket,
             self->options.timeout, self->is_connected ? "it is busy" : self->state);
  else if (!*answer->text)
    snprintf(answer->text, LONGEST_TEXT, "the agent at %.150s did not answer within %u ms%s", self->options.socket,
             self->options.timeout, type == FRAME_ROTATE ? "; it may go on: see its log" : "");
}

void link_latest_version(uint32_t id, struct link_answer *answer)
{
  pthread_mutex_lock(&lock);
  struct held_key *key= find_key(&self->held, id, 0);
  answer->outcome= LINK_DONE;
  if (key)
    answer->version= key->version;
  else
    ask(FRAME_GET_LATEST, id, 0, answer);
  pthread_mutex_unlock(&lock);
}

void link_key(uint32_t id, uint32_t version, void (*use)(const struct held_key *, void *), void *argument,
              struct link_answer *answer)
{
  pthread_mutex_lock(&lock);
  struct held_key *key= version ? find_key(&self->held, id, version) : NULL;
  answer->outcome= LINK_DONE;
  if (!key)
  {
    ask(FRAME_GET_KEY, id, version, answer);
    key= answer->outcome == LINK_DONE ? find_key(&self->held, id, version) : NULL;
  }
  if (key)
    use(key, argument);
  pthread_mutex_unlock(&lock);
}

void link_rotate(uint32_t id, struct link_answer *answer)
{
  pthread_mutex_lock(&lock);
  ask(FRAME_ROTATE, id, 0, answer);
  pthread_mutex_unlock(&lock);
}

void link_each_key(void (*see)(const struct held_key *, void *), void *argument)
{
  pthread_mutex_lock(&lock);
  for (size_t bucket= 0; bucket < BUCKETS; bucket++)
    for (struct held_key *key= self->held.buckets[bucket]; key; key= key->next)
      see(key, argument);
  pthread_mutex_unlock(&lock);
}

long long link_state(char text[LONGEST_TEXT])
{
  pthread_mutex_lock(&lock);
  snprintf(text, LONGEST_TEXT, "%s", self->is_connected ? "connected" : self->state);
  long long age= self->heard ? (now() - self->heard) / 1000 : -1;
  pthread_mutex_unlock(&lock);
  return age;
}

int link_receive(const uint8_t *bytes, size_t count)
{
  int result= 0;
  pthread_mutex_lock(&lock);
  while (count && result == 0)
  {
    size_t room= sizeof self->in - self->in_length, some= count < room ? count : room;
    memcpy(self->in + self->in_length, bytes, some);
    self->in_length+= some;
    bytes+= some;
    count-= some;
    result= take_frames();
  }
  pthread_mutex_unlock(&lock);
  return result;
}
