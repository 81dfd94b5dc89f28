/* Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "agent_connection.h"
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

/* Milliseconds. */
enum { LATER_WAIT= 500 };

struct link *self;
pthread_mutex_t lock= PTHREAD_MUTEX_INITIALIZER;

static void release(void)
{
  if (!self)
    return;
  if (self->wake_fd >= 0)
    close(self->wake_fd);
  drop_keys(&self->held);
  free_secret_memory(self, sizeof *self);
  self= NULL;
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
  if (self)
    self->wake_fd= eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!self || self->wake_fd < 0)
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
  end_thread();
  release();
}

static void put_request(struct request *request)
{
  struct request **end= &self->requests;
  while (*end)
    end= &(*end)->next;
  *end= request;
  self->is_wanted= 1;
  pthread_cond_broadcast(&self->changed);
  wake_thread();
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

uint32_t link_key_count(void)
{
  pthread_mutex_lock(&lock);
  uint32_t count= self->held.count;
  pthread_mutex_unlock(&lock);
  return count;
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
