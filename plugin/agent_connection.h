/*
  The connection to the agent, inside: what its three parts share. agent_link.c serves those who want keys, agent_connection.c
  has the thread that speaks with the agent, and agent_talk.c takes what the agent says.
  Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only
*/
#ifndef AGENT_CONNECTION_H
#define AGENT_CONNECTION_H

#include "agent_link.h"
#include <pthread.h>
#include <time.h>

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
  pthread_cond_t changed;
  int wake_fd; /* of an eventfd that wakes the thread */
};

/* The only one there is; NULL: none is open. */
extern struct link *self;

/* Of all that it holds. */
extern pthread_mutex_t lock;

/* Takes all whole frames of the buffer, and zeroes what it has taken. With the lock. -1: the connection has to end. */
int take_frames(void);

/* Has a thread keep the connection. Returns the number of an error. */
int start_thread(void);

/* Without the lock; returns when it has ended. */
void end_thread(void);

void wake_thread(void);

/* Waits, with the lock, until something has changed or the time has come. Whether it has not come yet. */
int wait_until(long long moment);

static inline long long now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

#endif
