/* Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "agent_connection.h"
#include <stdio.h>

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

/* A text ends at a NUL in it. */
static void copy_text(char to[LONGEST_TEXT], const struct frame *from)
{
  copy_line(to, LONGEST_TEXT, from->payload, strnlen((const char *) from->payload, from->length));
}

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

int take_frames(void)
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
  pthread_cond_broadcast(&self->changed);
  return length < 0 ? -1 : result;
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
