/*
  The data keys that the agent has given us, in memory that is not swapped and is left out of core dumps.
  Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only
*/
#ifndef HELD_KEYS_H
#define HELD_KEYS_H

#include "agent_frames.h"

struct held_key
{
  struct held_key *next; /* in its bucket */
  uint32_t id, version, length;
  int is_latest, is_disputed; /* the agent has said other bytes */
  uint32_t round; /* in which the agent was last asked whether it still is */
  uint8_t bytes[LONGEST_KEY];
};

enum { BUCKETS= 256 };

/* All zero at first. Its owner sees to it that one thread at a time uses it. */
struct held_keys
{
  struct held_key *buckets[BUCKETS];
  struct key_block *blocks;
  uint32_t count;
};

/* Version 0: the latest of that id. NULL: it is not held. */
struct held_key *find_key(const struct held_keys *held, uint32_t id, uint32_t version);

enum hold_result { HELD_ANEW, HELD_ALREADY, HELD_OTHERWISE, OUT_OF_MEMORY };

/* Keeps the key of a frame. The bytes of a version that is held never change, and what is latest never goes back. */
enum hold_result hold_key(struct held_keys *held, const struct frame *sent);

/* Zeroes and forgets them all. */
void drop_keys(struct held_keys *held);

/* Zeroed, locked and left out of core dumps; NULL where there is none. Locking may fail: then memory_is_locked says no. */
void *secret_memory(size_t size);
void free_secret_memory(void *memory, size_t size);
int memory_is_locked(void);

#endif
