/* Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "held_keys.h"
#include <sys/mman.h>

/* Eight pages of 4 KiB. */
enum { KEYS_IN_BLOCK= 511 };

struct key_block
{
  struct key_block *next;
  size_t used;
  struct held_key keys[KEYS_IN_BLOCK];
};

static int all_locked= 1;

struct held_key *find_key(const struct held_keys *held, uint32_t id, uint32_t version)
{
  struct held_key *key= held->buckets[id % BUCKETS];
  while (key && !(key->id == id && (version ? key->version == version : key->is_latest)))
    key= key->next;
  return key;
}

static struct held_key *new_key(struct held_keys *held)
{
  if (!held->blocks || held->blocks->used == KEYS_IN_BLOCK)
  {
    struct key_block *block= secret_memory(sizeof *block);
    if (!block)
      return NULL;
    block->next= held->blocks;
    held->blocks= block;
  }
  return &held->blocks->keys[held->blocks->used++];
}

static struct held_key *add_key(struct held_keys *held, const struct frame *sent)
{
  struct held_key **bucket= &held->buckets[sent->key_id % BUCKETS], *key= new_key(held);
  if (!key)
    return NULL;
  key->id= sent->key_id;
  key->version= sent->version;
  key->length= sent->length;
  memcpy(key->bytes, sent->payload, sent->length);
  key->next= *bucket;
  *bucket= key;
  held->count++;
  return key;
}

enum hold_result hold_key(struct held_keys *held, const struct frame *sent)
{
  struct held_key *known= find_key(held, sent->key_id, sent->version), *key= known, *latest;
  if (known && (known->length != sent->length || memcmp(known->bytes, sent->payload, known->length) != 0))
    return HELD_OTHERWISE;
  if (!known && !(key= add_key(held, sent)))
    return OUT_OF_MEMORY;
  latest= find_key(held, sent->key_id, 0);
  if (sent->flags & FLAG_LATEST && (!latest || latest->version < key->version))
  {
    if (latest)
      latest->is_latest= 0;
    key->is_latest= 1;
  }
  return known ? HELD_ALREADY : HELD_ANEW;
}

void drop_keys(struct held_keys *held)
{
  while (held->blocks)
  {
    struct key_block *block= held->blocks;
    held->blocks= block->next;
    free_secret_memory(block, sizeof *block);
  }
  memset(held, 0, sizeof *held);
}

void *secret_memory(size_t size)
{
  void *memory= mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return NULL;
  madvise(memory, size, MADV_DONTDUMP);
  if (mlock(memory, size) != 0)
    all_locked= 0;
  return memory;
}

void free_secret_memory(void *memory, size_t size)
{
  explicit_bzero(memory, size);
  munmap(memory, size);
}

int memory_is_locked(void) { return all_locked; }
